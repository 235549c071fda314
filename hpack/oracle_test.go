package hpack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	xhpack "golang.org/x/net/http2/hpack"
)

// The oracle is golang.org/x/net's decoder, which differs from RFC 7541, or
// from us, in five known ways.
type exception string

const (
	refusesPair      exception = "it refuses a second size update while entries survive the first"
	acceptsLate      exception = "it accepts a size update behind a field while the table is empty"
	acceptsMany      exception = "it accepts any number of size updates"
	acceptsUnchanged exception = "it does not ask for the size update that RFC 9113 4.3.1 requires"
	acceptsLong      exception = "it accepts integers of up to ten octets"
)

// excuse returns which exception explains that one of the two decoders refuses a
// block and the other does not. must: an update was due.
func excuse(rule Rule, xerr error, must bool) (exception, bool) {
	switch rule {
	case RuleNone:
		if strings.Contains(xerr.Error(), "dynamic table size update MUST occur at the beginning") {
			return refusesPair, true
		}
	case RuleUpdateTooLate:
		return acceptsLate, true
	case RuleTooManyUpdates:
		return acceptsMany, true
	case RuleUpdateMissing:
		return acceptsUnchanged, true
	case RuleUpdateTooLarge: // above the lowest limit, not above the last
		return acceptsUnchanged, must
	case RuleInteger:
		return acceptsLong, true
	}
	return "", false
}

// Each exception is real: where the oracle comes to agree with us, it can go.
func TestOracleExceptions(t *testing.T) {
	const entry = "4001610162"
	for _, test := range []struct {
		why     exception
		blocks  []string
		allowed uint32 // before the last block
	}{
		{refusesPair, []string{entry, "3f31 3fe11f 82"}, 4096},
		{acceptsLate, []string{"82 20"}, 4096},
		{acceptsMany, []string{"20 20 20 20 20 82"}, 4096},
		{acceptsUnchanged, []string{"82"}, 2048},
		{acceptsLong, []string{"0001617f8080808000" + strings.Repeat("61", 127)}, 4096},
	} {
		var ours Decoder
		theirs := xhpack.NewDecoder(DefaultTableSize, nil)
		var err, xerr error
		for i, text := range test.blocks {
			if block := unhex(t, text); i == len(test.blocks)-1 {
				ours.SetAllowedTableSize(test.allowed)
				theirs.SetAllowedMaxDynamicTableSize(test.allowed)
				_, err = ours.Decode(nil, block, Request, Limits{})
				_, xerr = theirs.DecodeFull(block)
			} else {
				ours.Decode(nil, block, Request, Limits{})
				theirs.DecodeFull(block)
			}
		}
		rule := RuleNone
		if err != nil {
			rule = err.(*Error).Rule
		}
		if why, ok := excuse(rule, xerr, false); (err == nil) == (xerr == nil) || !ok || why != test.why {
			t.Errorf("%s: %v here, the oracle says %v", test.why, err, xerr)
		}
	}
}

type seenField struct {
	Name, Value string
	Sensitive   bool
}

// duel is our decoder and the oracle's, fed the same blocks.
type duel struct {
	t    *testing.T
	ours Decoder
	list Fields
	xnet *xhpack.Decoder
}

func newDuel(t *testing.T) *duel {
	return &duel{t: t, xnet: xhpack.NewDecoder(DefaultTableSize, nil)}
}

func (d *duel) allow(n uint32) {
	d.ours.SetAllowedTableSize(n)
	d.xnet.SetAllowedMaxDynamicTableSize(n)
}

// decode decodes one block on both sides and reports whether both can go on.
func (d *duel) decode(block []byte) bool {
	t := d.t
	t.Helper()
	var got []seenField
	for f := range d.ours.Fields(block) {
		got = append(got, seenField{string(f.Name), string(f.Value), f.Sensitive})
		if TokenOf(f.Name) != f.Token {
			t.Fatalf("%x: %q has token %d", block, f.Name, f.Token)
		}
	}
	fields, xerr := d.xnet.DecodeFull(block)
	var want []seenField
	for _, f := range fields {
		want = append(want, seenField{f.Name, f.Value, f.Sensitive})
	}
	checkTable(t, &d.ours.tab)
	rule := RuleNone
	if err := d.ours.Err(); err != nil {
		rule = err.(*Error).Rule
	}
	if (rule == RuleNone) != (xerr == nil) {
		if _, ok := excuse(rule, xerr, d.ours.must); !ok {
			t.Fatalf("%x: %v here, and the oracle says %v", block, rule, xerr)
		}
	}
	if rule != RuleNone || xerr != nil {
		return false
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%x:\n got %v\nwant %v", block, got, want)
	}
	return true
}

