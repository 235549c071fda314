package hpack

import (
	"fmt"
	"iter"
)

// Rule says which rule of RFC 7541 a block broke.
type Rule uint8

// The rules. Breaking any of them is a connection error of type
// COMPRESSION_ERROR (RFC 9113 4.3).
const (
	RuleNone           Rule = iota
	RuleIndex               // 2.3.3: an index of 0 or past the end of the tables
	RuleInteger             // 5.1: an integer of more than five octets
	RuleTruncated           // 5.1, 5.2: the block ends inside an instruction
	RuleHuffman             // 5.2: wrong padding, or EOS
	RuleUpdateTooLarge      // 6.3: a size update above the limit
	RuleUpdateTooLate       // 4.2: a size update after a field
	RuleUpdateMissing       // 4.2: no size update after the limit was lowered
	RuleTooManyUpdates      // 4.2: more than four size updates in a block
	RuleStopped             // the block before was too large to be decoded to its end
	ruleCount
)

var ruleText = [ruleCount]string{
	"no error", "index out of range", "integer too long", "block ends inside an instruction",
	"invalid Huffman string", "table size update above the limit", "table size update after a field",
	"table size update missing", "too many table size updates", "the table is no longer in step",
}

// String returns the rule in words.
func (r Rule) String() string {
	if r < ruleCount {
		return ruleText[r]
	}
	return fmt.Sprintf("Rule(%d)", uint8(r))
}

// Error is a decoding error: the block at fault and every one after it cannot
// be understood.
type Error struct {
	Offset int // in the block
	Rule   Rule
}

func (e *Error) Error() string {
	return fmt.Sprintf("hpack: %s at octet %d of the block", e.Rule, e.Offset)
}

// maxUpdates is how many size updates may begin a block. RFC 7541 4.2 has a use
// for two.
const maxUpdates = 4

// keepScratch is the largest scratch buffer that a decoder keeps between blocks.
const keepScratch = 4096

// Decoder decodes the blocks of one direction of one connection. The zero
// value is ready, with a table of DefaultTableSize that takes memory only as
// the peer fills it.
type Decoder struct {
	tab     table
	scratch []byte // a literal, in Fields and where there is no list to fill
	err     Error
	fault   Fault

	ready   bool
	allowed uint32 // our acknowledged SETTINGS_HEADER_TABLE_SIZE
	lowest  uint32 // the lowest since the last block
	must    bool   // the next block must begin with a size update, at most lowest
}

func (d *Decoder) init() {
	if !d.ready {
		d.ready = true
		d.tab.max = DefaultTableSize
		d.allowed = DefaultTableSize
		d.lowest = DefaultTableSize
	}
}

// SetAllowedTableSize sets the largest table that the peer's encoder may use:
// our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it. At most
// MaxTableSize counts.
//
// RFC 9113 4.3.1: "Once an endpoint acknowledges a change to
// SETTINGS_HEADER_TABLE_SIZE that reduces the maximum below the current size
// of the dynamic table, its HPACK encoder MUST start the next field block with
// a Dynamic Table Size Update instruction that sets the dynamic table size to
// a value that is less than or equal to the reduced maximum".
func (d *Decoder) SetAllowedTableSize(n uint32) {
	d.init()
	n = min(n, MaxTableSize)
	d.allowed = n
	d.lowest = min(d.lowest, n)
	if n < d.tab.max {
		d.must = true
	}
}

// Err returns what ended the last block early: nil, or an *Error. It is valid
// until the Decoder is used again.
func (d *Decoder) Err() error {
	if d.err.Rule != 0 {
		return &d.err
	}
	return nil
}

// fail notes a decoding error.
func (d *Decoder) fail(p int, r Rule) { d.err = Error{Offset: p, Rule: r} }

