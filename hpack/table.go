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
// garbage collector never looks into a list or a table. (And of at most four
// parts: the compiler keeps such a struct in registers.)
type desc struct {
	off  uint32 // where the value begins; the name ends there when token is 0
	vlen uint32
	nlen uint32
	tag
}

// tag is what a desc says of its field beyond where it stands.
type tag struct {
	token Token
	flags flags
	prep  uint16 // 1 + the handle of a prepared field, or 0
}

type flags uint8

const (
	flagFault     flags = 0x0f // the Fault found by the check
	flagChecked   flags = 0x10 // the check was made
	flagSensitive flags = 0x20 // a never-indexed literal
	flagPseudo    flags = 0x40 // a pseudo-header field
	flagName      flags = 0x80 // the check found nothing wrong with the name

	flagOrdinary = flagFault | flagChecked | flagPseudo // what tells an ordinary field: only flagChecked
)

// size is what the field counts for (RFC 7541 4.1).
func (d desc) size() uint32 { return d.nlen + d.vlen + entryOverhead }

// name and value return the octets of d in its arena.
func (d desc) name(arena []byte) []byte {
	if d.token != 0 {
		return d.token.name()
	}
	end := uint(d.off)
	return arena[end-uint(d.nlen) : end : end]
}

func (d desc) value(arena []byte) []byte {
	start := uint(d.off)
	end := start + uint(d.vlen)
	return arena[start:end:end]
}

// nameView and valueView are name and value in an arena that has slack octets
// behind d's.
func (d desc) nameView(arena []byte) []byte {
	from := d.off - d.nlen
	if d.token != 0 {
		arena, from = staticBuf, d.token.start()
	}
	return octetsAt(arena, from, d.nlen)
}

func (d desc) valueView(arena []byte) []byte { return octetsAt(arena, d.off, d.vlen) }

// span says where the octets stand that d needs kept: the value, and before it
// the name when it has no token.
func (d desc) span() (start, end int) {
	start = int(d.off)
	if d.token == 0 {
		start -= int(d.nlen)
	}
	return start, int(d.off + d.vlen)
}

// table is the dynamic table: first in, first out (RFC 7541 2.3.2).
//
// It is two rings. One has a desc for each entry, by number; the other, the
// arena, has their octets: the name, unless it has a token, and the value behind
// it. An entry stands in one piece: where it would not fit behind the newest, it
// goes to the front of the arena, and the end of the arena is not used until the
// next turn.
//
//	ring   | desc | desc | desc |      |      |      | desc | desc |
//	                        ^ head-1: the newest        ^ head-count: the oldest
//	arena  | name value | value |              | value | name value |.......|
//	                            ^ free         ^ the oldest          not used
//
// Octets move only when the arena grows, and it need not be larger than twice
// the table's size M. Let the live entries have L octets and the next one n:
// L+n is less than M. If the live ones are in one piece and n fits neither
// behind nor before them, the arena has less than L+2n octets. If they are in
// two, what is not used at the end is shorter than the entry that did not fit
// there, a live one, so that at most 2L are taken, and n are left.
type table struct {
	arena []byte // slack octets at the end have no entry
	ring  []desc // the entry numbered s stands at s modulo the length, a power of two
	free  int    // where in the arena the next octets go
	limit int    // none of a live entry stand from free up to here
	head  uint32 // the number of the next entry; wraps
	count uint32 // live entries: head-count up to head-1
	size  uint32 // RFC 7541 4.1
	max   uint32
}

// entry returns the live entry numbered s.
func (t *table) entry(s uint32) *desc { return inRing(t.ring, s) }

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
		if poisoned {
			start, end := old.span()
			scribble(t.arena[start:end])
		}
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
	if t.size > t.max-uint32(size) {
		t.evict(t.max - uint32(size))
	}
	start, end := d.span()
	n := max(end-start, 1) // without octets too, an entry has a place of its own
	if n > t.limit-t.free || int(t.count) == len(t.ring) {
		t.makeRoom(n)
	}
	to := t.free
	t.free += n
	d.off = uint32(to+end-start) - d.vlen
	*t.entry(t.head) = d
	t.head++
	t.count++
	t.size += uint32(size)
	// copy is a call: with something left to do behind it, all of d would have to
	// be stored and loaded again around it.
	if n <= slack && slack <= t.limit-to && slack <= cap(src)-start {
		copy32(at32(t.arena, to), at32(src, start))
	} else {
		copy(t.arena[to:], src[start:end])
	}
	return true
}

func (t *table) growRing() {
	ring := make([]desc, max(4, 2*len(t.ring)))
	for i := range t.count {
		s := t.head - 1 - i
		ring[s&uint32(len(ring)-1)] = *t.entry(s)
	}
	t.ring = ring
}

// makeRoom finds a place for one more entry, of n octets.
func (t *table) makeRoom(n int) {
	if int(t.count) == len(t.ring) {
		t.growRing()
	}
	if n <= t.limit-t.free {
		return
	}
	oldest := 0
	if t.count > 0 {
		oldest, _ = t.entry(t.head - t.count).span()
	} else {
		t.free = 0
	}
	if t.limit = len(t.arena) - slack; t.count > 0 && oldest >= t.free {
		t.limit = oldest // two pieces
	} else if n > t.limit-t.free {
		t.free, t.limit = 0, oldest // from one to two
	}
	if n > t.limit-t.free {
		t.grow(n)
	}
}

// grow moves the live octets to the front of a larger arena, which has room for
// n more behind them.
func (t *table) grow(n int) {
	for i := range t.count {
		start, end := t.at(i).span()
		n += max(end-start, 1)
	}
	size := 32
	for size < 2*n {
		size *= 2
	}
	size = min(size, 2*int(t.max))
	arena := make([]byte, size+slack)
	t.free, t.limit = 0, size
	for i := t.count; i > 0; i-- {
		e := t.at(i - 1)
		start, end := e.span()
		copy(arena[t.free:], t.arena[start:end])
		e.off = uint32(t.free+end-start) - e.vlen
		t.free += max(end-start, 1)
	}
	t.arena = arena
}

// slack is how many octets copyShort may write and read beyond those it copies.
const slack = 32

// copyShort copies src to dst, which are as long. Most fields are short: where
// both capacities allow it, copying 32 octets is faster than a call that copies
// as many as there are.
func copyShort(dst, src []byte) {
	if len(dst) <= slack && cap(dst) >= slack && cap(src) >= slack {
		copy32((*[slack]byte)(dst[:slack]), (*[slack]byte)(src[:slack]))
		return
	}
	copy(dst, src)
}

func copy32(dst, src *[slack]byte) {
	*(*[16]byte)(dst[:16]) = *(*[16]byte)(src[:16])
	*(*[16]byte)(dst[16:]) = *(*[16]byte)(src[16:])
}
