package hpack

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	xhpack "golang.org/x/net/http2/hpack"
)

// rawField appends a literal with raw strings: what no encoder of ours writes.
func rawField(b []byte, pattern byte, name, value string) []byte {
	b = append(b, pattern)
	b = append(appendInteger(b, 0, 0x7f, uint32(len(name))), name...)
	return append(appendInteger(b, 0, 0x7f, uint32(len(value))), value...)
}

// rawBlock is rawField for each pair.
func rawBlock(pattern byte, list ...pair) (b []byte) {
	for _, p := range list {
		b = rawField(b, pattern, p.Name, p.Value)
	}
	return b
}

// one decodes a block with a new decoder.
func one(t *testing.T, block []byte, k Kind) (Verdict, Fault) {
	t.Helper()
	var d Decoder
	var f Fields
	v, err := d.Decode(&f, block, k, Limits{})
	if err != nil {
		t.Fatalf("%x: %v", block, err)
	}
	return v, d.Fault()
}

func TestRFC9113_8_2_1_Names(t *testing.T) {
	for c := range 256 {
		ch := string([]byte{byte(c)})
		valid := strings.Contains("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz", ch)
		for _, name := range []string{ch, ch + "xy", "x" + ch + "y", "xy" + ch} {
			want, fault := OK, FaultNone
			if !valid {
				want, fault = Malformed, FaultName
				if name[0] == ':' {
					fault = FaultPseudo
				}
			}
			for _, pattern := range []byte{0x00, 0x10, 0x40} {
				if v, f := one(t, rawField(nil, pattern, name, "v"), Request); v != want || f != fault {
					t.Errorf("name %q: %v, %v, want %v, %v", name, v, f, want, fault)
				}
			}
			user := valid || 'A' <= c && c <= 'Z'
			if err := CheckName(name); (err == nil) != user {
				t.Errorf("CheckName(%q): %v", name, err)
			}
		}
	}
	if v, f := one(t, rawField(nil, 0, "", "v"), Request); v != Malformed || f != FaultName {
		t.Errorf("empty name: %v, %v", v, f)
	}
	if CheckName("") == nil {
		t.Error(`CheckName("") is nil`)
	}
}

func TestRFC9113_8_2_1_Values(t *testing.T) {
	for c := range 256 {
		ch := string([]byte{byte(c)})
		control := c < 0x20 && c != '\t' || c == 0x7f
		blank := c == ' ' || c == '\t'
		for _, n := range []int{0, 1, 6, 7, 8, 15, 16, 40} {
			rest := strings.Repeat("v", n)
			for at := 0; at <= n; at++ {
				value := rest[:at] + ch + rest[at:]
				valid := !control && !(blank && (at == 0 || at == n))
				want, fault := OK, FaultNone
				if !valid {
					want, fault = Malformed, FaultValue
				}
				if v, f := one(t, rawField(nil, 0x40, "x", value), Request); v != want || f != fault {
					t.Errorf("value %q: %v, %v, want %v, %v", value, v, f, want, fault)
				}
				if err := CheckValue(value); (err == nil) != valid {
					t.Errorf("CheckValue(%q): %v", value, err)
				}
			}
		}
	}
	// Octets from 0x80 and controls, beside each other: a borrow must not hide one.
	for _, value := range []string{"\x80\x1f\x80\x80\x80\x80\x80\x80", "\x1f\x20\x20\x20\x20\x20\x20a", "aaaaaaa\x7f", "\x7f\x80\x80\x80\x80\x80\x80\x80"} {
		if v, _ := one(t, rawField(nil, 0, "x", value), Request); v != Malformed {
			t.Errorf("value %q: %v", value, v)
		}
	}
	if v, _ := one(t, rawField(nil, 0, "x", "a\tb c\xff\x80\x80\xe2\x82\xac\x7e\x21"), Request); v != OK {
		t.Errorf("a valid value: %v", v)
	}
	if CheckValue("") != nil {
		t.Error(`CheckValue("") is an error`)
	}
}

