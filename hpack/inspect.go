package hpack

import "iter"

// Form is a binary format of RFC 7541, section 6.
type Form uint8

// The forms.
const (
	FormIndexed     Form = iota // 6.1: a field of a table
	FormIncremental             // 6.2.1: a literal that goes into the dynamic table
	FormWithout                 // 6.2.2: a literal that does not
	FormNever                   // 6.2.3: a literal that no hop may index
	FormSizeUpdate              // 6.3
)

// String returns a word or two, such as "incremental".
func (f Form) String() string {
	switch f {
	case FormIndexed:
		return "indexed"
	case FormIncremental:
		return "incremental"
	case FormWithout:
		return "without"
	case FormNever:
		return "never"
	}
	return "size update"
}

// Instruction is how one field, or a size update, stands in a block.
type Instruction struct {
	Form         Form
	Offset, Len  int    // in the block
	Index        uint32 // of the field, or of a literal's name; 0: the name is a literal too
	Size         uint32 // FormSizeUpdate: the new size of the table
	NameHuffman  bool   // a literal name is Huffman coded
	ValueHuffman bool   // a literal value is
}

// ParseInstruction reads the instruction at block[at:], which must not be
// empty. It looks at neither table: indexes may be out of range, and Huffman
// strings wrong. It is for tools, which go through a block with it beside
// [Decoder.Fields]; every instruction but a size update yields one field.
func ParseInstruction(block []byte, at int) (Instruction, error) {
	in := Instruction{Form: FormWithout, Offset: at}
	mask := byte(0x0f)
	switch c := block[at]; {
	case c >= 0x80:
		in.Form, mask = FormIndexed, 0x7f
	case c >= 0x40:
		in.Form, mask = FormIncremental, 0x3f
	case c >= 0x20:
		in.Form, mask = FormSizeUpdate, 0x1f
	case c >= 0x10:
		in.Form = FormNever
	}
	n, p, rule := readInteger(block, at, mask)
	switch {
	case in.Form == FormSizeUpdate:
		in.Size = n
	case in.Form == FormIndexed:
		in.Index = n
	default:
		if in.Index = n; n == 0 && rule == 0 {
			in.NameHuffman, p, rule = skipString(block, p)
		}
		if rule == 0 {
			in.ValueHuffman, p, rule = skipString(block, p)
		}
	}
	if in.Len = p - at; rule != 0 {
		return in, &Error{Offset: at, Rule: rule}
	}
	return in, nil
}

// skipString returns how the string literal at block[p] is coded and where it
// ends.
func skipString(block []byte, p int) (coded bool, next int, rule Rule) {
	if p >= len(block) {
		return false, p, RuleTruncated
	}
	coded = block[p]&0x80 != 0
	n, p, rule := readInteger(block, p, 0x7f)
	if rule == 0 && uint64(n) > uint64(len(block)-p) {
		rule = RuleTruncated
	}
	if rule != 0 {
		return coded, p, rule
	}
	return coded, p + int(n), 0
}

// Table yields the entries of the dynamic table with their indexes, the newest
// first, which has index 62. A view is valid until the next step.
func (d *Decoder) Table() iter.Seq2[int, Field] {
	return func(yield func(int, Field) bool) {
		for i := range d.tab.count {
			e := d.tab.at(i)
			f := Field{Name: e.name(d.tab.arena), Value: e.value(d.tab.arena), Token: e.token}
			if !yield(int(i)+staticLen+1, f) {
				return
			}
		}
	}
}

// TableSize returns the size of the dynamic table and its maximum, in octets as
// RFC 7541 4.1 counts them.
func (d *Decoder) TableSize() (size, maximum uint32) {
	d.init()
	return d.tab.size, d.tab.max
}
