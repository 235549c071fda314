package conn

import (
	"fmt"
	"reflect"

	"github.com/nonet-h2/nonet/flowcontrol"
)

// Invariants returns the first invariant of a Conn that does not hold. Tests
// call it after every step.
func Invariants(c *Conn) error {
	active, unreleased, unread := 0, 0, 0
	for s := range c.streams.All() {
		over, released := c.over(s), s.Flags&flagReleased != 0
		if !over {
			active++
		}
		if !released {
			unreleased++
		}
		unread += s.Unread
		switch {
		case over && released:
			return fmt.Errorf("stream %d is over and released and still there", s.ID)
		case over && (s.Queued != 0 || s.Trailers != nil):
			return fmt.Errorf("stream %d is over and has %d octets queued, trailers %v", s.ID, s.Queued, s.Trailers != nil)
		case released && s.Unread != 0:
			return fmt.Errorf("stream %d is released with %d octets unread", s.ID, s.Unread)
		}
		if over || released {
			continue
		}
		inFrame := 0
		if c.in.phase == phaseData && c.in.data == ref(s) {
			inFrame = c.in.left
		}
		if c.in.phase == phasePad && c.in.data == ref(s) {
			inFrame = c.in.left
		}
		if got, want := outstanding(&s.Recv), int64(s.Unread+inFrame); got != want {
			return fmt.Errorf("stream %d: %d octets of credit are out, %d are held (%d unread, %d in the frame)", s.ID, got, want, s.Unread, inFrame)
		}
	}
	if active != c.ids.active || unreleased != c.ids.unreleased {
		return fmt.Errorf("active %d, counted %d; unreleased %d, counted %d", c.ids.active, active, c.ids.unreleased, unreleased)
	}
	if c.err != nil {
		return nil
	}
	if b := c.budget.Buffered(); b != int64(unread) {
		return fmt.Errorf("the budget has %d octets, the streams %d", b, unread)
	}
	inFrame := 0
	if c.in.phase == phaseData || c.in.phase == phasePad {
		inFrame = c.in.left
	}
	debt := reflect.ValueOf(&c.budget).Elem().FieldByName("debt").Int()
	if got, want := outstanding(&c.recv), c.budget.Withheld()-debt+int64(inFrame); got != want {
		return fmt.Errorf("connection: %d octets of credit are out, %d are held (%d withheld, %d owed to the limit, %d in the frame)",
			got, want, c.budget.Withheld(), debt, inFrame)
	}
	return nil
}

// outstanding returns the octets that were received and not returned.
func outstanding(w *flowcontrol.Recv) int64 {
	owed := reflect.ValueOf(w).Elem().FieldByName("owed").Int()
	return int64(w.Target()) - w.Available() - owed
}

// Streams returns how many records there are, and how many there ever were at once.
func Streams(c *Conn) (live, slots int) { return c.streams.Len(), c.streams.Slots() }

// Held returns the memory that grew with what the peer sent: octets of the
// buffers that outlive a frame.
func Held(c *Conn) int {
	return cap(c.in.carry) + cap(c.in.block.buf) + cap(c.out)
}

// SetLastID makes id the highest identifier that the peer opened (server), or
// the next of ours (client).
func SetLastID(c *Conn, id uint32) {
	if c.role == Client {
		c.ids.next = id
		return
	}
	c.ids.seen, c.ids.used = id, 1
}

// Outstanding returns the octets that were received on the connection and not
// returned as credit, but for those that a lowered budget still holds against
// later ones.
func Outstanding(c *Conn) int64 {
	return outstanding(&c.recv) + reflect.ValueOf(&c.budget).Elem().FieldByName("debt").Int()
}
