package nonet

import (
	"context"
	"sync"

	"github.com/nonet-h2/nonet/conn"
)

// streams are unused ones, in lists of up to keptStreams: each is the next of
// another.
var streams sync.Pool

// keptStreams is how many unused streams a connection keeps at most.
const keptStreams = 8

// newStream returns a stream that belongs to no connection yet.
func newStream() *stream {
	st, _ := streams.Get().(*stream)
	if st == nil {
		st = new(stream)
	} else if st.next != nil {
		streams.Put(st.next)
		st.next = nil
	}
	st.declared = -1
	return st
}

// newStreamLocked returns a stream for a request.
func (d *driver) newStreamLocked() *stream {
	st := d.spares
	if st == nil {
		if st, _ = streams.Get().(*stream); st == nil {
			st = new(stream)
		}
	}
	d.spares, st.next = st.next, nil
	st.declared = -1
	return st
}

// spareLocked keeps an unused stream while the connection has requests. Those that
// it keeps go back at once, with its last request or when they are many.
func (d *driver) spareLocked(st *stream) {
	st.after = 0
	if d.spares != nil {
		st.after = d.spares.after + 1
	}
	st.next, d.spares = d.spares, st
	if st.after == keptStreams-1 || d.core.Unreleased() == 0 || d.cl != nil {
		streams.Put(d.spares)
		d.spares = nil
	}
}

// bind gives the stream its mutex.
func (st *stream) bind(mu *sync.Mutex) {
	if st.mu.Load() != mu {
		st.rcond.L, st.wcond.L = mu, mu
		st.mu.Store(mu) // last: whoever finds it may lock it at once
	}
}

// free gives the stream back, unless somebody may still be waiting on it. Its
// word has moved on before.
func (st *stream) free() {
	switch {
	case !st.clean():
	case st.c != nil:
		st.c.asked = asked{}
		askers.Put(st)
	default:
		streams.Put(st)
	}
}

// clean makes the stream ready for another request. False: it can't be used.
func (st *stream) clean() bool {
	if st.spoiled {
		return false
	}
	st.d, st.h1, st.ref = nil, nil, conn.Ref{}
	st.head, st.empty, st.entry = false, false, false
	st.req.Reset()
	st.ate = 0
	st.hdr.Reset()
	st.rtl.Reset()
	st.status, st.written, st.fill, st.open = 0, 0, 0, nil
	st.sent, st.ended, st.declares, st.lastConn, st.panicked, st.short = false, false, false, false, false, false
	st.dateless, st.lengthless = false, false
	st.then = nil
	st.inEnd, st.tookCont, st.trailing, st.queued, st.retired = false, false, false, false, false
	st.trl.Reset()
	st.unsent = 0
	st.stopped = nil
	st.err, st.ctx, st.cancel = nil, nil, nil
	return true
}

// live returns the stream if its request goes on.
func (s Stream) live() (*stream, error) {
	if s.st != nil && s.st.word.Load() == s.gen {
		return s.st, nil
	}
	st, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer st.mu.Load().Unlock()
	return nil, st.err
}

// held returns the stream while its handler runs, even if it was reset.
func (s Stream) held() *stream {
	if s.st != nil && s.st.word.Load()|1 == s.gen|1 {
		return s.st
	}
	return nil
}

// lock returns the stream with its mutex locked, if the handler still runs.
// It is safe from any goroutine at any time: the generation changes only under
// the mutex, and the pointer to the mutex only between generations, or under it.
func (s Stream) lock() (*stream, error) {
	for {
		if s.held() == nil {
			return nil, ErrStale
		}
		mu := s.st.mu.Load()
		mu.Lock()
		switch {
		case s.held() == nil:
			mu.Unlock()
			return nil, ErrStale
		case s.st.mu.Load() == mu:
			return s.st, nil
		}
		mu.Unlock() // a client's request moved to another connection
	}
}

// writer returns the stream if more may be written.
func (s Stream) writer() (*stream, error) {
	st, err := s.live()
	if err == nil && st.ended {
		if st.c != nil {
			return nil, ErrRequestComplete
		}
		return nil, ErrResponseComplete
	}
	return st, err
}

// header returns the stream if its header section may still be changed.
func (s Stream) header() (*stream, error) {
	st, err := s.writer()
	if err == nil && st.sent {
		return nil, ErrResponseStarted
	}
	return st, err
}

// over reports whether the stream was reset or its connection is gone.
func (st *stream) over() bool { return st.word.Load()&1 != 0 }

// overLocked ends the stream in both directions: whoever waits is woken (the
// context too: what hangs on it runs on goroutines of its own), and
// what is held for it is dropped. err says why. keep: the response is complete
// and what is left of it is still to be sent.
func (st *stream) overLocked(err error, keep bool) {
	if !keep {
		st.outbox.drop()
		st.unsent, st.trailing = 0, false
	}
	if st.over() || st.retired {
		return
	}
	st.word.Store(st.word.Load() | 1)
	st.err = err
	if st.c != nil {
		st.c.wake()
	}
	st.inbox.drop()
	st.rcond.Broadcast()
	st.wcond.Broadcast()
	if st.cancel != nil {
		st.cancel(canceled{err})
	}
}

// retireLocked ends the life of every Stream that points here.
func (st *stream) retireLocked() {
	st.word.Store((st.word.Load() | 1) + 1)
	st.retired = true
	if st.c != nil {
		st.c.wake()
	}
	st.inbox.drop()
	if st.cur != nil {
		st.cur.unref()
		st.cur = nil
	}
	if st.open != nil {
		st.open.unref()
		st.open = nil
	}
	if st.cancel != nil {
		st.cancel(context.Canceled)
	}
	if st.readers+st.writers > 0 {
		st.spoiled = true
		st.rcond.Broadcast()
		st.wcond.Broadcast()
	}
}
