package hpack

import (
	"slices"
	"strconv"
)

// How a list is made and changed by hand. The decoder fills it in decode.go.

// Add adds a field; the name is made lower-case. Nothing is checked: see
// CheckName and CheckValue.
func (f *Fields) Add(name, value string) { add(f, name, value, 0) }

// AddBytes is Add for octets.
func (f *Fields) AddBytes(name, value []byte) { add(f, name, value, 0) }

// AddSensitive adds a field that every hop must send as a never-indexed
// literal (RFC 7541 6.2.3 and 7.1.3).
func (f *Fields) AddSensitive(name, value string) { add(f, name, value, flagSensitive) }

// AddField adds a field as another list, or Decoder.Fields, shows it.
func (f *Fields) AddField(v Field) {
	var fl flags
	if v.Sensitive {
		fl = flagSensitive
	}
	if v.Token != 0 {
		addToken(f, v.Token, v.Value, fl)
		return
	}
	add(f, v.Name, v.Value, fl)
}

// AddToken adds a field with the name of t, one of the constants other than
// TokenUnknown.
func (f *Fields) AddToken(t Token, value string) { addToken(f, t, value, 0) }

// AddTokenBytes is AddToken for octets.
func (f *Fields) AddTokenBytes(t Token, value []byte) { addToken(f, t, value, 0) }

// AddInt adds a field with the name of t and a decimal value.
func (f *Fields) AddInt(t Token, n int64) {
	var room [20]byte
	addToken(f, t, strconv.AppendInt(room[:0], n, 10), 0)
}

// AddPrepared adds a prepared field. A list refers to the prepared fields of
// one Set, the first; those of another are copied like any field. A zero
// Prepared adds nothing.
func (f *Fields) AddPrepared(p Prepared) {
	if p.set == nil {
		return
	}
	d := &p.set.items[p.i].desc
	if f.set == nil {
		f.set = p.set
	}
	if f.set == p.set && d.prep != 0 {
		f.push(*d)
		return
	}
	f.copyField(d, p.set.buf)
	f.note(*d)
}

// SetToken gives the field with the name of t one value: in place of the first
// such field, which others lose theirs to, or as a new field. A new
// pseudo-header field goes before the regular ones.
func (f *Fields) SetToken(t Token, value string) { setToken(f, t, value) }

// SetTokenBytes is SetToken for octets.
func (f *Fields) SetTokenBytes(t Token, value []byte) { setToken(f, t, value) }

// DeleteToken removes all fields with the name of t.
func (f *Fields) DeleteToken(t Token) {
	if i := f.Find(t); i >= 0 {
		f.deleteFrom(t, i)
	}
}

// CopyFrom makes f a copy of src.
func (f *Fields) CopyFrom(src *Fields) {
	f.Reset()
	f.buf = append(f.buf, src.buf...)
	f.desc = append(f.desc, src.desc...)
	f.size = src.size
	f.seen = src.seen
	f.set = src.set
}

func add[T string | []byte](f *Fields, name, value T, fl flags) {
	start := len(f.buf)
	f.buf = appendLower(f.buf, name)
	t := TokenOf(f.buf[start:])
	if t != 0 {
		f.buf = f.buf[:start]
	}
	off := len(f.buf)
	f.buf = append(f.buf, value...)
	f.push(desc{off: uint32(off), nlen: uint32(len(name)), vlen: uint32(len(value)), tag: tag{token: t, flags: fl}})
}

func addToken[T string | []byte](f *Fields, t Token, value T, fl flags) {
	off := len(f.buf)
	f.buf = append(f.buf, value...)
	f.push(desc{off: uint32(off), nlen: uint32(tokenSpan[t].n), vlen: uint32(len(value)), tag: tag{token: t, flags: fl}})
}

func setToken[T string | []byte](f *Fields, t Token, value T) {
	i := f.Find(t)
	if i < 0 {
		addToken(f, t, value, 0)
		if t.IsPseudo() {
			f.raise()
		}
		return
	}
	f.deleteFrom(t, i+1)
	d := &f.desc[i]
	f.size += len(value) - int(d.vlen)
	*d = desc{off: uint32(len(f.buf)), nlen: d.nlen, vlen: uint32(len(value)), tag: tag{token: t}}
	f.buf = append(f.buf, value...)
}

// raise moves the last field behind the last pseudo-header field before it.
func (f *Fields) raise() {
	last := len(f.desc) - 1
	d := f.desc[last]
	at := 0
	for at < last && f.desc[at].token.IsPseudo() {
		at++
	}
	copy(f.desc[at+1:], f.desc[at:last])
	f.desc[at] = d
}

// deleteFrom removes the fields with token t at index i and after.
func (f *Fields) deleteFrom(t Token, i int) {
	kept := f.desc[:i]
	for _, d := range f.desc[i:] {
		if d.token == t {
			f.size -= int(d.size())
			continue
		}
		kept = append(kept, d)
	}
	f.desc = kept
}

// push appends a field whose octets are in the arena already.
func (f *Fields) push(d desc) {
	if f.buf == nil {
		f.buf = []byte{} // an empty value is not a missing one: views are never nil
	}
	f.desc = append(f.desc, d)
	f.note(d)
}

// note adds d to size and seen.
func (f *Fields) note(d desc) {
	f.size += int(d.size())
	f.seen |= 1 << (d.token & 63)
}

// copyField appends a field whose octets stand in another arena. It leaves room
// for what indexedRun appends.
func (f *Fields) copyField(d *desc, arena []byte) {
	start, end := d.span()
	at := len(f.buf)
	to := at + end - start
	if to+slack > cap(f.buf) {
		f.buf = slices.Grow(f.buf, end-start+slack)
	}
	f.buf = f.buf[:to]
	copyShort(f.buf[at:to], arena[start:end])
	if len(f.desc) == cap(f.desc) {
		f.desc = slices.Grow(f.desc, 4)
	}
	f.desc = append(f.desc, desc{uint32(to) - d.vlen, d.vlen, d.nlen, tag{token: d.token, flags: d.flags}})
}

// appendShort is append for octets that are few, most of the time.
func appendShort(dst, src []byte) []byte {
	end := len(dst) + len(src)
	if end > cap(dst) {
		return append(dst, src...)
	}
	copyShort(dst[len(dst):end], src)
	return dst[:end]
}

// appendLower appends s with A to Z made lower-case.
func appendLower[T string | []byte](dst []byte, s T) []byte {
	at := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[at:] {
		if 'A' <= c && c <= 'Z' {
			dst[at+i] = c | 0x20
		}
	}
	return dst
}
