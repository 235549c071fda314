package conn

import (
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/stream"
)

// Flags of a stream's record (stream.Flags).
const (
	flagFinal    stream.Flags = 1 << iota // the final response's header section passed
	flagReleased                          // the application is done with it
	flagAfter                             // RST_STREAM(After) follows END_STREAM
	flagHead                              // the response has no content, whatever content-length says
	flagTunnel                            // CONNECT: content-length means nothing
)

// use says what becomes of a header block once it is decoded.
type use uint8

const (
	useRequest use = iota
	useResponse
	useTrailers
	useDiscard // decoded only to keep HPACK in step
)

// headerBlock is the block that is being received.
type headerBlock struct {
	id    uint32
	use   use
	open  bool         // END_HEADERS is still to come
	end   bool         // END_STREAM: takes effect with END_HEADERS
	fault *frame.Error // a stream error to raise once the block is decoded

	buf           []byte // fragments that could not be decoded in place
	start         int    // where the current frame's payload starts in buf
	frames, empty int    // CONTINUATION frames so far; those without octets
}

// beginHeaders takes the header of a HEADERS frame and decides what it is.
func (c *Conn) beginHeaders(h frame.Header) *frame.Error {
	b := &c.in.block
	b.id, b.open, b.end, b.fault = h.StreamID, true, h.Flags.Has(frame.FlagEndStream), nil
	b.buf, b.start, b.frames, b.empty = b.buf[:0], 0, 0, 0
	if int(h.Length) > c.lim.blockSize() {
		return errBlockTooLarge
	}
	if f := c.classify(b); f != nil {
		return f
	}
	c.in.phase, c.in.left = phaseBlock, int(h.Length)
	return nil
}

// classify finds out which message the block belongs to (RFC 9113 5.1, 5.1.1).
func (c *Conn) classify(b *headerBlock) *frame.Error {
	if c.role == Server && b.id%2 == 1 && b.id > c.ids.seen {
		c.ids.open(b.id)
		b.use = useRequest
		return nil
	}
	s := c.streams.Get(b.id)
	if s == nil {
		switch {
		case c.late(b.id):
			b.use = useDiscard
			return c.abuse.closed(c.now)
		case c.idle(b.id):
			return errIdle
		case c.role == Server && c.ids.skipped(b.id):
			return errOrderOfIDs
		}
		return errClosed
	}
	if s.State == stream.Closed {
		b.use = useDiscard
		if c.late(b.id) {
			return c.abuse.closed(c.now)
		}
		return errClosed
	}
	if _, v := stream.Step(s.State, stream.RecvHeaders); v != stream.OK {
		b.use, b.fault = useDiscard, streamClosed
		return nil
	}
	switch {
	case c.role == Client && s.Flags&flagFinal == 0:
		b.use = useResponse
	default:
		b.use = useTrailers
		if !b.end {
			// RFC 9113 8.1: a HEADERS frame without END_STREAM after the
			// header section: malformed.
			b.use, b.fault = useDiscard, streamMalformed
		}
	}
	return nil
}

// beginContinuation takes the header of a CONTINUATION frame (RFC 9113 6.10).
func (c *Conn) beginContinuation(h frame.Header) *frame.Error {
	b := &c.in.block
	if !b.open {
		return errContinuation
	}
	b.frames++
	if h.Length == 0 {
		b.empty++
	}
	if b.frames > c.lim.Continuations || b.empty > 1 || len(b.buf)+int(h.Length) > c.lim.blockSize() {
		return errBlockTooLarge
	}
	c.in.phase, c.in.left = phaseBlock, int(h.Length)
	if b.frames > 2 {
		return c.abuse.idle(c.now, costContinuation)
	}
	return nil
}

