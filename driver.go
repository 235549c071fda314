package nonet

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// driver runs one HTTP/2 connection: it gives the core octets and time, moves
// what the core decides, and runs the handlers. That of a client has streams
// that the user opened instead of handlers; driver_client.go says more.
//
// Goroutines: the reader, which is first the one that called run, and after it
// has rested another (driver_rest.go); the handlers; and whoever owns writing. mu
// is never held during a read, a write, TLS or code of the user.
type driver struct {
	srv    *Server     // a server's connection
	cl     *ClientConn // a client's
	wire   wire
	epoch  time.Duration // when the connection was accepted, on the clock of sinceStart: now is counted from it
	number uint64        // of the connection, for traces and logs
	tap    *tracer       // nil: no trace
	stall  time.Duration
	writer func()          // startWriter, bound once
	worker func()          // runWorker, bound once
	work   workQueue       // has its own mutex
	base   context.Context // of the connection; nil: none was made
	teller connTeller
	within bool // the reader's: input has ended within a frame
	pauses bool // the reader's: it rests at the next pause of the input

	// fresh counts the octets that handlers committed, for the writer to see
	// its batch grow.
	fresh atomic.Int64

	mu      sync.Mutex
	core    *conn.Conn
	slots   []*stream     // by conn.Ref.Slot
	spares  *stream       // unused ones, each the next of another; none while no request runs
	waiting streamQueue   // requests without a handler; a client's that have no stream yet
	running int32         // handlers
	limit   int32         // of them
	last    conn.Ref      // after this response the connection goes away
	grown   int64         // what the server knows of our windows' growth
	rest    *batch        // a batch of which the reader wrote a part
	wrote   *sync.Cond    // the writing is free again, or a write has ended; nil: nobody has waited for it
	since   time.Duration // when the current write began; 0: none
	killAt  time.Duration // when the socket is closed, come what may; 0: not yet
	timerAt time.Duration // when timer fires; 0: it does not
	timer   *time.Timer
	err     error // what ended the connection, the first that was noticed

	files   int32   // that are being sent
	tight   bool    // the server's memory for windows is used up: ours shrink
	writing bool    // someone owns the writing, from Emit to the end of Write
	half    bool    // our side of the socket is shut
	closed  bool    // the reader is gone
	awake   bool    // the reader's goroutine has parsed
	roused  bool    // the reader's wait was ended, for it to rest
	parks   bool    // while it rests nobody waits for input; driver_park_linux.go
	offered bool    // whoever can write takes the writing: its owner has not begun, or yields
	place   int32   // where it is parked, or 0: the parking's
	leader  *leader // driver_lead_linux.go; nil: it has not led

	// The reader's.
	octets  int32     // read since nothing more was to be sent
	poured  int32     // content that came since it yielded
	arrived []*stream // requests of this burst
}

func newDriver(s *Server, w wire, epoch time.Time) *driver {
	limits := s.limits.of(&s.Config)
	d := &driver{
		srv: s, wire: w, epoch: sinceStart(epoch),
		number: s.number.Add(1),
		limit:  int32(limits.MaxConcurrentStreams),
		stall:  s.writeStall(),
		pauses: w.canTry(),
		core: conn.New(conn.Config{
			Role: conn.Server, Shared: limits,
			EnableConnectProtocol: s.EnableConnectProtocol,
			Prepared:              s.Prepared,
		}, 0),
	}
	d.wire.raw.use(&s.watch)
	d.writer, d.worker = d.startWriter, d.runWorker
	if s.Trace != nil {
		d.tap = newTracer(s.traceLog(), d.number, epoch, limits.HeaderTableSize)
		d.tap.recv.skip = len(frame.Preface)
	}
	return d
}

func (d *driver) now() time.Duration { return time.Since(clockStart) - d.epoch }

// clockStart is what the times of all connections are counted from.
var clockStart = time.Now()

// sinceStart returns t on that clock.
func sinceStart(t time.Time) time.Duration { return t.Sub(clockStart) }

// awaitWriteLocked waits until writing is free or a write has ended.
func (d *driver) awaitWriteLocked() {
	if d.wrote == nil {
		d.wrote = sync.NewCond(&d.mu)
	}
	d.wrote.Wait()
}

// wroteLocked wakes those who wait for that.
func (d *driver) wroteLocked() {
	if d.wrote != nil {
		d.wrote.Broadcast()
	}
}

// stream returns the stream that r names, or nil.
func (d *driver) stream(r conn.Ref) *stream {
	if int(r.Slot) < len(d.slots) {
		if st := d.slots[r.Slot]; st != nil && st.ref.ID == r.ID {
			return st
		}
	}
	return nil
}

