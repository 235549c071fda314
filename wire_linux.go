package nonet

import "syscall"

// notSentLowat keeps the kernel from taking much more than it can send: what
// it has taken can't be reordered any more.
const (
	tcpNotSentLowat = 25 // TCP_NOTSENT_LOWAT, linux/tcp.h
	notSentLowat    = 128 << 10
)

// tune sets what is good for a connection, as far as the kernel allows it.
func tune(rc syscall.RawConn) {
	_ = rc.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, notSentLowat)
	})
}
