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

// An indexed field of one octet is c-0x81 as an index that counts from 0, which
// of a literal is very large: below staticLen it is of the static table, and
// longIndex says that the index goes on in the next octet. Decoder.Fields and
// Decoder.indexedRun look up such fields themselves, as most fields are.
const longIndex = 0xff - 0x81

// indexed returns the entry with this index and the arena of its octets, or
// nil. RFC 7541 2.3.3: "Indices strictly greater than the sum of the lengths
// of both tables MUST be treated as a decoding error."
func (d *Decoder) indexed(i uint32) (*desc, []byte) {
	if i-1 < staticLen {
		return &staticTable[i%64], staticBuf
	}
	return d.tab.at(i - 1 - staticLen), d.tab.arena // an index of 0 becomes a very large one
}

// next decodes the instruction at block[p], of any kind. It returns a field as it
// stands in some arena until the next call, and where the next instruction
// begins; nil: there is an error. With checked, a literal is checked before it
// becomes an entry.
func (d *Decoder) next(block []byte, p int, checked bool) (*desc, []byte, int) {
	if block[p] >= 0x80 {
		return d.long(block, p)
	}
	scribble(d.scratch)
	e, buf, p := d.literal(&d.lit, d.scratch[:0], block, p, checked)
	if e != nil {
		d.scratch = buf
	}
	return e, buf, p
}

// long decodes an indexed field (RFC 7541 6.1).
func (d *Decoder) long(block []byte, p int) (*desc, []byte, int) {
	i, next, rule := readInteger(block, p, 0x7f)
	if rule != 0 {
		return d.fail(p, rule)
	}
	e, arena := d.indexed(i)
	if e == nil {
		return d.fail(p, RuleIndex)
	}
	return e, arena, next
}

// literal decodes a literal (RFC 7541 6.2) into e, and appends its octets to
// buf. It is whole there before it becomes an entry: see table.insert.
func (d *Decoder) literal(e *desc, buf, block []byte, at int, checked bool) (*desc, []byte, int) {
	c, mask := block[at], byte(0x3f)
	*e = desc{}
	if c < 0x40 {
		if c >= 0x20 {
			return d.fail(at, RuleUpdateTooLate)
		}
		if mask = 0x0f; c >= 0x10 {
			e.flags = flagSensitive
		}
	}
	i, p, rule := readInteger(block, at, mask)
	if rule != 0 {
		return d.fail(at, rule)
	}
	start := len(buf)
	if i != 0 {
		named, arena := d.indexed(i)
		if named == nil {
			return d.fail(at, RuleIndex)
		}
		e.nlen = named.nlen
		e.flags |= named.flags & (flagPseudo | flagName)
		if e.token = named.token; e.token == 0 {
			buf = appendShort(buf, named.name(arena))
		}
	} else {
		if buf, p, rule = readString(buf, block, p); rule != 0 {
			return d.fail(at, rule)
		}
		e.nlen = uint32(len(buf) - start)
		if e.token = TokenOf(buf[start:]); e.token != 0 {
			buf = buf[:start]
			e.flags |= e.token.flags()
		}
	}
	e.off = uint32(len(buf))
	if buf, p, rule = readString(buf, block, p); rule != 0 {
		return d.fail(at, rule)
	}
	e.vlen = uint32(len(buf)) - e.off
	if cap(buf)-len(buf) < slack {
		buf = slices.Grow(buf, slack)
	}
	if checked {
		e.check(buf)
	}
	if c >= 0x40 {
		d.tab.insert(*e, buf)
	}
	return e, buf, p
}