// resetLocked resets a stream for the application. A complete response is
// still sent: then the core keeps the stream.
func (d *driver) resetLocked(st *stream, code frame.ErrCode) {
	if st.over() || d.closed {
		return
	}
	d.core.Reset(st.ref, code)
	_, by, _ := d.core.Fate(st.ref)
	d.overLocked(st, &ResetError{Code: code, Side: conn.Local}, by == conn.Nobody)
}

// overLocked ends a stream in both directions; keep: but for what is left to
// send of its complete response.
func (d *driver) overLocked(st *stream, err error, keep bool) {
	st.overLocked(err, keep)
	if st.queued {
		// A stream that ended before its handler started is never started.
		d.waiting.remove(st)
		if st.c == nil {
			st.retireLocked()
		}
	}
	d.settleLocked(st)
}

// settleLocked gives a stream back when nothing is held for it any more: its
// handler has returned, and its response is on the way.
func (d *driver) settleLocked(st *stream) {
	if !st.retired || !st.outbox.empty() || st.trailing {
		return
	}
	if st.c != nil {
		d.partLocked(st)
		st.free()
		return
	}
	d.core.Release(st.ref)
	d.slots[st.ref.Slot] = nil
	d.shareLocked() // perhaps nothing will be sent that does it
	if st.clean() {
		d.spareLocked(st)
	}
}

// signalsLocked fetches what the core has to say beside events.
func (d *driver) signalsLocked() {
	for {
		r, x, ok := d.core.Signal()
		if !ok {
			break
		}
		st := d.stream(r)
		if st == nil {
			continue
		}
		if x&conn.TrailersSent != 0 {
			st.trailing = false
			d.settleLocked(st)
		}
		if x&conn.Ended != 0 && d.stream(r) == st {
			d.lostLocked(st, d.fateLocked(r))
		}
	}
	if d.cl != nil {
		d.tidyLocked()
	}
}

// lostLocked ends a stream because the core says so.
func (d *driver) lostLocked(st *stream, err error) {
	if st.c != nil {
		d.lostRequestLocked(st, err)
		return
	}
	d.overLocked(st, err, false)
}

// fateLocked says why a stream has ended.
func (d *driver) fateLocked(r conn.Ref) error {
	if d.cl != nil && d.cl.odd != nil {
		return d.cl.odd
	}
	if err := d.core.Err(); err != nil {
		return err
	}
	code, side, _ := d.core.Fate(r)
	return &ResetError{Code: code, Side: side}
}

// shutdown begins the graceful end.
func (d *driver) shutdown() {
	d.mu.Lock()
	d.core.Shutdown(d.now())
	d.unlockAndKick()
}

// failLocked is the end by a connection error, which the core has noted:
// GOAWAY is due. The socket is closed soon even if it can't be written.
func (d *driver) failLocked(err error, now time.Duration) {
	if d.err == nil {
		d.err = err
	}
	if e, ok := err.(*conn.Error); ok && e.Reason == frame.ReasonFirstFrame && d.cl != nil && d.cl.odd == nil {
		d.cl.odd = errNoSettings
	}
	d.killAt = now + lingerTime
}

// hangUp closes the socket at once. The reader ends.
func (d *driver) hangUp() {
	d.wire.close()
	d.unpark()
}

// end is called by the reader when it is done: nothing is left afterwards but
// handlers that did not return yet.
func (d *driver) end(err error) error {
	d.wire.close()
	d.mu.Lock()
	d.closed = true
	if d.err == nil {
		d.err = err
	}
	why := d.err
	if e := d.core.Err(); e != nil {
		why = e
	} else if why == nil {
		why = errClosed
	}
	if d.cl != nil {
		why = d.leaveLocked(why)
	}
	for i := range d.slots {
		if st := d.slots[i]; st != nil {
			d.lostLocked(st, why)
		}
	}
	d.unshareLocked()
	if d.timer != nil {
		d.timer.Stop()
	}
	for d.writing {
		d.awaitWriteLocked()
	}
	err = d.err
	d.mu.Unlock()
	return err
}

// streamQueue is a queue of streams whose handlers can't start yet.
type streamQueue struct{ head, tail *stream }

func (q *streamQueue) push(st *stream) {
	st.queued, st.prev, st.next = true, q.tail, nil
	if q.tail == nil {
		q.head = st
	} else {
		q.tail.next = st
	}
	q.tail = st
}

func (q *streamQueue) remove(st *stream) {
	if st.prev == nil {
		q.head = st.next
	} else {
		st.prev.next = st.next
	}
	if st.next == nil {
		q.tail = st.prev
	} else {
		st.next.prev = st.prev
	}
	st.queued, st.prev, st.next = false, nil, nil
}
