package conn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
)

func TestRFC9113_3_4_HandshakeTimeout(t *testing.T) {
	for _, c := range []struct {
		name string
		send []string
	}{
		{"nothing comes", nil},
		{"half a preface", []string{"OCTETS 505249"}},
		{"a preface and no SETTINGS", []string{"PREFACE"}},
		{"half of the SETTINGS", []string{"PREFACE", "SETTINGS INITIAL_WINDOW_SIZE=5 @cut=10"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, conn.Config{})
			p.Slice = func(int) int { return 1 }
			p.Skip()
			for _, line := range c.send {
				p.Send(line)
				p.Advance(time.Second) // dribbling buys no time
			}
			p.Advance(10*time.Second - p.Now - 1)
			p.WantIdle("there is still time")
			p.Advance(1)
			p.WantEvents("the handshake took too long", "error PROTOCOL_ERROR debug=handshake%20timeout")
			p.WantError("handshake", "PROTOCOL_ERROR", 0)
		})
	}
}

func TestRFC9113_6_5_3_AckTimerStartsAtEmit(t *testing.T) {
	p := newPeer(t, conn.Config{})
	p.Send("PREFACE", "SETTINGS")
	p.Now += 30 * time.Second // the driver did not get to write
	p.Skip()
	p.WantDeadline("it counts from when the SETTINGS left", 10*time.Second)
	p.Send("SETTINGS ACK")
	p.Advance(20 * time.Second)
	p.WantIdle("it is acknowledged")
}

func TestTimerOfAPartialFrame(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin string
	}{
		{"a frame header", "PING @cut=8"},
		{"a PING", "PING @cut=12"},
		{"SETTINGS", "SETTINGS INITIAL_WINDOW_SIZE=5 @cut=14"},
		{"a header block", "HEADERS 1 ES EH $get @cut=12"},
		{"a header block that waits for CONTINUATION", "HEADERS 1 ES $get"},
		{"an unknown frame", "UNKNOWN type=0xbb len=100 @cut=50"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newServer(t)
			p.Advance(time.Second)
			p.Send(c.begin)
			p.WantDeadline("it has to be finished", 10*time.Second)
			p.Advance(10*time.Second - 1)
			p.WantIdle("there is still time")
			p.Advance(1)
			p.WantEvents("it took too long", "error PROTOCOL_ERROR debug=frame%20timeout")
			p.WantError("partial frame", "PROTOCOL_ERROR", 0)
		})
	}
}

func TestTimerOfAPartialFrameIsNotForManyFrames(t *testing.T) {
	p := greeted(t, conn.Config{Limits: conn.Limits{Idle: -1}})
	for range 100 { // each read ends within another frame
		p.Send("PING text=12345678 @cut=12")
		p.Advance(time.Second)
		p.Send("OCTETS 3435363738")
		p.Send("WINDOW_UPDATE 0 inc=1 @cut=4")
		p.Feed(p.Octets("WINDOW_UPDATE 0 inc=1")[4:])
		p.Skip()
		p.WantIdle("a peer that goes on is not cut off")
	}
	b := p.Octets("100 * WINDOW_UPDATE 0 inc=1")
	for len(b) > 10 { // never at a frame's end, and no event
		p.Feed(b[:10])
		p.Advance(2 * time.Second)
		b = b[10:]
	}
	p.WantIdle("a peer that goes on is not cut off, without events either")
}

func TestTimerOfABlockRunsThroughContinuations(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 ES $get")
	for range 4 {
		p.Advance(2 * time.Second)
		p.Send("CONTINUATION 1 a=b")
	}
	p.Advance(2*time.Second - 1)
	p.WantIdle("there is still time")
	p.Advance(1)
	p.WantError("the whole block has ten seconds", "PROTOCOL_ERROR", 0)
}

