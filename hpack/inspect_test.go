package hpack

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParseInstruction has every form, coded and not, and what ends early.
func TestParseInstruction(t *testing.T) {
	for _, tt := range []struct {
		block string
		want  []Instruction
		rule  Rule
	}{
		{"82", []Instruction{{Form: FormIndexed, Len: 1, Index: 2}}, 0},
		{"ff00", []Instruction{{Form: FormIndexed, Len: 2, Index: 127}}, 0},
		{"400161826364", []Instruction{{Form: FormIncremental, Len: 6, ValueHuffman: true}}, 0},
		{"4001610162", []Instruction{{Form: FormIncremental, Len: 5}}, 0},
		{"0081610162", []Instruction{{Form: FormWithout, Len: 5, NameHuffman: true}}, 0},
		{"040161", []Instruction{{Form: FormWithout, Len: 3, Index: 4}}, 0},
		{"1f100161", []Instruction{{Form: FormNever, Len: 4, Index: 31}}, 0},
		{"203fe11f82", []Instruction{{Form: FormSizeUpdate, Len: 1}, {Form: FormSizeUpdate, Offset: 1, Len: 3, Size: 4096},
			{Form: FormIndexed, Offset: 4, Len: 1, Index: 2}}, 0},
		{"8240", []Instruction{{Form: FormIndexed, Len: 1, Index: 2}}, RuleTruncated},
		{"4001", nil, RuleTruncated},
		{"40016103", nil, RuleTruncated},
		{"ffffffffffff7f", nil, RuleInteger},
		{"3f", nil, RuleTruncated},
	} {
		block := unhex(t, tt.block)
		var got []Instruction
		var rule Rule
		for at := 0; at < len(block); {
			in, err := ParseInstruction(block, at)
			if err != nil {
				rule = err.(*Error).Rule
				break
			}
			got = append(got, in)
			at += in.Len
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || rule != tt.rule {
			t.Errorf("%s: rule %v, want %v (-want +got):\n%s", tt.block, rule, tt.rule, diff)
		}
	}
}

// TestInstructionsMatchFields: over all blocks of Appendix C there is one
// instruction for each field, none is left over, and Table shows what
// AppendTable prints.
func TestInstructionsMatchFields(t *testing.T) {
	for _, blocks := range [][]string{c3, c4, c5, c6} {
		var d Decoder
		for _, s := range blocks {
			block := unhex(t, s)
			at := 0
			for range d.Fields(block) {
				in, err := ParseInstruction(block, at)
				if err != nil {
					t.Fatal(err)
				}
				at += in.Len
			}
			if at != len(block) || d.Err() != nil {
				t.Errorf("%s: instructions end at %d of %d, %v", s, at, len(block), d.Err())
			}
			size, n := uint32(0), 0
			for i, f := range d.Table() {
				if n++; i != 61+n {
					t.Errorf("entry %d has index %d", n, i)
				}
				size += uint32(len(f.Name)+len(f.Value)) + entryOverhead
			}
			if got, limit := d.TableSize(); got != size || limit != DefaultTableSize || n == 0 {
				t.Errorf("%s: size %d of %d, %d entries of %d", s, got, limit, n, size)
			}
		}
	}
	var fresh Decoder
	if size, limit := fresh.TableSize(); size != 0 || limit != DefaultTableSize {
		t.Errorf("a new table has %d of %d octets", size, limit)
	}
}
