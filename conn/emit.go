package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/stream"
)

// Emit appends to w what is to be sent now: control frames, then the header
// sections and resets in the order of their commands, then DATA in priority
// order until Buf and the payload reach max octets. The caller owns the
// writing from Emit to the end of the write, and sends all of w.
//
// Timers that wait for the peer's answer start here, when octets leave.
func (c *Conn) Emit(now time.Duration, w *Batch, max int) {
	c.now = now
	if c.leaving.phase == errorSent {
		return
	}
	w.Buf = c.appendControl(w.Buf, now)
	w.Buf = append(w.Buf, c.out...)
	if len(c.out) > 0 {
		c.sentFrame = true
		c.ids.emitted = c.ids.next
	}
	c.out, c.answers = c.out[:0], 0
	if cap(c.out) > 1<<16 {
		c.out = nil
	}
	if c.err == nil {
		c.queue.Unblock(c.settings.peer.InitialWindowSize)
		for len(w.Buf)+w.Payload < max {
			s := c.queue.Front()
			if s == nil || !c.emitFrom(s, w, max) {
				break
			}
		}
	}
	w.Buf = c.appendGoAway(w.Buf, now)
	if c.ids.reset != nil {
		c.ids.reset.left(now, c.lim.LateData)
	}
	c.resting(now)
}

// appendControl writes everything that depends on neither streams nor order:
// it is state, so its size is bounded.
func (c *Conn) appendControl(dst []byte, now time.Duration) []byte {
	if !c.settings.sent {
		dst = c.appendSettings(dst, now)
	}
	for ; c.settings.acks > 0; c.settings.acks-- {
		dst = frame.AppendSettingsAck(dst)
	}
	for _, data := range c.pings.due {
		dst = frame.AppendPing(dst, true, data)
	}
	c.pings.due = c.pings.due[:0]
	if c.pings.own {
		dst = frame.AppendPing(dst, false, c.pings.ours)
		c.pings.own = false
	}
	if c.err != nil {
		return dst
	}
	if c.health.due {
		dst = c.appendProbe(dst, now)
	}
	return c.appendUpdates(dst, now)
}

// emitFrom writes a frame of the stream whose turn it is. False: it has to
// wait for the connection's window, and so has everybody behind it.
func (c *Conn) emitFrom(s *stream.Stream, w *Batch, max int) bool {
	n := s.Queued
	if n > 0 {
		own := s.Send.Available(c.settings.peer.InitialWindowSize)
		if own <= 0 {
			c.queue.Block(s)
			return true
		}
		all := c.send.Available(frame.DefaultWindow)
		if all <= 0 {
			return false
		}
		n = int(min(int64(n), own, all, int64(c.maxFrame())))
		// A frame is at least a quarter of its room, so a nearly full batch
		// does not cut frames into crumbs.
		if room := max - len(w.Buf) - w.Payload - frame.HeaderLen; room < n && room > c.maxFrame()/4 {
			n = room
		}
	}
	last := n == s.Queued && (s.End || s.Trailers != nil)
	if n > 0 || s.End {
		end := last && s.Trailers == nil
		w.Buf = frame.AppendDataHeader(w.Buf, s.ID, n, end)
		if n > 0 || end {
			w.Cuts = append(w.Cuts, Cut{At: len(w.Buf), Ref: ref(s), N: n, End: last})
		}
		c.took(s, w, n)
		if end {
			s.State, _ = stream.Step(s.State, stream.SendDataEnd)
		}
	}
	if last {
		c.emitLast(s, w)
		return true
	}
	if s.Queued == 0 {
		c.queue.Remove(s)
	} else {
		c.queue.Rotate(s)
	}
	return true
}

// took accounts for n octets of payload that leave.
func (c *Conn) took(s *stream.Stream, w *Batch, n int) {
	w.Payload += n
	s.Queued -= n
	s.Send.Sent(n)
	c.send.Sent(n)
	c.sentFrame = true
	c.abuse.dataSent++
	c.abuse.useful += int64(n)
	if s.Progress += n; s.Progress >= 1<<10 || s.LastSent == 0 {
		// A peer that opens its window octet by octet makes no progress.
		s.LastSent, s.Progress = c.now, 0
	}
}

// emitLast follows the stream's last DATA with its trailers, if any.
func (c *Conn) emitLast(s *stream.Stream, w *Batch) {
	c.queue.Remove(s)
	if s.Trailers != nil {
		w.Buf = c.appendBlock(w.Buf, s.ID, s.Trailers, true)
		s.Trailers = nil
		s.State, _ = stream.Step(s.State, stream.SendHeadersEnd)
		c.raise(s, TrailersSent)
	}
	s.End = true
	c.sentEnd(s, &w.Buf)
}

// appendGoAway writes the GOAWAY that is due. The last stream identifier is
// decided here, as late as can be.
func (c *Conn) appendGoAway(dst []byte, now time.Duration) []byte {
	l := &c.leaving
	switch l.phase {
	case noticeDue:
		dst = frame.AppendGoAway(dst, frame.MaxStreamID, frame.NoError, "")
		dst = frame.AppendPing(dst, false, shutdownPing)
		l.phase, l.last = noticeSent, frame.MaxStreamID
		c.timers.set(&c.timers.drain, now, max(c.lim.Drain, 1))
	case finalDue:
		dst = frame.AppendGoAway(dst, c.ids.processed, frame.NoError, "")
		l.phase, l.last = finalSent, c.ids.processed
		c.drained()
	case errorDue:
		dst = frame.AppendGoAway(dst, c.ids.processed, c.err.Code, c.err.Reason.String())
		l.phase, l.last = errorSent, c.ids.processed
	}
	return dst
}
