package conn

import (
	"time"

	"github.com/nonet-h2/nonet/flowcontrol"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/stream"
)

// tuning grows the receive windows to what the path carries: a window whose
// octets came back so fast that the peer must have waited for credit is doubled
// (flowcontrol.Grow). The round-trip time that this takes is known from health.go.
type tuning struct {
	since   time.Duration // when octets that count towards the connection's next increment began to come
	learned uint32        // the largest window that a stream grew to
	grown   int64         // by how much the streams' windows exceed StreamWindow together
}

// appendUpdates writes the WINDOW_UPDATE frames that are due (RFC 9113 6.9),
// each after its window was made as large as it should be.
func (c *Conn) appendUpdates(dst []byte, now time.Duration) []byte {
	if c.recv.Pending() {
		c.tuneConn(now)
		if inc := c.recv.Update(); inc > 0 {
			dst = frame.AppendWindowUpdate(dst, 0, inc)
		}
	}
	for s := c.updates.Front(); s != nil; s = c.updates.Front() {
		c.updates.Remove(s)
		c.tune(s, now)
		if inc := s.Recv.Update(); inc > 0 {
			dst = frame.AppendWindowUpdate(dst, s.ID, inc)
			if s.LastRecv = now; s.ContentLength >= 0 {
				c.timers.stream(now, c.lim.BodyIdle)
			}
		}
	}
	return dst
}

// tune sets the target of a stream's window, whose increment is due.
func (c *Conn) tune(s *stream.Stream, now time.Duration) {
	t := &c.tuning
	old := s.Recv.Target()
	spare := c.budget.Limit() - t.grown
	if spare < 0 {
		// Memory has become scarce: what was grown goes first.
		t.grown -= c.grownBy(s)
		s.Recv.Resize(min(old, c.lim.StreamWindow))
		return
	}
	want := flowcontrol.Grow(old, s.Recv.Owed(), now-s.Tuned, c.health.rtt.Time())
	s.Tuned = now
	if want <= old {
		return
	}
	// What one stream has learned of the path holds for the others. Half of
	// what is left stays for them too.
	want = min(max(want, t.learned), old+uint32(min(spare/2, flowcontrol.MaxTarget)))
	t.learned = max(t.learned, want)
	t.grown += int64(want) - int64(old)
	s.Recv.Resize(want)
}

// grownBy is by how much the stream's window has grown.
func (c *Conn) grownBy(s *stream.Stream) int64 {
	return max(0, int64(s.Recv.Target())-int64(c.lim.StreamWindow))
}

// tuneConn does for the connection's window what tune does for a stream's.
func (c *Conn) tuneConn(now time.Duration) {
	t := &c.tuning
	if c.budget.Limit() < t.grown {
		c.recv.Resize(c.lim.ConnWindow)
	} else {
		c.recv.Resize(flowcontrol.Grow(c.recv.Target(), c.recv.Owed(), now-t.since, c.health.rtt.Time()))
	}
	t.since = now
}

// SetRecvBudget changes Limits.RecvBudget: memory pressure comes in as input.
// Windows that have grown beyond it shrink as their octets come in, since what
// was announced to the peer can't be taken back.
func (c *Conn) SetRecvBudget(n int64) { c.recv.Return(c.budget.SetLimit(n)) }

// RecvGrown returns by how many octets the receive windows of all streams
// together exceed Limits.StreamWindow: what they may hold more.
func (c *Conn) RecvGrown() int64 { return c.tuning.grown }
