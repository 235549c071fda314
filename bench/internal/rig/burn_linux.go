package rig

import (
	"syscall"
	"time"
	"unsafe"
)

// burn works for 20 µs of its thread's CPU time: the same at whatever speed the
// processor runs just now, and however long the thread has to wait for one.
func burn() {
	for end := threadCPU() + 20*time.Microsecond; threadCPU() < end; {
		burnt.Store(multiply(500))
	}
}

// threadCPU is the CPU time that this thread has used.
func threadCPU() time.Duration {
	const clockThreadCPU = 3 // CLOCK_THREAD_CPUTIME_ID, linux/time.h
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&ts)), 0)
	return time.Duration(ts.Nano())
}
