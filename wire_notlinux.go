//go:build unix && !linux

package nonet

import "syscall"

// tune sets what is good for a connection; nothing here.
func tune(syscall.RawConn) {}
