package conn_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// emitOnce returns the frames of one Emit.
func emitOnce(p *nonettest.Peer, max int) []string {
	before := len(p.Wire.Lines)
	p.Emit(max)
	return p.Wire.Lines[before:]
}

func TestTrailersLeaveWithTheLastData(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 ES EH $get")
	p.Do("headers 1 $ok", "queue 1 100", "trailers 1 grpc-status=0")
	if got := strings.Join(emitOnce(p, 60), "\n"); got != "HEADERS 1 :status=200\nDATA 1 len=100\nHEADERS 1 ES grpc-status=0" {
		t.Errorf("one Emit sends\n%s", got)
	}
}

// TestTrailersOf127KB: they are split into frames of the peer's maximum, or of
// our own where that is less.
func TestTrailersOf127KB(t *testing.T) {
	for _, c := range []struct {
		own, peer uint32
		more      int // CONTINUATION frames
	}{{0, 16384, 7}, {0, 100000, 7}, {1 << 20, 100000, 1}, {100, 16384, 7}} {
		p := greeted(t, conn.Config{Limits: conn.Limits{SendFrameSize: c.own}}, fmt.Sprint("MAX_FRAME_SIZE=", c.peer))
		p.Send("HEADERS 1 ES EH $get")
		p.Do("headers 1 $ok", "queue 1 5", "trailers 1 first={%ff*65000} second={%ff*65000}")
		p.Want("content and trailers", "HEADERS 1", "DATA 1 len=5", fmt.Sprintf("HEADERS 1 ES +%d first={%%ff*65000} second={%%ff*65000}", c.more))
		p.WantSignals("they left", "sent 1")
	}
}

func TestEmitStopsAtMax(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 ES EH $get", "HEADERS 3 ES EH $get")
	p.Do("headers 1 $ok", "headers 3 $ok", "queue 1 20000 ES", "queue 3 20000 ES")
	total, batches := 0, 0
	for p.Conn.WantEmit() {
		n := p.Emit(5000)
		if n > 5000+16384+frame.HeaderLen {
			t.Errorf("a batch of %d octets", n)
		}
		total += n
		batches++
	}
	if total < 40000 || batches < 4 {
		t.Errorf("%d octets in %d batches", total, batches)
	}
}

func TestEmitSharesInTurn(t *testing.T) {
	p := newServer(t)
	for id := 1; id <= 5; id += 2 {
		p.Send(fmt.Sprintf("HEADERS %d ES EH $get", id))
		p.Do(fmt.Sprintf("headers %d $ok", id), fmt.Sprintf("queue %d 20000 ES", id))
	}
	p.Want("streams share the connection", "HEADERS 1", "HEADERS 3", "HEADERS 5",
		"DATA 1 len=16384", "DATA 3 len=16384", "DATA 5 len=16384", "DATA 1 ES len=3616", "DATA 3 ES len=3616", "DATA 5 ES len=3616")
}

func TestRFC9218_EmitByUrgency(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 ES EH $get priority=u=5", "HEADERS 3 ES EH $get priority=u=0", "HEADERS 5 ES EH $get priority=u=5",
		"PRIORITY_UPDATE for=7 text=u=1", "HEADERS 7 ES EH $get priority=u=7")
	for id := 1; id <= 7; id += 2 {
		p.Do(fmt.Sprintf("headers %d $ok", id), fmt.Sprintf("queue %d 17000 ES", id))
	}
	p.Send("PRIORITY_UPDATE for=5 text=u=2")
	p.Send("WINDOW_UPDATE 0 inc=100000")
	p.Want("the urgent first, one after the other", "HEADERS 1", "HEADERS 3", "HEADERS 5", "HEADERS 7",
		"DATA 3 len=16384", "DATA 3 ES len=616", "DATA 7 len=16384", "DATA 7 ES len=616",
		"DATA 5 len=16384", "DATA 5 ES len=616", "DATA 1 len=16384", "DATA 1 ES len=616")
	p.Send("HEADERS 9 ES EH $get", "HEADERS 11 ES EH $get")
	p.Do("headers 9 $ok", "headers 11 $ok", "queue 9 5 ES", "queue 11 5 ES", "prioritize 11 1")
	p.Want("the application may say so too", "HEADERS 9", "HEADERS 11", "DATA 11 ES len=5", "DATA 9 ES len=5")
}

