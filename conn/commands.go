package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/stream"
)

// Open starts a request (client): its header section is encoded now and leaves
// with the next Emit. end: the request has neither content nor trailers. f is
// only read during the call. Its priority field (RFC 9218 5) also orders what
// the request itself sends.
func (c *Conn) Open(now time.Duration, f *hpack.Fields, end bool) (Ref, error) {
	c.now = now
	switch {
	case c.role != Client:
		return Ref{}, ErrRole
	case c.err != nil || c.Draining() || c.ids.next > frame.MaxStreamID:
		return Ref{}, ErrGoingAway
	case f.Find(hpack.TokenProtocol) >= 0 && !c.settings.peer.EnableConnectProtocol:
		return Ref{}, ErrNoConnectProtocol
	case uint64(c.ids.active) >= uint64(c.settings.peer.MaxConcurrentStreams):
		return Ref{}, ErrNoCapacity
	}
	s := c.streams.Add(c.ids.next)
	c.ids.next += 2
	if c.ids.next > frame.MaxStreamID {
		c.Shutdown(now) // RFC 9113 5.1.1: what follows needs a new connection
	}
	s.Recv.Init(c.settings.window(c.lim), c.lim.StreamWindow)
	s.Incremental = true
	if v := f.Get(hpack.TokenPriority); v != nil {
		p := parsePriority(v)
		s.Urgency, s.Incremental = p.Urgency, p.Incremental
	}
	switch method := f.Get(hpack.TokenMethod); string(method) {
	case "HEAD":
		s.Flags |= flagHead
	case "CONNECT":
		s.Flags |= flagTunnel
	}
	c.ids.active++
	c.ids.unreleased++
	c.ids.total++
	c.timers.idle = 0
	c.watch(now)
	c.sendHeaders(s, f, end)
	return ref(s), nil
}

// Headers sends a header section of a response: an interim one (1xx) or the
// final one. It is encoded now, and the order of the calls is the order on the
// wire. end: the response has neither content nor trailers. f is only read
// during the call.
func (c *Conn) Headers(r Ref, f *hpack.Fields, end bool) error {
	s := c.get(r)
	if s == nil || c.over(s) {
		return ErrGone
	}
	status := f.Get(hpack.TokenStatus)
	interim := len(status) == 3 && status[0] == '1'
	if c.role != Server || s.Flags&flagFinal != 0 || interim && end || ended(s) {
		return ErrOrder
	}
	if !interim {
		s.Flags |= flagFinal
	}
	c.sendHeaders(s, f, end)
	return nil
}

func (c *Conn) sendHeaders(s *stream.Stream, f *hpack.Fields, end bool) {
	c.appendHeaders(s.ID, f, end)
	if !end {
		s.State, _ = stream.Step(s.State, stream.SendHeaders)
		return
	}
	s.State, _ = stream.Step(s.State, stream.SendHeadersEnd)
	c.sentEnd(s, &c.out)
}

// appendHeaders encodes a field section behind those that wait in c.out.
func (c *Conn) appendHeaders(id uint32, f *hpack.Fields, end bool) {
	c.out = c.appendBlock(c.out, id, f, end)
}

func (c *Conn) appendBlock(dst []byte, id uint32, f *hpack.Fields, end bool) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, frame.HeaderLen)...)
	dst = c.enc.AppendBlock(dst, f)
	// A small SendFrameSize is meant for DATA: a block in many CONTINUATION
	// frames looks like a flood.
	size := max(c.lim.SendFrameSize, frame.MinMaxFrameSize)
	return frame.FrameHeaders(dst, at, id, end, int(min(c.settings.peer.MaxFrameSize, size)))
}

func (c *Conn) maxFrame() int { return int(min(c.settings.peer.MaxFrameSize, c.lim.SendFrameSize)) }

// sentEnd follows END_STREAM: a reset that waited for it is written to dst.
func (c *Conn) sentEnd(s *stream.Stream, dst *[]byte) {
	if s.State == stream.Closed {
		c.close(s)
		return
	}
	if s.Flags&flagAfter != 0 {
		*dst = frame.AppendRSTStream(*dst, s.ID, s.After)
		c.ids.resets().add(s.ID)
		c.abuse.expect(s.Recv.Available())
		c.raise(s, Ended)
		c.end(s, s.After, Local)
	}
}

// Queue says that n more octets of the stream's payload are ready; they stay
// with the caller until a Cut takes them. end: END_STREAM follows them.
func (c *Conn) Queue(r Ref, n int, end bool) error {
	s := c.get(r)
	if s == nil || c.over(s) {
		return ErrGone
	}
	if c.role == Server && s.Flags&flagFinal == 0 || ended(s) {
		return ErrOrder
	}
	if s.Queued == 0 {
		s.LastSent, s.Progress = 0, 0
		c.timers.stream(c.now, c.lim.SendStall)
	}
	s.Queued += n
	s.End = end
	if s.Queued > 0 || end {
		c.queue.Push(s)
	}
	return nil
}

// Trailers sends a trailer section after the octets that are queued, and ends
// our side. It is encoded when it leaves: f is the Conn's until the
// TrailersSent signal or the end of the stream.
func (c *Conn) Trailers(r Ref, f *hpack.Fields) error {
	s := c.get(r)
	if s == nil || c.over(s) {
		return ErrGone
	}
	if c.role == Server && s.Flags&flagFinal == 0 || ended(s) {
		return ErrOrder
	}
	s.Trailers = f
	c.queue.Push(s)
	return nil
}
