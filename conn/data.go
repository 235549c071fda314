package conn

import (
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/stream"
)

// beginData takes the header of a DATA frame. Flow control counts the whole
// payload, padding included, whatever becomes of it (RFC 9113 6.1, 6.9.1).
func (c *Conn) beginData(h frame.Header) *frame.Error {
	in := &c.in
	if !c.recv.Receive(int(h.Length)) {
		return errConnWindow
	}
	in.data, in.end = Ref{}, h.Flags.Has(frame.FlagEndStream)
	s := c.streams.Get(h.StreamID)
	if s == nil || s.State == stream.Closed {
		late := c.late(h.StreamID)
		switch {
		case s == nil && c.idle(h.StreamID):
			return errIdle
		case !late && c.role == Client:
			// RFC 9113 5.1: an endpoint MAY treat it as a connection error of
			// type STREAM_CLOSED. We did not reset the stream: a server that
			// mixes up its streams may mix up their content, too.
			return errClosed
		}
		return c.discard(h, !late)
	}
	if _, v := stream.Step(s.State, stream.RecvData); v != stream.OK {
		return c.discard(h, true) // RFC 9113 5.1: half-closed (remote): stream error STREAM_CLOSED
	}
	if c.role == Client && s.Flags&flagFinal == 0 {
		// RFC 9113 8.1: a response starts with a header section.
		c.recv.Return(int(h.Length))
		in.reject(streamMalformed)
		return nil
	}
	if !s.Recv.Receive(int(h.Length)) {
		c.recv.Return(int(h.Length))
		in.reject(streamWindow)
		return nil
	}
	in.data = ref(s)
	s.LastRecv = c.now
	in.phase, in.left, in.after = phasePad, int(h.Length), 0
	if !h.Flags.Has(frame.FlagPadded) {
		return c.beginContent(s, int(h.Length), 0)
	}
	return nil
}

// discard skips DATA that no stream wants and gives its credit back at once.
func (c *Conn) discard(h frame.Header, isError bool) *frame.Error {
	c.recv.Return(int(h.Length))
	if isError {
		c.in.reject(streamClosed)
		return nil
	}
	c.in.skip(int(h.Length))
	return c.abuse.discarded(c.now, int64(h.Length))
}

// late reports whether frames on this closed stream are to be ignored: we
// reset it, as a server a moment ago, or it is past the last one that a GOAWAY
// promised.
func (c *Conn) late(id uint32) bool {
	switch {
	case c.ids.reset != nil && c.ids.reset.has(id, c.now):
		return true
	case c.role == Client:
		return id%2 == 1 && c.leaving.peer && id > c.leaving.peerLast && id < c.ids.next
	}
	return id%2 == 1 && c.leaving.excludes(id)
}

// padLength takes the Pad Length field.
func (c *Conn) padLength(pad int) *frame.Error {
	n := c.in.left - 1 - pad
	if n < 0 {
		// RFC 9113 6.1: padding of the length of the frame payload or more is
		// a connection error of type PROTOCOL_ERROR.
		return errPadding
	}
	c.recv.Return(1 + pad)
	s := c.get(c.in.data)
	if s != nil && s.State != stream.Closed { // else the application reset it in between
		c.credit(s, 1+pad)
	}
	return c.beginContent(s, n, pad)
}

// beginContent takes the size of the frame's data: n octets, and pad octets
// after them. s is nil when the stream is gone.
func (c *Conn) beginContent(s *stream.Stream, n, pad int) *frame.Error {
	in := &c.in
	in.phase, in.left, in.after = phaseData, n, pad
	if s == nil || s.State == stream.Closed {
		return nil
	}
	if s.Received += int64(n); s.Tuned == 0 {
		s.Tuned = c.now
	}
	if cl := s.ContentLength; cl >= 0 && (s.Received > cl || in.end && s.Received != cl) {
		// RFC 9113 8.1.1: malformed if the value of a Content-Length field
		// does not equal the sum of the DATA frame payload lengths.
		c.recv.Return(n)
		in.reject(streamLength)
		in.after = n + pad
		return nil
	}
	if n == 0 && !in.end {
		in.skip(pad)
		return c.abuse.idle(c.now, costEmptyData)
	}
	return nil
}

// recvData passes on what there is of the frame's data.
func (c *Conn) recvData(b []byte, ev *Event) (n int, ok bool) {
	in := &c.in
	n = min(in.left, len(b))
	if n == 0 && in.left > 0 {
		return 0, false
	}
	in.left -= n
	if in.left == 0 {
		in.skip(in.after)
	}
	s := c.get(in.data)
	if s == nil || s.State == stream.Closed {
		c.recv.Return(n)
		return n, true
	}
	last := in.end && in.phase != phaseData
	c.abuse.useful += int64(n)
	if last {
		s.State, _ = stream.Step(s.State, stream.RecvDataEnd)
	}
	if s.Flags&flagReleased != 0 {
		c.recv.Return(n)
	} else {
		s.Unread += n
		c.recv.Return(c.budget.Received(n))
		ev.Kind, ev.End, ev.Ref, ev.Data = Data, last, ref(s), b[:n]
	}
	s.LastRecv = c.now
	c.progress(n)
	if last && s.State == stream.Closed {
		c.close(s)
	}
	return n, true
}

// Body returns the stream whose payload the next octets of input are, and how
// many of them are still to come: a driver may read them straight into that
// stream's buffer, and still passes them through [Conn.Next]. Zero: the next
// octet is not payload.
func (c *Conn) Body() (r Ref, left int) {
	if c.in.phase != phaseData || c.err != nil {
		return Ref{}, 0
	}
	return c.in.data, c.in.left
}

// Consumed says that the application took n octets of the stream's payload:
// the peer may send as many again. On a stream that is over it does nothing.
func (c *Conn) Consumed(r Ref, n int) {
	s := c.get(r)
	if s == nil || c.err != nil {
		return
	}
	n = min(n, s.Unread)
	s.Unread -= n
	c.recv.Return(c.budget.Consumed(n))
	if s.State != stream.Closed {
		c.credit(s, n)
	}
}

// credit gives n octets back to the stream's window. A stream whose peer is
// done gets no WINDOW_UPDATE.
func (c *Conn) credit(s *stream.Stream, n int) {
	s.Recv.Return(n)
	if s.Recv.Pending() && s.State != stream.HalfClosedRemote {
		c.updates.Add(s)
	}
}

// recvWindowUpdate applies WINDOW_UPDATE (RFC 9113 6.9).
func (c *Conn) recvWindowUpdate(h frame.Header, p []byte, ev *Event) *frame.Error {
	inc, e := frame.ParseWindowUpdate(h, p)
	if e != nil {
		if e.Scope == frame.StreamScope {
			return c.streamError(h.StreamID, e, ev)
		}
		return e
	}
	if f := c.abuse.windowUpdate(c.now, c.ids.total); f != nil {
		return f
	}
	if h.StreamID == 0 {
		if !c.send.Grant(frame.DefaultWindow, inc) {
			return errWindowOverflow
		}
		return nil
	}
	s := c.streams.Get(h.StreamID)
	if s == nil || s.State == stream.Closed {
		if c.idle(h.StreamID) {
			return errIdle
		}
		return nil // RFC 9113 5.1: closed: WINDOW_UPDATE can arrive for a short period and is ignored
	}
	if !s.Send.Grant(c.settings.peer.InitialWindowSize, inc) {
		return c.streamError(h.StreamID, streamOverflow, ev)
	}
	c.peak.Note(&s.Send)
	c.queue.Fix(s, c.settings.peer.InitialWindowSize)
	return nil
}
