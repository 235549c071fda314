package fuzz

import (
	"fmt"

	"github.com/nonet-h2/nonet/conn"
)

// event takes an event in, as an application does, and checks that it may come
// now.
func (w *world) event(ev conn.Event) error {
	if ev.Kind == conn.None {
		return nil
	}
	if ev.Kind == conn.Pong {
		w.logf("pong %x\n", ev.Data)
		return nil
	}
	t := w.tasks[ev.Ref.ID]
	if ev.Kind == conn.Headers {
		if t != nil || ev.Ref.ID <= w.lastID {
			return fmt.Errorf("stream %d is not new", ev.Ref.ID)
		}
		return w.request(ev)
	}
	if t == nil || t.ref != ev.Ref {
		return fmt.Errorf("the stream is unknown")
	}
	if t.over || t.released || t.reqEnd && ev.Kind != conn.Reset {
		return fmt.Errorf("after the end: %+v", *t)
	}
	switch ev.Kind {
	case conn.Data:
		t.unread += len(ev.Data)
		t.got += int64(len(ev.Data))
		w.got += int64(len(ev.Data))
		if ev.End {
			t.reqEnd = true
		}
		w.logData(ev)
		return w.received(t)
	case conn.Trailers:
		if !ev.End {
			return fmt.Errorf("trailers without End")
		}
		t.reqEnd = true
		w.logf("trailers %v", ev.Ref)
		w.logFields()
	case conn.Reset:
		t.over, t.unread = true, 0
		if ev.Side == conn.Nobody || ev.End {
			return fmt.Errorf("a Reset of nobody, or with End")
		}
		if code, side, retry := w.c.Fate(ev.Ref); code != ev.Code || side != ev.Side || retry {
			return fmt.Errorf("Fate says %v, %v, %v", code, side, retry)
		}
		w.logf("reset %v %v %v %v\n", ev.Ref, ev.Code, ev.Side, ev.Reason)
	default:
		return fmt.Errorf("not for a server")
	}
	return nil
}

func (w *world) request(ev conn.Event) error {
	for _, t := range w.order {
		if !t.released && t.ref.Slot == ev.Ref.Slot {
			return fmt.Errorf("its slot is that of stream %d", t.ref.ID)
		}
	}
	if ev.Ref.ID > w.out.goaway {
		return fmt.Errorf("beyond GOAWAY, whose last stream was %d", w.out.goaway)
	}
	w.lastID = ev.Ref.ID
	t := &task{ref: ev.Ref, reqEnd: ev.End}
	w.tasks[ev.Ref.ID] = t
	w.all, w.order = append(w.all, t), append(w.order, t)
	w.unreleased++
	l := &w.limits
	if n := w.c.Unreleased(); n != w.unreleased || n > int(l.MaxConcurrentStreams)+l.WorkQueue {
		return fmt.Errorf("%d streams are unreleased, want %d", n, w.unreleased)
	}
	if n := w.c.Active(); n > int(l.MaxConcurrentStreams) {
		return fmt.Errorf("%d streams are active", n)
	}
	if w.fields.Size() > int(l.HeaderListSize) || w.fields.Len() > l.HeaderFields {
		return fmt.Errorf("%d fields, a size of %d", w.fields.Len(), w.fields.Size())
	}
	w.logf("request %v end=%v", ev.Ref, ev.End)
	w.logFields()
	return nil
}

// received checks that the peer was not let past the windows that we announced.
func (w *world) received(t *task) error {
	l := &w.limits
	granted := int64(max(l.StreamWindow, 65535))
	if s := w.out.streams[t.ref.ID]; s != nil {
		granted += s.granted
	}
	if t.got > granted {
		return fmt.Errorf("%d octets were let through, of %d granted", t.got, granted)
	}
	if w.got > 65535+w.out.conn {
		return fmt.Errorf("%d octets were let through on the connection, of %d granted", w.got, 65535+w.out.conn)
	}
	return nil
}

// signals fetches all signals.
func (w *world) signals() error {
	for {
		r, x, ok := w.c.Signal()
		if !ok {
			return nil
		}
		w.logf("signal %v %b\n", r, x)
		if r == (conn.Ref{}) {
			if x&^(conn.SettingsChanged|conn.GoAway|conn.Drained) != 0 {
				return fmt.Errorf("signal %b of the connection is not for a server", x)
			}
			continue
		}
		t := w.tasks[r.ID]
		if t == nil || t.ref != r || t.released {
			return fmt.Errorf("signal %b for %v, which nobody has: %+v", x, r, t)
		}
		if x&conn.TrailersSent != 0 {
			if t.trailers == nil {
				return fmt.Errorf("stream %d: TrailersSent without trailers", r.ID)
			}
			t.trailers = nil
		}
		if x&conn.Ended != 0 {
			if t.over {
				return fmt.Errorf("stream %d ended twice", r.ID)
			}
			t.over, t.unread = true, 0
		}
		if x&^(conn.TrailersSent|conn.Ended) != 0 {
			return fmt.Errorf("signal %b of stream %d", x, r.ID)
		}
	}
}

// logData notes payload. What comes in several pieces is one entry.
func (w *world) logData(ev conn.Event) {
	if w.joined != ev.Ref {
		w.logf("data %v ", ev.Ref)
		w.joined = ev.Ref
	}
	fmt.Fprintf(&w.log, "%x", ev.Data)
	if ev.End {
		w.logf(" end")
	}
	// A newline would end the entry; the next entry begins on its own line.
}

func (w *world) logFields() {
	for i := range w.fields.Len() {
		f := w.fields.Field(i)
		w.logf(" %q: %q %v;", f.Name, f.Value, f.Sensitive)
	}
	w.logf("\n")
}
