package hpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var packFrom = flag.String("pack", "", "make testdata/hpack-test-case.tar.gz of the hpack-test-case folder given here")

const storyArchive = "testdata/hpack-test-case.tar.gz"

// story is one connection's worth of field lists, and their blocks as each
// encoder of the collection made them.
type story struct {
	name     string
	encoders []string
	cases    []storyCase
	packed   []byte
}

type storyCase struct {
	fields []pair
	blocks []storyBlock // by encoder
}

type storyBlock struct {
	size int // the table size to allow before this block, or -1
	wire []byte
}

// kind tells requests from responses.
func (s *story) kind() Kind {
	for _, p := range s.cases[0].fields {
		if p.Name == ":status" {
			return Response
		}
	}
	return Request
}

// allStories unpacks the archive once.
var allStories = sync.OnceValues(func() (list []*story, err error) {
	file, err := os.Open(storyArchive)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(h.Name, "story") {
			s, err := unpackStory(h.Name, b)
			if err != nil {
				return nil, err
			}
			s.packed = b
			list = append(list, s)
		}
	}
})

func stories(t testing.TB) []*story {
	t.Helper()
	list, err := allStories()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 32 {
		t.Fatalf("%d stories, want 32", len(list))
	}
	return list
}

// A packed story is a sequence of numbers (uvarint) and strings (length, then
// octets): the number of encoders and their names, the number of cases, then
// for each case the number of fields, each name and value, and for each encoder
// the table size plus one (0: unchanged) and the block.

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func packStory(s *story) []byte {
	b := binary.AppendUvarint(nil, uint64(len(s.encoders)))
	for _, name := range s.encoders {
		b = appendText(b, name)
	}
	b = binary.AppendUvarint(b, uint64(len(s.cases)))
	for _, c := range s.cases {
		b = binary.AppendUvarint(b, uint64(len(c.fields)))
		for _, p := range c.fields {
			b = appendText(appendText(b, p.Name), p.Value)
		}
		for _, block := range c.blocks {
			b = binary.AppendUvarint(b, uint64(block.size+1))
			b = appendText(b, string(block.wire))
		}
	}
	return b
}

func unpackStory(name string, b []byte) (*story, error) {
	var failed error
	number := func() int {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			failed, b = fmt.Errorf("%s: damaged", name), nil
			return 0
		}
		b = b[n:]
		return int(v)
	}
	text := func() []byte {
		n := number()
		if n > len(b) {
			failed, n = fmt.Errorf("%s: damaged", name), len(b)
		}
		s := b[:n:n]
		b = b[n:]
		return s
	}
	s := &story{name: name}
	for range number() {
		s.encoders = append(s.encoders, string(text()))
	}
	for range number() {
		var c storyCase
		for range number() {
			c.fields = append(c.fields, pair{string(text()), string(text())})
		}
		for range s.encoders {
			c.blocks = append(c.blocks, storyBlock{number() - 1, text()})
		}
		s.cases = append(s.cases, c)
	}
	return s, failed
}

