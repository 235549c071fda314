package conn_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// flood sends the lines again and again, with the next stream's id in
// place of #, until the connection ends, and returns how often.
func flood(p *nonettest.Peer, times int, lines ...string) int {
	p.TB.Helper()
	id := 1
	for i := range times {
		for _, l := range lines {
			p.Send(strings.ReplaceAll(l, "#", strconv.Itoa(id)))
		}
		id += 2
		p.Flush()
		p.Take()
		if p.Err != nil {
			return i + 1
		}
	}
	return times
}

// respondAtOnce makes the application answer each request when it comes.
func respondAtOnce(p *nonettest.Peer) (handled *int) {
	handled = new(int)
	p.App = func(ev conn.Event, _ *hpack.Fields) {
		switch ev.Kind {
		case conn.Headers:
			*handled++
			p.Do(fmt.Sprintf("headers %d ES $ok", ev.Ref.ID))
		case conn.Reset:
			p.Do(fmt.Sprintf("release %d", ev.Ref.ID))
		}
		if ev.End {
			p.Do(fmt.Sprintf("release %d", ev.Ref.ID))
		}
	}
	return handled
}

// TestFloods sends what carries nothing, again and again: the connection ends
// with ENHANCE_YOUR_CALM after a bounded number, and no memory was taken.
func TestFloods(t *testing.T) {
	const request, trailers = "HEADERS # ES EH $get", "HEADERS # ES EH a=b"
	for _, c := range []struct {
		name   string
		setup  []string
		lines  []string
		most   int // times that are survived at most
		reason string
	}{
		{"rapid reset", nil, []string{request, "RST_STREAM # CANCEL"}, 300, "too many resets"},
		{"rapid reset of open requests", nil, []string{"HEADERS # EH $post", "RST_STREAM # NO_ERROR"}, 300, "too many resets"},
		{"PING", nil, []string{"PING"}, 60, "too many PING frames"},
		{"SETTINGS", nil, []string{"SETTINGS INITIAL_WINDOW_SIZE=5"}, 60, "too many SETTINGS frames"},
		{"empty DATA", []string{"HEADERS 1 EH $post"}, []string{"DATA 1"}, 110, "too many useless frames"},
		{"DATA of padding alone", []string{"HEADERS 1 EH $post"}, []string{"DATA 1 pad=0"}, 110, "too many useless frames"},
		{"PRIORITY", nil, []string{"PRIORITY # dep=0"}, 1100, "too many useless frames"},
		{"PRIORITY_UPDATE", nil, []string{"PRIORITY_UPDATE for=# text=u=0"}, 1100, "too many useless frames"},
		{"unknown frames", nil, []string{"UNKNOWN type=0xbb 0"}, 1100, "too many useless frames"},
		{"long unknown frames", nil, []string{"UNKNOWN type=0xbb 0 len=16384"}, 220, "too many useless frames"},
		{"WINDOW_UPDATE of the connection", nil, []string{"WINDOW_UPDATE 0 inc=1"}, 1100, "too many useless frames"},
		{"RST_STREAM on a closed stream", []string{"HEADERS 1 ES EH $get", "RST_STREAM 1 CANCEL"}, []string{"RST_STREAM 1 CANCEL"}, 550, "too many useless frames"},
		{"DATA on a closed stream", []string{"HEADERS 1 ES EH $get", "RST_STREAM 1 CANCEL"}, []string{"DATA 1 len=1"}, 550, "too many useless frames"},
		{"malformed requests", nil, []string{"HEADERS # ES EH $get A=b"}, 60, "too many resets"},
		{"lists that are too large", nil, []string{"HEADERS # ES EH @payload=828684410161{90*97}"}, 30, "too many resets"},
		{"CONTINUATION", nil, []string{"HEADERS # $post", "7 * CONTINUATION # a=b", "CONTINUATION # EH a=b", "DATA # ES"}, 100, "too many useless frames"},
		{"GOAWAY", nil, []string{"GOAWAY last=0 NO_ERROR debug={x*16000}"}, 600, "too many control octets"},
		{"PING answers", nil, []string{"100 * PING ACK text=12345678"}, 6000, "too many control octets"},
		// The six of MadeYouReset, each after a complete request.
		{"WINDOW_UPDATE of 0", nil, []string{request, "WINDOW_UPDATE # inc=0"}, 60, "too many resets"},
		{"PRIORITY of a wrong length", nil, []string{request, "PRIORITY # @payload=00"}, 60, "too many resets"},
		{"PRIORITY on itself", nil, []string{request, "PRIORITY # dep=#"}, 60, "too many resets"},
		{"window overflow", nil, []string{request, "WINDOW_UPDATE # inc=2147483647"}, 60, "too many resets"},
		{"HEADERS after END_STREAM", nil, []string{request, trailers}, 60, "too many resets"},
		{"DATA after END_STREAM", nil, []string{request, "DATA # len=1"}, 60, "too many resets"},
		// And three more of the kind.
		{"content-length exceeded", nil, []string{"HEADERS # EH $post content-length=1", "DATA # len=2"}, 60, "too many resets"},
		{"trailers without END_STREAM", nil, []string{"HEADERS # EH $post", "HEADERS # EH a=b"}, 60, "too many resets"},
		{"HEADERS on itself", nil, []string{"HEADERS # ES EH @dep=# $get"}, 60, "too many resets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newServer(t)
			p.App = func(ev conn.Event, _ *hpack.Fields) {
				if ev.Kind == conn.Reset { // handlers that are cancelled end at once
					p.Do(fmt.Sprintf("release %d", ev.Ref.ID))
				}
			}
			p.Send(c.setup...)
			p.Skip()
			p.Wire.Quiet = true
			n := flood(p, 4*c.most, c.lines...)
			if p.Err == nil || p.Err.Code.String() != "ENHANCE_YOUR_CALM" || p.Err.Reason.String() != c.reason {
				t.Fatalf("after %d times: %v, want %s", n, p.Err, c.reason)
			}
			if n > c.most {
				t.Errorf("it took %d times, want at most %d", n, c.most)
			}
			if got := conn.Held(p.Conn); got > 128<<10 {
				t.Errorf("%d octets are held", got)
			}
			if !p.Conn.Done() {
				t.Error("not done")
			}
		})
	}
}

