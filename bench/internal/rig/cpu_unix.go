//go:build unix

package rig

import (
	"syscall"
	"time"
)

// CPU is the CPU time that this process has used.
func CPU() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
