package hpack

// Encoder encodes the blocks of one direction of one connection. The zero
// value is ready: a table of DefaultTableSize, whose memory grows with what is
// put into it, as that of its index is.
type Encoder struct {
	// Huffman says which strings are Huffman coded. It may be changed between
	// two blocks.
	Huffman Huffman

	ready   bool // init was called
	settled bool // nothing need be done before the next block
	update  bool // size updates wait for it

	tab    table
	index  *index // nil before the first block
	set    *Set
	places []place // by handle, of the fields of set

	limit   uint32 // how large a table we are willing to keep
	peer    uint32 // the peer's SETTINGS_HEADER_TABLE_SIZE
	lowest  uint32 // the smallest size since the last block
	current uint32 // the size that the peer's decoder knows
}

func (e *Encoder) init() {
	if !e.ready {
		e.ready = true
		e.tab.max = DefaultTableSize
		e.limit = DefaultTableSize
		e.peer = DefaultTableSize
		e.current = DefaultTableSize
	}
}

// SetMaxTableSize sets the peer's SETTINGS_HEADER_TABLE_SIZE, to be called when
// the setting takes effect. The table never becomes larger than Allow said,
// whatever the peer offers.
//
// RFC 7541 4.2: "In the case that this size is changed more than once in this
// interval, the smallest maximum table size that occurs in that interval MUST
// be signaled in a dynamic table size update. The final maximum size is always
// signaled, resulting in at most two dynamic table size updates."
func (e *Encoder) SetMaxTableSize(n uint32) {
	e.init()
	e.peer = n
	e.resize()
}

// Allow lets the table grow to n octets, at most MaxTableSize, where the peer
// offers them; without it the table has at most DefaultTableSize. A larger
// table compresses a little better and costs that memory on each connection.
func (e *Encoder) Allow(n uint32) {
	e.init()
	e.limit = min(n, MaxTableSize)
	e.resize()
}

func (e *Encoder) resize() {
	size := min(e.peer, e.limit)
	if !e.update {
		if size == e.current {
			return
		}
		e.update = true
		e.settled = false
		e.lowest = size
	}
	e.lowest = min(e.lowest, size)
	e.tab.setMax(size)
}

// UseSet makes the prepared fields of s cheap for this encoder. Fields added to
// s later are encoded like any other.
func (e *Encoder) UseSet(s *Set) {
	for i := range e.tab.count {
		e.tab.at(i).prep = 0
	}
	e.set = s
	e.places = nil
	if s != nil {
		e.places = make([]place, min(len(s.items), maxPrepared))
		for i := range e.places {
			e.places[i].static = uint32(s.items[i].static)
		}
	}
}

// AppendBlock appends the block of f. Blocks must leave in the order they were
// made, and none may be dropped.
func (e *Encoder) AppendBlock(dst []byte, f *Fields) []byte {
	if !e.settled {
		dst = e.settle(dst)
	}
	t := &e.tab
	for i := range f.desc {
		d := &f.desc[i]
		x := uint32(0) // the index of the field, if it stands where it is looked for first
		switch {
		case d.prep != 0:
			if f.set == e.set && int(d.prep) <= len(e.places) {
				x = e.placed(d.prep)
			}
		case d.flags&flagSensitive == 0:
			if d.token-TokenMethod < TokenAcceptEncoding-1 || d.vlen == 0 && d.token-1 < staticLen {
				x = staticIndex(d.token, f.buf[d.off:d.off+d.vlen])
			}
			if x == 0 {
				// Most fields say what the last one of their name said.
				s := e.index.expected[d.token]
				age := t.age(s)
				if age < t.count && t.same(t.entry(t.head-1-age), d, f.buf) {
					e.index.found(s)
					x = age + 1 + staticLen
				}
			}
		}
		if x-1 < 0x7e {
			dst = append(dst, 0x80|byte(x))
		} else {
			dst = e.appendOther(dst, f, d, x)
		}
	}
	return dst
}

// appendOther appends a field whose index x does not fit one octet, or is 0:
// it is not where it was looked for.
func (e *Encoder) appendOther(dst []byte, f *Fields, d *desc, x uint32) []byte {
	switch {
	case x != 0:
		return appendInteger(dst, 0x80, 0x7f, x)
	case d.prep != 0:
		return e.appendPrepared(dst, d, f.set)
	}
	return e.appendNew(dst, d, f.buf, nil)
}

// settle does what must be done before a block, but not before most.
func (e *Encoder) settle(dst []byte) []byte {
	e.init()
	if e.index == nil {
		e.index = new(index)
	}
	if e.update {
		dst = e.appendUpdates(dst)
	}
	e.settled = true
	return dst
}

func (e *Encoder) appendUpdates(dst []byte) []byte {
	e.update = false
	if e.lowest < e.tab.max {
		dst = appendInteger(dst, 0x20, 0x1f, e.lowest)
	}
	e.current = e.tab.max
	return appendInteger(dst, 0x20, 0x1f, e.current)
}

// appendNew appends a field that is not where it was looked for: it may stand
// elsewhere in the table, or becomes a literal. p is nil unless it is prepared.
func (e *Encoder) appendNew(dst []byte, d *desc, src []byte, p *prepared) []byte {
	t, x := &e.tab, e.index
	m := modeOf(d)
	if p != nil {
		m = p.mode
	}
	nh := hashName(d, src)
	if m == modeNever {
		return e.appendLiteral(dst, 0x10, 0x0f, x.name(t, d, src, nh), d, src, p)
	}
	h := hash(nh, d.value(src))
	if s, ok := x.find(t, d, src, h); ok {
		x.expected[d.token] = low(s)
		x.found(low(s))
		if p != nil {
			e.place(d.prep, s)
		}
		return appendInteger(dst, 0x80, 0x7f, t.head-s+staticLen)
	}
	name := x.name(t, d, src, nh)
	// A name without an index is worth an entry, whatever the value.
	if index := m == modeIndex || name == 0 || d.vlen == 0 || x.recent.again(h); !index || !t.worth(d) {
		return e.appendLiteral(dst, 0, 0x0f, name, d, src, p)
	}
	dst = e.appendLiteral(dst, 0x40, 0x3f, name, d, src, p)
	t.insert(*d, src)
	x.added(t, d, nh, h)
	if p != nil {
		e.place(d.prep, t.head-1)
	}
	return dst
}

// appendLiteral appends a literal of the form that pattern says. name is the
// index of the name, or 0.
func (e *Encoder) appendLiteral(dst []byte, pattern, mask byte, name uint32, d *desc, src []byte, p *prepared) []byte {
	dst = appendInteger(dst, pattern, mask, name)
	if p != nil && e.Huffman == HuffmanShorter {
		if name == 0 {
			dst = append(dst, e.set.lit[p.name:p.value]...)
		}
		return append(dst, e.set.lit[p.value:p.end]...)
	}
	if name == 0 {
		dst = appendString(dst, d.name(src), e.Huffman)
	}
	return appendString(dst, d.value(src), e.Huffman)
}
