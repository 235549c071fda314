package hpack

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

func TestRFC7541_5_1_Integers(t *testing.T) {
	for _, test := range []struct {
		mask  byte
		v     uint32
		coded string
	}{
		{0x1f, 10, "0a"},       // C.1.1
		{0x1f, 1337, "1f9a0a"}, // C.1.2
		{0xff, 42, "2a"},       // C.1.3
		{0x1f, 30, "1e"},
		{0x1f, 31, "1f00"},
		{0x7f, 126, "7e"},
		{0x7f, 127, "7f00"},
		{0x0f, 15 + 127, "0f7f"},
		{0x0f, 15 + 128, "0f8001"},
		{0x3f, 63 + 1<<28 - 1, "3fffffff7f"},
	} {
		got := appendInteger([]byte{}, 0, test.mask, test.v)
		if want := unhex(t, test.coded); !bytes.Equal(got, want) {
			t.Errorf("%d in mask %#x: %x, want %x", test.v, test.mask, got, want)
		}
		v, next, rule := readInteger(got, 0, test.mask)
		if v != test.v || next != len(got) || rule != 0 {
			t.Errorf("%x: %d, %d, %v, want %d", got, v, next, rule, test.v)
		}
	}
}

func TestRFC7541_5_1_IntegerRules(t *testing.T) {
	for _, mask := range []byte{0x0f, 0x1f, 0x3f, 0x7f, 0xff} {
		for _, test := range []struct {
			tail string
			v    uint32 // above mask
			rule Rule
		}{
			{"00", 0, 0},
			{"8000", 0, 0}, // not the shortest form, and allowed
			{"80808000", 0, 0},
			{"ffffff7f", 1<<28 - 1, 0},
			{"", 0, RuleTruncated},
			{"80", 0, RuleTruncated},
			{"ffffff", 0, RuleTruncated},
			{"80808080", 0, RuleInteger},
			{"8080808000", 0, RuleInteger},
			{"ffffffff0f", 0, RuleInteger},           // 2^32
			{"ffffffffffffffff7f", 0, RuleInteger},   // 2^63
			{"ffffffffffffffffff01", 0, RuleInteger}, // 2^64
			{"ffffffffffffffffffffffffffffff", 0, RuleInteger},
		} {
			b := append([]byte{mask}, unhex(t, test.tail)...)
			v, _, rule := readInteger(b, 0, mask)
			if rule != test.rule || rule == 0 && v != uint32(mask)+test.v {
				t.Errorf("mask %#x, %x: %d, %v, want %d, %v", mask, b, v, rule, uint32(mask)+test.v, test.rule)
			}
		}
	}
}

// All prefixes, all lengths up to far beyond what is allowed, at the ends of
// what each octet can say: what we read is what RFC 7541 5.1 computes, or refused
// for its length.
func TestRFC7541_5_1_EveryInteger(t *testing.T) {
	octets := []byte{0x00, 0x01, 0x7e, 0x7f}
	for prefix := 1; prefix <= 8; prefix++ {
		mask := byte(1<<prefix - 1)
		for first := range int(mask) {
			if v, next, rule := readInteger([]byte{byte(first) | ^mask}, 0, mask); v != uint32(first) || next != 1 || rule != 0 {
				t.Fatalf("prefix of %d bits, %d: %d, %d, %v", prefix, first, v, next, rule)
			}
		}
		var walk func(b []byte, v uint64)
		walk = func(b []byte, v uint64) {
			more := len(b) - 1 // octets so far, all with the top bit
			want := RuleTruncated
			if more >= maxIntegerOctets {
				want = RuleInteger
			}
			if _, _, rule := readInteger(b, 0, mask); rule != want {
				t.Fatalf("%x: %v, want %v", b, rule, want)
			}
			if more == maxIntegerOctets+2 {
				return
			}
			for _, c := range octets {
				sum := v + uint64(c)<<(7*more)
				last := append(slices.Clone(b), c, 0xff) // the octet behind it is not looked at
				got, next, rule := readInteger(last, 0, mask)
				switch {
				case more >= maxIntegerOctets:
					if rule != RuleInteger {
						t.Fatalf("%x: %v", last, rule)
					}
				case rule != 0 || uint64(got) != sum || next != len(last)-1:
					t.Fatalf("%x: %d, %d, %v, want %d", last, got, next, rule, sum)
				}
				walk(append(slices.Clone(b), c|0x80), sum)
			}
		}
		walk([]byte{0xff}, uint64(mask))
	}
}