func TestTimerIdle(t *testing.T) {
	p := newServer(t)
	p.WantDeadline("idle from the start", 120*time.Second)
	p.Advance(100 * time.Second)
	p.Send("HEADERS 1 ES EH $get")
	p.Advance(100 * time.Second)
	p.WantIdle("a stream is open")
	p.Do("respond 1")
	p.Want("the response", "HEADERS 1 ES")
	p.Advance(120*time.Second - 1)
	p.WantIdle("idle since the last stream ended")
	p.Advance(1)
	p.Want("a graceful end", "GOAWAY last=2147483647 NO_ERROR", "PING text=nonetbye")
	p.Send("PING ACK text=nonetbye")
	p.Want("nothing came", "GOAWAY last=1 NO_ERROR")
	p.WantSignals("the driver may close", "drained")
	if !p.Conn.Done() || p.Conn.Deadline() != 0 {
		t.Errorf("done %v, deadline %v", p.Conn.Done(), p.Conn.Deadline())
	}
}

func TestTimerIdleARequestInTime(t *testing.T) {
	p := newServer(t)
	p.Advance(120 * time.Second)
	p.Want("a graceful end begins", "GOAWAY last=2147483647 NO_ERROR", "PING text=nonetbye")
	p.Send("HEADERS 1 ES EH $get", "PING ACK text=nonetbye")
	p.Want("the request that was on the wire is taken", "GOAWAY last=1 NO_ERROR")
	p.Do("respond 1")
	p.Want("and answered", "HEADERS 1 ES")
	p.WantSignals("that was all", "drained")
}

func TestTimerBodyIdle(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 EH $post content-length=100", "HEADERS 3 EH $post")
	p.Advance(29 * time.Second)
	p.Send("DATA 1 len=50")
	p.Advance(30*time.Second - 1)
	p.WantIdle("there is still time")
	p.Advance(1)
	p.Want("a declared body pauses too long; an open-ended one may", "RST_STREAM 1 CANCEL")
	p.WantSignals("the application is told", "ended 1 local CANCEL")
	p.Do("release 1")
	p.Advance(time.Hour - p.Now)
	p.WantAlive("a body without a length may pause for ever")
}

func TestTimerBodyIdleNeedsAWindow(t *testing.T) {
	p := greeted(t, conn.Config{Limits: conn.Limits{StreamWindow: 100}})
	p.Send("HEADERS 1 EH $post content-length=200", "DATA 1 len=100")
	p.Advance(time.Hour)
	p.WantIdle("it is the application that does not read")
	p.Do("consume 1 100")
	p.Want("now the peer may send", "WINDOW_UPDATE 1 inc=100")
	p.Advance(30*time.Second - 1)
	p.WantIdle("and has time")
	p.Advance(1)
	p.Want("but does not", "RST_STREAM 1 CANCEL")
}

func TestTimerWithinADataFrame(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 EH $post", "DATA 1 @length=100 len=10")
	for range 5 {
		p.Advance(30*time.Second - 1)
		p.Send("OCTETS 00")
	}
	p.WantIdle("payload comes, if slowly")
	p.Advance(30 * time.Second)
	p.WantError("a DATA frame that stops blocks the connection", "PROTOCOL_ERROR", 1)
}

func TestTimerSendStall(t *testing.T) {
	p := newServer(t, "INITIAL_WINDOW_SIZE=5000")
	p.Send("HEADERS 1 ES EH $get", "HEADERS 3 ES EH $get")
	p.Do("headers 1 $ok", "queue 1 100000", "headers 3 $ok")
	p.Want("what the window allows", "HEADERS 1", "HEADERS 3", "DATA 1 len=5000")
	p.Advance(29 * time.Second)
	p.Send("WINDOW_UPDATE 1 inc=1024")
	p.Want("some progress", "DATA 1 len=1024")
	p.Advance(30*time.Second - 1)
	p.WantIdle("there is still time")
	p.Advance(1)
	p.Want("no progress: its memory is freed", "RST_STREAM 1 CANCEL")
	p.WantSignals("the application is told", "ended 1 local CANCEL")
	p.Advance(time.Hour - p.Now)
	p.WantIdle("a response that holds nothing may stay for ever")
}

