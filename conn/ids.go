package conn

import (
	"math"
	"time"

	"github.com/nonet-h2/nonet/stream"
)

// identifiers knows which streams are idle, open or closed, with no memory
// for those that are closed (RFC 9113 5.1.1): an identifier at or below the
// highest one seen that is not in the table is closed.
type identifiers struct {
	seen      uint32  // the highest identifier the peer opened a stream with
	processed uint32  // the highest that the application was told of
	next      uint32  // the next identifier of our own (client)
	emitted   uint32  // requests below this one have left in an Emit (client)
	used      uint64  // bit i: seen-2i was opened, not skipped
	reset     *resets // nil: none is remembered

	active     int // streams in the table that are not closed
	unreleased int // streams the application has and did not release
	total      int // streams opened over the connection's life
}

func (ids *identifiers) init(r Role) {
	if r == Client {
		ids.next = 1
	}
}

// resets returns the memory of resets.
func (ids *identifiers) resets() *resets {
	if ids.reset == nil {
		ids.reset = new(resets)
	}
	return ids.reset
}

// open notes that the peer opens id, which is greater than seen.
func (ids *identifiers) open(id uint32) {
	if step := (id - ids.seen + 1) / 2; step < 64 {
		ids.used = ids.used<<step | 1
	} else {
		ids.used = 1
	}
	ids.seen = id
}

// skipped reports whether id, at or below seen, was passed over when a higher
// one was opened. Of the distant past it is not known, and false.
func (ids *identifiers) skipped(id uint32) bool {
	back := (ids.seen - id) / 2
	return back < 64 && ids.used>>back&1 == 0
}

// idle reports whether no frame but HEADERS and PRIORITY may bear id yet.
func (c *Conn) idle(id uint32) bool {
	if c.role == Server {
		return id%2 == 0 || id > c.ids.seen
	}
	return id%2 == 0 || id >= c.ids.next
}

// resets remembers which streams we reset: late frames on them are ignored,
// from the reset until a while after its RST_STREAM left in an Emit.
type resets struct {
	ring  stream.Ring
	fresh []uint32 // those whose RST_STREAM waits, the latest resetRing of them
	n     int      // how many were added
	max   uint32   // the highest of all
	// A burst of resets, such as a client's whole page, is more than the ring
	// holds. Those that fell out are at or below old.
	old   uint32
	until time.Duration
}

const (
	resetRing = 64 // how many a stream.Ring holds
	// resetBatch is less than that, so that no id leaves the ring before old
	// covers it.
	resetBatch = 32
	notYet     = math.MaxInt64 // until when, of a reset that waits
)

// add notes that id is reset.
func (r *resets) add(id uint32) {
	r.ring.Add(id, notYet)
	if len(r.fresh) == resetRing {
		r.fresh = append(r.fresh[:0], r.fresh[1:]...)
	}
	r.fresh = append(r.fresh, id)
	r.max = max(r.max, id)
	if r.n++; r.n%resetBatch == 0 {
		r.old, r.until = r.max, notYet
	}
}

// left notes that what waited leaves now.
func (r *resets) left(now, limit time.Duration) {
	if len(r.fresh) == 0 || limit < 0 {
		r.fresh = r.fresh[:0]
		return
	}
	until := now + limit
	for _, id := range r.fresh {
		r.ring.Add(id, until)
	}
	r.fresh = r.fresh[:0]
	r.until = min(r.until, until)
}

// empty reports whether nothing is remembered any more.
func (r *resets) empty(now time.Duration) bool {
	return len(r.fresh) == 0 && now >= r.until && r.ring.Empty(now)
}

// has reports whether frames on id, a closed stream, are to be ignored at now.
// After a burst that is all older streams, for a while: a frame too many
// ignored is no harm, but to end the connection for one that is just late is.
func (r *resets) has(id uint32, now time.Duration) bool {
	return r.ring.Has(id, now) || id <= r.old && id%2 == 1 && now < r.until
}