func TestRFC9113_8_2_2_ConnectionFields(t *testing.T) {
	for _, name := range []string{"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings"} {
		for _, k := range []Kind{Request, Response, Trailers} {
			if v, f := one(t, rawField(nil, 0, name, "x"), k); v != Malformed || f != FaultConnection {
				t.Errorf("%s: %v, %v", name, v, f)
			}
		}
	}
	if v, f := one(t, []byte{0x80 | byte(TokenTransferEncoding)}, Request); v != Malformed || f != FaultConnection {
		t.Errorf("transfer-encoding of the static table: %v, %v", v, f)
	}
	for value, want := range map[string]Fault{
		"trailers": 0, "": FaultTE, "trailers, gzip": FaultTE, "gzip": FaultTE, "Trailers": FaultTE, "trailers ": FaultTE,
	} {
		if v, f := one(t, rawField(nil, 0, "te", value), Request); f != want || (v == OK) != (want == 0) {
			t.Errorf("te: %q: %v, %v", value, v, f)
		}
	}
}

func TestRFC9113_8_3_PseudoFields(t *testing.T) {
	request := []pair{{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {":protocol", "websocket"}}
	status := pair{":status", "200"}
	x := pair{"x", "y"}
	type test struct {
		name  string
		kind  Kind
		list  []pair
		fault Fault
	}
	tests := []test{
		{"request", Request, request, 0},
		{"request and a field", Request, append(slices.Clone(request), x), 0},
		{"response", Response, []pair{status, x}, 0},
		{"trailers", Trailers, []pair{x}, 0},
		{"nothing", Request, nil, 0},
		{":status in request", Request, []pair{status}, FaultPseudo},
		{"twice :status", Response, []pair{status, status}, FaultRepeated},
		{":status in trailers", Trailers, []pair{status}, FaultPseudo},
		{":status behind a field", Response, []pair{x, status}, FaultOrder},
		{"unknown", Request, []pair{{":foo", "x"}}, FaultPseudo},
		{"colon alone", Request, []pair{{":", "x"}}, FaultPseudo},
		{"upper case", Request, []pair{{":Method", "GET"}}, FaultPseudo},
		{"unknown in trailers", Trailers, []pair{{":foo", "x"}}, FaultPseudo},
		{"bad value", Request, []pair{{":path", "/\x00"}}, FaultValue},
	}
	for _, p := range request {
		tests = append(tests,
			test{p.Name + " twice", Request, []pair{p, p}, FaultRepeated},
			test{p.Name + " twice, another value", Request, []pair{p, {p.Name, "other"}}, FaultRepeated},
			test{p.Name + " behind a field", Request, []pair{x, p}, FaultOrder},
			test{p.Name + " in response", Response, []pair{status, p}, FaultPseudo},
			test{p.Name + " in trailers", Trailers, []pair{p}, FaultPseudo})
	}
	for _, test := range tests {
		for _, pattern := range []byte{0x00, 0x40} {
			v, fault := one(t, rawBlock(pattern, test.list...), test.kind)
			if fault != test.fault || (v == OK) != (fault == 0) {
				t.Errorf("%s: %v, %v, want %v", test.name, v, fault, test.fault)
			}
		}
	}
}

// A field that broke a rule is in the table, and breaks it again when another
// block refers to it; where it broke no rule of its own, only the place does.
func TestBadEntryStaysBad(t *testing.T) {
	for _, p := range []pair{{"Bad", "x"}, {"bad", "x\n"}, {"connection", "close"}, {"te", "gzip"}, {"", ""}} {
		var d Decoder
		var f Fields
		for i, block := range [][]byte{rawField(nil, 0x40, p.Name, p.Value), {0xbe}, {0xbe}} {
			// The first time through Fields, which does not look at it.
			if i == 0 {
				for range d.Fields(block) {
				}
				continue
			}
			if v, err := d.Decode(&f, block, Request, Limits{}); v != Malformed || err != nil || f.Len() != 0 {
				t.Errorf("%q, block %d: %v, %v, %d fields", p, i, v, err, f.Len())
			}
		}
		var e Decoder
		for i, block := range [][]byte{rawField(nil, 0x40, p.Name, p.Value), {0xbe}, {0xbe}} {
			if v, err := e.Decode(&f, block, Request, Limits{}); v != Malformed || err != nil {
				t.Errorf("%q, block %d: %v, %v", p, i, v, err)
			}
		}
	}
	var d Decoder
	if v, _ := d.Decode(nil, rawBlock(0x40, pair{"x", "y"}, pair{":path", "/a"}), Request, Limits{}); v != Malformed {
		t.Fatalf("pseudo-header behind a field: %v", v)
	}
	var f Fields
	if v, _ := d.Decode(&f, []byte{0xbe, 0xbf}, Request, Limits{}); v != OK || f.Len() != 2 {
		t.Errorf("the same the right way around: %v, %v", v, d.Fault())
	}
}

// After a malformed list the table is in step: the block was decoded to its end.
func TestMalformedKeepsTable(t *testing.T) {
	var d Decoder
	var f Fields
	block := rawBlock(0x40, pair{":method", "PUT"}, pair{"Bad", "x"}, pair{"later", "z"})
	if v, err := d.Decode(&f, block, Request, Limits{}); v != Malformed || err != nil {
		t.Fatal(v, err)
	}
	if diff := cmp.Diff([]pair{{":method", "PUT"}}, pairs(&f)); diff != "" {
		t.Errorf("fields before the fault:\n%s", diff)
	}
	if v, err := d.Decode(&f, []byte{0xc0, 0xbe}, Request, Limits{}); v != OK || err != nil {
		t.Fatal(v, err)
	}
	if diff := cmp.Diff([]pair{{":method", "PUT"}, {"later", "z"}}, pairs(&f)); diff != "" {
		t.Error(diff)
	}
}

func TestLimits(t *testing.T) {
	five := rawBlock(0x40, pair{"a", "1"}, pair{"b", "22"}, pair{"c", ""}, pair{"d", "4"}, pair{"e", "555"})
	const size = 5*32 + 5 + 7 // a multiple of four
	crumbs := rawBlock(0, pair{"cookie", "a"}, pair{"cookie", "b"}, pair{"x", "y"})
	for _, test := range []struct {
		name  string
		block []byte
		lim   Limits
		want  Verdict
		kept  int
	}{
		{"no limit", five, Limits{}, OK, 5},
		{"exact", five, Limits{Bytes: size, Fields: 5}, OK, 5},
		{"one octet over", five, Limits{Bytes: size - 1}, TooLarge, 4},
		{"one field over", five, Limits{Fields: 4}, TooLarge, 4},
		{"nothing fits", five, Limits{Bytes: 1 + size/4}, TooLarge, 1},
		{"four times", five, Limits{Bytes: size / 4}, TooLarge, 1},
		{"over four times", five, Limits{Bytes: size/4 - 1}, FarTooLarge, 1},
		{"crumbs", crumbs, Limits{Crumbs: 2, Fields: 3}, OK, 3},
		{"one crumb over", crumbs, Limits{Crumbs: 1}, TooLarge, 1},
		{"crumbs are fields", crumbs, Limits{Fields: 2}, TooLarge, 2},
	} {
		for _, discard := range []bool{false, true} {
			var d Decoder
			var f Fields
			dst := &f
			if discard {
				dst = nil
			}
			v, err := d.Decode(dst, test.block, Request, test.lim)
			if v != test.want || err != nil {
				t.Errorf("%s: %v, %v, want %v", test.name, v, err, test.want)
			}
			if discard {
				continue
			}
			if f.Len() != test.kept || test.lim.Bytes > 0 && f.Size() > test.lim.Bytes {
				t.Errorf("%s: %d fields of %d octets kept, want %d", test.name, f.Len(), f.Size(), test.kept)
			}
			if octets := f.Size() - entryOverhead*f.Len(); len(f.buf) > octets {
				t.Errorf("%s: %d octets in the arena for fields of %d", test.name, len(f.buf), octets)
			}
			if _, err := d.Decode(&f, []byte{0x82}, Request, Limits{}); (err != nil) != (v == FarTooLarge) {
				t.Errorf("%s: the next block: %v", test.name, err)
			}
		}
	}
}

// Over the limit the table follows on: the next block refers to an entry that
// was inserted behind the limit.
func TestRFC9113_10_5_1_OverLimitKeepsTable(t *testing.T) {
	var d Decoder
	var f Fields
	block := rawBlock(0x40, pair{"a", strings.Repeat("x", 100)}, pair{"b", "inside"}, pair{"c", "last"})
	if v, err := d.Decode(&f, block, Request, Limits{Bytes: 110}); v != TooLarge || err != nil || f.Len() != 0 {
		t.Fatal(v, err, f.Len())
	}
	if v, err := d.Decode(&f, []byte{0xbf, 0xbe}, Request, Limits{Bytes: 110}); v != OK || err != nil {
		t.Fatal(v, err)
	}
	if diff := cmp.Diff([]pair{{"b", "inside"}, {"c", "last"}}, pairs(&f)); diff != "" {
		t.Error(diff)
	}
}

// One entry that fills the table and thousands of references to it: 16 KB on
// the wire that stand for 64 MB.
func TestBomb(t *testing.T) {
	seed := rawField(nil, 0x40, "a", strings.Repeat("x", 4096-32-1))
	bomb := append(seed, bytes.Repeat([]byte{0xbe}, 16000)...)
	lim := Limits{Bytes: 16384, Fields: 100, Crumbs: 64}
	var d Decoder
	var f Fields
	if v, err := d.Decode(&f, bomb, Request, lim); v != FarTooLarge || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	if cap(f.buf) > 2*lim.Bytes || cap(f.desc) > 2*lim.Fields {
		t.Errorf("the list took %d octets and %d descriptions", cap(f.buf), cap(f.desc))
	}
	// Empty values: the count stops it first.
	for _, name := range []string{"a", "cookie"} {
		d, f = Decoder{}, Fields{}
		small := append(rawField(nil, 0x40, name, ""), bytes.Repeat([]byte{0xbe}, 1500)...)
		if v, err := d.Decode(&f, small, Request, lim); v != TooLarge || err != nil {
			t.Errorf("%s: %v, %v", name, v, err)
		}
		if cap(f.desc) > 2*lim.Fields || f.Len() > 100 {
			t.Errorf("%s: %d of %d descriptions", name, f.Len(), cap(f.desc))
		}
	}
}

// Whatever the prefix of a valid block, it is an error or yields fewer fields,
// which are the first ones.
func TestPrefixes(t *testing.T) {
	blocks := [][]byte{unhex(t, c6[0]), unhex(t, c5[0]), unhex(t, c4[0]), unhex(t, c2[0].block), unhex(t, c2[2].block),
		rawBlock(0x40, pair{"name", strings.Repeat("v", 200)}, pair{"x", "y"}), unhex(t, "203fe11f 82 84 7d03616263")}
	for _, block := range blocks {
		decode := func(b []byte) (list []pair, err error) {
			var d Decoder
			for f := range d.Fields(b) {
				list = append(list, pair{string(f.Name), string(f.Value)})
			}
			return list, d.Err()
		}
		whole, err := decode(block)
		if err != nil {
			t.Fatalf("%x: %v", block, err)
		}
		for n := range block {
			got, err := decode(block[:n])
			if len(got) > len(whole) || !slices.Equal(got, whole[:len(got)]) {
				t.Errorf("%x: %v", block[:n], got)
			}
			if err == nil && len(got) == len(whole) {
				t.Errorf("%x: as good as the whole", block[:n])
			}
			if e, ok := err.(*Error); err != nil && (!ok || e.Rule != RuleTruncated || e.Offset > n) {
				t.Errorf("%x: %v", block[:n], err)
			}
		}
	}
}

// The same for the blocks of recorded connections, on the tables that they were
// made for.
func TestStoryPrefixes(t *testing.T) {
	for _, s := range stories(t)[18:22] {
		blocks := [][]byte{}
		for _, c := range s.cases[:min(len(s.cases), 12)] {
			blocks = append(blocks, c.blocks[0].wire)
		}
		decode := func(last []byte, before [][]byte) (list []pair, err error) {
			var d Decoder
			for _, b := range before {
				for range d.Fields(b) {
				}
			}
			for f := range d.Fields(last) {
				list = append(list, pair{string(f.Name), string(f.Value)})
			}
			return list, d.Err()
		}
		for i, block := range blocks {
			whole, err := decode(block, blocks[:i])
			if err != nil {
				t.Fatalf("%s: block %d: %v", s.name, i, err)
			}
			for n := range block {
				got, err := decode(block[:n], blocks[:i])
				if len(got) > len(whole) || !slices.Equal(got, whole[:len(got)]) || err == nil && len(got) == len(whole) {
					t.Fatalf("%s: block %d: %d octets of it: %v, %v", s.name, i, n, got, err)
				}
				if e, ok := err.(*Error); err != nil && (!ok || e.Rule != RuleTruncated || e.Offset >= n) {
					t.Fatalf("%s: block %d: %d octets of it: %v", s.name, i, n, err)
				}
			}
		}
	}
}

func TestRFC7541_2_3_3_Indices(t *testing.T) {
	insert := "4001 61 01 62 "
	for _, test := range []struct {
		block string
		ok    bool
	}{
		{"80", false}, {"bd", true}, {"be", false},
		{"7e 00", false}, {"7d 00", true}, {"0f2f00", false}, {"0f2e00", true}, {"1f2f00", false}, {"1f2e00", true},
		{"ff 80808000", false},
		{insert + "be", true}, {insert + "bf", false}, {insert + "7e00", true}, {insert + "7f0000", false},
		{insert + "0f2f00", true}, {insert + "0f3000", false}, {insert + "1f2f00", true}, {insert + "1f3000", false},
		{"20" + insert + "be", false},   // a table of 0 takes no entry
		{"3f02" + insert + "be", false}, // nor one of 33
		{"3f03" + insert + "be", true},  // 34 octets hold it
		{"3f03" + insert + insert + "be", true},
		{"3f03" + insert + insert + "bf", false},          // the second evicted the first
		{"3f03" + insert + "4001 61 02 6263 be", false},   // too large for the table: it is empty now
		{"3f03" + insert + "4001 61 02 6263 bd", true},    // and that was no error
		{"3f04" + insert + "7e 02 6262 be", true},         // the name of an entry that the insertion evicts
		{"3f04" + insert + "7e 02 6262 7e 02 6363", true}, // again
	} {
		var d Decoder
		_, err := d.Decode(nil, unhex(t, test.block), Request, Limits{})
		if (err == nil) != test.ok {
			t.Errorf("%s: %v, want ok %v", test.block, err, test.ok)
		}
		if e, _ := err.(*Error); err != nil && e.Rule != RuleIndex {
			t.Errorf("%s: %v", test.block, err)
		}
	}
}

// RFC 7541 4.4: the name of the new entry is one that its insertion evicts.
// Every index of one octet and of two, and the same written too long, gives the
// same field on each way through the decoder: in a list that has room, in one
// that has none yet, and as a view.
func TestRFC7541_6_1_EveryIndex(t *testing.T) {
	var d Decoder
	var fill []byte
	for i := range 100 {
		name, value := fmt.Sprintf("x%d", i), strings.Repeat("v", i%5)
		fill = rawField(fill, 0x40, name, value)
	}
	var roomy Fields
	if v, err := d.Decode(&roomy, fill, Trailers, Limits{}); v != OK || err != nil {
		t.Fatal(v, err)
	}
	var block []byte
	last := uint32(staticLen) + d.tab.count
	if last < 140 {
		t.Fatalf("%d entries", last)
	}
	for i := uint32(staticLen + 1); i <= last; i++ {
		block = appendInteger(block, 0x80, 0x7f, i)
		if i >= 0x7f {
			block = append(block, 0xff, byte(i-0x7f)|0x80, 0x00)
		}
	}
	var want []pair
	for f := range d.Fields(block) {
		want = append(want, pair{string(f.Name), string(f.Value)})
	}
	for name, list := range map[string]*Fields{"roomy": &roomy, "new": new(Fields)} {
		if v, err := d.Decode(list, block, Trailers, Limits{}); v != OK || err != nil {
			t.Fatal(name, v, err)
		}
		var got []pair
		for n, v := range list.All() {
			got = append(got, pair{string(n), string(v)})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-view +list):\n%s", name, diff)
		}
	}
	for i, f := range want {
		n := 99 // the newest comes first, and those from 127 on twice
		if at := i + staticLen + 1; at < 0x7f {
			n -= i
		} else {
			n -= 0x7f - staticLen - 1 + (at-0x7f)/2
		}
		if w := fmt.Sprintf("x%d", n); f.Name != w {
			t.Fatalf("field %d is %s, want %s", i, f.Name, w)
		}
	}
	if _, err := d.Decode(&roomy, appendInteger(nil, 0x80, 0x7f, last+1), Trailers, Limits{}); err == nil {
		t.Error("an index past the end is taken")
	}
}

