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
	p.name = uint32(len(s.lit))
	s.lit = appendString(s.lit, f.Name(0), HuffmanShorter)
	p.value = uint32(len(s.lit))
	s.lit = appendString(s.lit, f.Value(0), HuffmanShorter)
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

// place is where an encoder has a prepared field of its set.
type place struct {
	static uint32 // index in the static table, or 0
	number uint32 // 1 + that of the entry the field last made
}

// placed returns the index of a field of e.set if it is where it was put, or
// else 0.
func (e *Encoder) placed(prep uint16) uint32 {
	p := e.places[prep-1]
	age := e.tab.head - p.number
	if p.static != 0 {
		return p.static
	}
	if age < e.tab.count && e.tab.entry(p.number-1).prep == prep {
		return age + 1 + staticLen
	}
	return 0
}

// appendPrepared appends a prepared field that is not where it was put.
func (e *Encoder) appendPrepared(dst []byte, d *desc, set *Set) []byte {
	if set == e.set && int(d.prep) <= len(e.places) {
		return e.appendNew(dst, d, set.buf, &set.items[d.prep-1])
	}
	plain := *d
	plain.prep = 0
	if modeOf(d) != modeNever {
		if x := staticIndex(d.token, d.value(set.buf)); x != 0 {
			return append(dst, 0x80|byte(x))
		}
	}
	return e.appendNew(dst, &plain, set.buf, nil)
}

// place notes that the field with handle prep-1 is the entry numbered s.
func (e *Encoder) place(prep uint16, s uint32) {
	e.tab.entry(s).prep = prep
	e.places[prep-1].number = s + 1
}
