package hpack

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// smallTable is how many entries are looked through one by one. More have
// chains.
const smallTable = 16

// maxChain is how far a chain is followed. Chains are short, unless a peer
// chose the fields: a collision costs octets on the wire, not time.
const maxChain = 8

// nameSlots is how many names without a token are known by their hash.
const nameSlots = 32

// low is the low bits of an entry's number, which tell it from the 255 before
// it: more than a table of DefaultTableSize has. Beyond them it names an entry
// that is newer, and that is compared like any other.
type low uint8

// age returns how many entries are newer than the one that s names.
func (t *table) age(s low) uint32 { return uint32(low(t.head-1) - s) }

// index finds entries of the encoder's table, by numbers of which some are of
// entries that are not live any more: eviction has nothing to undo. What it
// finds is compared.
type index struct {
	// expected is, by token, the low bits of the number of the entry that the
	// next field of this name is expected at: where the last one was. Cookies
	// come in crumbs, and names without a token share one place: they are
	// expected behind the field that was found last.
	expected [tokenCount]low
	names    [nameSlots]low // by hash of a name without a token: its newest entry
	recent   recent
	links    []link   // parallel to table.ring
	chains   []uint32 // by hash of a field: 1 + the number of the newest entry; twice as many as links
}

// link chains an entry to the one before it with a like hash.
type link struct {
	hash uint32 // of name and value
	next uint32 // 1 + the number of that entry
}

// found notes that a field was found at entry s.
func (x *index) found(s low) {
	x.expected[TokenUnknown] = s + 1
	x.expected[TokenCookie] = s + 1
}

// find returns the number of the entry with the name and value of d, by the
// hash of both.
func (x *index) find(t *table, d *desc, src []byte, h uint32) (s uint32, ok bool) {
	if x.chains == nil {
		for age := range t.count {
			s := t.head - 1 - age
			if x.link(s).hash == h && t.same(t.entry(s), d, src) {
				return s, true
			}
		}
		return 0, false
	}
	next := *x.chain(h)
	for range maxChain {
		if t.head-next >= t.count {
			break
		}
		s := next - 1
		l := x.link(s)
		if l.hash == h && t.same(t.entry(s), d, src) {
			return s, true
		}
		next = l.next
	}
	return 0, false
}

// name returns the index of the name of d, in the static table or else in the
// dynamic one, or 0. nh is its hash.
func (x *index) name(t *table, d *desc, src []byte, nh uint32) uint32 {
	if d.token-1 < staticLen {
		return uint32(d.token)
	}
	likely := x.expected[d.token]
	if d.token == 0 {
		likely = x.names[nh%nameSlots]
	}
	if age := t.age(likely); age < t.count && t.sameName(t.entry(t.head-1-age), d, src) {
		return age + 1 + staticLen
	}
	for age := range t.count {
		e := t.entry(t.head - 1 - age)
		if e.token == d.token && e.nlen == d.nlen && t.sameName(e, d, src) {
			return age + 1 + staticLen
		}
	}
	return 0
}

// added follows an insertion of d into t. nh and h are the hashes of its name
// and of the field.
func (x *index) added(t *table, d *desc, nh, h uint32) {
	s := t.head - 1
	if d.token == 0 {
		x.names[nh%nameSlots] = low(s)
	} else {
		x.expected[d.token] = low(s)
	}
	if len(x.links) != len(t.ring) {
		x.grow(t)
	}
	l := x.link(s)
	l.hash = h
	if x.chains != nil {
		x.enter(l, s)
	}
}

func (x *index) enter(l *link, s uint32) {
	c := x.chain(l.hash)
	l.next = *c
	*c = s + 1
}

func (x *index) link(s uint32) *link { return &x.links[s&uint32(len(x.links)-1)] }

func (x *index) chain(h uint32) *uint32 { return &x.chains[h&uint32(len(x.chains)-1)] }

// grow makes room for as many links as the ring has entries, of which the
// newest has none yet.
func (x *index) grow(t *table) {
	old := *x
	x.links = make([]link, len(t.ring))
	if len(t.ring) > smallTable {
		x.chains = make([]uint32, 2*len(t.ring))
	}
	for i := t.count; i > 1; i-- {
		s := t.head - i
		l := x.link(s)
		l.hash = old.link(s).hash
		if x.chains != nil {
			x.enter(l, s)
		}
	}
}

// same reports whether the entry e has the name and value of d.
func (t *table) same(e, d *desc, src []byte) bool {
	if e.vlen != d.vlen || !t.sameName(e, d, src) {
		return false
	}
	a, b := t.arena[e.off:e.off+e.vlen], src[d.off:d.off+d.vlen]
	n := len(a)
	if n > 16 || len(b) != n {
		return bytes.Equal(a, b)
	}
	// Most are short: two words that overlap.
	if n >= 8 {
		return binary.LittleEndian.Uint64(a) == binary.LittleEndian.Uint64(b) &&
			binary.LittleEndian.Uint64(a[n-8:]) == binary.LittleEndian.Uint64(b[n-8:])
	}
	if n >= 4 {
		return binary.LittleEndian.Uint32(a) == binary.LittleEndian.Uint32(b) &&
			binary.LittleEndian.Uint32(a[n-4:]) == binary.LittleEndian.Uint32(b[n-4:])
	}
	return n == 0 || a[0] == b[0] && a[n/2] == b[n/2] && a[n-1] == b[n-1]
}

// sameName reports whether the entry e has the name of d.
func (t *table) sameName(e, d *desc, src []byte) bool {
	return e.token == d.token && (d.token != 0 ||
		e.nlen == d.nlen && bytes.Equal(t.arena[e.off-e.nlen:e.off], src[d.off-d.nlen:d.off]))
}

// hashName hashes a name: its token, or else its octets.
func hashName(d *desc, src []byte) uint32 {
	if d.token != 0 {
		return uint32(d.token) * 0x9e3779b1
	}
	return hash(0x517cc1b7, d.name(src))
}

// hash mixes seed with the length of s and its first, middle and last octets.
// A collision costs a comparison, never a wrong answer.
func hash(seed uint32, s []byte) uint32 {
	n := len(s)
	var a, b uint64
	switch {
	case n >= 8:
		a = binary.LittleEndian.Uint64(s) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(s[n/2-4:]), 29)
		b = binary.LittleEndian.Uint64(s[n-8:])
	case n >= 4:
		a = uint64(binary.LittleEndian.Uint32(s))
		b = uint64(binary.LittleEndian.Uint32(s[n-4:]))
	case n > 0:
		a = uint64(s[0])<<16 | uint64(s[n/2])<<8 | uint64(s[n-1])
	}
	hi, lo := bits.Mul64(a^uint64(seed)^0x2d358dccaa6c78a5, b^uint64(n)<<32^0x8bb84b93962eacc9)
	hi ^= lo
	return uint32(hi ^ hi>>32)
}
