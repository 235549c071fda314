package hpack

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

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

// What is indexed and what is not.
func TestPolicy(t *testing.T) {
	long := strings.Repeat("v", 25)
	for _, test := range []struct {
		name, value string
		pattern     byte // of the first block: 0x40, 0x00 or 0x10
	}{
		{"x-custom", "v", 0x40},
		{"date", "Mon, 21 Oct 2013 20:13:21 GMT", 0x40},
		{"content-type", "text/plain", 0x40},
		{":authority", "example.com", 0x40},
		{"user-agent", "x", 0x40},
		{"grpc-status", "0", 0x40},
		{"cookie", long, 0x40},
		{"cookie", "session=1", 0x10},
		{"authorization", "Bearer " + long, 0x10},
		{"Authorization", "Bearer " + long, 0x10},
		{"proxy-authorization", long, 0x10},
		{":path", "/image.png", 0},
		{"content-length", "12345", 0},
		{"etag", `"abc"`, 0},
		{"location", "/x", 0},
		{"set-cookie", long, 0},
		{"age", "1", 0},
		{"if-none-match", `"abc"`, 0},
		{"if-modified-since", "Mon, 21 Oct 2013 20:13:21 GMT", 0},
		{"grpc-timeout", "1S", 0},
		{"traceparent", long, 0},
		{"x-request-id", long, 0},
		{"x-huge", strings.Repeat("v", 3100), 0},
	} {
		var e Encoder
		block := encode(&e, pair{test.name, test.value})
		if got := block[0] & 0xf0; test.pattern == 0x40 != (got&0xc0 == 0x40) || test.pattern != 0x40 && got != test.pattern {
			t.Errorf("%s: %.30s begins %#x, want %#x", test.name, test.value, block[0], test.pattern)
		}
		if want := test.pattern == 0x40; (e.tab.count == 1) != want {
			t.Errorf("%s: %.30s: %d entries", test.name, test.value, e.tab.count)
		}
		again := encode(&e, pair{test.name, test.value})
		indexed := len(again) == 1 && again[0] == 0xbe
		if want := test.pattern == 0x40; indexed != want {
			t.Errorf("%s: %.30s: again as %x", test.name, test.value, again)
		}
	}
	// A path that comes a second time is indexed, and then one octet.
	var e Encoder
	for i, want := range []byte{0x04, 0x44, 0xbe, 0xbe} {
		if block := encode(&e, pair{":path", "/pkg.Service/Method"}); block[0] != want {
			t.Errorf("path, time %d: %x, want %x first", i, block, want)
		}
	}
	// Others that come once do not push it out.
	for i := range 1000 {
		encode(&e, pair{":path", fmt.Sprintf("/image/%d.png", i)})
	}
	if e.tab.count != 1 {
		t.Errorf("%d entries after many paths", e.tab.count)
	}
}

func TestStaticTable(t *testing.T) {
	static := oracleStatic(t)
	for i := 1; i <= 61; i++ {
		var e Encoder
		f := static[i]
		block := encode(&e, pair{f.Name, f.Value})
		if want := []byte{0x80 | byte(i)}; !bytes.Equal(block, want) && f.Name != "authorization" && f.Name != "proxy-authorization" && f.Name != "cookie" {
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
		if e.tab.count <= smallTable && e.index.byField != nil && i < smallTable {
			t.Fatalf("an index for %d entries", e.tab.count)
		}
		// Every live entry is found at its place, by field and by name.
		if i%50 != 0 {
			continue
		}
		newest := map[string]uint32{}
		for at := range e.tab.count {
			d := e.tab.at(at)
			nh := hashName(d.token, d.name(e.tab.arena))
			got, ok := e.index.findField(&e.tab, d, e.tab.arena, hash(nh, d.value(e.tab.arena)))
			if !ok || got != at {
				t.Fatalf("entry %d of %d: found at %d, %v", at, e.tab.count, got, ok)
			}
			name := string(d.name(e.tab.arena))
			if _, seen := newest[name]; !seen {
				newest[name] = at
			}
			if got, ok := e.index.findName(&e.tab, d, e.tab.arena, nh); !ok || got != newest[name] {
				t.Fatalf("name %s: found at %d, %v, want %d", name, got, ok, newest[name])
			}
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