// sameTables compares the dynamic tables, entry by entry.
func (d *duel) sameTables() {
	t := d.t
	t.Helper()
	for i := uint32(62); ; i++ {
		block := appendInteger(nil, 0x80, 0x7f, i)
		fields, xerr := d.xnet.DecodeFull(block)
		e, arena := d.ours.indexed(i)
		if (e == nil) != (xerr != nil) {
			t.Fatalf("entry %d: %v here, the oracle says %v\n%s", i, e != nil, xerr, d.ours.AppendTable(nil))
		}
		if e == nil {
			return
		}
		if got := (xhpack.HeaderField{Name: string(e.name(arena)), Value: string(e.value(arena))}); got != fields[0] {
			t.Fatalf("entry %d: %v, want %v", i, got, fields[0])
		}
	}
}

// checkTable asserts what always holds of a table.
func checkTable(t testing.TB, tab *table) {
	t.Helper()
	size := uint32(0)
	owner := make([]uint32, len(tab.arena)) // of each octet: 1 + the index of an entry
	for i := range tab.count {
		e := tab.at(i)
		size += e.size()
		start, end := e.span()
		for at := start; at < max(end, start+1); at++ {
			if owner[at] != 0 {
				t.Fatalf("entries %d and %d both have octet %d of the arena", owner[at]-1, i, at)
			}
			owner[at] = i + 1
		}
	}
	switch {
	case size != tab.size || size > tab.max:
		t.Fatalf("entries of %d octets, size %d, max %d", size, tab.size, tab.max)
	case len(tab.arena) > 2*MaxTableSize+slack || len(tab.ring) > MaxTableSize/entryOverhead:
		t.Fatalf("the table has an arena of %d octets and %d descriptions", len(tab.arena), len(tab.ring))
	}
}

// randomBlock makes a block of mostly valid instructions for a table of about
// count entries.
func randomBlock(r *rand.Rand, count int) []byte {
	text := func(long bool) []byte {
		words := []string{"", "a", "cookie", ":path", "te", "x-name", "gzip, deflate", "\x00\xff", "0123456789", "Content-Type"}
		s := words[r.IntN(len(words))]
		if long && r.IntN(3) == 0 {
			s = strings.Repeat(s, r.IntN(20))
		}
		if r.IntN(2) == 0 {
			s += fmt.Sprint(r.IntN(30))
		}
		return []byte(s)
	}
	literal := func(b []byte, long bool) []byte {
		s := text(long)
		if r.IntN(2) == 0 {
			return append(appendInteger(b, 0, 0x7f, uint32(len(s))), s...)
		}
		coded := AppendHuffman(nil, s)
		return append(appendInteger(b, 0x80, 0x7f, uint32(len(coded))), coded...)
	}
	var b []byte
	updates := 0
	switch r.IntN(100) {
	case 0:
		updates = r.IntN(7)
	case 1, 2, 3, 4, 5:
		updates = 1
	}
	for range updates {
		b = appendInteger(b, 0x20, 0x1f, uint32(r.IntN(300)))
	}
	for range r.IntN(12) {
		index := uint32(1 + r.IntN(61+count))
		switch kind := r.IntN(20); {
		case kind < 8:
			b = appendInteger(b, 0x80, 0x7f, index)
		case kind < 17:
			form := []struct{ pattern, mask byte }{{0x40, 0x3f}, {0x40, 0x3f}, {0, 0x0f}, {0x10, 0x0f}}[r.IntN(4)]
			if r.IntN(2) == 0 {
				b = literal(append(b, form.pattern), false)
			} else {
				b = appendInteger(b, form.pattern, form.mask, index)
			}
			b = literal(b, true)
		case kind == 17 && r.IntN(100) == 0:
			b = appendInteger(b, 0x20, 0x1f, uint32(r.IntN(5000)))
		case kind == 18 && r.IntN(100) == 0:
			b = append(b, byte(r.IntN(256)))
		}
	}
	if r.IntN(200) == 0 && len(b) > 0 {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	}
	return b
}

