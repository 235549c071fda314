package conn

import (
	"github.com/nonet-h2/nonet/flowcontrol"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/stream"
)

// over reports whether the stream is over on the wire.
func (c *Conn) over(s *stream.Stream) bool { return s.State == stream.Closed }

// close is called once when a stream is over on the wire. Its record stays
// until the application releases it.
func (c *Conn) close(s *stream.Stream) {
	c.queue.Remove(s)
	c.updates.Remove(s)
	c.ids.active--
	c.rest = c.ids.active == 0
	if c.role == Client && c.ids.active+1 >= int(min(c.settings.peer.MaxConcurrentStreams, 1<<30)) {
		c.raiseConn(CanOpen)
	}
	if s.Side == uint8(Nobody) {
		c.abuse.resets.give(1)
	}
	c.drained()
	if s.Flags&flagReleased != 0 {
		c.forget(s)
	}
}

// end is the end of a stream before its time: what is queued is dropped, and
// what was received and not read goes back to the connection window. The
// record of a released stream is gone afterwards.
func (c *Conn) end(s *stream.Stream, code frame.ErrCode, by Side) {
	s.Code, s.Side = code, uint8(by)
	s.Queued, s.End, s.Trailers = 0, false, nil
	c.recv.Return(c.budget.Consumed(s.Unread))
	s.Unread = 0
	s.State = stream.Closed
	c.close(s)
}

func (c *Conn) forget(s *stream.Stream) {
	c.signals.list.Remove(s)
	c.tuning.grown -= c.grownBy(s)
	c.streams.Remove(s)
	if c.streams.Len() == 0 {
		c.peak = flowcontrol.Peak{}
	}
}

// peakNow is the exact bound of the live streams' send windows.
func (c *Conn) peakNow() (p flowcontrol.Peak) {
	for s := range c.streams.All() {
		if !c.over(s) {
			p.Note(&s.Send)
		}
	}
	return p
}

// Release says that the application is done with the stream: its work slot is
// free, and what it did not read is dropped. A stream whose response is not
// complete is reset with INTERNAL_ERROR; when the response is complete and the
// request is not, RST_STREAM(NO_ERROR) follows END_STREAM (RFC 9113 8.1).
func (c *Conn) Release(r Ref) {
	s := c.get(r)
	if s == nil || s.Flags&flagReleased != 0 {
		return
	}
	s.Flags |= flagReleased
	c.ids.unreleased--
	c.signals.list.Remove(s)
	s.Signals = 0
	c.recv.Return(c.budget.Consumed(s.Unread))
	s.Unread = 0
	switch {
	case c.over(s):
		c.forget(s)
	case c.role == Client && s.State == stream.HalfClosedRemote && ended(s):
		// The response is complete; what is queued of the request leaves.
	case c.role == Client:
		c.reset(s, frame.Cancel)
	case !ended(s):
		c.reset(s, frame.InternalError)
	case s.State == stream.HalfClosedLocal:
		c.reset(s, frame.NoError)
	case s.State == stream.Open && s.Flags&flagAfter == 0:
		s.Flags |= flagAfter
		s.After = frame.NoError
	}
}

// ended reports whether our side of the message is complete, sent or queued.
func ended(s *stream.Stream) bool {
	return s.End || s.Trailers != nil || s.State == stream.HalfClosedLocal || s.State == stream.Closed
}

// Reset ends the stream with RST_STREAM and this code, which may be any; the
// first reset wins. Queued payload is dropped. When a server's response is
// complete the reset does not undo it: no frame is sent if the request is
// complete too, and otherwise RST_STREAM follows END_STREAM.
func (c *Conn) Reset(r Ref, code frame.ErrCode) error {
	s := c.get(r)
	if s == nil {
		return ErrGone
	}
	switch {
	case c.over(s):
		return nil
	case c.role == Server && s.State == stream.HalfClosedRemote && ended(s):
		return nil
	case c.role == Server && s.State == stream.Open && ended(s):
		if s.Flags&flagAfter == 0 {
			s.Flags |= flagAfter
			s.After = code
		}
		return nil
	}
	c.reset(s, code)
	return nil
}

