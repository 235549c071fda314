//go:build unix && !(linux && (amd64 || arm64) && !race && !msan && !asan)

package nonet

import "syscall"

// sysRead reads what there is.
func sysRead(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }

// sysWrite writes what the socket takes.
func sysWrite(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }

// sysWritev leaves all pieces to package net.
func sysWritev(uintptr, [][]byte) (int, error) { return 0, syscall.EAGAIN }

// sysPeek reports whether a read has something to return, be it an error.
func sysPeek(fd uintptr) bool {
	var p [1]byte
	_, _, err := syscall.Recvfrom(int(fd), p[:], syscall.MSG_PEEK)
	return err != syscall.EAGAIN
}