func TestRFC7541_4_4_NameOfEvictedEntry(t *testing.T) {
	var d Decoder
	var f Fields
	block := append([]byte{0x3f, 0x21}, rawField(nil, 0x40, "a-name", "first")...) // a table of 64
	block = append(block, 0x7e, 5)
	block = append(block, "other"...)
	block = append(block, 0xbe)
	if v, err := d.Decode(&f, block, Request, Limits{}); v != OK || err != nil {
		t.Fatal(v, err)
	}
	if diff := cmp.Diff([]pair{{"a-name", "first"}, {"a-name", "other"}, {"a-name", "other"}}, pairs(&f)); diff != "" {
		t.Error(diff)
	}
	if got, want := string(d.AppendTable(nil)), lines("[62] (s = 43) a-name: other", "table size: 43 of 64"); got != want {
		t.Errorf("table %s, want %s", got, want)
	}
}

func TestEarlyBreakDrains(t *testing.T) {
	block := rawBlock(0x40, pair{"a", "1"}, pair{"b", "2"}, pair{"c", "3"})
	for stop := range 3 {
		var d Decoder
		n := 0
		for range d.Fields(block) {
			if n == stop {
				break
			}
			n++
		}
		if err := d.Err(); err != nil {
			t.Fatal(err)
		}
		var f Fields
		if v, err := d.Decode(&f, []byte{0xbe, 0xbf, 0xc0}, Request, Limits{}); v != OK || err != nil {
			t.Fatal(v, err)
		}
		if diff := cmp.Diff([]pair{{"c", "3"}, {"b", "2"}, {"a", "1"}}, pairs(&f)); diff != "" {
			t.Errorf("left at %d:\n%s", stop, diff)
		}
	}
	// An error behind the break is seen.
	var d Decoder
	for range d.Fields(append(block, 0x80)) {
		break
	}
	if d.Err() == nil {
		t.Error("the error behind the break is lost")
	}
}

