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
	lit     desc   // the latest literal
	scratch []byte // its octets
	err     Error

	fault   Fault
	ready   bool
	plain   bool   // ready, no error and no update due: begin need not look further
	must    bool   // the next block must begin with a size update, at most lowest
	allowed uint32 // our acknowledged SETTINGS_HEADER_TABLE_SIZE
	lowest  uint32 // the lowest since the last block
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
	d.plain = false
}

// Err returns what ended the last block early: nil, or an *Error. It is valid
// until the Decoder is used again.
func (d *Decoder) Err() error {
	if d.err.Rule != 0 {
		return &d.err
	}
	return nil
}

// fail notes that the instruction at p broke a rule. What it returns is for
// next to return.
func (d *Decoder) fail(p int, r Rule) (*desc, []byte, int) {
	d.err = Error{Offset: p, Rule: r}
	d.plain = false
	return nil, nil, p
}

// begin reads the size updates that begin a block and returns where the fields
// begin: at the end, when there is an error.
func (d *Decoder) begin(block []byte) int {
	if d.plain && len(block) > 0 && block[0] >= 0x40 { // most blocks; the others just take longer
		return 0
	}
	return d.updates(block)
}

// updatePattern is the first three bits of a size update (RFC 7541 6.3).
const updatePattern = 1

// updates is begin, where there is more to it. RFC 7541 4.2: "This dynamic table
// size update MUST occur at the beginning of the first header block following
// the change to the dynamic table size."
func (d *Decoder) updates(block []byte) (p int) {
	d.init()
	if d.err.Rule != 0 {
		return len(block)
	}
	for n := 0; p < len(block) && block[p]>>5 == updatePattern; n++ {
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
			return len(block)
		}
		d.must = false
		d.tab.setMax(size)
		p = next
	}
	if d.must && len(block) > 0 {
		d.fail(p, RuleUpdateMissing)
		return len(block)
	}
	d.lowest = d.allowed
	d.plain = !d.must
	return p
}

// Fields yields the fields of a block: what is in it, valid HTTP or not, and
// without any limit. A view is valid until the next step. Leaving the loop
// early is fine: the rest of the block is decoded all the same, as the table
// must follow it. Look at Err after the loop.
func (d *Decoder) Fields(block []byte) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for p := d.begin(block); uint(p) < uint(len(block)); {
			var e *desc
			var arena []byte
			i := uint32(block[p]) - 0x81 // see longIndex
			if i < staticLen {
				e, arena, p = staticEntry(i), staticBuf, p+1
			} else if i -= staticLen; i != longIndex-staticLen && i < d.tab.count {
				e, arena, p = d.tab.entry(d.tab.head-1-i), d.tab.arena, p+1
			} else if e, arena, p = d.next(block, p, false); e == nil {
				break
			}
			if !yield(Field{Name: e.nameView(arena), Value: e.valueView(arena), Token: e.token, Sensitive: e.flags&flagSensitive != 0}) {
				d.skip(block, p)
				break
			}
		}
		d.trim()
	}
}

// skip decodes the rest of a block for the sake of the table.
func (d *Decoder) skip(block []byte, p int) {
	for p < len(block) {
		var e *desc
		if e, _, p = d.next(block, p, false); e == nil {
			return
		}
	}
}

// trim gives back a scratch buffer that an unusual block made large.
func (d *Decoder) trim() {
	scribble(d.scratch)
	if cap(d.scratch) > keepScratch {
		d.scratch = nil
	}
}
