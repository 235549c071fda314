package hpack

import (
	"bytes"
	"iter"
)

// Fields is an owned list of fields: one arena of octets and sixteen octets of
// description for each field. The zero value is an empty list. Lists are made
// to be reused: Reset empties one and keeps its memory.
//
// Names are lower-case. Pseudo-header fields must be added before all others;
// the encoder writes fields in the order they stand in.
//
// The slices that its methods return are views: they must not be written to
// and are valid until the list is changed.
type Fields struct {
	buf  []byte
	desc []desc
	size int
	seen uint64 // by token, modulo 64: which may be in the list
	set  *Set   // whose prepared fields stand in the list
}

// keepArena is the largest arena that Reset keeps.
const keepArena = 64 << 10

// Field is one field as a view of octets that someone else owns.
type Field struct {
	Name, Value []byte
	Token       Token
	Sensitive   bool // a never-indexed literal, RFC 7541 6.2.3
}

// Len returns the number of fields.
func (f *Fields) Len() int { return len(f.desc) }

// Size returns what the list counts for under SETTINGS_MAX_HEADER_LIST_SIZE:
// the octets of names and values and 32 for each field (RFC 9113 6.5.2).
func (f *Fields) Size() int { return f.size }

// arena returns the octets that d describes.
func (f *Fields) arena(d *desc) []byte {
	if d.prep != 0 {
		return f.set.buf
	}
	return f.buf
}

// Name returns the name of field i.
func (f *Fields) Name(i int) []byte {
	d := &f.desc[i]
	return d.name(f.arena(d))
}

// Value returns the value of field i.
func (f *Fields) Value(i int) []byte {
	d := &f.desc[i]
	return d.value(f.arena(d))
}

// Token returns the token of field i.
func (f *Fields) Token(i int) Token { return f.desc[i].token }

// Sensitive reports whether field i is to be sent, or came, as a never-indexed
// literal. "Intermediaries MUST use the same representation for encoding this
// header field" (RFC 7541 6.2.3): it travels with the field.
func (f *Fields) Sensitive(i int) bool { return f.desc[i].flags&flagSensitive != 0 }

// Field returns field i.
func (f *Fields) Field(i int) Field {
	d := &f.desc[i]
	a := f.arena(d)
	return Field{Name: d.name(a), Value: d.value(a), Token: d.token, Sensitive: d.flags&flagSensitive != 0}
}

// All yields the names and values in their order.
func (f *Fields) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for i := range f.desc {
			if !yield(f.Name(i), f.Value(i)) {
				return
			}
		}
	}
}

// Find returns the index of the first field with token t, or -1. It does not
// look through the list for a token that never was in it; pseudo-header fields
// stand first.
func (f *Fields) Find(t Token) int {
	if f.seen&(1<<(t&63)) == 0 {
		return -1
	}
	for i := range f.desc {
		if f.desc[i].token == t {
			return i
		}
	}
	return -1
}

// Get returns the value of the first field with token t, or nil.
func (f *Fields) Get(t Token) []byte {
	if i := f.Find(t); i >= 0 {
		return f.Value(i)
	}
	return nil
}

// GetName returns the value of the first field with this name, in any case, or
// nil.
func (f *Fields) GetName(name string) []byte {
	var room [64]byte
	lower := appendLower(room[:0], name)
	if t := TokenOf(lower); t != 0 {
		return f.Get(t)
	}
	for i := range f.desc {
		if f.desc[i].token == 0 && bytes.Equal(f.Name(i), lower) {
			return f.Value(i)
		}
	}
	return nil
}

// Reset empties the list and keeps its memory, unless that grew unusually
// large.
func (f *Fields) Reset() {
	scribble(f.buf[:cap(f.buf)])
	if cap(f.buf) > keepArena {
		f.buf = nil
	}
	if cap(f.desc) > keepArena/16 {
		f.desc = nil
	}
	f.buf = f.buf[:0]
	f.desc = f.desc[:0]
	f.size = 0
	f.seen = 0
	if f.set != nil { // writing a pointer takes longer than looking at it
		f.set = nil
	}
}
