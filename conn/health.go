package conn

import (
	"encoding/binary"
	"time"

	"github.com/nonet-h2/nonet/flowcontrol"
	"github.com/nonet-h2/nonet/frame"
)

// health watches whether the peer is still there, and how far away it is. A
// peer that says nothing while streams wait for it is asked by PING; one that
// does not answer with any octet is gone.
//
// Servers count PINGs that come too often (gRPC's end the connection with
// ENHANCE_YOUR_CALM), but all forgive one after each HEADERS or DATA that they
// send, and one in five minutes. No more than that are sent.
type health struct {
	at    time.Duration // when to look; 0: never
	heard time.Duration // when octets last came
	left  time.Duration // when our last PING left, if asked
	asked bool          // a PING has left once
	due   bool          // one is to be sent
	open  bool          // the last one is not answered
	free  bool          // HEADERS or DATA came since the last one
	n     uint32        // PINGs so far: the payload says which
	data  int64         // octets of DATA received since then

	settings time.Duration // when our SETTINGS left
	rtt      flowcontrol.RTT
}

const (
	// probeQuiet is how long a server that sends nothing is left in peace.
	probeQuiet = 5 * time.Minute
	// The round trip is measured again after this much DATA and time.
	probeData  = 64 << 10
	probePause = 10 * time.Second
)

// probeTag begins the payload of the PINGs of health.
const probeTag = "nnt?"

// RTT returns the round-trip time, from our SETTINGS and its acknowledgement and
// from PINGs that leave while DATA comes. 0: not known yet.
func (c *Conn) RTT() time.Duration { return c.health.rtt.Time() }

// watch starts the watch when a stream opens.
func (c *Conn) watch(now time.Duration) {
	h := &c.health
	switch {
	case c.lim.PingIdle <= 0:
	case c.ids.active == 1 && now-h.heard >= c.lim.PingIdle/2 && h.allowed(now):
		h.due = true // the connection rested: find out at once whether it still works
	case h.at == 0:
		h.at = max(now+c.lim.PingIdle, 1)
	}
}

// allowed reports whether no server takes a PING amiss now.
func (h *health) allowed(now time.Duration) bool {
	return !h.due && !h.open && (!h.asked || h.free || now-h.left >= probeQuiet)
}

// progress notes HEADERS, or DATA of n octets, from the peer.
func (c *Conn) progress(n int) {
	h := &c.health
	h.free = true
	if h.data += int64(n); h.data >= probeData && (!h.asked || c.now-h.left >= probePause) && h.allowed(c.now) {
		h.due = true
	}
}

// appendProbe writes the PING that is due.
func (c *Conn) appendProbe(dst []byte, now time.Duration) []byte {
	h := &c.health
	h.n++
	h.due, h.open, h.asked, h.free, h.left, h.data = false, true, true, false, now, 0
	if c.lim.PingIdle > 0 {
		h.at = max(now+max(c.lim.PingTimeout, 1), 1)
	}
	return frame.AppendPing(dst, false, h.payload())
}

func (h *health) payload() (p [8]byte) {
	copy(p[:], probeTag)
	binary.BigEndian.PutUint32(p[4:], h.n)
	return p
}

// answered takes the acknowledgement of a PING if it is that of ours.
func (h *health) answered(now time.Duration, data [8]byte) bool {
	if !h.open || data != h.payload() {
		return false
	}
	h.open = false
	h.rtt.Sample(now - h.left)
	return true
}

// checkHealth is called when health.at has passed.
func (c *Conn) checkHealth(now time.Duration) *Error {
	h := &c.health
	h.at = 0
	if h.open && h.heard <= h.left {
		if h.at = h.left + c.lim.PingTimeout; h.at > now {
			return nil
		}
		return c.die(frame.ProtocolError, frame.ReasonSilence)
	}
	if c.ids.active == 0 || h.due {
		return nil // the next stream, or Emit, sets the time
	}
	if at := h.heard + c.lim.PingIdle; at > now {
		h.at = at
		return nil
	}
	h.open = false // it speaks and leaves PING unanswered: let it
	if h.due = h.allowed(now); !h.due {
		h.at = h.left + probeQuiet
	}
	return nil
}
