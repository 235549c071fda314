package hpack

// Encoder encodes the blocks of one direction of one connection. The zero
// value is ready: a table of DefaultTableSize, whose memory grows with what is
// put into it, and an index once it has more than a few entries.
type Encoder struct {
	tab    table
	index  index
	recent recent
	set    *Set
	prep   []uint32 // by handle: 1 + the number of the entry that a prepared field last made

	ready   bool
	update  bool   // size updates wait for the next block
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
	e.prep = nil
	if s != nil {
		e.prep = make([]uint32, min(len(s.items), maxPrepared))
	}
}

// AppendBlock appends the block of f. Blocks must leave in the order they were
// made, and none may be dropped.
func (e *Encoder) AppendBlock(dst []byte, f *Fields) []byte {
	e.init()
	if e.update {
		dst = e.appendUpdates(dst)
	}
	for i := range f.desc {
		d := &f.desc[i]
		if d.prep != 0 {
			if f.set == e.set && int(d.prep) <= len(e.prep) {
				dst = e.appendPrepared(dst, d)
				continue
			}
			plain := *d
			plain.prep = 0
			dst = e.appendField(dst, &plain, f.set.buf)
			continue
		}
		dst = e.appendField(dst, d, f.buf)
	}
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

// appendField appends the shortest form of a field (RFC 7541 6).
func (e *Encoder) appendField(dst []byte, d *desc, src []byte) []byte {
	value := d.value(src)
	m := modeOf(d)
	if m != modeNever {
		if i := staticIndex(d.token, value); i != 0 {
			return append(dst, 0x80|byte(i))
		}
	}
	nh := hashName(d.token, d.name(src))
	if m == modeIndex || m == modePath {
		h := hash(nh, value)
		if i, ok := e.index.findField(&e.tab, d, src, h); ok {
			return appendInteger(dst, 0x80, 0x7f, i+1+staticLen)
		}
		if (m == modeIndex || e.recent.again(h)) && e.fits(d) {
			dst = e.appendName(dst, 0x40, 0x3f, d, src, nh)
			e.insert(d, src, nh, h)
			return appendString(dst, value)
		}
	}
	pattern := byte(0)
	if m == modeNever {
		pattern = 0x10
	}
	dst = e.appendName(dst, pattern, 0x0f, d, src, nh)
	return appendString(dst, value)
}

// fits reports whether a field may have an entry: one that takes most of the
// table would push out too many others.
func (e *Encoder) fits(d *desc) bool {
	return uint64(d.nlen)+uint64(d.vlen)+entryOverhead <= uint64(e.tab.max)*3/4
}

// appendName appends the start of a literal: its pattern, and its name as an
// index or a string.
func (e *Encoder) appendName(dst []byte, pattern, mask byte, d *desc, src []byte, nh uint32) []byte {
	if d.token-1 < staticLen {
		return appendInteger(dst, pattern, mask, uint32(d.token))
	}
	if i, ok := e.index.findName(&e.tab, d, src, nh); ok {
		return appendInteger(dst, pattern, mask, i+1+staticLen)
	}
	return appendString(append(dst, pattern), d.name(src))
}

func (e *Encoder) insert(d *desc, src []byte, nh, h uint32) {
	if e.tab.insert(*d, src) {
		e.index.added(&e.tab, nh, h)
	}
}
