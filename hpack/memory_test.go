package hpack

import (
	"bytes"
	"testing"
	"unsafe"

	xhpack "golang.org/x/net/http2/hpack"
)

// held returns the octets of memory that a decoder holds.
func held(d *Decoder) int {
	return int(unsafe.Sizeof(*d)) + cap(d.tab.arena) + cap(d.tab.ring)*int(unsafe.Sizeof(desc{})) + cap(d.scratch)
}

// A connection's decoder holds nothing before the first block, and no more than
// 2 KB when it has seen gRPC requests, whoever's encoder indexed what it could.
func TestDecoderMemory(t *testing.T) {
	var d Decoder
	if n := held(&d); n > 192 || n != int(unsafe.Sizeof(d)) {
		t.Errorf("a new decoder holds %d octets", n)
	}
	var out bytes.Buffer
	enc := xhpack.NewEncoder(&out)
	var f Fields
	for i := range 10 {
		grpcRequest(&f, i)
		for _, h := range ToHeaderFields(&f) {
			if err := enc.WriteField(h); err != nil {
				t.Fatal(err)
			}
		}
		if v, err := d.Decode(&f, out.Bytes(), Request, Limits{}); v != OK || err != nil {
			t.Fatal(v, err)
		}
		out.Reset()
		if n := held(&d); n > 2048 {
			t.Fatalf("%d octets after %d requests, with %d entries", n, i+1, d.tab.count)
		} else if i == 0 {
			t.Logf("%d octets after a request", n)
		}
	}
	// However much comes, a table of the default size and what it takes.
	for i := range 2000 {
		block := rawField(nil, 0x40, "x-name", string(bytes.Repeat([]byte{'a' + byte(i%26)}, i%3000)))
		if _, err := d.Decode(nil, block, Request, Limits{}); err != nil {
			t.Fatal(err)
		}
		if n := held(&d); n > 20<<10 {
			t.Fatalf("%d octets after %d fields", n, i)
		}
	}
}
