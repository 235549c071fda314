package conn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// field is a literal without indexing and without Huffman coding, in hex.
func field(name, value string) string {
	return fmt.Sprintf("00%02x%x%02x%x", len(name), name, len(value), value)
}

const getBlock = "828684410161" // GET http / a

// TestRFC9113_8_2_1_EveryOctet sends names and values with every octet at the
// start, within and at the end, on one connection.
func TestRFC9113_8_2_1_EveryOctet(t *testing.T) {
	p := greeted(t, conn.Config{Limits: conn.Limits{Idle: -1}})
	p.Wire.Quiet = true
	id := 1
	for c := range 256 {
		for place, format := range []string{"%cxy", "x%cy", "xy%c", "%c"} {
			word := strings.Replace(format, "%c", string([]byte{byte(c)}), 1)
			name := nonettest.TokenOctet(byte(c))
			if ok := try(p, &id, field(word, "v")); ok != name {
				t.Errorf("octet %#02x in a name, place %d: taken %v, want %v", c, place, ok, name)
			}
			blank := c == ' ' || c == '\t'
			value := c >= ' ' && c != 0x7f || c == '\t'
			if blank && place != 1 {
				value = false
			}
			if ok := try(p, &id, field("n", word)); ok != value {
				t.Errorf("octet %#02x in a value, place %d: taken %v, want %v", c, place, ok, value)
			}
		}
	}
	if ok := try(p, &id, field("", "v")); ok {
		t.Error("an empty name is taken")
	}
	if ok := try(p, &id, field("n", "")); !ok {
		t.Error("an empty value is not taken")
	}
	p.Wire.Quiet = false
	p.Skip()
	p.WantAlive("each was a stream error at most")
}

// TestRFC9113_8_3_1_EveryOctetOfPath does so with :path and :authority.
func TestRFC9113_8_3_1_EveryOctetOfPath(t *testing.T) {
	p := greeted(t, conn.Config{Limits: conn.Limits{Idle: -1}})
	p.Wire.Quiet = true
	id := 1
	for c := range 256 {
		octet := string([]byte{byte(c)})
		path := c > ' ' && c != 0x7f && c != '#'
		if ok := tryBlock(p, &id, "8286410161"+field(":path", "/x"+octet+"y")); ok != path {
			t.Errorf("octet %#02x in :path: taken %v, want %v", c, ok, path)
		}
		authority := c > ' ' && c < 0x7f && !strings.Contains(`@/\,"<>#?^{}|`+"`", octet)
		if ok := tryBlock(p, &id, "828684"+field(":authority", "x"+octet+"y")); ok != authority {
			t.Errorf("octet %#02x in :authority: taken %v, want %v", c, ok, authority)
		}
		method := nonettest.TokenOctet(byte(c)) || 'A' <= c && c <= 'Z'
		if ok := tryBlock(p, &id, "8684410161"+field(":method", "X"+octet+"Y")); ok != method {
			t.Errorf("octet %#02x in :method: taken %v, want %v", c, ok, method)
		}
	}
}

func try(p *nonettest.Peer, id *int, fields string) bool { return tryBlock(p, id, getBlock+fields) }

// tryBlock sends a request and reports whether the application got it.
func tryBlock(p *nonettest.Peer, id *int, block string) bool {
	p.TB.Helper()
	p.Send(fmt.Sprintf("HEADERS %d ES EH @payload=%s", *id, block))
	if p.Err != nil {
		p.TB.Fatalf("block %s: %v", block, p.Err)
	}
	app := p.Streams[uint32(*id)]
	if app != nil {
		p.Do(fmt.Sprintf("respond %d", *id))
	}
	p.Advance(time.Second)
	p.Take()
	*id += 2
	return app != nil
}