// Random blocks, on small tables so that most insertions evict, also the entry
// whose name they use.
func TestDecodeAgainstOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(7541, 2))
	blocks, whole := 0, 0
	for range 3000 {
		d := newDuel(t)
		if r.IntN(3) > 0 {
			size := uint32(r.IntN(400))
			d.ours.SetAllowedTableSize(DefaultTableSize)
			if !d.decode(appendInteger(nil, 0x20, 0x1f, size)) {
				t.Fatal("size update refused")
			}
		}
		ok := true
		for range 20 {
			if ok = d.decode(randomBlock(r, int(d.ours.tab.count))); !ok {
				break
			}
			blocks++
			d.sameTables()
		}
		if ok {
			whole++
		}
	}
	if whole < 300 {
		t.Errorf("only %d of 3000 conversations went to their end: the test tests too little", whole)
	}
	t.Logf("%d blocks, %d conversations to the end", blocks, whole)
}

// FuzzDecode decodes what it is given on both sides: pieces that begin with an
// octet of length, or with 0 and an octet of allowed table size.
func FuzzDecode(f *testing.F) {
	add := func(blocks ...string) {
		var b []byte
		for _, s := range blocks {
			block := unhex(f, s)
			b = append(append(b, byte(len(block))), block...)
		}
		f.Add(b)
	}
	add(c3...)
	add(c4...)
	add(c5...)
	add(c6...)
	add("203fe11f", "400161 0162 be", "7e 0163", "00 01 61 80")
	f.Add([]byte{0, 1, 2, 0x3f, 0x02})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDuel(t)
		// The same octets as one block, held against limits and rules: nothing
		// may be kept beyond the limit, and a second look finds the same.
		lim := Limits{Bytes: 200, Fields: 5}
		var one, two Decoder
		v1, err1 := one.Decode(&d.list, b, Request, lim)
		if d.list.Size() > 200 || d.list.Len() > 5 {
			t.Fatalf("%d octets and %d fields in the list", d.list.Size(), d.list.Len())
		}
		v2, err2 := two.Decode(nil, b, Request, lim)
		if v1 != v2 || one.Fault() != two.Fault() || (err1 == nil) != (err2 == nil) {
			t.Fatalf("%v, %v, and discarded %v, %v", v1, err1, v2, err2)
		}
		for len(b) > 1 {
			n := int(b[0])
			b = b[1:]
			if n == 0 {
				d.allow(uint32(b[0]) * 64)
				b = b[1:]
				continue
			}
			n = min(n, len(b))
			if !d.decode(b[:n]) {
				return
			}
			d.sameTables()
			b = b[n:]
		}
	})
}

// trip is our encoder, and our decoder and the oracle's behind it.
type trip struct {
	t    testing.TB
	enc  Encoder
	dec  Decoder
	xnet *xhpack.Decoder
	out  []byte
	back Fields
}

func newTrip(t testing.TB) *trip {
	return &trip{t: t, xnet: xhpack.NewDecoder(DefaultTableSize, nil)}
}

// setting changes SETTINGS_HEADER_TABLE_SIZE of the decoding side.
func (x *trip) setting(n uint32) {
	x.enc.SetMaxTableSize(n)
	x.dec.SetAllowedTableSize(n)
	x.xnet.SetAllowedMaxDynamicTableSize(n)
}

// send encodes f and decodes the block on both sides.
func (x *trip) send(f *Fields) []byte {
	t := x.t
	t.Helper()
	x.out = x.enc.AppendBlock(x.out[:0], f)
	block := x.out
	if _, err := x.dec.Decode(&x.back, block, Request, Limits{}); err != nil {
		t.Fatalf("%x: %v", block, err)
	}
	// Exception 1: the oracle gets size updates one at a time.
	rest := block
	for len(rest) > 0 && rest[0]&0xe0 == 0x20 {
		_, n, _ := readInteger(rest, 0, 0x1f)
		if _, err := x.xnet.DecodeFull(rest[:n]); err != nil {
			t.Fatalf("%x: the oracle says %v", rest[:n], err)
		}
		rest = rest[n:]
	}
	fields, err := x.xnet.DecodeFull(rest)
	if err != nil {
		t.Fatalf("%x: the oracle says %v", rest, err)
	}
	if len(fields) != f.Len() {
		t.Fatalf("%x: %d fields, sent %d", block, len(fields), f.Len())
	}
	for i, got := range fields {
		if got.Name != string(f.Name(i)) || got.Value != string(f.Value(i)) {
			t.Fatalf("%x: field %d is %v, sent %s: %s", block, i, got, f.Name(i), f.Value(i))
		}
		if f.Sensitive(i) && !got.Sensitive {
			t.Fatalf("%x: field %d lost its never-indexed form", block, i)
		}
	}
	checkTable(t, &x.enc.tab)
	if enc, dec := x.enc.AppendTable(nil), x.dec.AppendTable(nil); !bytes.Equal(enc, dec) {
		t.Fatalf("%x: the tables differ\nencoder:\n%sdecoder:\n%s", block, enc, dec)
	}
	return block
}