// begin reads the size updates that begin a block and returns where the fields
// begin. RFC 7541 4.2: "This dynamic table size update MUST occur at the
// beginning of the first header block following the change to the dynamic
// table size."
func (d *Decoder) begin(block []byte) (p int, ok bool) {
	d.init()
	d.fault = 0
	if d.err.Rule != 0 {
		return 0, false
	}
	for n := 0; p < len(block) && block[p]&0xe0 == 0x20; n++ {
		size, next, rule := readInteger(block, p, 0x1f)
		limit := d.allowed
		if d.must {
			limit = d.lowest
		}
		switch {
		case rule != 0:
		case n == maxUpdates:
			rule = RuleTooManyUpdates
		case size > limit:
			// "The new maximum size MUST be lower than or equal to the
			// limit determined by the protocol using HPACK." (RFC 7541 6.3)
			rule = RuleUpdateTooLarge
		}
		if rule != 0 {
			d.fail(p, rule)
			return p, false
		}
		d.must = false
		d.tab.setMax(size)
		p = next
	}
	if d.must && len(block) > 0 {
		d.fail(p, RuleUpdateMissing)
		return p, false
	}
	d.lowest = d.allowed
	return p, true
}

// indexed returns the entry with this index and the arena of its octets, or
// nil. RFC 7541 2.3.3: "Indices strictly greater than the sum of the lengths
// of both tables MUST be treated as a decoding error."
func (d *Decoder) indexed(i uint32) (*desc, []byte) {
	if i-1 < staticLen {
		return &staticTable[i], staticBuf
	}
	if i == 0 {
		return nil, nil
	}
	return d.tab.at(i - 1 - staticLen), d.tab.arena
}

// literal reads the literal at block[p], behind what is in buf, and says how
// it stands there. It does not insert it (RFC 7541 6.2).
func (d *Decoder) literal(buf, block []byte, p int) (f desc, out []byte, next int, rule Rule) {
	mask := byte(0x0f)
	switch c := block[p]; {
	case c >= 0x40:
		mask = 0x3f
	case c >= 0x20:
		return f, buf, p, RuleUpdateTooLate
	case c >= 0x10:
		f.flags = flagSensitive
	}
	start := len(buf)
	i, p, rule := readInteger(block, p, mask)
	if rule != 0 {
		return f, buf, p, rule
	}
	if i == 0 {
		buf, p, rule = readString(buf, block, p)
		if rule != 0 {
			return f, buf, p, rule
		}
		name := buf[start:]
		f.nlen = uint32(len(name))
		if f.token = TokenOf(name); f.token != 0 {
			buf = buf[:start]
		}
	} else {
		e, arena := d.indexed(i)
		if e == nil {
			return f, buf, p, RuleIndex
		}
		f.nlen = e.nlen
		if f.token = e.token; f.token == 0 {
			buf = append(buf, e.name(arena)...)
		}
	}
	f.off = uint32(len(buf))
	buf, next, rule = readString(buf, block, p)
	f.vlen = uint32(len(buf)) - f.off
	return f, buf, next, rule
}

// Fields yields the fields of a block: what is in it, valid HTTP or not, and
// without any limit. A view is valid until the next step. Leaving the loop
// early is fine: the rest of the block is decoded all the same, as the table
// must follow it. Look at Err after the loop.
func (d *Decoder) Fields(block []byte) iter.Seq[Field] {
	return func(yield func(Field) bool) { d.each(block, yield) }
}

func (d *Decoder) each(block []byte, yield func(Field) bool) {
	p, ok := d.begin(block)
	if !ok {
		return
	}
	more := true
	for p < len(block) {
		c := block[p]
		if c >= 0x80 {
			i, next, rule := readInteger(block, p, 0x7f)
			if rule != 0 {
				d.fail(p, rule)
				return
			}
			e, arena := d.indexed(i)
			if e == nil {
				d.fail(p, RuleIndex)
				return
			}
			p = next
			if more {
				more = yield(Field{Name: e.name(arena), Value: e.value(arena), Token: e.token})
			}
			continue
		}
		f, buf, next, rule := d.literal(d.scratch[:0], block, p)
		if rule != 0 {
			d.fail(p, rule)
			return
		}
		d.scratch = buf
		p = next
		if more {
			more = yield(Field{Name: f.name(buf), Value: f.value(buf), Token: f.token, Sensitive: f.flags&flagSensitive != 0})
		}
		if c >= 0x40 {
			d.tab.insert(f, buf)
		}
		scribble(buf)
	}
	d.trim()
}

// trim gives back a scratch buffer that an unusual block made large.
func (d *Decoder) trim() {
	if cap(d.scratch) > keepScratch {
		d.scratch = nil
	}
}