// TestPackStories packs the stories again and looks at every octet. With -pack
// it makes the archive.
func TestPackStories(t *testing.T) {
	if *packFrom == "" {
		for _, s := range stories(t) {
			if !bytes.Equal(packStory(s), s.packed) {
				t.Errorf("%s is not what packing it again makes", s.name)
			}
		}
		return
	}
	type jsonCase struct {
		Seqno   int
		Size    *int `json:"header_table_size"`
		Wire    string
		Headers []map[string]string
	}
	read := func(encoder string, n int) (cases []jsonCase) {
		b, err := os.ReadFile(filepath.Join(*packFrom, encoder, fmt.Sprintf("story_%02d.json", n)))
		if err != nil {
			return nil
		}
		var s struct{ Cases []jsonCase }
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		return s.Cases
	}
	list := func(c jsonCase) (fields []pair) {
		for _, m := range c.Headers {
			for name, value := range m {
				fields = append(fields, pair{name, value})
			}
		}
		return fields
	}
	entries, err := os.ReadDir(*packFrom)
	if err != nil {
		t.Fatal(err)
	}
	var encoders []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "raw-data" {
			encoders = append(encoders, e.Name())
		}
	}
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	w := tar.NewWriter(z)
	put := func(name string, b []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(b)), Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		w.Write(b)
	}
	for _, name := range []string{"LICENSE", "README.md"} {
		b, err := os.ReadFile(filepath.Join(*packFrom, name))
		if err != nil {
			t.Fatal(err)
		}
		put(name, b)
	}
	for n := range 32 {
		s := &story{name: fmt.Sprintf("story_%02d", n)}
		byEncoder := map[string][]jsonCase{}
		for _, e := range encoders {
			if cases := read(e, n); cases != nil {
				s.encoders = append(s.encoders, e)
				byEncoder[e] = cases
			}
		}
		for i, raw := range read("raw-data", n) {
			c := storyCase{fields: list(raw)}
			for _, e := range s.encoders {
				got := byEncoder[e][i]
				if !slices.Equal(list(got), c.fields) {
					t.Fatalf("%s/%s case %d: not the raw fields", e, s.name, i)
				}
				block := storyBlock{size: -1}
				if got.Size != nil {
					block.size = *got.Size
				}
				if block.wire, err = hex.DecodeString(got.Wire); err != nil {
					t.Fatal(err)
				}
				c.blocks = append(c.blocks, block)
			}
			s.cases = append(s.cases, c)
		}
		put(s.name, packStory(s))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(storyArchive, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d octets", storyArchive, out.Len())
}

// storyFault is what RFC 9113 has against a list: the collection was recorded
// from HTTP/1.1.
func storyFault(fields []pair) Fault {
	for i, p := range fields {
		if p.Name[0] == ':' && i > 0 && fields[i-1].Name[0] != ':' {
			return FaultOrder
		}
		switch p.Name {
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
			return FaultConnection
		}
		if strings.Trim(p.Value, " \t") != p.Value {
			return FaultValue
		}
	}
	return FaultNone
}

// Every story of every encoder decodes to its fields.
func TestStoriesDecode(t *testing.T) {
	blocks := 0
	for _, s := range stories(t) {
		for i, encoder := range s.encoders {
			var views, owned Decoder
			var f Fields
			for n, c := range s.cases {
				block := c.blocks[i]
				if block.size >= 0 {
					views.SetAllowedTableSize(uint32(block.size))
					owned.SetAllowedTableSize(uint32(block.size))
				}
				var got []pair
				for v := range views.Fields(block.wire) {
					got = append(got, pair{string(v.Name), string(v.Value)})
				}
				if err := views.Err(); err != nil || !slices.Equal(got, c.fields) {
					t.Fatalf("%s of %s, case %d: %v\n got %v\nwant %v", s.name, encoder, n, err, got, c.fields)
				}
				v, err := owned.Decode(&f, block.wire, s.kind(), Limits{})
				want, fault := OK, storyFault(c.fields)
				if fault != 0 {
					want = Malformed
				}
				if v != want || owned.Fault() != fault || err != nil || v == OK && !slices.Equal(pairs(&f), c.fields) {
					t.Fatalf("%s of %s, case %d: %v, %v (%v)\n got %v\nwant %v", s.name, encoder, n, v, err, owned.Fault(), pairs(&f), c.fields)
				}
				blocks++
			}
			checkTable(t, &owned.tab)
		}
	}
	t.Logf("%d blocks", blocks)
}

// Every story is encoded here and decoded here and by the oracle, with tables
// of several sizes and with sizes that change on the way.
func TestStoriesEncode(t *testing.T) {
	total := map[string]int{}
	for _, s := range stories(t) {
		for _, size := range []int{0, 64, 4096, 16384, -1} {
			x := newTrip(t)
			x.enc.Allow(16384)
			if size >= 0 {
				x.setting(uint32(size))
			}
			changes := []uint32{4096, 64, 0, 16384, 1000, 4096}
			for n, c := range s.cases {
				if size < 0 {
					x.setting(changes[n%len(changes)])
					if n%4 == 1 { // several changes between two blocks
						x.setting(changes[(n/4)%len(changes)])
						x.setting(4096)
					}
				}
				var f Fields
				for _, p := range c.fields {
					f.Add(p.Name, p.Value)
				}
				total[fmt.Sprint(size)] += len(x.send(&f))
			}
		}
	}
	t.Logf("octets by table size: %v", total)
}