// FuzzRoundTrip reads a script: 0 ends a list, 1 and an octet change the table
// size, 4 and an octet the Huffman policy, 5 and an octet add a prepared field;
// 3 begins a never-indexed field and everything else a field, of a name and a
// value with a length each.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("\x02\x05:path\x01/\x00\x02\x05:path\x02/a\x00\x02\x05:path\x02/a\x00"))
	f.Add([]byte("\x02\x01a\x01b\x00\x01\x00\x01\xff\x02\x01a\x01b\x00\x01\x02\x02\x01a\x01b\x02\x01a\x01c\x00"))
	f.Add([]byte("\x05\x00\x05\x01\x05\x05\x00\x04\x01\x05\x00\x05\x03\x00\x01\x02\x04\x02\x05\x05\x02\x06x-name\x01v\x00"))
	f.Add([]byte("\x03\x06cookie\x04abcd\x00\x03\x0dauthorization\x03abc\x00"))
	var own, other Set
	var prepared []Prepared
	for _, p := range []pair{{":status", "200"}, {"x-name", "v"}, {"authorization", "secret"}, {"x-long", strings.Repeat("v", 90)}, {"age", ""}} {
		prepared = append(prepared, own.Prepare(p.Name, p.Value), other.Prepare(p.Name, p.Value))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x := newTrip(t)
		x.enc.Allow(8192)
		x.enc.UseSet(&own)
		var list Fields
		text := func() string {
			if len(b) == 0 {
				return ""
			}
			n := min(int(b[0]), len(b)-1)
			s := string(b[1 : 1+n])
			b = b[1+n:]
			return s
		}
		for len(b) > 0 {
			op := b[0]
			b = b[1:]
			switch {
			case op == 0:
				x.send(&list)
				list.Reset()
			case op == 1 && len(b) > 0:
				x.setting(uint32(b[0]) * 40)
				b = b[1:]
			case op == 4 && len(b) > 0:
				x.enc.Huffman = Huffman(b[0] % 3)
				b = b[1:]
			case op == 5 && len(b) > 0:
				list.AddPrepared(prepared[int(b[0])%len(prepared)])
				b = b[1:]
			case op == 3:
				list.AddSensitive(text(), text())
			default:
				list.Add(text(), text())
			}
		}
		x.send(&list)
	})
}

// Random lists from a small vocabulary, so that most fields come again, with
// table sizes that change at any time.
func TestEncodeAgainstOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(7541, 3))
	names := []string{":path", ":status", "cookie", "x-a", "x-b", "x-long-name-that-comes-often", "content-type", "date", "grpc-status", "etag"}
	for round := range 300 {
		x := newTrip(t)
		x.enc.Allow([]uint32{0, 4096, 16384, MaxTableSize}[round%4])
		var set Set
		var prepared []Prepared
		for i := range 5 {
			prepared = append(prepared, set.Prepare(names[r.IntN(len(names))], strings.Repeat("p", 3*i)))
		}
		x.enc.UseSet(&set)
		var f Fields
		for range 60 {
			for range r.IntN(4) * r.IntN(2) {
				x.setting(uint32([]int{0, 33, 64, 100, 300, 1000, 4096, 16384, 1 << 30}[r.IntN(9)]))
			}
			f.Reset()
			for range r.IntN(15) {
				name, value := names[r.IntN(len(names))], strings.Repeat("v", r.IntN(30))+fmt.Sprint(r.IntN(10))
				switch r.IntN(12) {
				case 0:
					f.AddSensitive(name, value)
				case 1:
					f.Add(name, strings.Repeat(value, r.IntN(300)))
				case 2, 3, 4:
					f.AddPrepared(prepared[r.IntN(len(prepared))])
				default:
					f.Add(name, value)
				}
			}
			x.send(&f)
		}
	}
}