func TestRapidResetOfAHundredThousand(t *testing.T) {
	p := newServer(t)
	handled := 0
	p.App = func(ev conn.Event, _ *hpack.Fields) {
		if ev.Kind == conn.Headers {
			handled++ // and the handlers never return
		}
	}
	n := flood(p, 100_000, "HEADERS # ES EH $get", "RST_STREAM # CANCEL")
	if p.Err == nil || p.Err.Code.String() != "ENHANCE_YOUR_CALM" {
		t.Fatalf("after %d pairs: %v", n, p.Err)
	}
	if handled > 200 {
		t.Errorf("%d requests reached the application", handled)
	}
}

func TestRapidResetInOneBurst(t *testing.T) {
	p := newServer(t)
	var lines []string
	for id := 1; id < 2000; id += 2 {
		lines = append(lines, fmt.Sprintf("HEADERS %d ES EH $get", id))
	}
	for id := 1; id < 2000; id += 2 {
		lines = append(lines, fmt.Sprintf("RST_STREAM %d CANCEL", id))
	}
	p.Send(lines...)
	p.Flush()
	if p.Err == nil || p.Err.Code.String() != "ENHANCE_YOUR_CALM" {
		t.Errorf("error %v", p.Err)
	}
}

// TestInnocentBrowser cancels a whole page, loads another, again and again, as
// people do.
func TestInnocentBrowser(t *testing.T) {
	p := newServer(t)
	id := 1
	for range 5 {
		first := id
		for range 100 {
			p.Send(fmt.Sprintf("HEADERS %d ES EH $get", id))
			id += 2
		}
		for i := first; i < id; i += 2 {
			p.Send(fmt.Sprintf("RST_STREAM %d CANCEL", i))
			p.Do(fmt.Sprintf("release %d", i))
		}
		for range 200 {
			p.Send(fmt.Sprintf("HEADERS %d ES EH $get", id))
			p.Do(fmt.Sprintf("respond %d", id))
			p.Flush()
			id += 2
		}
		p.Advance(2 * time.Second)
	}
	p.Skip()
	p.WantAlive("a browser is no attacker")
}

// TestInnocentWatcher cancels responses that have begun, as clients of gRPC's
// streams do to end them.
func TestInnocentWatcher(t *testing.T) {
	p := newServer(t)
	for i := range 2000 {
		id := 2*i + 1
		p.Send(fmt.Sprintf("HEADERS %d ES EH $get", id))
		p.Do(fmt.Sprintf("headers %d $ok", id), fmt.Sprintf("queue %d 10", id))
		p.Flush()
		p.Send(fmt.Sprintf("RST_STREAM %d CANCEL", id))
		p.Do(fmt.Sprintf("release %d", id))
	}
	p.Skip()
	p.WantAlive("an answer was on its way")
}

