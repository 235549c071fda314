package hpack

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pair is a field in tests.
type pair struct{ Name, Value string }

// pairs returns the fields of f as strings.
func pairs(f *Fields) (list []pair) {
	for name, value := range f.All() {
		list = append(list, pair{string(name), string(value)})
	}
	return list
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type example struct {
	block  string
	fields []pair
	table  string
}

func lines(s ...string) string { return strings.Join(s, "\n") + "\n" }

var (
	c2 = []example{
		{"400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", []pair{{"custom-key", "custom-header"}},
			lines("[62] (s = 55) custom-key: custom-header", "table size: 55 of 4096")},
		{"040c 2f73 616d 706c 652f 7061 7468", []pair{{":path", "/sample/path"}}, lines("table size: 0 of 4096")},
		{"1008 7061 7373 776f 7264 0673 6563 7265 74", []pair{{"password", "secret"}}, lines("table size: 0 of 4096")},
		{"82", []pair{{":method", "GET"}}, lines("table size: 0 of 4096")},
	}
	requestFields = [][]pair{
		{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "www.example.com"}},
		{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "www.example.com"}, {"cache-control", "no-cache"}},
		{{":method", "GET"}, {":scheme", "https"}, {":path", "/index.html"}, {":authority", "www.example.com"}, {"custom-key", "custom-value"}},
	}
	requestTables = []string{
		lines("[62] (s = 57) :authority: www.example.com", "table size: 57 of 4096"),
		lines("[62] (s = 53) cache-control: no-cache", "[63] (s = 57) :authority: www.example.com", "table size: 110 of 4096"),
		lines("[62] (s = 54) custom-key: custom-value", "[63] (s = 53) cache-control: no-cache",
			"[64] (s = 57) :authority: www.example.com", "table size: 164 of 4096"),
	}
	responseFields = [][]pair{
		{{":status", "302"}, {"cache-control", "private"}, {"date", "Mon, 21 Oct 2013 20:13:21 GMT"}, {"location", "https://www.example.com"}},
		{{":status", "307"}, {"cache-control", "private"}, {"date", "Mon, 21 Oct 2013 20:13:21 GMT"}, {"location", "https://www.example.com"}},
		{{":status", "200"}, {"cache-control", "private"}, {"date", "Mon, 21 Oct 2013 20:13:22 GMT"}, {"location", "https://www.example.com"},
			{"content-encoding", "gzip"}, {"set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"}},
	}
	responseTables = []string{
		lines("[62] (s = 63) location: https://www.example.com", "[63] (s = 65) date: Mon, 21 Oct 2013 20:13:21 GMT",
			"[64] (s = 52) cache-control: private", "[65] (s = 42) :status: 302", "table size: 222 of 256"),
		lines("[62] (s = 42) :status: 307", "[63] (s = 63) location: https://www.example.com",
			"[64] (s = 65) date: Mon, 21 Oct 2013 20:13:21 GMT", "[65] (s = 52) cache-control: private", "table size: 222 of 256"),
		lines("[62] (s = 98) set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1", "[63] (s = 52) content-encoding: gzip",
			"[64] (s = 65) date: Mon, 21 Oct 2013 20:13:22 GMT", "table size: 215 of 256"),
	}
	c3 = []string{
		"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
		"8286 84be 5808 6e6f 2d63 6163 6865",
		"8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
	}
	c4 = []string{
		"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
		"8286 84be 5886 a8eb 1064 9cbf",
		"8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
	}
	c5 = []string{
		"4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
		"4803 3330 37c1 c0bf",
		"88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
	}
	c6 = []string{
		"4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
		"4883 640e ffc1 c0bf",
		"88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
	}
)

func examples(blocks []string, fields [][]pair, tables []string) (list []example) {
	for i := range blocks {
		list = append(list, example{blocks[i], fields[i], tables[i]})
	}
	return list
}

func TestRFC7541_C_Decode(t *testing.T) {
	for name, test := range map[string]struct {
		size     uint32
		fresh    bool // a new decoder for each block
		kind     Kind
		examples []example
	}{
		"C.2": {4096, true, Request, c2},
		"C.3": {4096, false, Request, examples(c3, requestFields, requestTables)},
		"C.4": {4096, false, Request, examples(c4, requestFields, requestTables)},
		"C.5": {256, false, Response, examples(c5, responseFields, responseTables)},
		"C.6": {256, false, Response, examples(c6, responseFields, responseTables)},
	} {
		t.Run(name, func(t *testing.T) {
			var d *Decoder
			for _, e := range test.examples {
				if d == nil || test.fresh {
					d = new(Decoder)
					d.init()
					d.tab.setMax(test.size) // the examples have it as a given
				}
				var f Fields
				v, err := d.Decode(&f, unhex(t, e.block), test.kind, Limits{})
				if v != OK || err != nil {
					t.Fatalf("%s: %v, %v", e.block, v, err)
				}
				if diff := cmp.Diff(e.fields, pairs(&f)); diff != "" {
					t.Errorf("%s: fields (-want +got):\n%s", e.block, diff)
				}
				if diff := cmp.Diff(e.table, string(d.AppendTable(nil))); diff != "" {
					t.Errorf("%s: table (-want +got):\n%s", e.block, diff)
				}
			}
		})
	}
}

// The encoder's choices in C.4 are the example's: everything is indexed, and
// Huffman coded.
func TestRFC7541_C4_Encode(t *testing.T) {
	var e Encoder
	for i, fields := range requestFields {
		var f Fields
		for _, p := range fields {
			f.Add(p.Name, p.Value)
		}
		if got, want := e.AppendBlock(nil, &f), unhex(t, c4[i]); string(got) != string(want) {
			t.Errorf("request %d: got %x, want %x", i, got, want)
		}
		if got := string(e.AppendTable(nil)); got != requestTables[i] {
			t.Errorf("request %d: table %s, want %s", i, got, requestTables[i])
		}
	}
}
