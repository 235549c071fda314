package nonet

import (
	"runtime"
	"sync"
	"time"
)

// workQueue holds the streams whose handlers are to start now. Goroutines take
// them one after another: starting one costs more than a short handler, and one
// that has run a handler has the stack for the next. The one that finds no more
// writes what they have answered.
//
// While a stream is in the queue, a goroutine is on its way that has not taken
// any yet. So a handler that blocks delays no other; nor does it delay the answer
// of one that its goroutine ran before, for whoever takes a stream from the queue
// leaves a goroutine on its way, which writes what it finds.
type workQueue struct {
	mu         sync.Mutex
	head, tail *stream
	left       int32 // streams
	coming     int32 // goroutines that were started and have not taken a stream
}

// start makes the handler of st run.
func (d *driver) start(st *stream) {
	q := &d.work
	q.mu.Lock()
	q.push(st)
	call := q.call()
	q.mu.Unlock()
	if call {
		go d.worker()
	}
}

// startArrived makes the handlers of this burst run. Two goroutines are started
// for more than one: the last one that a processor of the runtime has started is
// its own to run next, and another that looks for work takes the one before it
// at once, but that one only after it has slept, a tenth of a millisecond.
func (d *driver) startArrived() {
	if len(d.arrived) == 0 {
		return
	}
	q := &d.work
	q.mu.Lock()
	for i, st := range d.arrived {
		d.arrived[i] = nil
		q.push(st)
	}
	call := q.call()
	two := call && len(d.arrived) > 1
	if two {
		q.coming++
	}
	q.mu.Unlock()
	d.arrived = d.arrived[:0]
	if call {
		go d.worker()
	}
	if two {
		go d.worker()
	}
}

// runWorker is worker's. A handler that ends the goroutine ends only that.
func (d *driver) runWorker() {
	defer d.flush()
	q := &d.work
	q.mu.Lock()
	q.coming--
	q.mu.Unlock()
	if d.claim() { // answers of handlers that have returned, beside others that have not
		d.callAnother()
		d.write()
	}
	since := d.now()
	for n, look := 1, 1; ; n++ {
		st, call := q.take()
		if call {
			go d.worker()
		}
		if st == nil {
			return
		}
		st.serve()
		if n < look { // the clock costs something beside a short handler
			continue
		}
		now := d.now()
		took := now - since
		if took >= flushAfter {
			d.flushBetween(now)
			n, look, since = 0, 1, now
			continue
		}
		look = min(2*n, n+int(time.Duration(n)*(flushAfter-took)/max(took, 1))+1)
	}
}

// callAnother starts a goroutine for the streams that wait, if none is coming,
// as the caller is going to write.
func (d *driver) callAnother() {
	q := &d.work
	q.mu.Lock()
	call := q.call()
	q.mu.Unlock()
	if call {
		go d.worker()
	}
}

// flushAfter is from when on answers do not wait for those of other handlers that
// are still to run.
const flushAfter = 500 * time.Microsecond

// flushBetween sends what handlers have answered, if others are still to run. It
// does not where handlers wait for something: then it was not work that took the
// time, and they answer in any order, each when it goes on.
func (d *driver) flushBetween(now time.Duration) {
	d.mu.Lock()
	left := d.work.length()
	waiting := d.running-left >= int32(runtime.GOMAXPROCS(0))
	switch {
	case left == 0 || waiting || !d.takeLocked():
		d.mu.Unlock()
	case d.wire.canTry():
		d.tryOnLocked(now)
	default:
		d.mu.Unlock()
		d.callAnother()
		d.loop(getBatch())
	}
}

func (q *workQueue) length() int32 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.left
}

// take returns the next stream, or nil, and whether a goroutine has to be
// started.
func (q *workQueue) take() (st *stream, call bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if st = q.head; st != nil {
		q.head, st.next = st.next, nil
		q.left--
	}
	return st, q.call()
}

func (q *workQueue) push(st *stream) {
	st.next = nil
	if q.head == nil {
		q.head = st
	} else {
		q.tail.next = st
	}
	q.tail = st
	q.left++
}

// call reports whether a goroutine has to be started for the streams that wait.
func (q *workQueue) call() bool {
	if q.head == nil || q.coming > 0 {
		return false
	}
	q.coming = 1
	return true
}
