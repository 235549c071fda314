package hpack

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	xhpack "golang.org/x/net/http2/hpack"
)

// encode encodes one list of pairs.
func encode(e *Encoder, list ...pair) []byte {
	var f Fields
	for _, p := range list {
		f.Add(p.Name, p.Value)
	}
	return e.AppendBlock(nil, &f)
}

// What is indexed and what is not: the octet that the block of a field begins
// with when it is sent for the first time, the second and the third.
func TestPolicy(t *testing.T) {
	long := strings.Repeat("v", 25)
	type firsts = [3]byte
	form := func(b byte) byte {
		for _, f := range []byte{0x80, 0x40, 0x20, 0x10} {
			if b&f != 0 {
				return f
			}
		}
		return 0
	}
	always, second, never, neither := firsts{0x40, 0x80, 0x80}, firsts{0, 0x40, 0x80}, firsts{0x10, 0x10, 0x10}, firsts{}
	for _, test := range []struct {
		name, value string
		want        firsts
	}{
		{"x-custom", "v", always},
		{"date", "Mon, 21 Oct 2013 20:13:21 GMT", always},
		{"content-type", "text/plain", always},
		{":authority", "example.com", always},
		{"user-agent", "x", always},
		{"grpc-status", "0", always},
		{"cookie", "session=123456789012", always}, // 20 octets

		{"cookie", "session=12345678901", never},
		{"authorization", "Bearer " + long, never},
		{"Authorization", "Bearer " + long, never},
		{"proxy-authorization", long, never},

		{":path", "/image.png", second},
		{"content-length", "12345", second},
		{"content-range", "bytes 1-2/3", second},
		{"etag", `"abc"`, second},
		{"expires", "Mon, 21 Oct 2013 20:13:21 GMT", second},
		{"last-modified", "Mon, 21 Oct 2013 20:13:21 GMT", second},
		{"location", "/x", second},
		{"set-cookie", long, second},
		{"age", "1", second},
		{"if-none-match", `"abc"`, second},
		{"if-modified-since", "Mon, 21 Oct 2013 20:13:21 GMT", second},

		// Their names have no index yet, or they have no value that could change.
		{"grpc-timeout", "1S", always},
		{"traceparent", long, always},
		{"x-request-id", long, always},
		{"grpc-message", "", always},
		{"x-empty", "", always},
		{"etag", "", firsts{0x80, 0x80, 0x80}}, // the static table's

		{"x-huge", strings.Repeat("v", 3100), neither},
	} {
		var e Encoder
		var got firsts
		for i := range got {
			got[i] = form(encode(&e, pair{test.name, test.value})[0])
		}
		if got != test.want {
			t.Errorf("%s: %.30s begins %#x, want %#x", test.name, test.value, got, test.want)
		}
		indexed := test.want[2] == 0x80 && test.want[0] != 0x80
		if (e.tab.count == 1) != indexed || e.tab.count > 1 {
			t.Errorf("%s: %.30s: %d entries", test.name, test.value, e.tab.count)
		}
	}
}

// Values that come once leave the table alone, also when their name got an
// entry.
func TestPolicyOfValuesThatChange(t *testing.T) {
	for _, name := range []string{":path", "grpc-timeout", "traceparent", "etag"} {
		var e Encoder
		encode(&e, pair{":path", "/pkg.Service/Method"})
		encode(&e, pair{":path", "/pkg.Service/Method"})
		encode(&e, pair{name, "first"})
		count := e.tab.count
		for i := range 1000 {
			block := encode(&e, pair{name, fmt.Sprintf("value-%d", i)})
			// The name is an index, of one octet or two.
			if block[0]&0xf0 != 0 || block[0] == 0 || len(block) > 3+9 {
				t.Fatalf("%s: %x", name, block)
			}
		}
		if e.tab.count != count {
			t.Errorf("%s: %d entries, %d before", name, e.tab.count, count)
		}
		if block := encode(&e, pair{":path", "/pkg.Service/Method"}); len(block) != 1 {
			t.Errorf("%s: pushed the path out: %x", name, block)
		}
	}
}

// An empty value does not change: also a name that has an index gets an entry
// for it.
func TestPolicyOfEmptyValues(t *testing.T) {
	var e Encoder
	encode(&e, pair{"grpc-message", "not found"})
	for i, want := range []string{"7e00", "be", "be"} {
		if got := encode(&e, pair{"grpc-message", ""}); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("empty message %d: %x, want %s", i, got, want)
		}
	}
}

