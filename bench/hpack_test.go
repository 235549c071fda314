package bench

import (
	"bytes"
	"testing"

	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/hpack"
)

// limits are those of a server.
var limits = hpack.Limits{Bytes: 32 << 10, Fields: 100, Crumbs: 64}

// BenchmarkDecodeViews decodes to views that live until the next field. x/net
// calls a function with each field, as strings.
func BenchmarkDecodeViews(b *testing.B) {
	compare(b, func(b *testing.B, c *corpus) float64 {
		return beside(b, c.fields, "field", c.decodeViews(b), c.xDecode(b))
	})
}

// BenchmarkDecodeFields decodes to an owned list, bounded and validated. x/net
// has nothing like it on this floor and does what it does above: no copy, no
// check.
func BenchmarkDecodeFields(b *testing.B) {
	compare(b, func(b *testing.B, c *corpus) float64 {
		return beside(b, c.fields, "field", c.decodeFields(b), c.xDecode(b))
	})
}

// BenchmarkEncode encodes lists. "octets" is the size of our blocks divided by
// that of x/net's.
func BenchmarkEncode(b *testing.B) {
	compare(b, func(b *testing.B, c *corpus) float64 {
		r := beside(b, c.fields, "field", c.encode(), c.xEncode(b))
		b.ReportMetric(float64(c.encodedSize())/float64(c.octets()), "octets")
		return r
	})
}

// BenchmarkEncodePrepared encodes lists of which all fields are prepared but
// those that are new each time.
func BenchmarkEncodePrepared(b *testing.B) {
	for _, c := range []*corpus{newCorpus("grpc-req", grpcRequests(1000)), newCorpus("grpc-resp", grpcResponses(1000))} {
		b.Run(c.name, func(b *testing.B) {
			var set hpack.Set
			beside(b, c.fields, "field", c.encodePrepared(&set), c.xEncode(b))
		})
	}
}

func compare(b *testing.B, one func(*testing.B, *corpus) float64) {
	var ratios []float64
	all := corpora(b)
	for _, c := range all {
		b.Run(c.name, func(b *testing.B) { ratios = append(ratios, one(b, c)) })
	}
	if len(ratios) == len(all) {
		geomean(b, ratios)
	}
}

func (c *corpus) decodeViews(tb testing.TB) func() {
	dec := new(hpack.Decoder)
	return func() {
		n := 0
		for i := range c.blocks {
			n += viewBlock(dec, c.blocks[i].wire)
		}
		if n != c.raw || dec.Err() != nil {
			tb.Fatalf("%d octets of fields, want %d; %v", n, c.raw, dec.Err())
		}
	}
}

func viewBlock(dec *hpack.Decoder, wire []byte) (n int) {
	for f := range dec.Fields(wire) {
		n += len(f.Name) + len(f.Value)
	}
	return n
}

func (c *corpus) decodeFields(tb testing.TB) func() {
	var dec hpack.Decoder
	var fields hpack.Fields
	return func() {
		n := 0
		for i := range c.blocks {
			bl := &c.blocks[i]
			if v, err := dec.Decode(&fields, bl.wire, bl.kind, limits); v != hpack.OK || err != nil {
				tb.Fatalf("block %d: %v, %v (%v)", i, v, err, dec.Fault())
			}
			n += fields.Size()
		}
		if want := c.raw + 32*c.fields; n != want {
			tb.Fatalf("a size of %d, want %d", n, want)
		}
	}
}

func (c *corpus) xDecode(tb testing.TB) func() {
	n := 0
	dec := xhpack.NewDecoder(4096, func(f xhpack.HeaderField) { n += len(f.Name) + len(f.Value) })
	return func() {
		n = 0
		for i := range c.blocks {
			if _, err := dec.Write(c.blocks[i].wire); err != nil {
				tb.Fatalf("block %d: %v", i, err)
			}
			if err := dec.Close(); err != nil {
				tb.Fatalf("block %d: %v", i, err)
			}
		}
		if n != c.raw {
			tb.Fatalf("%d octets of fields, want %d", n, c.raw)
		}
	}
}

func (c *corpus) encode() func() {
	var enc hpack.Encoder
	var out []byte
	return func() {
		dst := out
		for i := range c.blocks {
			dst = c.appendBlock(dst[:0], &enc, i)
		}
		out = dst
	}
}

// appendBlock appends block i, which starts afresh where x/net's does.
func (c *corpus) appendBlock(dst []byte, enc *hpack.Encoder, i int) []byte {
	bl := &c.blocks[i]
	if bl.first {
		enc.SetMaxTableSize(0)
		enc.SetMaxTableSize(4096)
	}
	return enc.AppendBlock(dst, bl.own)
}

func (c *corpus) encodedSize() (n int) {
	var enc hpack.Encoder
	for i := range c.blocks {
		n += len(c.appendBlock(nil, &enc, i))
	}
	return n
}

