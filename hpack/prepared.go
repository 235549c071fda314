package hpack

// maxPrepared is how many fields of a set have a handle.
const maxPrepared = 256

// Set holds fields that were encoded in advance. Prepare its fields, then hand
// it to any number of encoders with Encoder.UseSet; from then on it must not
// change.
type Set struct {
	buf   []byte // names and values
	lit   []byte // names and values as they stand in a literal
	items []prepared
}

// Prepared names a field of a Set. The zero value names none.
type Prepared struct {
	set *Set
	i   uint16
}

type prepared struct {
	desc   desc
	hash   uint32
	nhash  uint32
	static uint8 // its index in the static table, or 0
	mode   mode
	// In Set.lit: the value's string literal ends at end; it begins at value,
	// and the name's at name.
	name, value, end uint32
}

// Prepare adds a field to the set. The first 256 are encoded in advance; a set
// holds 65535 at most, and Prepare returns the zero Prepared after them.
// Fields of which the indexing policy says that they change often are indexed
// all the same: a value worth preparing will come again. Credentials stay
// never-indexed.
func (s *Set) Prepare(name, value string) Prepared {
	if len(s.items) >= 1<<16-1 {
		return Prepared{}
	}
	var f Fields
	f.Add(name, value)
	i := len(s.items)
	p := prepared{desc: f.desc[0], mode: modeOf(&f.desc[0])}
	if p.mode != modeNever {
		p.mode = modeIndex
		p.static = uint8(staticIndex(p.desc.token, f.Value(0)))
	}
	p.nhash = hashName(p.desc.token, f.Name(0))
	p.hash = hash(p.nhash, f.Value(0))
	p.name = uint32(len(s.lit))
	s.lit = appendString(s.lit, f.Name(0))
	p.value = uint32(len(s.lit))
	s.lit = appendString(s.lit, f.Value(0))
	p.end = uint32(len(s.lit))
	s.buf = append(s.buf, f.buf...)
	p.desc.off = uint32(len(s.buf)) - p.desc.vlen
	if i < maxPrepared {
		p.desc.prep = uint16(i + 1)
	}
	s.items = append(s.items, p)
	return Prepared{set: s, i: uint16(i)}
}

// Len returns the number of fields in the set.
func (s *Set) Len() int { return len(s.items) }

// appendPrepared is appendField for a field of e.set.
func (e *Encoder) appendPrepared(dst []byte, d *desc) []byte {
	p := &e.set.items[d.prep-1]
	if p.static != 0 {
		return append(dst, 0x80|p.static)
	}
	pattern, mask := byte(0x10), byte(0x0f)
	if p.mode == modeIndex {
		// Still there since we put it there?
		if age := e.tab.head - e.prep[d.prep-1]; age < e.tab.count && e.tab.entry(e.tab.head-1-age).prep == d.prep {
			return appendInteger(dst, 0x80, 0x7f, age+1+staticLen)
		}
		if i, ok := e.index.findField(&e.tab, d, e.set.buf, p.hash); ok {
			return appendInteger(dst, 0x80, 0x7f, i+1+staticLen)
		}
		if pattern = 0; e.fits(d) {
			pattern, mask = 0x40, 0x3f
		}
	}
	switch i, ok := uint32(0), false; {
	case d.token-1 < staticLen:
		dst = appendInteger(dst, pattern, mask, uint32(d.token))
	default:
		if i, ok = e.index.findName(&e.tab, d, e.set.buf, p.nhash); ok {
			dst = appendInteger(dst, pattern, mask, i+1+staticLen)
		} else {
			dst = append(append(dst, pattern), e.set.lit[p.name:p.value]...)
		}
	}
	if pattern == 0x40 {
		e.insert(d, e.set.buf, p.nhash, p.hash)
		e.prep[d.prep-1] = e.tab.head
	}
	return append(dst, e.set.lit[p.value:p.end]...)
}
