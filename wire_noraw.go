//go:build unix && !(linux && (amd64 || arm64))

package nonet

import "syscall"

// sysRead reads what there is.
func sysRead(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }

// sysWrite writes what the socket takes.
func sysWrite(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }

func sysPeek(fd uintptr) bool {
	var p [1]byte
	_, _, err := syscall.Recvfrom(int(fd), p[:], syscall.MSG_PEEK)
	return err != syscall.EAGAIN
}
