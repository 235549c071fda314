package conn

import "github.com/nonet-h2/nonet/stream"

// signals are raised and not fetched yet.
type signals struct {
	list stream.List // streams with some
	own  Signals     // the connection's
}

// raise raises a signal of a stream that is still there: end may forget it.
func (c *Conn) raise(s *stream.Stream, x Signals) {
	if s.Flags&flagReleased != 0 {
		return
	}
	s.Signals |= uint16(x)
	c.signals.list.Add(s)
}

func (c *Conn) raiseConn(x Signals) { c.signals.own |= x }

// Signal returns signals that were raised and forgets them; ok is false when
// there are none. The zero Ref stands for the connection.
func (c *Conn) Signal() (r Ref, x Signals, ok bool) {
	if s := c.signals.list.Front(); s != nil {
		x = Signals(s.Signals)
		s.Signals = 0
		c.signals.list.Remove(s)
		return ref(s), x, true
	}
	x, c.signals.own = c.signals.own, 0
	return Ref{}, x, x != 0
}
