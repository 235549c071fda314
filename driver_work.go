package nonet

import "sync"

// workQueue holds the streams whose handlers are to start now. Goroutines take
// them one after another: starting one costs more than a short handler, and one
// that has run a handler has the stack for the next.
//
// While a stream is in the queue, a goroutine is on its way that has not taken
// any yet. So a handler that blocks delays no other.
type workQueue struct {
	mu         sync.Mutex
	head, tail *stream
	coming     bool // a goroutine was started that has not taken a stream
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

// startArrived makes the handlers of this burst run.
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
	q.mu.Unlock()
	d.arrived = d.arrived[:0]
	if call {
		go d.worker()
	}
}

// runWorker is worker's: it runs handlers until none waits. A handler that ends
// the goroutine ends only that.
func (d *driver) runWorker() {
	for first := true; ; first = false {
		q := &d.work
		q.mu.Lock()
		if first {
			q.coming = false
		}
		st := q.head
		if st == nil {
			q.mu.Unlock()
			return
		}
		q.head, st.next = st.next, nil
		call := q.call()
		q.mu.Unlock()
		if call {
			go d.worker()
		}
		st.serve()
	}
}

func (q *workQueue) push(st *stream) {
	st.next = nil
	if q.head == nil {
		q.head = st
	} else {
		q.tail.next = st
	}
	q.tail = st
}

// call reports whether a goroutine has to be started.
func (q *workQueue) call() bool {
	if q.head == nil || q.coming {
		return false
	}
	q.coming = true
	return true
}