// Every place where an integer stands in a block refuses one that is too long.
func TestRFC7541_5_1_TooLongEverywhere(t *testing.T) {
	const long = "8080808001"
	for name, block := range map[string]string{
		"index":               "ff" + long,
		"name index, indexed": "7f" + long,
		"name index, literal": "0f" + long,
		"name index, never":   "1f" + long,
		"size update":         "3f" + long,
		"name length":         "007f" + long,
		"coded name length":   "40ff" + long,
		"value length":        "0001617f" + long,
		"coded value length":  "000161ff" + long,
	} {
		var d Decoder
		_, err := d.Decode(nil, unhex(t, block), Request, Limits{})
		if e, ok := err.(*Error); !ok || e.Rule != RuleInteger {
			t.Errorf("%s: %s: %v", name, block, err)
		}
	}
}

func TestRFC7541_5_2_Strings(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 50, 125, 126, 127, 128, 129, 200, 253, 254, 255, 300, 1000, 20000} {
		for _, c := range []byte{'a', 'Z', 0x00, 0xff} {
			s := bytes.Repeat([]byte{c}, n)
			coded := appendString([]byte("x"), s, HuffmanShorter)
			raw := len(appendInteger(nil, 0, 0x7f, uint32(n))) + n
			huffman := HuffmanLen(s)
			huffman += len(appendInteger(nil, 0, 0x7f, uint32(huffman)))
			if want := 1 + min(raw, huffman); len(coded) != want {
				t.Errorf("%d times %#x: %d octets, want %d", n, c, len(coded), want)
			}
			got, next, rule := readString([]byte("y"), coded, 1)
			if rule != 0 || next != len(coded) || string(got) != "y"+string(s) {
				t.Errorf("%d times %#x: came back as %d octets, %v", n, c, len(got)-1, rule)
			}
		}
	}
}

// As long in Huffman code as without: without.
func TestHuffmanOnlyWhenShorter(t *testing.T) {
	for s, want := range map[string]string{"&": "\x01&", "&&": "\x02&&", "a": "\x01a", "aa": "\x02aa", "aaa": "\x82\x18\xc7"} {
		if got := string(appendString(nil, []byte(s), HuffmanShorter)); got != want {
			t.Errorf("%q: %x, want %x", s, got, want)
		}
	}
}

// Broken strings as name and as value, in each form of literal.
func TestRFC7541_5_2_BrokenStrings(t *testing.T) {
	for _, test := range []struct {
		name, coded string
		rule        Rule
	}{
		{"length beyond the block", "05 6161", RuleTruncated},
		{"coded length beyond the block", "85 1c", RuleTruncated},
		{"length of 2^28", "7f ffffff7f 61", RuleTruncated},
		{"eight bits of padding", "82 1fff", RuleHuffman}, // "a" and three ones are 1f
		{"padding of zeros", "81 18", RuleHuffman},
		{"EOS", "84 ffffffff", RuleHuffman},
	} {
		for _, pattern := range []string{"00", "10", "40"} {
			for where, block := range map[string]string{
				"name":  pattern + test.coded,
				"value": pattern + "0161" + test.coded,
			} {
				var d Decoder
				_, err := d.Decode(nil, unhex(t, block), Request, Limits{})
				if e, ok := err.(*Error); !ok || e.Rule != test.rule {
					t.Errorf("%s as %s (%s): %v, want %v", test.name, where, block, err, test.rule)
				}
				if _, again := d.Decode(nil, []byte{0x82}, Request, Limits{}); again == nil {
					t.Errorf("%s as %s: the decoder went on", test.name, where)
				}
			}
		}
	}
	// "" coded is legal, with one octet of nothing.
	var d Decoder
	var f Fields
	if v, err := d.Decode(&f, unhex(t, "00 0161 80"), Request, Limits{}); v != OK || err != nil || fmt.Sprint(pairs(&f)) != "[{a }]" {
		t.Errorf("empty coded value: %v, %v, %v", v, err, pairs(&f))
	}
}
