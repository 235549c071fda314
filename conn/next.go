package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// phase says what the next octet of input is.
type phase uint8

const (
	phasePreface phase = iota // of the client connection preface
	phaseHeader               // of a frame header
	phaseControl              // of the payload of a short frame, wanted whole
	phaseBlock                // of the payload of HEADERS or CONTINUATION
	phasePad                  // the Pad Length field of DATA
	phaseData                 // of the data of DATA
	phaseSkip                 // of something that nobody wants
)

// input is where in the peer's octets we are.
type input struct {
	phase phase
	h     frame.Header // of the current frame
	left  int          // octets of the current phase still to come
	after int          // octets to skip after it: padding, or what is too long to keep
	carry []byte       // a preface, frame header or short payload that came in pieces
	fault *frame.Error // the stream error that the current frame's header earned
	data  Ref          // whose DATA this is
	end   bool         // it bears END_STREAM
	block headerBlock
}

// Next consumes octets of b until an event is complete, or all of b. It
// carries frame headers and short frames that arrive in pieces, collects
// header blocks (bounded), and passes DATA as it arrives: b needs no room for
// a whole frame, and is never kept.
//
// The field list of a Headers, Info or Trailers event is in dst, which is the
// caller's: it swaps in another before the next call. dst may be overwritten
// by any call.
//
// A non-nil error (an *[Error]) is a connection error: GOAWAY is queued, and
// from then on Next discards everything. Stream errors of ours are Reset
// events with side Local. While WantRead is false Next consumes nothing.
func (c *Conn) Next(now time.Duration, b []byte, dst *hpack.Fields) (ev Event, n int, err error) {
	c.now = now
	if c.err != nil {
		return Event{}, len(b), nil
	}
	if len(b) > 0 {
		c.health.heard = now
	}
	for {
		var k int
		var ok bool
		var fault *frame.Error
		switch c.in.phase {
		case phasePreface:
			k, ok, fault = c.preface(b[n:])
		case phaseHeader:
			if !c.WantRead() {
				return Event{}, n, nil
			}
			var h frame.Header
			if h, k, ok = c.in.header(b[n:]); ok {
				fault = c.begin(h)
			}
		case phaseControl:
			var p []byte
			if p, k, ok = c.in.whole(b[n:]); ok {
				c.in.skip(c.in.after)
				fault = c.control(p, &ev)
				c.in.carry = c.in.carry[:0]
			}
		case phaseBlock:
			k, ok, fault = c.recvBlock(b[n:], dst, &ev)
		case phasePad:
			if ok = n < len(b); ok {
				k = 1
				fault = c.padLength(int(b[n]))
			}
		case phaseData:
			k, ok = c.recvData(b[n:], &ev)
		case phaseSkip:
			k = min(c.in.left, len(b)-n)
			c.in.left -= k
			if ok = c.in.left == 0; ok {
				c.in.phase = phaseHeader
			}
		}
		n += k
		if fault != nil {
			return Event{}, n, c.die(fault.Code, fault.Reason)
		}
		if ev.Kind != None || !ok {
			c.timers.input(c.lim, &c.in, now)
			c.resting(now)
			return ev, n, nil
		}
	}
}

// Within reports whether input has ended inside of a frame or of the client
// connection preface: more of it is to come.
func (c *Conn) Within() bool { return c.in.phase != phaseHeader || len(c.in.carry) > 0 }

// preface takes octets of the client connection preface (RFC 9113 3.4).
func (c *Conn) preface(b []byte) (n int, ok bool, _ *frame.Error) {
	got := len(c.in.carry)
	n = min(len(frame.Preface)-got, len(b))
	if string(b[:n]) != frame.Preface[got:got+n] {
		return n, false, errPreface
	}
	if got+n < len(frame.Preface) {
		c.in.carry = append(c.in.carry, b[:n]...)
		return n, false, nil
	}
	c.in.carry = c.in.carry[:0]
	c.in.phase = phaseHeader
	return n, true, nil
}

// header takes the nine octets of a frame header.
func (in *input) header(b []byte) (h frame.Header, n int, ok bool) {
	if len(in.carry) == 0 && len(b) >= frame.HeaderLen {
		return frame.ParseHeader(b), frame.HeaderLen, true
	}
	n = min(frame.HeaderLen-len(in.carry), len(b))
	in.carry = append(in.carry, b[:n]...)
	if len(in.carry) < frame.HeaderLen {
		return h, n, false
	}
	h = frame.ParseHeader(in.carry)
	in.carry = in.carry[:0]
	return h, n, true
}

