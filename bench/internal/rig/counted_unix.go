//go:build unix

package rig

import (
	"io"
	"net"
	"syscall"
)

// Read reads from the socket and counts each attempt, those in vain too.
func (c *countedConn) Read(p []byte) (n int, err error) {
	raw, e := c.Conn.(*net.TCPConn).SyscallConn()
	if e != nil {
		return 0, e
	}
	e = raw.Read(func(fd uintptr) bool {
		c.calls.reads.Add(1)
		n, err = syscall.Read(int(fd), p)
		return err != syscall.EAGAIN
	})
	switch {
	case e != nil:
		return 0, e
	case err == nil && n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return max(n, 0), err
}