// Fields of a list that comes again stand where they are looked for first:
// known names, cookie crumbs and unknown names.
func TestIndexExpects(t *testing.T) {
	var e Encoder
	list := []pair{{"date", "today"}, {"cookie", "the first long crumb"}, {"cookie", "another long crumb !"}, {"x-one", "1"}, {"x-two", "2"}, {"server", "s"}}
	for _, p := range list {
		encode(&e, p)
	}
	// The first of several needs one block to be found.
	encode(&e, list[0])
	for i, p := range list[1:] {
		var f Fields
		f.Add(p.Name, p.Value)
		s := uint32(e.index.expected[f.Token(0)])
		if !e.tab.same(e.tab.entry(s), &f.desc[0], f.buf) {
			t.Errorf("%v is not expected at %d", p, i+1)
		}
		e.AppendBlock(nil, &f)
	}
}

// RFC 7541 6.2.3: "Intermediaries MUST use the same representation for
// encoding this header field."
func TestRFC7541_6_2_3_NeverIndexedStays(t *testing.T) {
	for _, p := range []pair{{"x-token", "secret"}, {":method", "GET"}, {"content-type", "text/plain"}, {"x-empty", ""}} {
		x := newTrip(t)
		var f Fields
		f.Add(p.Name, p.Value) // in the table, or in the static one
		x.send(&f)
		x.send(&f)
		f.Reset()
		f.AddSensitive(p.Name, p.Value)
		for range 3 {
			if block := x.send(&f); block[0]&0xf0 != 0x10 {
				t.Errorf("%v: %x", p, block)
			}
			if !x.back.Sensitive(0) {
				t.Errorf("%v came back as any field", p)
			}
			f.CopyFrom(&x.back) // and goes on
		}
	}
}

func TestHuffmanPolicy(t *testing.T) {
	var set Set
	p := set.Prepare("x-name", "&&&&")
	for _, test := range []struct {
		h                         Huffman
		name, short, long, credit byte // the first octet of each string
	}{
		{HuffmanShorter, 0x80, 0, 0x80, 0},
		{HuffmanOn, 0x80, 0x80, 0x80, 0x80},
		{HuffmanOff, 0, 0, 0, 0},
	} {
		x := newTrip(t)
		x.enc.UseSet(&set)
		x.enc.Huffman = test.h
		var f Fields
		f.AddPrepared(p)
		f.Add("date", "aaa")
		f.Add("x-empty", "")
		f.AddSensitive("age", "&")
		block := x.send(&f)
		at := 0
		text := func(pattern int, what string, want byte) {
			t.Helper()
			at += pattern
			if block[at]&0x80 != want {
				t.Errorf("%d: %s: %x", test.h, what, block[at:])
			}
			n, next, _ := readInteger(block, at, 0x7f)
			at = next + int(n)
		}
		text(1, "name", test.name)
		text(0, "value that becomes longer", test.short)
		text(1, "value that becomes shorter", test.long)
		text(1, "second name", test.name)
		text(0, "empty value", test.credit)
		text(2, "never-indexed value", test.short)
		if at != len(block) {
			t.Errorf("%d: %d octets of %d", test.h, at, len(block))
		}
		if again := x.send(&f); len(again) >= len(block) {
			t.Errorf("%d: %x", test.h, again)
		}
	}
}

func TestStaticTable(t *testing.T) {
	static := oracleStatic(t)
	for i := 1; i <= 61; i++ {
		var e Encoder
		f := static[i]
		block := encode(&e, pair{f.Name, f.Value})
		if want := []byte{0x80 | byte(i)}; !bytes.Equal(block, want) {
			t.Errorf("%s: %s is %x, want %x", f.Name, f.Value, block, want)
		}
		// Another value takes the lowest index of the name.
		block = encode(new(Encoder), pair{f.Name, "something-else-that-is-long"})
		index, _, _ := readInteger(block, 0, map[bool]byte{true: 0x3f, false: 0x0f}[block[0] >= 0x40])
		if static[index].Name != f.Name || index > 1 && static[index-1].Name == f.Name {
			t.Errorf("%s: name index %d", f.Name, index)
		}
	}
}