func TestSendFrameSize(t *testing.T) {
	p := greeted(t, conn.Config{Limits: conn.Limits{SendFrameSize: 1000}})
	p.Send("HEADERS 1 ES EH $get")
	p.Do("headers 1 $ok a={%ff*5000}", "queue 1 2500 ES")
	p.Want("DATA is cut small, header blocks are not", "HEADERS 1 :status=200 a={%ff*5000}", "DATA 1 len=1000", "DATA 1 len=1000", "DATA 1 ES len=500")
	big := greeted(t, conn.Config{Limits: conn.Limits{SendFrameSize: 1 << 20}}, "MAX_FRAME_SIZE=30000")
	big.Send("HEADERS 1 ES EH $get")
	big.Do("headers 1 $ok", "queue 1 50000 ES")
	big.Want("frames as large as the peer takes", "HEADERS 1", "DATA 1 len=30000", "DATA 1 ES len=20000")
}

func TestPeerSettings(t *testing.T) {
	p := newPeer(t, conn.Config{})
	if s, ok := p.Conn.Peer(); ok || s.InitialWindowSize != 65535 || s.MaxFrameSize != 16384 || s.MaxConcurrentStreams != math.MaxUint32 || !s.EnablePush {
		t.Errorf("before they came: %+v, %v", s, ok)
	}
	p.Greet("ENABLE_PUSH=0", "MAX_CONCURRENT_STREAMS=7", "INITIAL_WINDOW_SIZE=1", "MAX_FRAME_SIZE=20000", "MAX_HEADER_LIST_SIZE=9", "HEADER_TABLE_SIZE=3",
		"ENABLE_CONNECT_PROTOCOL=1", "NO_RFC7540_PRIORITIES=1")
	want := conn.PeerSettings{HeaderTableSize: 3, MaxConcurrentStreams: 7, InitialWindowSize: 1, MaxFrameSize: 20000, MaxHeaderListSize: 9,
		EnableConnectProtocol: true, NoRFC7540Priorities: true}
	if s, ok := p.Conn.Peer(); !ok || s != want {
		t.Errorf("%+v, %v, want %+v", s, ok, want)
	}
	c := newPeer(t, conn.Config{Role: conn.Client})
	if s, _ := c.Conn.Peer(); s.MaxConcurrentStreams != 100 {
		t.Errorf("a client assumes %d streams", s.MaxConcurrentStreams)
	}
	c.Greet()
	if s, _ := c.Conn.Peer(); s.MaxConcurrentStreams != math.MaxUint32 {
		t.Errorf("the server set no limit: %d streams", s.MaxConcurrentStreams)
	}
}

func TestFail(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 EH $post")
	p.Conn.Fail(frame.InadequateSecurity, frame.ReasonInadequateSecurity)
	p.Conn.Fail(frame.InternalError, frame.ReasonInternal) // the first wins
	p.Want("GOAWAY with that code", "GOAWAY last=1 INADEQUATE_SECURITY debug=inadequate%20TLS%20security")
	p.WantSignals("streams end", "ended 1 local INADEQUATE_SECURITY")
	p.WantDone("the connection is over")
	if err := p.Conn.Err(); err == nil || err.Code != frame.InadequateSecurity || err.Side != conn.Local {
		t.Errorf("Err is %v", err)
	}
	p.Conn.Shutdown(0)
	p.Do("ping abcdefgh", "consume 1 5", "release 1")
	p.WantDone("and stays over")
}

