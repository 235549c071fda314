//go:build linux && (amd64 || arm64) && !race && !msan && !asan

package nonet

import (
	"syscall"
	"unsafe"

	"github.com/nonet-h2/nonet/internal/syscount"
)

// The system calls of the hot path, without a word to the scheduler. To
// announce a system call lets the runtime give the processor to another thread
// when it takes longer than 20 µs, as a write to a socket may that runs the
// network stack; then there are two switches of threads more, which cost a tenth
// of a request. MSG_DONTWAIT: whatever mode the socket is in, these do not wait.
//
// The pointers are converted in the call itself, which keeps what they point
// at where it is (package unsafe, pattern 4), and the kernel keeps none of them.
//
// Package syscall also tells the race detector and its like what a read or write
// means; with them its calls are used.

// sysRead reads what there is.
func sysRead(fd uintptr, p []byte) (int, error) {
	syscount.Read()
	n, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

// sysWrite writes what the socket takes.
func sysWrite(fd uintptr, p []byte) (int, error) {
	syscount.Write()
	n, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

// sysWritev writes what the socket takes of the first pieces.
func sysWritev(fd uintptr, pieces [][]byte) (int, error) {
	var list [16]syscall.Iovec
	n := 0
	for ; n < len(pieces) && n < len(list); n++ {
		list[n].Base = unsafe.SliceData(pieces[n])
		list[n].SetLen(len(pieces[n]))
	}
	syscount.Write()
	msg := syscall.Msghdr{Iov: &list[0], Iovlen: uint64(n)}
	k, _, e := syscall.RawSyscall(syscall.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&msg)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
	if e != 0 {
		return 0, e
	}
	return int(k), nil
}

// sysPeek reports whether a read has something to return, be it an error.
func sysPeek(fd uintptr) bool {
	syscount.Read()
	var p [1]byte
	_, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&p)), 1, syscall.MSG_DONTWAIT|syscall.MSG_PEEK, 0, 0)
	return e != syscall.EAGAIN
}