// reset sends RST_STREAM now; late frames on the stream are ignored.
func (c *Conn) reset(s *stream.Stream, code frame.ErrCode) {
	c.appendReset(s.ID, code)
	c.abuse.expect(s.Recv.Available())
	c.end(s, code, Local)
}

// appendReset queues RST_STREAM in call order with header sections.
func (c *Conn) appendReset(id uint32, code frame.ErrCode) {
	c.out = frame.AppendRSTStream(c.out, id, code)
	c.ids.resets().add(id)
}

// recvReset applies RST_STREAM (RFC 9113 6.4).
func (c *Conn) recvReset(id uint32, code frame.ErrCode, ev *Event) *frame.Error {
	s := c.streams.Get(id)
	if s == nil || c.over(s) {
		if c.idle(id) {
			return errIdle
		}
		return c.abuse.lateReset(c.now, c.ids.total)
	}
	// A client may leave a response that has begun: gRPC streams and downloads
	// end so, and cost no more than those that are read to their end.
	if c.role == Server && s.Flags&flagFinal == 0 {
		if f := c.abuse.reset(c.now, costResetByPeer); f != nil {
			return f
		}
	}
	s.Retry = code == frame.RefusedStream && c.untouched(s)
	if ev.tell(Reset, s) {
		ev.Side, ev.Code = Remote, code
	}
	c.end(s, code, Remote)
	return nil
}

// untouched reports whether no server has begun to answer the request of s
// (client): one that has must not say afterwards that it did not process it.
func (c *Conn) untouched(s *stream.Stream) bool {
	return c.role == Client && s.Flags&flagFinal == 0 && s.Interims == 0
}

// streamError resets a stream for what the peer did (RFC 9113 5.4.2).
func (c *Conn) streamError(id uint32, e *frame.Error, ev *Event) *frame.Error {
	s := c.streams.Get(id)
	if s == nil && c.idle(id) {
		// RST_STREAM must not be sent on an idle stream; 5.4.2 and 5.4.1 let
		// an endpoint end the connection instead.
		return &frame.Error{Scope: frame.ConnectionScope, Code: e.Code, Reason: e.Reason}
	}
	if s == nil || c.over(s) {
		if c.late(id) {
			return c.abuse.closed(c.now)
		}
		return c.refuse(id, costStreamError, e.Code)
	}
	if f := c.refuse(id, costStreamError, e.Code); f != nil {
		return f
	}
	c.abuse.expect(s.Recv.Available())
	if ev.tell(Reset, s) {
		ev.Side, ev.Code, ev.Reason = Local, e.Code, e.Reason
	}
	c.end(s, e.Code, Local)
	return nil
}

// refuse answers a peer's frame with RST_STREAM, at its cost.
func (c *Conn) refuse(id uint32, cost int32, code frame.ErrCode) *frame.Error {
	if f := c.abuse.reset(c.now, cost); f != nil {
		return f
	}
	n := len(c.out)
	c.appendReset(id, code)
	c.answers += int32(len(c.out) - n)
	return nil
}

// answer431 answers a request whose field section is too large (RFC 6585 5);
// no stream is opened, and no field of it was kept.
func (c *Conn) answer431(id uint32, end bool) *frame.Error {
	if f := c.abuse.reset(c.now, costListTooLarge); f != nil {
		return f
	}
	var f hpack.Fields
	f.AddToken(hpack.TokenStatus, "431")
	f.AddToken(hpack.TokenContentLength, "0")
	n := len(c.out)
	c.appendHeaders(id, &f, true)
	c.ids.resets().add(id)
	if !end {
		c.appendReset(id, frame.NoError)
		c.abuse.expect(int64(c.lim.StreamWindow))
	}
	c.answers += int32(len(c.out) - n)
	return nil
}