func TestTokens(t *testing.T) {
	n := 0
	for tok := Token(0); tok < 255; tok++ {
		name := tok.Name()
		if name == "" {
			continue
		}
		n++
		if got := TokenOf([]byte(name)); got != tok {
			t.Errorf("%s: token %d, want %d", name, got, tok)
		}
		if string(tok.name()) != name || tok.String() != name {
			t.Errorf("%s: %s, %s", name, tok.name(), tok)
		}
		if tok.IsPseudo() != (name[0] == ':') {
			t.Errorf("%s: IsPseudo %v", name, tok.IsPseudo())
		}
	}
	if n < 60 || tokenCount > 128 {
		t.Errorf("%d tokens up to %d", n, tokenCount)
	}
	for _, name := range []string{"", ":", "x", "Content-Length", "cookie2", "cooki"} {
		if got := TokenOf([]byte(name)); got != 0 {
			t.Errorf("%q has token %d", name, got)
		}
	}
}

// Many entries: those that the index finds are those that are there.
func TestIndexFinds(t *testing.T) {
	var e Encoder
	for i := range 5000 {
		name, value := fmt.Sprintf("name-%d", i%7), fmt.Sprint(i)
		encode(&e, pair{name, value})
		if grown := e.index.chains != nil; grown != (i >= smallTable) {
			t.Fatalf("chains for %d entries: %v", e.tab.count, grown)
		}
		// Every live entry is found, by field and by name.
		if i%50 != 0 {
			continue
		}
		newest := map[string]uint32{}
		for at := range e.tab.count {
			d := e.tab.at(at)
			nh := hashName(d, e.tab.arena)
			got, ok := e.index.find(&e.tab, d, e.tab.arena, hash(nh, d.value(e.tab.arena)))
			if want := e.tab.head - 1 - at; !ok || got != want {
				t.Fatalf("entry %d of %d: found %d, %v, want %d", at, e.tab.count, got, ok, want)
			}
			name := string(d.name(e.tab.arena))
			if _, seen := newest[name]; !seen {
				newest[name] = at
			}
			if got := e.index.name(&e.tab, d, e.tab.arena, nh); got != newest[name]+1+staticLen {
				t.Fatalf("name %s: index %d, want %d", name, got, newest[name]+1+staticLen)
			}
		}
	}
}

// encoderMemory counts what an encoder holds, the value itself included, and
// what the entries' octets take of it.
func encoderMemory(e *Encoder) (all, octets int) {
	octets = cap(e.tab.arena)
	all = int(unsafe.Sizeof(*e)) + octets + 16*len(e.tab.ring) + 8*len(e.places)
	if e.index != nil {
		all += int(unsafe.Sizeof(*e.index)) + 8*len(e.index.links) + 4*len(e.index.chains)
	}
	return all, octets
}

// An encoder that did nothing holds nothing, one for gRPC at most 1 KiB, and
// its chains begin with the seventeenth entry.
func TestEncoderMemory(t *testing.T) {
	if n := unsafe.Sizeof(Encoder{}); n > 200 {
		t.Errorf("an idle encoder takes %d octets", n)
	}
	var client Encoder
	var f Fields
	for i := range 100 {
		grpcRequest(&f, i)
		client.AppendBlock(nil, &f)
	}
	if n, _ := encoderMemory(&client); n > 1024 || client.tab.count == 0 {
		t.Errorf("a gRPC client's encoder takes %d octets with %d entries", n, client.tab.count)
	}
	var e Encoder
	for i := range 200 {
		encode(&e, pair{"x-name", fmt.Sprint(i)})
		n, octets := encoderMemory(&e)
		if chains := e.index.chains != nil; chains != (i >= smallTable) || !chains && n-octets > 1024 {
			t.Fatalf("%d octets, of entries %d; chains: %v", n, octets, chains)
		}
		if n > 1024+5*4096 {
			t.Fatalf("%d octets with %d entries", n, e.tab.count)
		}
	}
}

