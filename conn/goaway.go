package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
)

// leavePhase is how far our side has come in leaving (RFC 9113 6.8).
type leavePhase uint8

const (
	staying    leavePhase = iota
	noticeDue             // GOAWAY(2^31-1) and PING are to be sent
	noticeSent            // the PING's answer says that the peer knows
	finalDue              // GOAWAY(last) is to be sent
	finalSent
	errorDue // GOAWAY with an error
	errorSent
)

// leaving is the end of the connection, as both sides announced it.
type leaving struct {
	phase leavePhase
	peer  bool   // the peer sent GOAWAY
	last  uint32 // the last stream identifier of our latest GOAWAY

	peerLast uint32 // of the peer's
	peerCode frame.ErrCode
	debug    string
}

func (l *leaving) pending() bool {
	return l.phase == noticeDue || l.phase == finalDue || l.phase == errorDue
}

// excludes reports whether our final GOAWAY left id out: such streams are
// ignored, decoded and counted all the same.
func (l *leaving) excludes(id uint32) bool { return l.phase >= finalSent && id > l.last }

// Shutdown ends the connection gracefully: a server sends GOAWAY(2^31-1) and
// PING, and after the answer (or Limits.Drain) GOAWAY with the last stream it
// has taken, so no request on the wire is lost; a client opens no more
// streams. Streams go on; when the last is gone, the Drained signal is raised
// and Done reports true.
func (c *Conn) Shutdown(now time.Duration) {
	if c.leaving.phase != staying {
		return
	}
	c.timers.idle = 0
	c.leaving.phase = noticeDue
	if c.role == Client {
		c.leaving.phase = finalDue
	}
}

// Fail ends the connection with an error of ours: GOAWAY with this code at the
// next Emit. Every stream ends at once.
func (c *Conn) Fail(code frame.ErrCode, why frame.Reason) {
	if c.err == nil {
		c.die(code, why)
	}
}

// die is the end by a connection error (RFC 9113 5.4.1): GOAWAY is due, the
// parser is off, every stream is over.
func (c *Conn) die(code frame.ErrCode, why frame.Reason) *Error {
	c.err = &Error{Code: code, Reason: why, Side: Local}
	c.leaving.phase = errorDue
	c.timers.stop()
	c.pings.own = false
	c.health.at, c.health.due = 0, false
	for s := range c.streams.All() {
		if s.State != 0 && !c.over(s) {
			// A request that never left was processed by nobody.
			s.Retry = c.role == Client && s.ID >= c.ids.emitted
			c.raise(s, Ended)
			c.end(s, code, Local)
		}
	}
	return c.err
}

// recvGoAway notes that the peer leaves. A client's streams beyond the last
// one the peer will process are over, and safe to retry.
func (c *Conn) recvGoAway(g frame.GoAway) *frame.Error {
	l := &c.leaving
	if l.peer && g.LastStreamID > l.peerLast {
		// RFC 9113 6.8: endpoints MUST NOT increase the value.
		return errGoAwayRose
	}
	l.peer, l.peerLast, l.peerCode = true, g.LastStreamID, g.Code
	l.debug = string(g.Debug[:min(len(g.Debug), debugSize)])
	if c.role == Client {
		for s := range c.streams.All() {
			if s.ID > g.LastStreamID && !c.over(s) {
				s.Retry = c.untouched(s)
				c.raise(s, Ended)
				c.end(s, frame.RefusedStream, Remote)
			}
		}
	}
	c.raiseConn(GoAway)
	if c.role == Client {
		// No request will be processed any more: the connection is of no use
		// once those that are processed have ended.
		c.Shutdown(c.now)
	}
	c.drained()
	return nil
}

// PeerGoAway returns the peer's latest GOAWAY; ok is false while there was none.
func (c *Conn) PeerGoAway() (last uint32, code frame.ErrCode, debug string, ok bool) {
	l := &c.leaving
	return l.peerLast, l.peerCode, l.debug, l.peer
}

// drained raises Drained when the final GOAWAY is out and no stream is left.
func (c *Conn) drained() {
	if c.leaving.phase == finalSent && c.ids.active == 0 {
		c.raiseConn(Drained)
	}
}
