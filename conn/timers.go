package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/stream"
)

// timers are points in time at which something is overdue; 0: not running.
type timers struct {
	handshake   time.Duration // the preface and the first SETTINGS
	settingsAck time.Duration
	partial     time.Duration // the frame or header block that was begun
	idle        time.Duration
	trim        time.Duration // without streams: memory to give back
	drain       time.Duration // the answer to the shutdown's PING
	streams     time.Duration // no stream is overdue before this; a lower bound
}

func (t *timers) init(l *Limits, now time.Duration) {
	t.set(&t.handshake, now, l.Handshake)
	t.set(&t.idle, now, l.Idle)
}

// set starts a timer; a limit of zero or less means none.
func (t *timers) set(p *time.Duration, now, limit time.Duration) {
	if *p = 0; limit > 0 {
		*p = max(now+limit, 1)
	}
}

func (t *timers) stop() { *t = timers{} }

// stream makes sure that Expire looks at the streams at now+limit at the latest.
func (t *timers) stream(now, limit time.Duration) {
	if limit > 0 && (t.streams == 0 || now+limit < t.streams) {
		t.streams = max(now+limit, 1)
	}
}

// input starts or stops the timer of what the peer has begun to send.
func (t *timers) input(l *Limits, in *input, now time.Duration) {
	switch {
	case in.phase == phasePreface: // handshake runs
	case in.phase == phaseHeader && len(in.carry) == 0 && !in.block.open:
		t.partial = 0
	case in.phase == phaseData || in.phase == phasePad:
		t.set(&t.partial, now, l.BodyIdle)
	case t.partial == 0:
		t.set(&t.partial, now, l.Block)
	}
}

// resting starts the idle timer after the last stream's end. A command may
// have ended it, and commands do not know the time: that of the last input can
// be long ago.
func (c *Conn) resting(now time.Duration) {
	if c.rest && c.ids.active == 0 && c.leaving.phase == staying {
		c.timers.set(&c.timers.idle, now, c.lim.Idle)
		c.timers.set(&c.timers.trim, now, trimAfter)
	}
	c.rest = false
}

// Deadline returns when Expire is to be called, on the clock of the now
// arguments; 0: never.
func (c *Conn) Deadline() time.Duration {
	t := &c.timers
	d := time.Duration(0)
	for _, x := range [...]time.Duration{t.handshake, t.settingsAck, t.partial, t.idle, t.trim, t.drain, t.streams, c.health.at} {
		if x > 0 && (d == 0 || x < d) {
			d = x
		}
	}
	return d
}

// Expire does what is overdue at now. A non-nil error (an *[Error]) is a
// connection error: GOAWAY is queued.
func (c *Conn) Expire(now time.Duration) error {
	c.now = now
	t := &c.timers
	due := func(x time.Duration) bool { return x > 0 && x <= now }
	switch {
	case c.err != nil:
		return nil
	case due(t.handshake):
		return c.die(frame.ProtocolError, frame.ReasonHandshakeTimeout)
	case due(t.settingsAck):
		// RFC 9113 6.5.3: if the sender does not receive an acknowledgement
		// within a reasonable amount of time, SETTINGS_TIMEOUT.
		return c.die(frame.SettingsTimeout, frame.ReasonSettingsTimeout)
	case due(t.partial):
		return c.die(frame.ProtocolError, frame.ReasonFrameTimeout)
	}
	if due(t.drain) {
		t.drain = 0
		if c.leaving.phase == noticeSent {
			c.leaving.phase = finalDue
		}
	}
	if due(t.idle) {
		t.idle = 0
		if c.ids.active == 0 && !c.rest { // else the rest begins only now
			c.Shutdown(now)
		}
	}
	if due(t.trim) {
		t.trim = 0
		c.trim(now)
	}
	if due(t.streams) {
		c.expireStreams(now)
	}
	c.resting(now)
	if due(c.health.at) {
		if err := c.checkHealth(now); err != nil {
			return err
		}
	}
	return nil
}

// trim gives back the memory that only streams need.
func (c *Conn) trim(now time.Duration) {
	if c.streams.Len() > 0 {
		return
	}
	c.streams.Trim()
	c.queue.Trim()
	if len(c.pings.due) == 0 {
		c.pings.due = nil
	}
	switch r := c.ids.reset; {
	case r == nil:
	case r.empty(now):
		c.ids.reset = nil
	default:
		c.timers.set(&c.timers.trim, now, c.lim.LateData)
	}
	if !c.in.block.open {
		c.in.block.buf = nil
	}
	if len(c.in.carry) == 0 {
		c.in.carry = nil
	}
	if len(c.out) == 0 {
		c.out = nil
	}
}

// expireStreams resets the streams that stalled and finds the next deadline.
func (c *Conn) expireStreams(now time.Duration) {
	c.timers.streams = 0
	for s := range c.streams.All() {
		if s.State == stream.Closed {
			continue
		}
		if at, ok := c.stalled(s, now); ok && at <= now {
			c.raise(s, Ended)
			c.reset(s, frame.Cancel)
		} else if ok {
			c.timers.stream(now, at-now)
		}
	}
}

// stalled returns when the stream has waited too long for its peer, if it is
// waiting for it at all.
func (c *Conn) stalled(s *stream.Stream, now time.Duration) (at time.Duration, ok bool) {
	if s.Queued > 0 && c.lim.SendStall > 0 {
		if s.LastSent == 0 {
			s.LastSent = now
		}
		at, ok = s.LastSent+c.lim.SendStall, true
	}
	receiving := s.State == stream.Open || s.State == stream.HalfClosedLocal
	if receiving && s.ContentLength > s.Received && s.Recv.Available() > 0 && c.lim.BodyIdle > 0 && c.role == Server {
		if b := s.LastRecv + c.lim.BodyIdle; !ok || b < at {
			at, ok = b, true
		}
	}
	return at, ok
}