func TestPeerGoAway(t *testing.T) {
	p := newClient(t)
	p.Do("open ES $get")
	p.Skip()
	if _, _, _, ok := p.Conn.PeerGoAway(); ok || p.Conn.Draining() {
		t.Error("there was no GOAWAY")
	}
	p.Send("GOAWAY last=1 ENHANCE_YOUR_CALM debug={x*100}")
	if last, code, debug, ok := p.Conn.PeerGoAway(); last != 1 || code != frame.EnhanceYourCalm || debug != strings.Repeat("x", 64) || !ok {
		t.Errorf("PeerGoAway: %d, %v, %q, %v", last, code, debug, ok)
	}
	if err := p.Conn.Err(); err != nil || !p.Conn.Draining() {
		t.Errorf("Err is %v, draining %v", err, p.Conn.Draining())
	}
	p.Send("HEADERS 1 ES EH $ok")
	p.WantEvents("the stream that it counts in goes on", "headers 1 end")
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  conn.Error
		want string
	}{
		{conn.Error{Code: frame.ProtocolError, Reason: frame.ReasonPadding, Side: conn.Local}, "connection error PROTOCOL_ERROR (padding exceeds payload)"},
		{conn.Error{Code: frame.EnhanceYourCalm, Side: conn.Remote, Debug: "a\nb"}, `connection error ENHANCE_YOUR_CALM from the peer: "a\nb"`},
		{conn.Error{Code: frame.Cancel, Stream: 5}, "stream 5 error CANCEL"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if s := fmt.Sprint(conn.Nobody, conn.Local, conn.Remote); s != "nobody local remote" {
		t.Errorf("sides are %q", s)
	}
}

func TestFateAndCounts(t *testing.T) {
	p := newServer(t, "INITIAL_WINDOW_SIZE=10")
	p.Send("HEADERS 1 ES EH $get", "HEADERS 3 ES EH $get")
	r := p.Streams[1].Ref
	if a, u := p.Conn.Active(), p.Conn.Unreleased(); a != 2 || u != 2 {
		t.Errorf("%d active, %d unreleased", a, u)
	}
	p.Do("headers 1 $ok", "queue 1 25 ES")
	p.Skip()
	if n := p.Conn.QueuedFor(r); n != 15 {
		t.Errorf("%d octets are queued", n)
	}
	if code, side, retry := p.Conn.Fate(r); code != 0 || side != conn.Nobody || retry {
		t.Errorf("alive: %v %v %v", code, side, retry)
	}
	p.Send("RST_STREAM 1 1111")
	if code, side, _ := p.Conn.Fate(r); code != 1111 || side != conn.Remote {
		t.Errorf("reset: %v %v", code, side)
	}
	if a, u := p.Conn.Active(), p.Conn.Unreleased(); a != 1 || u != 2 {
		t.Errorf("%d active, %d unreleased after the reset", a, u)
	}
	if n := p.Conn.QueuedFor(r); n != 0 {
		t.Errorf("%d octets are queued after the reset", n)
	}
	p.Do("release 1")
	if code, side, _ := p.Conn.Fate(r); code != 0 || side != conn.Nobody {
		t.Errorf("released: %v %v", code, side)
	}
}

func TestFateOfARefusedRequest(t *testing.T) {
	p := newClient(t)
	p.Do("open ES $get", "open ES $get")
	if d := p.Conn.Deadline(); d != 30*time.Second {
		t.Errorf("deadline %v while streams are open, want that of the PING", d)
	}
	p.Skip()
	p.Send("RST_STREAM 1 REFUSED_STREAM", "RST_STREAM 3 CANCEL")
	if code, side, retry := p.Conn.Fate(p.Streams[1].Ref); code != frame.RefusedStream || side != conn.Remote || !retry {
		t.Errorf("refused: %v %v %v", code, side, retry)
	}
	if _, _, retry := p.Conn.Fate(p.Streams[3].Ref); retry {
		t.Error("a request that was cancelled may have been processed")
	}
}

func TestPreparedFields(t *testing.T) {
	p := greeted(t, prepared())
	p.Send("HEADERS 1 ES EH $get", "HEADERS 3 ES EH $get")
	for _, id := range []uint32{1, 3} {
		f := nonettest.Fields("$ok")
		f.AddPrepared(preparedServer)
		if err := p.Conn.Headers(p.Streams[id].Ref, f, true); err != nil {
			t.Fatal(err)
		}
	}
	p.Want("prepared fields are fields", "HEADERS 1 ES :status=200 server=nonet", "HEADERS 3 ES :status=200 server=nonet")
}

// TestUrgentBehindBulk: a small response that the client calls urgent leaves with
// the next batch, however many downloads are under way (golang/go#75936).
func TestUrgentBehindBulk(t *testing.T) {
	for _, how := range []struct{ name, request, then string }{
		{"the request says so", "HEADERS 201 ES EH $get priority=u=0", ""},
		{"PRIORITY_UPDATE says so", "HEADERS 201 ES EH $get", "PRIORITY_UPDATE for=201 text=u=0"},
	} {
		t.Run(how.name, func(t *testing.T) {
			p := greeted(t, conn.Config{Limits: conn.Limits{MaxConcurrentStreams: 101}}, "INITIAL_WINDOW_SIZE=10000000")
			p.Send("WINDOW_UPDATE 0 inc=1000000000")
			for id := 1; id < 200; id += 2 {
				p.Send(fmt.Sprintf("HEADERS %d ES EH $get", id))
				p.Do(fmt.Sprintf("headers %d $ok", id), fmt.Sprintf("queue %d 1000000 ES", id))
			}
			for range 10 {
				emitOnce(p, 64<<10)
			}
			p.Send(how.request)
			if how.then != "" {
				p.Send(how.then)
			}
			p.Do("headers 201 $ok", "queue 201 100 ES")
			frames := strings.Join(emitOnce(p, 64<<10), "\n")
			if first := strings.Index(frames, "DATA"); first < 0 || !strings.HasPrefix(frames[first:], "DATA 201 ES len=100") {
				t.Errorf("the next batch is\n%s", frames)
			}
		})
	}
}
