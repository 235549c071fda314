package hpack

// DefaultTableSize is the size of the dynamic table before any
// SETTINGS_HEADER_TABLE_SIZE: 4096 octets (RFC 9113 6.5.2).
const DefaultTableSize = 4096

// MaxTableSize is the largest dynamic table that this package keeps.
const MaxTableSize = 65536

// entryOverhead is what RFC 7541 4.1 charges an entry beyond its octets, and
// RFC 9113 6.5.2 each field of a list.
const entryOverhead = 32

// desc describes one field whose octets stand in some arena: the dynamic
// table's, a list's, the static text. Sixteen octets without a pointer, so the
// garbage collector never looks into a list or a table.
type desc struct {
	off   uint32 // where the value begins; the name ends there when token is 0
	nlen  uint32
	vlen  uint32
	token Token
	flags flags
	prep  uint16 // 1 + the handle of a prepared field, or 0
}

type flags uint8

const (
	flagFault     flags = 0x0f // the Fault found by the check
	flagChecked   flags = 0x10 // the check was made
	flagSensitive flags = 0x20 // a never-indexed literal
)

// size is what the field counts for (RFC 7541 4.1).
func (d *desc) size() uint32 { return d.nlen + d.vlen + entryOverhead }

// name and value return the octets of d in its arena.
func (d *desc) name(arena []byte) []byte {
	if d.token != 0 {
		return d.token.name()
	}
	return arena[d.off-d.nlen : d.off : d.off]
}

func (d *desc) value(arena []byte) []byte {
	end := d.off + d.vlen
	return arena[d.off:end:end]
}

// stored returns the octets that d needs kept: the value, and the name when it
// has no token.
func (d *desc) stored(arena []byte) []byte {
	start := d.off
	if d.token == 0 {
		start -= d.nlen
	}
	return arena[start : d.off+d.vlen]
}

// table is the dynamic table: first in, first out (RFC 7541 2.3.2).
//
// The octets of the live entries stand one after the other in the arena, the
// oldest first. When the next entry does not fit behind them they move to the
// front, if they fill at most half of the arena; else the arena doubles. It
// never needs more than twice the table's size.
type table struct {
	arena []byte
	ring  []desc // the entry numbered s stands at s modulo the length, a power of two
	head  uint32 // the number of the next entry; wraps
	count uint32 // live entries: head-count up to head-1
	size  uint32 // RFC 7541 4.1
	max   uint32
}

// entry returns the live entry numbered s.
func (t *table) entry(s uint32) *desc { return &t.ring[s&uint32(len(t.ring)-1)] }

// at returns the entry with dynamic index i, 0 being the newest, or nil.
func (t *table) at(i uint32) *desc {
	if i >= t.count {
		return nil
	}
	return t.entry(t.head - 1 - i)
}

// setMax changes the size of the table (RFC 7541 4.3): "entries are evicted
// from the end of the dynamic table until the size of the dynamic table is
// less than or equal to the maximum size."
func (t *table) setMax(n uint32) {
	t.max = n
	t.evict(n)
}

// evict removes old entries until at most n octets are charged.
func (t *table) evict(n uint32) {
	for t.size > n {
		old := t.entry(t.head - t.count)
		scribble(old.stored(t.arena))
		t.size -= old.size()
		t.count--
	}
}

// insert adds the field d, whose octets stand in src, and reports whether it
// went in. src must not be the table's arena: RFC 7541 4.4: "A new entry can
// reference the name of an entry in the dynamic table that will be evicted
// when adding this new entry into the dynamic table." Entries are therefore
// assembled elsewhere before anything is evicted.
//
// RFC 7541 4.4: "an attempt to add an entry larger than the maximum size
// causes the table to be emptied of all existing entries and results in an
// empty table."
func (t *table) insert(d desc, src []byte) bool {
	size := uint64(d.nlen) + uint64(d.vlen) + entryOverhead
	if size > uint64(t.max) {
		t.evict(0)
		return false
	}
	t.evict(t.max - uint32(size))
	if int(t.count) == len(t.ring) {
		t.growRing()
	}
	stored := d.stored(src)
	if len(stored) > cap(t.arena)-len(t.arena) {
		t.makeRoom(len(stored))
	}
	d.off = uint32(len(t.arena) + len(stored) - int(d.vlen))
	t.arena = append(t.arena, stored...)
	*t.entry(t.head) = d
	t.head++
	t.count++
	t.size += uint32(size)
	return true
}

func (t *table) growRing() {
	ring := make([]desc, max(8, 2*len(t.ring)))
	for i := range t.count {
		s := t.head - 1 - i
		ring[s&uint32(len(ring)-1)] = *t.entry(s)
	}
	t.ring = ring
}

// makeRoom moves the live octets to the front of the arena, or of a larger
// one, so that n more fit behind them.
func (t *table) makeRoom(n int) {
	start := len(t.arena)
	if t.count > 0 {
		old := t.entry(t.head - t.count)
		start = int(old.off+old.vlen) - len(old.stored(t.arena))
	}
	live := t.arena[start:]
	arena := t.arena[:0]
	if need := 2 * (len(live) + n); need > cap(arena) {
		size := 256
		for size < need {
			size *= 2
		}
		arena = make([]byte, 0, min(size, 2*int(t.max)))
	}
	t.arena = append(arena, live...)
	for i := range t.count {
		t.entry(t.head - 1 - i).off -= uint32(start)
	}
}
