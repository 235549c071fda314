package hpack

import "testing"

// zero asserts that run allocates nothing once it ran before.
func zero(t *testing.T, what string, run func()) {
	t.Helper()
	for range 3 {
		run()
	}
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%s: %v allocations", what, n)
	}
}

// loopStory is a story as one connection that can be repeated: every block of
// the first encoder, behind size updates that empty the table.
func loopStory(t testing.TB, n int) (s *story, blocks [][]byte) {
	s = stories(t)[n]
	var e Encoder
	for i, c := range s.cases {
		var f Fields
		for _, p := range c.fields {
			f.Add(p.Name, p.Value)
		}
		var start []byte
		if i == 0 {
			start = []byte{0x20, 0x3f, 0xe1, 0x1f}
		}
		blocks = append(blocks, e.AppendBlock(start, &f))
	}
	return s, blocks
}

func TestDecodeAllocatesNothing(t *testing.T) {
	for _, n := range []int{0, 5, 20, 25, 30} {
		s, blocks := loopStory(t, n)
		var d, v Decoder
		var f Fields
		zero(t, s.name+" Decode", func() {
			for _, b := range blocks {
				if _, err := d.Decode(&f, b, s.kind(), Limits{}); err != nil {
					t.Fatal(err)
				}
			}
		})
		zero(t, s.name+" Decode, over the limit", func() {
			for _, b := range blocks {
				if _, err := d.Decode(&f, b, s.kind(), Limits{Fields: 3}); err != nil {
					t.Fatal(err)
				}
			}
		})
		zero(t, s.name+" discarded", func() {
			for _, b := range blocks {
				if _, err := d.Decode(nil, b, s.kind(), Limits{}); err != nil {
					t.Fatal(err)
				}
			}
		})
		fields := 0
		zero(t, s.name+" Fields", func() {
			for _, b := range blocks {
				for field := range v.Fields(b) {
					fields += len(field.Value)
				}
			}
		})
		if v.Err() != nil || fields == 0 {
			t.Errorf("%s: %v, %d", s.name, v.Err(), fields)
		}
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	for _, n := range []int{0, 5, 20, 25, 30} {
		s := stories(t)[n]
		lists := make([]Fields, len(s.cases))
		for i, c := range s.cases {
			for _, p := range c.fields {
				lists[i].Add(p.Name, p.Value)
			}
		}
		var e Encoder
		var out []byte
		zero(t, s.name, func() {
			for i := range lists {
				out = e.AppendBlock(out[:0], &lists[i])
			}
		})
	}
	var set Set
	status, kind := set.Prepare(":status", "200"), set.Prepare("content-type", "text/plain")
	var e Encoder
	e.UseSet(&set)
	var f, g Fields
	var out []byte
	value := []byte("x")
	zero(t, "a response", func() {
		f.Reset()
		f.AddPrepared(status)
		f.AddPrepared(kind)
		f.AddInt(TokenContentLength, 1234567)
		f.Add("X-Custom", "value")
		f.AddBytes([]byte("x-more"), value)
		f.SetToken(TokenServer, "nonet")
		f.DeleteToken(TokenServer)
		f.AddTokenBytes(TokenETag, value)
		g.CopyFrom(&f)
		for range g.All() {
		}
		if g.GetName("X-Custom") == nil {
			t.Error("lost a field")
		}
		e.SetMaxTableSize(0)
		e.SetMaxTableSize(4096)
		out = e.AppendBlock(out[:0], &g)
	})
	coded := AppendHuffman(nil, []byte("www.example.com"))
	zero(t, "Huffman", func() {
		out = AppendHuffman(out[:0], []byte("www.example.com"))
		out, _ = DecodeHuffman(out[:0], coded)
	})
}