func (c *corpus) xEncode(tb testing.TB) func() {
	var buf bytes.Buffer
	enc := xhpack.NewEncoder(&buf)
	return func() {
		for i := range c.blocks {
			bl := &c.blocks[i]
			if bl.first {
				enc.SetMaxDynamicTableSize(0)
				enc.SetMaxDynamicTableSize(4096)
			}
			buf.Reset()
			for _, f := range bl.list {
				if err := enc.WriteField(f); err != nil {
					tb.Fatal(err)
				}
			}
		}
		sink.n = buf.Len()
	}
}

// encodePrepared puts each field that comes more than once into the set, and
// returns a pass over the same lists made of them.
func (c *corpus) encodePrepared(set *hpack.Set) func() {
	count := map[xhpack.HeaderField]int{}
	for i := range c.blocks {
		for _, f := range c.blocks[i].list {
			count[f]++
		}
	}
	prepared := map[xhpack.HeaderField]hpack.Prepared{}
	lists := make([]hpack.Fields, len(c.blocks))
	for i := range c.blocks {
		for _, f := range c.blocks[i].list {
			p, ok := prepared[f]
			if !ok && count[f] > 1 && f.Name != "grpc-timeout" {
				p = set.Prepare(f.Name, f.Value)
				prepared[f], ok = p, true
			}
			if ok {
				lists[i].AddPrepared(p)
			} else {
				lists[i].Add(f.Name, f.Value)
			}
		}
	}
	var enc hpack.Encoder
	enc.UseSet(set)
	var out []byte
	return func() {
		dst := out
		for i := range lists {
			if c.blocks[i].first {
				enc.SetMaxTableSize(0)
				enc.SetMaxTableSize(4096)
			}
			dst = enc.AppendBlock(dst[:0], &lists[i])
		}
		out = dst
	}
}

// TestCorpora holds the corpora against what they are said to be, and what both
// encoders make of them against the lists.
func TestCorpora(t *testing.T) {
	want := map[string]struct {
		blocks      int
		fields, raw float64 // a block
	}{
		"stories":      {3384, 10.7, 324},
		"grpc-req":     {1000, 8, 188},
		"grpc-resp":    {2000, 2, 31},
		"browser-req":  {400, 23.3, 870},
		"browser-resp": {400, 16.2, 443},
	}
	const most = 1.005 // our octets by x/net's
	for _, c := range corpora(t) {
		w := want[c.name]
		n := float64(len(c.blocks))
		fields, raw := float64(c.fields)/n, float64(c.raw)/n
		t.Logf("%s: %d blocks; a block has %.1f fields, %.0f octets, %.1f encoded by x/net", c.name, len(c.blocks), fields, raw, float64(c.octets())/n)
		near := func(got, want float64) bool { return got > 0.95*want && got < 1.05*want }
		if len(c.blocks) != w.blocks || !near(fields, w.fields) || !near(raw, w.raw) {
			t.Errorf("%s: %d blocks, %.1f fields and %.0f octets a block; want %+v", c.name, len(c.blocks), fields, raw, w)
		}
		if again := corpusNamed(t, c.name); !bytes.Equal(again.blocks[len(again.blocks)-1].wire, c.blocks[len(c.blocks)-1].wire) {
			t.Errorf("%s is not the same when it is made again", c.name)
		}
		var enc hpack.Encoder
		dec := xhpack.NewDecoder(4096, nil)
		for i := range c.blocks {
			list, err := dec.DecodeFull(c.appendBlock(nil, &enc, i))
			if err != nil || len(list) != len(c.blocks[i].list) {
				t.Fatalf("%s: x/net decodes our block %d to %d fields: %v", c.name, i, len(list), err)
			}
			for k, f := range list {
				if w := c.blocks[i].list[k]; f.Name != w.Name || f.Value != w.Value {
					t.Fatalf("%s: block %d: %v, want %v", c.name, i, f, w)
				}
			}
		}
		ours, theirs := c.encodedSize(), c.octets()
		t.Logf("%s: %d octets encoded, %d by x/net: %.4f", c.name, ours, theirs, float64(ours)/float64(theirs))
		if float64(ours) > most*float64(theirs) {
			t.Errorf("%s: %d octets encoded, more than %v times x/net's %d", c.name, ours, most, theirs)
		}
	}
}

func corpusNamed(tb testing.TB, name string) *corpus {
	for _, c := range corpora(tb) {
		if c.name == name {
			return c
		}
	}
	tb.Fatalf("no corpus %s", name)
	return nil
}

// TestHPACKAllocatesNothing: passes over whole corpora, once warm.
func TestHPACKAllocatesNothing(t *testing.T) {
	for _, c := range corpora(t) {
		for name, pass := range map[string]func(){
			"views":    c.decodeViews(t),
			"fields":   c.decodeFields(t),
			"encode":   c.encode(),
			"prepared": c.encodePrepared(new(hpack.Set)),
		} {
			pass()
			if n := testing.AllocsPerRun(2, pass); n != 0 {
				t.Errorf("%s: %s: %v allocations in %d blocks", c.name, name, n, len(c.blocks))
			}
		}
	}
}