func TestPrepared(t *testing.T) {
	var set Set
	list := []pair{{"content-type", "application/grpc"}, {":status", "200"}, {"server", "nonet"}, {"x-unknown", "value"},
		{"authorization", "secret"}, {"content-length", "12"}, {"te", "trailers"}, {"x-empty", ""}}
	var prepared []Prepared
	for _, p := range list {
		prepared = append(prepared, set.Prepare(p.Name, p.Value))
	}
	if set.Len() != len(list) {
		t.Errorf("%d fields in the set", set.Len())
	}
	for _, use := range []bool{true, false} {
		x := newTrip(t)
		if use {
			x.enc.UseSet(&set)
		}
		var f Fields
		for round := range 5 {
			f.Reset()
			for i, p := range prepared {
				if f.AddPrepared(p); string(f.Name(i)) != list[i].Name || string(f.Value(i)) != list[i].Value {
					t.Fatalf("field %d is %s: %s, want %v", i, f.Name(i), f.Value(i), list[i])
				}
			}
			block := x.send(&f)
			// Seven fields of one octet and a credential.
			if round > 0 && use && len(block) != 7+2+HuffmanLen([]byte("secret"))+1 {
				t.Errorf("round %d: %d octets: %x", round, len(block), block)
			}
		}
		// The same fields, not prepared, are the same entries.
		f.Reset()
		f.Add("content-type", "application/grpc")
		f.Add("x-unknown", "value")
		if block := x.send(&f); len(block) != 2 {
			t.Errorf("plain fields behind prepared ones: %x", block)
		}
		// Evicted, they come back.
		for i := range 200 {
			f.Reset()
			f.Add("filler", fmt.Sprint(i))
			x.send(&f)
		}
		f.Reset()
		f.AddPrepared(prepared[3])
		if first, second := len(x.send(&f)), len(x.send(&f)); first < 10 || second != 1 {
			t.Errorf("after eviction %d and %d octets", first, second)
		}
	}
}

func TestPreparedOfSeveralSets(t *testing.T) {
	var a, b Set
	pa, pb := a.Prepare("x-a", "from a"), b.Prepare("x-b", "from b")
	x := newTrip(t)
	x.enc.UseSet(&b)
	var f Fields
	for range 3 {
		f.Reset()
		f.AddPrepared(pa)
		f.AddPrepared(pb)
		f.AddPrepared(Prepared{})
		if got := fmt.Sprint(pairs(&f)); got != "[{x-a from a} {x-b from b}]" {
			t.Fatal(got)
		}
		x.send(&f)
	}
	x.enc.UseSet(&a) // other handles from here on
	f.Reset()
	f.AddPrepared(pa)
	x.send(&f)
	x.send(&f)
	x.enc.UseSet(nil)
	x.send(&f)

	var many Set
	var last Prepared
	for i := range 300 {
		last = many.Prepare("x-many", fmt.Sprint(i))
	}
	y := newTrip(t)
	y.enc.UseSet(&many)
	f.Reset()
	f.AddPrepared(last)
	if got := fmt.Sprint(pairs(&f)); got != "[{x-many 299}]" {
		t.Error(got)
	}
	if y.send(&f); len(y.send(&f)) != 1 {
		t.Error("a field past the 256th is not encoded like any other")
	}
}

// A handle finds the entry that the same field made without one, and none that
// is another's, also when numbers have gone once around.
func TestPreparedPlaces(t *testing.T) {
	var a, b Set
	pa, pb := a.Prepare("x-a", "from a"), b.Prepare("x-b", "from b")
	x := newTrip(t)
	x.enc.init()
	x.enc.tab.head = 1<<32 - 1
	x.enc.UseSet(&a)
	var f Fields
	f.Add("x-a", "from a")
	x.send(&f)
	f.Reset()
	f.AddPrepared(pa)
	x.send(&f)
	if got := x.enc.placed(1); got != 62 {
		t.Errorf("the field is placed at %d", got)
	}
	x.enc.UseSet(&b)
	f.Reset()
	f.AddPrepared(pb) // its place is 0, the entry's number plus one
	x.send(&f)
	f.Add("x-c", "from c")
	x.send(&f)
	x.enc.places[0].number = x.enc.tab.head // x-c's, as if it was set 2^32 entries ago
	x.send(&f)
}

func TestConvert(t *testing.T) {
	in := []xhpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: "x", Value: "y", Sensitive: true}, {Name: "z"}}
	var f Fields
	f.Add("old", "gone")
	FromHeaderFields(&f, in)
	if got := ToHeaderFields(&f); fmt.Sprint(got) != fmt.Sprint(in) {
		t.Errorf("%v, want %v", got, in)
	}
}

func TestAppendTableEscapes(t *testing.T) {
	var e Encoder
	encode(&e, pair{"x", "a\n\\\xff"})
	if got, want := string(e.AppendTable([]byte("> "))), "> "+lines(`[62] (s = 37) x: a\x0a\x5c\xff`, "table size: 37 of 4096"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
