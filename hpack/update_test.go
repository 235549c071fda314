package hpack

import (
	"bytes"
	"strings"
	"testing"
)

// Size updates, RFC 7541 4.2, 4.3 and 6.3, RFC 9113 4.3.1.

func TestRFC7541_6_3_UpdatesDecoded(t *testing.T) {
	const insert = "4001610162"
	for _, test := range []struct {
		name    string
		allowed []uint32 // settings acknowledged before the block
		block   string
		rule    Rule
	}{
		{"equal to the limit", nil, "3fe11f 82", 0},
		{"above the limit", nil, "3fe21f 82", RuleUpdateTooLarge},
		{"above a raised limit", []uint32{8192}, "3fe23f 82", RuleUpdateTooLarge},
		{"a raised limit", []uint32{8192}, "3fe13f 82", 0},
		{"a raised limit, unused", []uint32{8192}, "82", 0},
		{"behind a field", nil, "82 20", RuleUpdateTooLate},
		{"behind a field, table in use", nil, insert + "20", RuleUpdateTooLate},
		{"between fields", nil, "82 20 82", RuleUpdateTooLate},
		{"alone", nil, "20", 0},
		{"two", nil, "20 3fe11f 82", 0},
		{"four", nil, "20 20 20 3fe11f 82", 0},
		{"five", nil, "20 20 20 20 20 82", RuleTooManyUpdates},
		{"lowered, and used", []uint32{2048}, "3fe10f 82", 0},
		{"lowered, less is used", []uint32{2048}, "20 82", 0},
		{"lowered, and not said", []uint32{2048}, "82", RuleUpdateMissing},
		{"lowered, and more wanted", []uint32{2048}, "3fe20f 82", RuleUpdateTooLarge},
		{"lowered to 0", []uint32{0}, "20 82", 0},
		{"lowered to 0, and not said", []uint32{0}, "82", RuleUpdateMissing},
		{"down and up, both said", []uint32{64, 4096}, "3f21 3fe11f 82", 0},
		{"down and up, less said", []uint32{64, 4096}, "20 3fe11f 82", 0},
		{"down and up, the last said", []uint32{64, 4096}, "3fe11f 82", RuleUpdateTooLarge},
		{"down and up, the first said", []uint32{64, 4096}, "3f21 82", 0},
		{"down and up, neither said", []uint32{64, 4096}, "82", RuleUpdateMissing},
		{"the same", []uint32{4096}, "82", 0},
		{"update cut off", nil, "3fe1", RuleTruncated},
	} {
		var d Decoder
		for _, n := range test.allowed {
			d.SetAllowedTableSize(n)
		}
		var f Fields
		_, err := d.Decode(&f, unhex(t, test.block), Request, Limits{})
		if e, _ := err.(*Error); (err != nil) != (test.rule != 0) || err != nil && e.Rule != test.rule {
			t.Errorf("%s: %v, want %v", test.name, err, test.rule)
		}
	}
}

// An update is asked for once, and only when the peer's table is too large.
func TestRFC9113_4_3_1_UpdateAskedOnce(t *testing.T) {
	var d Decoder
	step := func(block string, want Rule) {
		t.Helper()
		_, err := d.Decode(nil, unhex(t, block), Request, Limits{})
		e, _ := err.(*Error)
		if (err != nil) != (want != 0) || e != nil && e.Rule != want {
			t.Errorf("%s: %v, want %v", block, err, want)
		}
	}
	d.SetAllowedTableSize(100)
	step("", 0) // no instruction, no field: nothing to begin with
	step("3f45 82", 0)
	step("82", 0)
	d.SetAllowedTableSize(200)
	step("82", 0)
	d.SetAllowedTableSize(100) // the table is 100 already
	step("82", 0)
	step("3f46 82", RuleUpdateTooLarge)
}

func TestRFC7541_4_3_UpdateEvicts(t *testing.T) {
	var d Decoder
	if _, err := d.Decode(nil, rawBlock(0x40, pair{"a", "1"}, pair{"b", "2"}, pair{"c", "3"}), Request, Limits{}); err != nil {
		t.Fatal(err)
	}
	d.Decode(nil, unhex(t, "3f25"), Request, Limits{}) // 68: two entries of 34
	if got, want := string(d.AppendTable(nil)), lines("[62] (s = 34) c: 3", "[63] (s = 34) b: 2", "table size: 68 of 68"); got != want {
		t.Errorf("table %s, want %s", got, want)
	}
	d.Decode(nil, unhex(t, "20 3fe11f"), Request, Limits{})
	if got, want := string(d.AppendTable(nil)), lines("table size: 0 of 4096"); got != want {
		t.Errorf("table %s, want %s", got, want)
	}
}

func TestRFC7541_4_2_UpdatesEncoded(t *testing.T) {
	for _, test := range []struct {
		name  string
		allow uint32
		sizes []uint32
		want  string
	}{
		{"nothing changed", 0, nil, ""},
		{"the default", 0, []uint32{4096}, ""},
		{"more than we keep", 0, []uint32{1 << 31}, ""},
		{"more, and then less, both above ours", 0, []uint32{65536, 5000}, ""},
		{"lower", 0, []uint32{64}, "3f21"},
		{"zero", 0, []uint32{0}, "20"},
		{"lower and lower", 0, []uint32{1000, 64}, "3f21"},
		{"down and up", 0, []uint32{64, 4096}, "3f21 3fe11f"},
		{"down, up and down", 0, []uint32{64, 4096, 100}, "3f21 3f45"},
		{"down and above ours", 0, []uint32{0, 1 << 20}, "20 3fe11f"},
		{"allowed more", 16384, []uint32{16384}, "3fe17f"},
		{"allowed more, offered less", 16384, []uint32{8192}, "3fe13f"},
		{"allowed more, offered far more", 16384, []uint32{1<<32 - 1}, "3fe17f"},
	} {
		var e Encoder
		if test.allow > 0 {
			e.Allow(test.allow)
		}
		for _, n := range test.sizes {
			e.SetMaxTableSize(n)
		}
		var f Fields
		if got, want := e.AppendBlock([]byte{}, &f), unhex(t, test.want); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", test.name, got, want)
		}
		if got := e.AppendBlock(nil, &f); len(got) != 0 {
			t.Errorf("%s: %x in the second block", test.name, got)
		}
	}
}

// A peer that offers 4 GiB, or changes its mind ten thousand times, takes no
// more memory of ours than another.
func TestEncoderMemoryIsBounded(t *testing.T) {
	x := newTrip(t)
	x.setting(1<<32 - 1)
	var f Fields
	for i := range 10000 {
		if i%3 == 0 {
			x.setting([]uint32{0, 4096, 1 << 30, 100}[i%4])
		}
		f.Reset()
		f.Add("x-unique", strings.Repeat("v", i%50)+string(rune('a'+i%26)))
		f.AddInt(TokenContentType, int64(i))
		x.send(&f)
	}
	if n := cap(x.enc.tab.arena) + 16*len(x.enc.tab.ring); n > 8192+2048 {
		t.Errorf("the table takes %d octets", n)
	}
}
