package hpack

import (
	"bytes"
	"testing"

	xhpack "golang.org/x/net/http2/hpack"
)

// corpus is a connection that can be repeated for ever: its first block begins
// with size updates that empty the table.
type corpus struct {
	name   string
	kind   Kind
	lists  []Fields
	blocks [][]byte // as the oracle encodes them
	fields int
}

func makeCorpus(name string, k Kind, lists []Fields) corpus {
	c := corpus{name: name, kind: k, lists: lists}
	var out bytes.Buffer
	enc := xhpack.NewEncoder(&out)
	for i := range lists {
		if i == 0 {
			out.Write([]byte{0x20, 0x3f, 0xe1, 0x1f})
		}
		for _, f := range ToHeaderFields(&lists[i]) {
			enc.WriteField(f)
		}
		c.blocks = append(c.blocks, bytes.Clone(out.Bytes()))
		out.Reset()
		c.fields += lists[i].Len()
	}
	return c
}

func corpora(b *testing.B) (list []corpus) {
	for _, s := range stories(b) {
		if s.name != "story_20" && s.name != "story_30" { // a long one of requests, one of responses
			continue
		}
		lists := make([]Fields, len(s.cases))
		for i, c := range s.cases {
			for _, p := range c.fields {
				lists[i].Add(p.Name, p.Value)
			}
		}
		list = append(list, makeCorpus(s.name, s.kind(), lists))
	}
	grpc := make([]Fields, 1000)
	for i := range grpc {
		grpcRequest(&grpc[i], i)
	}
	return append(list, makeCorpus("grpc", Request, grpc))
}

// perField runs one pass for all fields of c, b.N times.
func (c *corpus) perField(b *testing.B, name string, pass func()) {
	b.Run(c.name+"/"+name, func(b *testing.B) {
		pass()
		b.ReportAllocs()
		for b.Loop() {
			pass()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.fields), "ns/field")
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range corpora(b) {
		var d Decoder
		var f Fields
		lim := Limits{Bytes: 65536, Fields: 100, Crumbs: 64}
		c.perField(b, "list", func() {
			for _, block := range c.blocks {
				if _, err := d.Decode(&f, block, c.kind, lim); err != nil {
					b.Fatal(err)
				}
			}
		})
		var v Decoder
		n := 0
		c.perField(b, "views", func() {
			for _, block := range c.blocks {
				for field := range v.Fields(block) {
					n += len(field.Value)
				}
			}
		})
		x := xhpack.NewDecoder(4096, func(f xhpack.HeaderField) { n += len(f.Value) })
		c.perField(b, "xnet", func() {
			for _, block := range c.blocks {
				if _, err := x.Write(block); err != nil {
					b.Fatal(err)
				}
				x.Close()
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range corpora(b) {
		var e Encoder
		var out []byte
		octets := 0
		c.perField(b, "block", func() {
			octets = 0
			e.SetMaxTableSize(0)
			e.SetMaxTableSize(4096)
			for i := range c.lists {
				out = e.AppendBlock(out[:0], &c.lists[i])
				octets += len(out)
			}
		})
		var set Set
		prepared := make([]Fields, len(c.lists))
		known := map[pair]Prepared{}
		for i := range c.lists {
			for _, p := range pairs(&c.lists[i]) {
				h, ok := known[p]
				if !ok && set.Len() < maxPrepared && modeOf(&c.lists[i].desc[0]) == modeIndex {
					h = set.Prepare(p.Name, p.Value)
					known[p], ok = h, true
				}
				if ok {
					prepared[i].AddPrepared(h)
				} else {
					prepared[i].Add(p.Name, p.Value)
				}
			}
		}
		var pe Encoder
		pe.UseSet(&set)
		c.perField(b, "prepared", func() {
			pe.SetMaxTableSize(0)
			pe.SetMaxTableSize(4096)
			for i := range prepared {
				out = pe.AppendBlock(out[:0], &prepared[i])
			}
		})
		var buf bytes.Buffer
		x := xhpack.NewEncoder(&buf)
		lists := make([][]xhpack.HeaderField, len(c.lists))
		xoctets := 0
		for i := range c.lists {
			lists[i] = ToHeaderFields(&c.lists[i])
		}
		c.perField(b, "xnet", func() {
			xoctets = 0
			x.SetMaxDynamicTableSize(0)
			x.SetMaxDynamicTableSize(4096)
			for _, list := range lists {
				buf.Reset()
				for _, f := range list {
					x.WriteField(f)
				}
				xoctets += buf.Len()
			}
		})
		b.Logf("%s: %d octets, x/net %d", c.name, octets, xoctets)
	}
}

// texts are the values of a story, as Huffman sees them.
func texts(b *testing.B) (plain, coded [][]byte, octets int64) {
	for _, c := range stories(b)[20].cases[:100] {
		for _, p := range c.fields {
			plain = append(plain, []byte(p.Value))
			coded = append(coded, AppendHuffman(nil, []byte(p.Value)))
			octets += int64(len(p.Value))
		}
	}
	return plain, coded, octets
}

func BenchmarkHuffman(b *testing.B) {
	plain, coded, octets := texts(b)
	var out []byte
	var buf bytes.Buffer
	run := func(name string, pass func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(octets)
			for b.Loop() {
				pass()
			}
		})
	}
	run("decode", func() {
		for _, s := range coded {
			out, _ = DecodeHuffman(out[:0], s)
		}
	})
	run("decode/xnet", func() {
		for _, s := range coded {
			buf.Reset()
			xhpack.HuffmanDecode(&buf, s)
		}
	})
	run("encode", func() {
		for _, s := range plain {
			out = AppendHuffman(out[:0], s)
		}
	})
	strs := make([]string, len(plain))
	for i, s := range plain {
		strs[i] = string(s)
	}
	run("encode/xnet", func() {
		for _, s := range strs {
			out = xhpack.AppendHuffmanString(out[:0], s)
		}
	})
}