func TestTimerSendStallOctetByOctet(t *testing.T) {
	p := newServer(t, "INITIAL_WINDOW_SIZE=0")
	p.Send("HEADERS 1 ES EH $get")
	p.Do("headers 1 $ok", "queue 1 100000")
	p.Skip()
	for p.Now < 29*time.Second {
		p.Send("WINDOW_UPDATE 1 inc=1")
		p.Advance(time.Second)
		p.Want("an octet", "DATA 1 len=1")
	}
	p.Advance(5 * time.Second)
	p.Want("a window opened octet by octet is no progress", "RST_STREAM 1 CANCEL")
}

func TestTimerSendStallOfTheConnectionWindow(t *testing.T) {
	p := newServer(t)
	p.Advance(time.Second)
	p.Send("HEADERS 1 ES EH $get", "HEADERS 3 ES EH $get")
	p.Do("headers 1 $ok", "queue 1 65536 ES", "headers 3 $ok", "queue 3 10 ES")
	p.Skip()
	p.Advance(30*time.Second - 1)
	p.WantIdle("there is still time")
	p.Advance(1)
	p.Want("nothing moved", "RST_STREAM 1 CANCEL")
}

func TestTimersOff(t *testing.T) {
	off := time.Duration(-1)
	p := newPeer(t, conn.Config{Limits: conn.Limits{Handshake: off, SettingsAck: off, Block: off, BodyIdle: off, SendStall: off, Idle: off}})
	if d := p.Conn.Deadline(); d != 0 {
		t.Errorf("deadline %v at the start", d)
	}
	p.Greet("INITIAL_WINDOW_SIZE=0")
	p.Send("HEADERS 1 EH $post content-length=5", "HEADERS 3 ES $get")
	p.Do("headers 1 $ok", "queue 1 100000")
	p.Skip()
	if d := p.Conn.Deadline(); d != 0 {
		t.Errorf("deadline %v", d)
	}
	p.Send("CONTINUATION 3 EH a=b", "DATA 1 len=1 @cut=9")
	if d := p.Conn.Deadline(); d != 0 {
		t.Errorf("deadline %v within a DATA frame", d)
	}
}

// A connection without streams gives their memory back after a second.
func TestTrim(t *testing.T) {
	p := newServer(t)
	for id := 1; id < 40; id += 2 {
		p.Send(fmt.Sprintf("HEADERS %d ES EH $get", id))
	}
	for id := 3; id < 40; id += 2 {
		p.Do(fmt.Sprintf("headers %d $ok ES", id), fmt.Sprintf("release %d", id))
	}
	p.Emit(0)
	p.Advance(2 * time.Second)
	if got := p.Conn.Slots(); got != 20 {
		t.Errorf("%d slots beside a stream, want 20", got)
	}
	p.Do("headers 1 $ok ES", "release 1")
	p.Emit(0)
	p.Advance(999 * time.Millisecond)
	if got := p.Conn.Slots(); got != 20 {
		t.Errorf("%d slots after less than a second, want 20", got)
	}
	p.Advance(time.Millisecond)
	if got := p.Conn.Slots(); got != 0 {
		t.Errorf("%d slots after a second, want none", got)
	}
	p.Send("HEADERS 41 ES EH $get")
	p.Do("headers 41 $ok ES")
	p.Send("RST_STREAM 3 CANCEL")
	p.WantSignals("nothing of a stream that is gone")
}

// The idle time counts from the end of the last stream, also when an older one
// is over in the same instant.
func TestTimerIdleStartsAnew(t *testing.T) {
	p := greeted(t, conn.Config{Limits: conn.Limits{Idle: 3 * time.Second}})
	p.Send("HEADERS 1 ES EH $get")
	p.Emit(0)
	p.Now += 3 * time.Second
	p.Do("headers 1 $ok ES", "release 1")
	p.Advance(0)
	p.Want("the response and nothing else", "HEADERS 1 ES")
	p.Advance(2999 * time.Millisecond)
	p.WantIdle("not three seconds")
	p.Advance(time.Millisecond)
	p.Want("three seconds", "GOAWAY last=2147483647 NO_ERROR", "PING text=nonetbye")
}