func TestInnocentGRPCClient(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 EH $post")
	p.Do("headers 1 $ok")
	for range 3600 / 10 {
		p.Send("PING text=keepaliv")
		p.Advance(10 * time.Second)
	}
	for range 1000 { // a bandwidth probe for each message that it receives
		p.Do("queue 1 10")
		p.Flush()
		p.Send("PING text=bdpprobe", "WINDOW_UPDATE 0 inc=10", "WINDOW_UPDATE 1 inc=10")
		p.Flush()
	}
	p.Skip()
	p.WantAlive("PINGs while DATA flows are innocent")
}

func TestPingsAreChargedAgainAfterTheData(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 EH $post")
	p.Do("headers 1 $ok", "queue 1 10")
	if n := flood(p, 100, "PING"); n > 60 {
		t.Errorf("%d PINGs pass for one response", n)
	}
}

// TestInnocentResets: a client that has its answer may reset its request.
func TestInnocentResets(t *testing.T) {
	p := newServer(t)
	for id := 1; id < 2000; id += 2 {
		p.Send(fmt.Sprintf("HEADERS %d EH $post", id))
		p.Do(fmt.Sprintf("headers %d ES $ok", id))
		p.Flush()
		p.Send(fmt.Sprintf("RST_STREAM %d NO_ERROR", id))
		p.Do(fmt.Sprintf("release %d", id))
	}
	p.Skip()
	p.WantAlive("no work was in vain")
}

func TestInnocentDownload(t *testing.T) {
	p := newServer(t)
	p.Wire.Quiet = true
	p.Send("HEADERS 1 ES EH $get")
	p.Do("headers 1 $ok")
	for range 5000 { // 16 kB each, two updates for each
		p.Do("queue 1 16384")
		p.Flush()
		p.Take()
		p.Send("WINDOW_UPDATE 0 inc=16384", "WINDOW_UPDATE 1 inc=16384")
	}
	p.Wire.Quiet = false
	p.Skip()
	p.WantAlive("a download is no flood")
}

func TestInnocentSmallRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("20 000 requests")
	}
	p := newServer(t)
	handled := respondAtOnce(p)
	p.Wire.Quiet = true
	flood(p, 20_000, "HEADERS # ES EH $get")
	if p.Err != nil || *handled != 20_000 {
		t.Errorf("%d requests, %v", *handled, p.Err)
	}
}

// TestAnswersWaitForThePeer: a peer that does not read is not read from.
func TestAnswersWaitForThePeer(t *testing.T) {
	for _, c := range []struct{ name, line string }{
		{"PING", "100000 * PING"},
		{"refused requests", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := greeted(t, conn.Config{Limits: conn.Limits{MaxConcurrentStreams: 1, ControlQueue: 1000}})
			var b []byte
			if c.line == "" {
				for id := 1; id < 400; id += 2 {
					b = append(b, p.Octets(fmt.Sprintf("HEADERS %d EH $post", id))...)
				}
			} else {
				b = p.Octets(c.line)
			}
			var f hpack.Fields
			used := 0
			for p.Conn.WantRead() && used < len(b) {
				_, n, err := p.Conn.Next(0, b[used:], &f)
				if err != nil {
					t.Fatal(err)
				}
				used += n
			}
			if used > 8192 {
				t.Fatalf("%d octets were taken before anything was sent", used)
			}
			if _, n, _ := p.Conn.Next(0, b[used:], &f); n != 0 {
				t.Errorf("Next takes %d octets while WantRead is false", n)
			}
			if !p.Conn.WantEmit() {
				t.Error("nothing to send, and no reading")
			}
			var w conn.Batch
			p.Conn.Emit(0, &w, 1<<16)
			if len(w.Buf) > 4096 || !p.Conn.WantRead() {
				t.Errorf("%d octets of answers; WantRead %v after them", len(w.Buf), p.Conn.WantRead())
			}
		})
	}
}

// A long download is no flood of WINDOW_UPDATE, however small its client's steps.
func TestLongDownload(t *testing.T) {
	p := newServer(t)
	p.Wire.Quiet = true
	p.Send("HEADERS 1 ES EH $get")
	p.Do("headers 1 $ok")
	update := p.Octets("WINDOW_UPDATE 0 inc=100", "WINDOW_UPDATE 1 inc=100")
	for range 8 * (1 << 20) / len(update) * 5 / 4 {
		if p.Conn.QueuedFor(conn.Ref{ID: 1}) == 0 {
			p.Do("queue 1 100000")
			p.Emit(0)
		}
		p.Feed(update)
		p.Emit(0)
	}
	if p.Err != nil {
		t.Error(p.Err)
	}
}
