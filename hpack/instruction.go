package hpack

import "slices"

// The instructions of a block, RFC 7541 section 6:
//
//	  7   6   5   4   3   2   1   0
//	| 1 |       index (7+)          |   6.1   an entry of either table
//	| 0 | 1 |   name index (6+)     |   6.2.1 a literal that becomes an entry
//	| 0 | 0 | 1 |   size (5+)       |   6.3   a size update, before all others
//	| 0 | 0 | 0 | 1 | name index(4+)|   6.2.3 a literal, never indexed by anyone
//	| 0 | 0 | 0 | 0 | name index(4+)|   6.2.2 a literal
//
// A literal's name index of 0 means that the name follows as a string. Then
// comes the value.

// short returns the entry that an instruction of one octet refers to, and the
// arena of its octets; nil: it is another instruction, or there is no such
// entry. Most fields of most blocks come this way.
func (d *Decoder) short(c byte) (*desc, []byte) {
	i := uint32(c) - 0x80 // of a literal, very large
	if i-1 < staticLen {
		return &staticTable[i], staticBuf
	}
	if c == 0xff {
		return nil, nil
	}
	return d.tab.at(i - 1 - staticLen), d.tab.arena
}

// indexed returns the entry with this index and the arena of its octets, or
// nil. RFC 7541 2.3.3: "Indices strictly greater than the sum of the lengths
// of both tables MUST be treated as a decoding error."
func (d *Decoder) indexed(i uint32) (*desc, []byte) {
	if i-1 < staticLen {
		return &staticTable[i], staticBuf
	}
	return d.tab.at(i - 1 - staticLen), d.tab.arena // an index of 0 becomes a very large one
}

// next decodes the instruction at block[p]. It returns a field as it stands in
// some arena until the next call, and where the next instruction begins; nil:
// there is an error. With checked, a literal is checked before it becomes an
// entry.
func (d *Decoder) next(block []byte, p int, checked bool) (e *desc, arena []byte, next int) {
	c := block[p]
	if c >= 0x80 {
		return d.far(block, p)
	}
	scribble(d.scratch)
	var rule Rule
	if next, rule = d.literal(block, p); rule != 0 {
		d.fail(p, rule)
		return nil, nil, p
	}
	if checked {
		d.lit.check(d.scratch)
	}
	if c >= 0x40 {
		d.tab.insert(d.lit, d.scratch)
	}
	return &d.lit, d.scratch, next
}

// far is next for an indexed field.
func (d *Decoder) far(block []byte, p int) (*desc, []byte, int) {
	i, next, rule := readInteger(block, p, 0x7f)
	e, arena := d.indexed(i)
	if rule == 0 && e == nil {
		rule = RuleIndex
	}
	if rule != 0 {
		d.fail(p, rule)
		return nil, nil, p
	}
	return e, arena, next
}

// literal reads the literal at block[p] into lit and scratch (RFC 7541 6.2).
func (d *Decoder) literal(block []byte, p int) (next int, rule Rule) {
	mask := byte(0x3f)
	lit := desc{}
	if c := block[p]; c < 0x40 {
		if c >= 0x20 {
			return p, RuleUpdateTooLate
		}
		if mask = 0x0f; c >= 0x10 {
			lit.flags = flagSensitive
		}
	}
	i, p, rule := readInteger(block, p, mask)
	if rule != 0 {
		return p, rule
	}
	buf := d.scratch[:0]
	if i != 0 {
		e, arena := d.indexed(i)
		if e == nil {
			return p, RuleIndex
		}
		lit.nlen = e.nlen
		if lit.token = e.token; lit.token == 0 {
			buf = appendShort(buf, e.name(arena))
			lit.flags |= e.flags & flagName
		}
	} else {
		if buf, p, rule = readString(buf, block, p); rule != 0 {
			return p, rule
		}
		lit.nlen = uint32(len(buf))
		if lit.token = TokenOf(buf); lit.token != 0 {
			buf = buf[:0]
		}
	}
	lit.flags |= lit.token.flags()
	lit.off = uint32(len(buf))
	buf, next, rule = readString(buf, block, p)
	lit.vlen = uint32(len(buf)) - lit.off
	if cap(buf)-len(buf) < slack {
		buf = slices.Grow(buf, slack)
	}
	d.lit, d.scratch = lit, buf
	return next, rule
}
