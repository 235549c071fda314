package hpack

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// smallTable is how many entries are looked through one by one; the index is
// made for more.
const smallTable = 16

const (
	fieldBuckets = 128
	nameBuckets  = 32
)

// link chains an entry to the one before it in its buckets. Numbers are those
// of the table plus one; an entry that is not live ends a chain, so eviction
// has nothing to undo.
type link struct {
	hash        uint32 // of name and value
	field, name uint32
}

// index finds entries of the encoder's table.
type index struct {
	links   []link // parallel to table.ring
	byField *[fieldBuckets]uint32
	byName  *[nameBuckets]uint32
}

// added follows an insertion into t. nh and h are the hashes of the newest
// entry's name, and of name and value.
func (x *index) added(t *table, nh, h uint32) {
	if len(x.links) != len(t.ring) {
		x.grow(t)
	}
	s := t.head - 1
	l := x.link(s)
	l.hash = h
	if x.byField != nil {
		x.enter(l, s, nh)
	} else if t.count > smallTable {
		x.byField = new([fieldBuckets]uint32)
		x.byName = new([nameBuckets]uint32)
		for i := t.count; i > 0; i-- {
			s := t.head - i
			d := t.entry(s)
			x.enter(x.link(s), s, hashName(d.token, d.name(t.arena)))
		}
	}
}

func (x *index) enter(l *link, s, nh uint32) {
	f, n := &x.byField[l.hash%fieldBuckets], &x.byName[nh%nameBuckets]
	l.field, l.name = *f, *n
	*f, *n = s+1, s+1
}

func (x *index) link(s uint32) *link { return &x.links[s&uint32(len(x.links)-1)] }

// grow makes room for as many links as the ring has entries.
func (x *index) grow(t *table) {
	old := *x
	x.links = make([]link, len(t.ring))
	if len(old.links) == 0 {
		return
	}
	for i := uint32(2); i <= t.count; i++ {
		s := t.head - i
		*x.link(s) = *old.link(s)
	}
}

// findField returns the dynamic index (0 is the newest) of the entry with this
// name and value.
func (x *index) findField(t *table, d *desc, src []byte, h uint32) (uint32, bool) {
	if x.byField == nil {
		for i := range t.count {
			s := t.head - 1 - i
			if x.link(s).hash == h && sameField(t, t.entry(s), d, src) {
				return i, true
			}
		}
		return 0, false
	}
	// Ages grow along a chain. One that does not comes from a bucket that
	// nothing entered while the numbers went once around.
	last := -1
	for age := t.head - x.byField[h%fieldBuckets]; age < t.count && int(age) > last; {
		s := t.head - 1 - age
		l := x.link(s)
		if l.hash == h && sameField(t, t.entry(s), d, src) {
			return age, true
		}
		last = int(age)
		age = t.head - l.field
	}
	return 0, false
}

// findName returns the dynamic index of the newest entry with the name of d.
func (x *index) findName(t *table, d *desc, src []byte, nh uint32) (uint32, bool) {
	if x.byField == nil {
		for i := range t.count {
			if sameName(t, t.entry(t.head-1-i), d, src) {
				return i, true
			}
		}
		return 0, false
	}
	last := -1
	for age := t.head - x.byName[nh%nameBuckets]; age < t.count && int(age) > last; {
		s := t.head - 1 - age
		if sameName(t, t.entry(s), d, src) {
			return age, true
		}
		last = int(age)
		age = t.head - x.link(s).name
	}
	return 0, false
}

func sameName(t *table, e, d *desc, src []byte) bool {
	return e.token == d.token && e.nlen == d.nlen && (d.token != 0 || bytes.Equal(e.name(t.arena), d.name(src)))
}

func sameField(t *table, e, d *desc, src []byte) bool {
	return e.vlen == d.vlen && sameName(t, e, d, src) && bytes.Equal(e.value(t.arena), d.value(src))
}

// hashName hashes a name: its token, or else its octets.
func hashName(t Token, name []byte) uint32 {
	if t != 0 {
		return uint32(t) * 0x9e3779b1
	}
	return hash(0x517cc1b7, name)
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
