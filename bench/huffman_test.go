package bench

import (
	"bytes"
	"testing"

	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/hpack"
)

// literals are strings to encode and decode: the values of the browser corpora
// and the stories, each once, or what a hostile peer sends.
type literals struct {
	name  string
	plain [][]byte
	coded [][]byte
	size  int // octets of plain
}

func newLiterals(name string, plain [][]byte) *literals {
	l := &literals{name: name, plain: plain}
	// The coded strings stand one behind the other, as in blocks.
	var all []byte
	for _, s := range plain {
		all = xhpack.AppendHuffmanString(all, string(s))
		l.size += len(s)
	}
	for _, s := range plain {
		n := xhpack.HuffmanEncodeLength(string(s))
		l.coded = append(l.coded, all[:n:n])
		all = all[n:]
	}
	return l
}

// allLiterals returns the corpora's strings: all, the short and the long ones;
// and octets of which every code is long.
func allLiterals(tb testing.TB) []*literals {
	var all, short, long [][]byte
	seen := map[string]bool{}
	for _, c := range corpora(tb) {
		for i := range c.blocks {
			for _, f := range c.blocks[i].list {
				if f.Value == "" || seen[f.Value] {
					continue
				}
				seen[f.Value] = true
				s := []byte(f.Value)
				all = append(all, s)
				switch {
				case len(s) <= 12:
					short = append(short, s)
				case len(s) >= 64:
					long = append(long, s)
				}
			}
		}
	}
	r := source()
	var hostile [][]byte
	for range 500 {
		s := make([]byte, 200)
		for i := range s {
			s[i] = byte(0x80 | r.Uint32())
		}
		hostile = append(hostile, s)
	}
	return []*literals{newLiterals("all", all), newLiterals("short", short), newLiterals("long", long), newLiterals("hostile", hostile)}
}

// BenchmarkHuffmanDecode: an octet is one of the decoded string.
func BenchmarkHuffmanDecode(b *testing.B) {
	for _, l := range allLiterals(b) {
		b.Run(l.name, func(b *testing.B) { beside(b, l.size, "octet", l.decode(b), l.xDecode(b)) })
	}
}

// BenchmarkHuffmanEncode: an octet is one of the plain string.
func BenchmarkHuffmanEncode(b *testing.B) {
	for _, l := range allLiterals(b) {
		b.Run(l.name, func(b *testing.B) { beside(b, l.size, "octet", l.encode(), l.xEncode()) })
	}
}

func (l *literals) decode(tb testing.TB) func() {
	var buf []byte
	return func() {
		for i, s := range l.coded {
			var err error
			if buf, err = hpack.DecodeHuffman(buf[:0], s); err != nil || len(buf) != len(l.plain[i]) {
				tb.Fatalf("%x: %d octets, %v", s, len(buf), err)
			}
		}
	}
}

func (l *literals) xDecode(tb testing.TB) func() {
	var buf bytes.Buffer
	return func() {
		for i, s := range l.coded {
			buf.Reset()
			if _, err := xhpack.HuffmanDecode(&buf, s); err != nil || buf.Len() != len(l.plain[i]) {
				tb.Fatalf("%x: %d octets, %v", s, buf.Len(), err)
			}
		}
	}
}

func (l *literals) encode() func() {
	return func() {
		for _, s := range l.plain {
			sink.b = hpack.AppendHuffman(sink.b[:0], s)
		}
	}
}

// xEncode also asks for the length, as whoever writes a string must.
func (l *literals) xEncode() func() {
	var strs []string
	for _, s := range l.plain {
		strs = append(strs, string(s))
	}
	return func() {
		for _, s := range strs {
			sink.n = int(xhpack.HuffmanEncodeLength(s))
			sink.b = xhpack.AppendHuffmanString(sink.b[:0], s)
		}
	}
}

func TestHuffman(t *testing.T) {
	for _, l := range allLiterals(t) {
		t.Logf("%s: %d strings, %d octets", l.name, len(l.plain), l.size)
		if len(l.plain) < 100 {
			t.Errorf("%s: only %d strings", l.name, len(l.plain))
		}
		for i, s := range l.plain {
			if got := hpack.AppendHuffman(nil, s); !bytes.Equal(got, l.coded[i]) {
				t.Fatalf("%q is encoded to %x, want %x", s, got, l.coded[i])
			}
			if got, err := hpack.DecodeHuffman(nil, l.coded[i]); err != nil || !bytes.Equal(got, s) {
				t.Fatalf("%x is decoded to %q, %v", l.coded[i], got, err)
			}
		}
		for name, pass := range map[string]func(){"decode": l.decode(t), "encode": l.encode()} {
			pass()
			if n := testing.AllocsPerRun(2, pass); n != 0 {
				t.Errorf("%s: %s: %v allocations", l.name, name, n)
			}
		}
	}
}
