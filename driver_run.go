package nonet

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// serve runs a stream handler.
func (st *stream) serve() {
	d := st.d
	defer d.finish(st)
	if st.then == nil {
		st.then = d.srv.Handler
	}
	st.invoke(d.srv)
}

// invoke runs the handlers that Go names, one after another, and turns a panic
// into what the peer gets.
func (st *stream) invoke(s *Server) {
	returned := false
	defer func() {
		if !returned {
			// A nil value is runtime.Goexit, or panic(nil) of old.
			st.panicked = true
			st.then = nil
			s.logPanic(st, recover())
		}
	}()
	self := Stream{st: st, gen: st.word.Load() &^ 1}
	for st.then != nil {
		h := st.then
		st.then = nil
		h(self)
		if st.entry {
			break
		}
	}
	returned = true
}

func (s *Server) logPanic(st *stream, v any) {
	s.logger().Error("nonet: handler panicked", slog.String("panic", fmt.Sprint(v)),
		slog.String("method", string(st.req.Get(hpack.TokenMethod))), slog.String("path", string(st.req.Get(hpack.TokenPath))))
}

// concludeHandler prepares what follows the return of the handler.
func (st *stream) concludeHandler() {
	if st.panicked && !st.sent && !st.ended {
		// Nothing of the response has left: it becomes a 500.
		st.panicked = false
		st.hdr.Reset()
		st.rtl.Reset()
		st.status, st.declared, st.written, st.fill = 500, -1, 0, 0
		st.declares = false
	}
	st.conclude()
}

// finishLocked ends the response and the life of the handler's Stream.
func (d *driver) finishLocked(st *stream) {
	if st.panicked {
		d.resetLocked(st, frame.InternalError)
	}
	d.completeLocked(st)
	st.retireLocked()
	d.settleLocked(st)
}

// finish follows the return of a stream handler. What is ready to be sent now,
// the goroutine sends when it finds no other handler to run.
func (d *driver) finish(st *stream) {
	st.concludeHandler()
	short := st.short
	d.mu.Lock()
	d.finishLocked(st)
	d.running--
	var next *stream
	if next = d.waiting.head; next != nil {
		d.waiting.remove(next)
		d.running++
	}
	d.mu.Unlock()
	d.tell()
	if next != nil {
		d.start(next)
	}
	if short {
		d.logShort()
	}
}

// runInline runs the inline handlers of a burst and commits their answers in
// one step.
func (d *driver) runInline(now time.Duration) {
	for _, st := range d.arrived {
		st.entry = true
		st.then = d.srv.Inline
		st.invoke(d.srv)
		st.entry = false
		if st.then == nil {
			st.concludeHandler()
		}
	}
	shorts := 0
	d.mu.Lock()
	kept := d.arrived[:0]
	for _, st := range d.arrived {
		switch {
		case st.then == nil:
			if st.short {
				shorts++
			}
			d.finishLocked(st)
		case st.over():
			st.retireLocked()
			d.settleLocked(st)
		case d.running < d.limit:
			d.running++
			kept = append(kept, st)
		default:
			d.waiting.push(st)
		}
	}
	clear(d.arrived[len(kept):])
	d.arrived = kept
	d.startArrived()
	d.tryOrKick(now)
	for range shorts {
		d.logShort()
	}
}

func (d *driver) logShort() {
	d.srv.logger().Warn("nonet: handler wrote less than its content-length", "conn", d.number)
}

// background runs f on a goroutine of its own.
func background(f func()) { go f() }