// whole takes the in.left octets of a short payload; p is a view of b or of
// the carried octets.
func (in *input) whole(b []byte) (p []byte, n int, ok bool) {
	if len(in.carry) == 0 && len(b) >= in.left {
		return b[:in.left], in.left, true
	}
	n = min(in.left-len(in.carry), len(b))
	in.carry = append(in.carry, b[:n]...)
	return in.carry, n, len(in.carry) == in.left
}

// skip says that n octets are of no interest and a frame header follows.
func (in *input) skip(n int) {
	in.phase, in.left, in.after = phaseHeader, n, 0
	if n > 0 {
		in.phase = phaseSkip
	}
}

// want says that the next n octets of the payload are wanted whole and the
// rest of it is skipped.
func (in *input) want(n int) {
	in.phase, in.left, in.after = phaseControl, n, int(in.h.Length)-n
}

// reject says that the frame is a stream error, which control will handle, and
// that its payload is of no interest.
func (in *input) reject(e *frame.Error) {
	in.fault = e
	in.want(0)
}

// begin takes a frame header: everything that nine octets decide.
func (c *Conn) begin(h frame.Header) *frame.Error {
	in := &c.in
	in.h = h
	if !in.block.open {
		c.timers.partial = 0 // what had begun before is complete
	}
	if in.block.open && (h.Type != frame.TypeContinuation || h.StreamID != in.block.id) {
		// RFC 9113 4.3: a field block MUST be transmitted as a contiguous
		// sequence of frames, with no interleaved frames of any other type or
		// from any other stream.
		return errInterleaved
	}
	if !c.settings.seen && (h.Type != frame.TypeSettings || h.Flags.Has(frame.FlagAck)) {
		// RFC 9113 3.4: an invalid connection preface MUST be a connection error
		// of type PROTOCOL_ERROR, whatever its octets say as a frame.
		return errFirstFrame
	}
	if !h.Plain(c.lim.MaxFrameSize) {
		if e := h.Check(c.lim.MaxFrameSize); e != nil {
			if e.Scope == frame.ConnectionScope {
				return e
			}
			in.reject(e)
			return nil
		}
	}
	switch h.Type {
	case frame.TypeData:
		return c.beginData(h)
	case frame.TypeHeaders:
		return c.beginHeaders(h)
	case frame.TypeContinuation:
		return c.beginContinuation(h)
	}
	if fault := c.abuse.control(c.now, h); fault != nil {
		return fault
	}
	switch h.Type {
	case frame.TypeSettings:
		if int(h.Length) > 6*c.lim.SettingsPerFrame {
			return errTooManySettings
		}
		in.want(int(h.Length))
	case frame.TypeGoAway:
		in.want(min(int(h.Length), 8+debugSize))
	case frame.TypePriorityUpdate:
		in.want(min(int(h.Length), 4+priorityFieldSize))
	case frame.TypePushPromise:
		// RFC 9113 8.4: a client cannot push; a server that was told
		// SETTINGS_ENABLE_PUSH=0 MUST NOT.
		return errPush
	case frame.TypePriority, frame.TypeRSTStream, frame.TypePing, frame.TypeWindowUpdate:
		in.want(int(h.Length))
	default:
		// RFC 9113 4.1: implementations MUST ignore and discard frames of
		// unknown types.
		in.skip(int(h.Length))
	}
	return nil
}

// control applies a short frame whose payload p is complete.
func (c *Conn) control(p []byte, ev *Event) *frame.Error {
	h := c.in.h
	if e := c.in.fault; e != nil {
		c.in.fault = nil
		return c.streamError(h.StreamID, e, ev)
	}
	switch h.Type {
	case frame.TypeSettings:
		return c.recvSettings(h, frame.ParseSettings(p))
	case frame.TypePing:
		return c.recvPing(h, p, ev)
	case frame.TypeGoAway:
		return c.recvGoAway(frame.ParseGoAway(p))
	case frame.TypeWindowUpdate:
		return c.recvWindowUpdate(h, p, ev)
	case frame.TypeRSTStream:
		return c.recvReset(h.StreamID, frame.ParseRSTStream(p), ev)
	case frame.TypePriority:
		// RFC 9113 5.3.2: the RFC 7540 scheme is deprecated; only the frame's
		// form matters.
		_, e := frame.ParsePriority(h, p)
		if e != nil && e.Scope == frame.StreamScope {
			return c.streamError(h.StreamID, e, ev)
		}
		return e
	case frame.TypePriorityUpdate:
		return c.recvPriorityUpdate(h, p)
	}
	return nil
}
