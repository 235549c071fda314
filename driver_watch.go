package nonet

import (
	"sync"
	"sync/atomic"
	"time"
)

// The scheduler's monitor interrupts a handler that computes for long, for the
// sake of everybody else. It sleeps when everything waits, until the next timer
// fires or a system call is announced: the reads and writes of sockets here are
// not (wire_raw.go). So there is a timer that is never far while a server or a
// client is in use, and the first read of such a time is announced.

// watchPeriod is how far it is: as long as the monitor lets a goroutine run.
const watchPeriod = 10 * time.Millisecond

// watch is that timer, of all connections of a server or client.
type watch struct {
	recent atomic.Bool  // something was read since the timer was set
	leads  atomic.Int32 // requests that readers ran, since; driver_lead_linux.go

	mu    sync.Mutex
	on    bool
	timer *time.Timer
}

// touch is called before a read. first: the monitor may be asleep.
func (w *watch) touch() (first bool) {
	if w.recent.Load() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recent.Store(true)
	if w.on {
		return false
	}
	w.on = true
	if w.timer == nil {
		w.timer = time.AfterFunc(watchPeriod, w.ring)
	} else {
		w.timer.Reset(watchPeriod)
	}
	return true
}

// ring is the timer's.
func (w *watch) ring() {
	w.leads.Store(0)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.recent.Swap(false) {
		w.timer.Reset(watchPeriod)
	} else {
		w.on = false
	}
}
