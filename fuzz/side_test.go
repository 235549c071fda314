package fuzz

import (
	"fmt"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// side is one end: its Conn, its application, and what it has sent.
type side struct {
	name   string
	c      *conn.Conn
	limits conn.Limits
	batch  conn.Batch
	fields hpack.Fields
	wire   []byte // all that was emitted
	read   int    // how much of it the other side has
	flows  map[uint32]*flow
	order  []*flow
}

// flow is a stream as one side's application sees it.
type flow struct {
	ref              conn.Ref
	final, sentEnd   bool
	interims         int
	queued           int
	sent             int64
	unread           int
	received         int64
	gotHead, recvEnd bool
	over, released   bool
	reset            bool // by our application
}

func (s *side) add(w *flow) {
	s.flows[w.ref.ID] = w
	s.order = append(s.order, w)
}

func (s *side) head(w *flow, interim bool) error {
	if w.final || w.over || w.reset {
		return nil
	}
	var f hpack.Fields
	if interim {
		if w.interims++; w.interims > 10 {
			return nil
		}
		f.AddToken(hpack.TokenStatus, "103")
		return s.c.Headers(w.ref, &f, false)
	}
	f.AddToken(hpack.TokenStatus, "200")
	f.Add("x-path", fmt.Sprint(w.ref.ID%5))
	w.final = true
	return s.c.Headers(w.ref, &f, false)
}

func (s *side) queue(w *flow, n int, end bool) error {
	if !w.final || w.sentEnd || w.over || w.reset {
		return nil
	}
	w.queued += n
	w.sentEnd = end
	return s.c.Queue(w.ref, n, end)
}

func (s *side) trailers(w *flow) error {
	if !w.final || w.sentEnd || w.over || w.reset {
		return nil
	}
	f := new(hpack.Fields)
	f.Add("x-sum", "1")
	w.sentEnd = true
	return s.c.Trailers(w.ref, f)
}

func (s *side) consume(w *flow, n int) {
	s.c.Consumed(w.ref, n)
	w.unread -= n
}

func (s *side) release(w *flow) {
	s.c.Release(w.ref)
	w.released = true
}

// emit adds what there is to send to s.wire.
func (s *side) emit(now time.Duration, limit int) {
	s.batch.Reset()
	s.c.Emit(now, &s.batch, limit)
	at := 0
	for _, x := range s.batch.Cuts {
		s.wire = append(s.wire, s.batch.Buf[at:x.At]...)
		at = x.At
		w := s.flows[x.Ref.ID]
		for i := range x.N {
			s.wire = append(s.wire, payloadOctet(x.Ref.ID, w.sent+int64(i)))
		}
		w.sent += int64(x.N)
		w.queued -= x.N
	}
	s.wire = append(s.wire, s.batch.Buf[at:]...)
}

func (s *side) event(ev conn.Event) error {
	w := s.flows[ev.Ref.ID]
	switch {
	case ev.Kind == conn.None || ev.Kind == conn.Pong:
		return nil
	case w == nil && ev.Kind == conn.Headers && s.name == "server":
		w = &flow{ref: ev.Ref}
		s.add(w)
	case w == nil || w.released || w.over || w.recvEnd && ev.Kind != conn.Reset:
		return fmt.Errorf("out of order: %+v", w)
	}
	w.recvEnd = w.recvEnd || ev.End
	switch ev.Kind {
	case conn.Headers:
		w.gotHead = true
	case conn.Data:
		for i, b := range ev.Data {
			if b != payloadOctet(ev.Ref.ID, w.received+int64(i)) {
				return fmt.Errorf("octet %d is another", w.received+int64(i))
			}
		}
		w.received += int64(len(ev.Data))
		w.unread += len(ev.Data)
	case conn.Reset:
		if ev.Side != conn.Remote {
			return fmt.Errorf("a stream error among friends")
		}
		w.over, w.unread = true, 0
	}
	return nil
}

func (s *side) signals() error {
	for {
		r, x, ok := s.c.Signal()
		if !ok {
			return nil
		}
		if x&conn.Ended != 0 {
			return fmt.Errorf("%s: stream %d ended by itself", s.name, r.ID)
		}
	}
}

// dataOctets counts the payload of DATA; granted that of WINDOW_UPDATE on the
// connection.
func dataOctets(wire []byte) (n int64) {
	walk(wire, func(h frame.Header, p []byte) {
		if h.Type == frame.TypeData {
			n += int64(h.Length)
		}
	})
	return n
}

func granted(wire []byte) (n int64) {
	walk(wire, func(h frame.Header, p []byte) {
		if h.Type == frame.TypeWindowUpdate && h.StreamID == 0 {
			inc, _ := frame.ParseWindowUpdate(h, p)
			n += int64(inc)
		}
	})
	return n
}

func walk(wire []byte, f func(frame.Header, []byte)) {
	if len(wire) > 24 && string(wire[:24]) == frame.Preface {
		wire = wire[24:]
	}
	for len(wire) >= frame.HeaderLen {
		h := frame.ParseHeader(wire)
		end := frame.HeaderLen + int(h.Length)
		f(h, wire[frame.HeaderLen:end])
		wire = wire[end:]
	}
}