// recvBlock takes payload of HEADERS or CONTINUATION. A block that lies whole
// in one HEADERS frame in b is decoded where it lies.
func (c *Conn) recvBlock(b []byte, dst *hpack.Fields, ev *Event) (n int, ok bool, fault *frame.Error) {
	in, bl := &c.in, &c.in.block
	n = min(in.left, len(b))
	in.left -= n
	inPlace := n == int(in.h.Length)
	p := b[:n]
	if !inPlace {
		bl.buf = append(bl.buf, p...)
		if in.left > 0 {
			return n, false, nil
		}
		p = bl.buf[bl.start:]
	}
	in.phase = phaseHeader
	if in.h.Type == frame.TypeHeaders && in.h.Flags&(frame.FlagPadded|frame.FlagPriority) != 0 {
		hs, e := frame.ParseHeaders(in.h, p)
		if e != nil && e.Scope == frame.ConnectionScope {
			return n, false, e
		}
		if e != nil {
			bl.fault = e
		}
		p = hs.Block
	}
	last := in.h.Flags.Has(frame.FlagEndHeaders)
	if !inPlace {
		bl.buf = append(bl.buf[:bl.start], p...)
	} else if !last || bl.frames > 0 {
		bl.buf = append(bl.buf, p...)
	}
	bl.start = len(bl.buf)
	if !last {
		return n, true, nil
	}
	if !inPlace || bl.frames > 0 {
		p = bl.buf
	}
	bl.open = false
	fault = c.endBlock(p, dst, ev)
	if bl.buf = bl.buf[:0]; cap(bl.buf) > carrySize {
		bl.buf = nil
	}
	return n, true, fault
}

// endBlock decodes a complete header block. Whatever becomes of the message,
// the block is decoded to its end, for HPACK's table is the connection's
// (RFC 9113 4.3).
func (c *Conn) endBlock(block []byte, dst *hpack.Fields, ev *Event) *frame.Error {
	b := &c.in.block
	var s *stream.Stream
	if b.use == useResponse || b.use == useTrailers {
		if s = c.streams.Get(b.id); s == nil || c.over(s) {
			b.use, b.fault = useDiscard, nil // it ended between HEADERS and CONTINUATION
		}
	}
	kind, into := hpack.Request, dst
	switch b.use {
	case useResponse:
		kind = hpack.Response
	case useTrailers:
		kind = hpack.Trailers
	case useDiscard:
		into = nil
	}
	lim := c.lim.list(kind)
	v, err := c.dec.Decode(into, block, kind, lim)
	if err != nil {
		return errCompression
	}
	c.abuse.useful += int64(len(block))
	c.progress(0)
	if v == hpack.FarTooLarge {
		return errListTooLarge
	}
	switch b.use {
	case useRequest:
		return c.recvRequest(v, dst, ev)
	case useDiscard:
		if b.fault != nil {
			return c.streamError(b.id, b.fault, ev)
		}
		return nil
	}
	switch {
	case b.fault != nil:
		return c.streamError(b.id, b.fault, ev)
	case v == hpack.Malformed:
		return c.streamError(b.id, streamMalformed, ev)
	case v == hpack.TooLarge, b.use == useTrailers && dst.Size() > lim.Bytes-s.ListSize:
		return c.streamError(b.id, streamListTooLarge, ev)
	case b.use == useTrailers:
		return c.recvTrailers(s, ev)
	}
	return c.recvResponse(s, dst, ev)
}

