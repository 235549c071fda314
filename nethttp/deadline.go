package nethttp

import (
	"sync"
	"sync/atomic"
	"time"
)

// timers are the deadlines of a request.
type timers struct {
	mu          sync.Mutex
	read, write *time.Timer
	stopped     bool
	expired     atomic.Bool // the write deadline has passed
}

// set arms a timer; a time that is past acts at once.
func (c *timers) set(timer **time.Timer, t time.Time, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	if *timer != nil {
		(*timer).Stop()
		*timer = nil
	}
	if t.IsZero() {
		return
	}
	if left := time.Until(t); left > 0 {
		*timer = time.AfterFunc(left, f)
		return
	}
	f()
}

func (c *timers) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, t := range []*time.Timer{c.read, c.write} {
		if t != nil {
			t.Stop()
		}
	}
}
