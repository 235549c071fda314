package conn

import "github.com/nonet-h2/nonet/frame"

// pings are the peer's PINGs to acknowledge and our own (RFC 9113 6.7).
type pings struct {
	due   [][8]byte // at most pingRing: then reading stops
	own   bool      // ours is to be sent
	ours  [8]byte
	heard [8]byte // the payload of the last acknowledgement
}

// shutdownPing is the payload of the PING between the two GOAWAYs of a
// graceful shutdown.
var shutdownPing = [8]byte{'n', 'o', 'n', 'e', 't', 'b', 'y', 'e'}

func (c *Conn) recvPing(h frame.Header, p []byte, ev *Event) *frame.Error {
	data := [8]byte(p)
	if !h.Flags.Has(frame.FlagAck) {
		if !c.sentFrame && !c.abuse.pings.take(c.now, price{pingBurst, pingRate}, 1) {
			return errPingFlood
		}
		c.sentFrame = false
		c.pings.due = append(c.pings.due, data)
		return nil
	}
	if data == shutdownPing && c.leaving.phase == noticeSent {
		c.leaving.phase = finalDue
		c.timers.drain = 0
		return nil
	}
	if c.health.answered(c.now, data) {
		return nil
	}
	c.pings.heard = data
	ev.Kind, ev.Data = Pong, c.pings.heard[:]
	return nil
}

// Ping sends PING with these octets at the next Emit; the answer is a Pong
// event. A PING that was not emitted yet is replaced.
func (c *Conn) Ping(data [8]byte) { c.pings.own, c.pings.ours = true, data }