// recvRequest opens a stream for a request, or says why not.
func (c *Conn) recvRequest(v hpack.Verdict, f *hpack.Fields, ev *Event) *frame.Error {
	b := &c.in.block
	if c.leaving.excludes(b.id) {
		// RFC 9113 6.8: frames on streams beyond the last one are ignored, but
		// for what they do to the connection.
		return c.abuse.closed(c.now)
	}
	if b.fault != nil {
		return c.refuseRequest(costMalformed, b.fault.Code)
	}
	if c.ids.active >= int(c.lim.MaxConcurrentStreams) || c.ids.unreleased >= int(c.lim.MaxConcurrentStreams)+c.lim.WorkQueue {
		// RFC 9113 5.1.2: a stream error of type PROTOCOL_ERROR or
		// REFUSED_STREAM; the latter says that it may be tried again.
		return c.refuseRequest(costRefused, frame.RefusedStream)
	}
	if v == hpack.TooLarge {
		return c.answer431(b.id, b.end)
	}
	req, ok := request(f, c.connect)
	if v == hpack.Malformed || !ok || b.end && req.length > 0 {
		return c.refuseRequest(costMalformed, frame.ProtocolError)
	}
	s := c.streams.Add(b.id)
	s.State, _ = stream.Step(stream.Idle, stream.RecvHeaders)
	if b.end {
		s.State, _ = stream.Step(stream.Idle, stream.RecvHeadersEnd)
	}
	s.Recv.Init(c.settings.window(c.lim), c.lim.StreamWindow)
	s.ContentLength, s.ListSize, s.LastRecv = req.length, f.Size(), c.now
	s.Urgency, s.Incremental = req.priority.Urgency, req.priority.Incremental
	c.settings.updated(s)
	if req.head {
		s.Flags |= flagHead
	}
	c.ids.active++
	c.ids.unreleased++
	c.ids.total++
	c.ids.processed = b.id
	if !b.end && req.length >= 0 {
		c.timers.stream(c.now, c.lim.BodyIdle)
	}
	if n := c.lim.Requests; n > 0 && c.ids.total == n || b.id > frame.MaxStreamID-4*c.lim.MaxConcurrentStreams {
		c.Shutdown(c.now)
	}
	ev.Kind, ev.End, ev.Ref = Headers, b.end, ref(s)
	return nil
}

// refuseRequest answers a request that opens no stream with RST_STREAM.
func (c *Conn) refuseRequest(cost int32, code frame.ErrCode) *frame.Error {
	b := &c.in.block
	if !b.end {
		c.abuse.expect(int64(c.lim.StreamWindow))
	}
	return c.refuse(b.id, cost, code)
}

// recvTrailers ends the peer's side of a stream.
func (c *Conn) recvTrailers(s *stream.Stream, ev *Event) *frame.Error {
	if cl := s.ContentLength; cl >= 0 && s.Received != cl {
		return c.streamError(s.ID, streamLength, ev)
	}
	s.State, _ = stream.Step(s.State, stream.RecvHeadersEnd)
	s.LastRecv = c.now
	if ev.tell(Trailers, s) {
		ev.End = true
	}
	if s.State == stream.Closed {
		c.close(s)
	}
	return nil
}

// recvResponse takes an interim or final response (client).
func (c *Conn) recvResponse(s *stream.Stream, f *hpack.Fields, ev *Event) *frame.Error {
	b := &c.in.block
	status, length, ok := response(f)
	interim := status < 200
	if !ok || interim && b.end {
		return c.streamError(s.ID, streamMalformed, ev)
	}
	if interim {
		if s.Interims++; int(s.Interims) > c.lim.Interims {
			return c.streamError(s.ID, streamInterims, ev)
		}
		ev.tell(Info, s)
		return nil
	}
	if s.Flags&flagHead != 0 || status == 204 || status == 304 || s.Flags&flagTunnel != 0 && status < 300 {
		length = stream.NoContentLength
		if s.Flags&flagTunnel == 0 {
			length = 0 // such a response has no content, whatever it declares (RFC 9110 6.4.1)
		}
	}
	if b.end && length > 0 {
		return c.streamError(s.ID, streamLength, ev)
	}
	s.Flags |= flagFinal
	s.ContentLength, s.ListSize = length, f.Size()
	if ev.tell(Headers, s) {
		ev.End = b.end
	}
	if b.end {
		if s.State, _ = stream.Step(s.State, stream.RecvHeadersEnd); s.State == stream.Closed {
			c.close(s)
		}
	}
	return nil
}

// tell makes ev an event of s. False: there is none, as the application is done
// with s.
func (ev *Event) tell(k Kind, s *stream.Stream) bool {
	if s.Flags&flagReleased != 0 {
		return false
	}
	ev.Kind, ev.Ref = k, ref(s)
	return true
}
