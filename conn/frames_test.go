package conn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

func TestRFC9113_5_5_EveryUnknownType(t *testing.T) {
	p := newServer(t)
	p.Wire.Quiet = true
	p.Send("HEADERS 1 EH $post", "HEADERS 3 ES EH $get")
	p.Do("respond 3")
	for kind := range 256 {
		if kind <= 9 || kind == 0x10 {
			continue
		}
		for _, stream := range []int{0, 1, 3, 2, 99} {
			p.Send(fmt.Sprintf("UNKNOWN type=%d %d @flags=0xff", kind, stream), fmt.Sprintf("UNKNOWN type=%d %d len=1", kind, stream))
		}
		p.Advance(time.Second)
	}
	p.Wire.Quiet = false
	p.Skip()
	p.WantAlive("all are ignored")
}

func TestRFC9113_4_3_EveryTypeWithinABlock(t *testing.T) {
	for kind := range 256 {
		if kind == int(frame.TypeContinuation) {
			continue
		}
		for stream := range 3 {
			p := newServer(t)
			p.Send("HEADERS 1 $get", fmt.Sprintf("UNKNOWN type=%d %d len=8", kind, stream))
			p.WantError(fmt.Sprintf("type %d on stream %d", kind, stream), "PROTOCOL_ERROR", 0)
		}
	}
}

func TestRFC9113_4_1_EveryFlag(t *testing.T) {
	for _, c := range []struct {
		line    string
		defined int // flags that mean something
	}{
		{"DATA 1 len=1", 0x09}, {"HEADERS 3 EH $get", 0x2d}, {"PRIORITY 1 dep=0", 0}, {"RST_STREAM 1 CANCEL", 0}, {"SETTINGS", 0x01},
		{"PING", 0x01}, {"GOAWAY last=0 NO_ERROR", 0}, {"WINDOW_UPDATE 1 inc=1", 0}, {"PRIORITY_UPDATE for=1 text=u=1", 0},
	} {
		var want string
		for flags := range 256 {
			if flags&c.defined != 0 {
				continue
			}
			p := newServer(t)
			p.Send("HEADERS 1 EH $post")
			p.Send(fmt.Sprintf("%s @flags=%d", c.line, flags))
			p.Flush()
			got := fmt.Sprint(p.Events, p.Wire.Lines)
			if flags == 0 {
				want = got
			}
			if got != want || p.Err != nil {
				t.Fatalf("%s with flags %#x: %s, error %v, want %s", c.line, flags, got, p.Err, want)
			}
		}
	}
}

// TestRFC9113_4_2_HeaderAlone: a frame header of every type, and nothing after
// it: no more than the header is kept, and nothing happens.
func TestRFC9113_4_2_HeaderAlone(t *testing.T) {
	for kind := range 256 {
		for _, length := range []int{0, 8, 16384, 16385, 1<<24 - 1} {
			p := newServer(t)
			p.Send("HEADERS 1 EH $post")
			p.Send(fmt.Sprintf("UNKNOWN type=%d 1 @length=%d", kind, length))
			if length > 16384 {
				p.WantError("too large", "FRAME_SIZE_ERROR", 1)
			}
			if n := conn.Held(p.Conn); n > 1024 {
				t.Fatalf("type %d, length %d: %d octets are held", kind, length, n)
			}
		}
	}
}

// TestHeldIsBounded: what a peer announces takes no memory before it comes,
// and a header block no more than its limit.
func TestHeldIsBounded(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 @length=16384 @payload={00*12000}")
	if n := conn.Held(p.Conn); n > 20<<10 {
		t.Errorf("%d octets are held of 12000", n)
	}
	p.Feed(make([]byte, 4384))
	for range 8 {
		p.Send("CONTINUATION 1 @payload={00*16384}")
		if p.Err != nil {
			break
		}
		if n := conn.Held(p.Conn); n > 80<<10 {
			t.Errorf("%d octets are held", n)
		}
	}
	p.WantError("a block over its limit", "ENHANCE_YOUR_CALM", 0)
}

func TestBodyTellsWhatComes(t *testing.T) {
	p := newServer(t)
	want := func(reason string, id uint32, left int) {
		t.Helper()
		if r, n := p.Conn.Body(); r.ID != id || n != left {
			t.Errorf("%s: stream %d, %d octets, want stream %d, %d", reason, r.ID, n, id, left)
		}
	}
	p.Send("HEADERS 1 EH $post")
	want("between frames", 0, 0)
	p.Send("DATA 1 len=100 pad=10 @cut=10")
	want("after the pad length", 1, 100)
	p.Feed(make([]byte, 60))
	want("within the data", 1, 40)
	p.Feed(make([]byte, 40))
	want("within the padding", 0, 0)
	p.Feed(make([]byte, 10))
	p.Send("DATA 1 ES @length=5")
	want("after the header", 1, 5)
	p.Feed(make([]byte, 5))
	want("at the end", 0, 0)
	p.WantEvents("it all came", "headers 1", "data 1 100", "data 1 end 5")
	p.Send("DATA 1 @length=5")
	want("of DATA that is a stream error", 0, 0)
}