func TestNeverIndexed(t *testing.T) {
	var d Decoder
	var f, g Fields
	block := append(rawField(nil, 0x10, "secret", "s"), rawField(nil, 0, "open", "o")...)
	block = append(block, 0x1f, byte(TokenAuthorization)-15, 3, 'k', 'e', 'y')
	if v, err := d.Decode(&f, block, Request, Limits{}); v != OK || err != nil {
		t.Fatal(v, err)
	}
	for i, want := range []bool{true, false, true} {
		if f.Sensitive(i) != want || f.Field(i).Sensitive != want {
			t.Errorf("%s: sensitive %v", f.Name(i), !want)
		}
	}
	// On through our encoder, it stays so.
	var e Encoder
	g.CopyFrom(&f)
	out := e.AppendBlock(nil, &g)
	fields, err := xhpack.NewDecoder(4096, nil).DecodeFull(out)
	if err != nil || !fields[0].Sensitive || fields[1].Sensitive || !fields[2].Sensitive {
		t.Errorf("%x: %v, %v", out, fields, err)
	}
	if d.tab.count != 0 || e.tab.count != 1 {
		t.Errorf("%d entries decoding, %d encoding", d.tab.count, e.tab.count)
	}
}

// An error says where the instruction begins that broke a rule, and which rule.
func TestErrorOffset(t *testing.T) {
	for _, test := range []struct {
		block string
		want  Error
	}{
		{"80", Error{0, RuleIndex}},
		{"82 84 bf", Error{2, RuleIndex}},
		{"82 7f00 00", Error{1, RuleIndex}},
		{"82 84 ff80808080", Error{2, RuleInteger}},
		{"82 00 0161 7f808080", Error{1, RuleTruncated}},
		{"82 40", Error{1, RuleTruncated}},
		{"82 00 0161 81 00", Error{1, RuleHuffman}},
		{"3fe21f", Error{0, RuleUpdateTooLarge}},
		{"20 3fe21f", Error{1, RuleUpdateTooLarge}},
		{"82 20", Error{1, RuleUpdateTooLate}},
		{"20 20 20 20 20", Error{4, RuleTooManyUpdates}},
	} {
		block := unhex(t, test.block)
		for _, run := range map[string]func(*Decoder) error{
			"list":      func(d *Decoder) error { _, err := d.Decode(new(Fields), block, Request, Limits{}); return err },
			"discarded": func(d *Decoder) error { _, err := d.Decode(nil, block, Request, Limits{}); return err },
			"refused":   func(d *Decoder) error { _, err := d.Decode(nil, block, Trailers, Limits{}); return err },
			"views": func(d *Decoder) error {
				for range d.Fields(block) {
				}
				return d.Err()
			},
			"views left": func(d *Decoder) error {
				for range d.Fields(block) {
					break
				}
				return d.Err()
			},
		} {
			var d Decoder
			if got, ok := run(&d).(*Error); !ok || *got != test.want {
				t.Errorf("%s: %v, want %v", test.block, got, &test.want)
			}
		}
	}
	var d Decoder
	d.SetAllowedTableSize(100)
	if _, err := d.Decode(nil, []byte{0x82}, Request, Limits{}); err == nil || *err.(*Error) != (Error{0, RuleUpdateMissing}) {
		t.Error(err)
	}
	d = Decoder{}
	if v, _ := d.Decode(nil, rawField(nil, 0, "x", "12345"), Request, Limits{Bytes: 1}); v != FarTooLarge {
		t.Fatal(v)
	}
	if _, err := d.Decode(nil, []byte{0x82}, Request, Limits{}); err == nil || *err.(*Error) != (Error{0, RuleStopped}) {
		t.Error(err)
	}
}

func TestErrorText(t *testing.T) {
	for r := range ruleCount {
		if s := r.String(); s == "" || strings.HasPrefix(s, "Rule(") {
			t.Errorf("rule %d is %q", r, s)
		}
	}
	for f := range faultCount {
		if f.String() == "" {
			t.Errorf("fault %d has no text", f)
		}
	}
	var d Decoder
	_, err := d.Decode(nil, []byte{0x82, 0x80}, Request, Limits{})
	if got, want := fmt.Sprint(err), "hpack: index out of range at octet 1 of the block"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := fmt.Sprint(OK, Malformed, TooLarge, FarTooLarge, Rule(99), Fault(99)); got != "ok malformed too large far too large Rule(99) unknown fault" {
		t.Error(got)
	}
}
