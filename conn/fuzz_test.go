package conn_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// FuzzServer feeds octets to a server whose application answers at once.
// Whatever comes: no panic, no invariant broken, nothing wrong sent, and the
// same however the octets are cut.
func FuzzServer(f *testing.F) {
	for _, file := range corpus(f) {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint64(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		whole := serve(t, b, nil)
		cut := serve(t, b, func(n int) int { return 1 + rnd.IntN(n) })
		if fmt.Sprint(whole) != fmt.Sprint(cut) {
			t.Errorf("whole: %q\ncut: %q", whole, cut)
		}
	})
}

// FuzzClient feeds octets to a client with a few requests, after a greeting:
// as FuzzServer does.
func FuzzClient(f *testing.F) {
	s := nonettest.NewPeer(f, conn.Config{Role: conn.Client})
	for i, lines := range [][]string{
		{"HEADERS 1 ES EH $ok"}, {"HEADERS 1 EH $ok", "DATA 1 ES len=50"}, {"HEADERS 1 EH :status=103", "HEADERS 1 EH $ok a=b", "HEADERS 1 ES EH c=d"},
		{"HEADERS 5 $ok", "CONTINUATION 5 EH a=b", "RST_STREAM 1 REFUSED_STREAM"}, {"GOAWAY last=1 NO_ERROR", "SETTINGS INITIAL_WINDOW_SIZE=5", "PING"},
		{"WINDOW_UPDATE 3 inc=5", "WINDOW_UPDATE 0 inc=500", "DATA 1 len=5", "PUSH_PROMISE 1 EH $get"},
		{"SETTINGS MAX_CONCURRENT_STREAMS=1", "HEADERS 1 EH $ok content-length=3", "DATA 1 len=4 pad=7"}, {"PING ACK text=nnt?%00%00%00%01", "SETTINGS ENABLE_PUSH=1"},
		{"HEADERS 3 ES EH $ok", "RST_STREAM 3 NO_ERROR", "GOAWAY last=3 CANCEL debug=x", "HEADERS 5 ES EH $ok", "DATA 5 len=1"},
	} {
		f.Add(s.Octets(lines...), uint64(i))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if len(b) > 1<<14 {
			t.Skip("long enough")
		}
		rnd := rand.New(rand.NewPCG(seed, 0))
		whole := request(t, b, nil)
		cut := request(t, b, func(n int) int { return 1 + rnd.IntN(n) })
		if fmt.Sprint(whole) != fmt.Sprint(cut) {
			t.Errorf("whole: %q\ncut: %q", whole, cut)
		}
	})
}

// request feeds b to a client that has three requests, and returns what happened.
func request(t *testing.T, b []byte, slice func(int) int) []string {
	p := newClient(t)
	p.Do("open ES $get", "open $post", "queue 3 100000", "open ES :method=HEAD :scheme=http :path=/ :authority=a")
	p.Flush()
	p.Slice = slice
	p.App = func(ev conn.Event, _ *hpack.Fields) {
		app := p.Streams[ev.Ref.ID]
		if app == nil {
			return // the answer to a PING
		}
		if p.Conn.Consumed(ev.Ref, len(ev.Data)); ev.End || ev.Kind == conn.Reset {
			app.Done = true
			p.Conn.Release(ev.Ref)
		}
	}
	p.Feed(b)
	p.Flush()
	return slices.Concat(p.Events, p.Signals, p.Wire.Lines)
}

// FuzzScript makes a conversation of both sides' steps out of octets: frames
// that are mostly right, commands, time.
func FuzzScript(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(randomOctets(seed, 300))
	}
	f.Fuzz(runScript)
}

// TestRandomScript is FuzzScript with octets of its own.
func TestRandomScript(t *testing.T) {
	n := 1500
	if testing.Short() || raceEnabled {
		n = 100
	}
	steps := 0
	for seed := range uint64(n) {
		if steps += playScript(t, randomOctets(seed, 900)); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if steps < 50*n {
		t.Errorf("a script has %d steps before its connection ends, on average", steps/n)
	}
}

func randomOctets(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// What a script does: # is a stream that was opened, @ the next one, ? a number.
var (
	opening = []string{"HEADERS @ EH $post", "HEADERS @ ES EH $get a=?", "HEADERS @ EH $post content-length=?", "HEADERS @ ES $get", "HEADERS @ $post"}
	blocks  = []string{"CONTINUATION # EH c=?", "CONTINUATION # d=?", "CONTINUATION # EH c=?"}
	frames  = []string{
		"DATA # len=?", "DATA # len=? pad=9", "DATA # ES len=?", "DATA # len=?", "DATA # len=1 pad=?", "WINDOW_UPDATE # inc=?", "WINDOW_UPDATE 0 inc=?", "HEADERS # ES EH b=?",
		"HEADERS # ES b=?", "RST_STREAM # CANCEL", "PRIORITY # dep=0", "PRIORITY_UPDATE for=# text=u=1", "PING", "WINDOW_UPDATE # inc=2147483647",
		"SETTINGS INITIAL_WINDOW_SIZE=?", "SETTINGS HEADER_TABLE_SIZE=?", "SETTINGS MAX_FRAME_SIZE=30000 INITIAL_WINDOW_SIZE=100000", "UNKNOWN type=0xbb # len=?",
		"PING ACK text=nonetbye",
	}
	broken   = []string{"CONTINUATION # EH c=?", "SETTINGS ACK", "WINDOW_UPDATE 0 inc=2147483647", "DATA # @length=?", "PING @cut=?", "DATA 999 len=1", "GOAWAY last=0 NO_ERROR"}
	commands = []string{
		"headers # $ok e=?", "headers # ES $ok", "headers # $ok", "headers # :status=103", "queue # ?", "queue # ? ES", "queue # 50000", "trailers # f=?", "reset # ?",
		"release #", "consume # ?", "consume # 100000", "emit ?", "emit 65536", "budget ?", "prioritize # ?", "ping 12345678", "respond #",
	}
)

// runScript plays three octets a step: what, which stream, which number.
func runScript(t *testing.T, b []byte) { playScript(t, b) }

func playScript(t *testing.T, b []byte) (steps int) {
	p := greeted(t, conn.Config{Limits: conn.Limits{MaxConcurrentStreams: 5, StreamWindow: 1000, ConnWindow: 65535}})
	p.Wire.Quiet = true
	next, open := 1, 0 // open: the stream whose header block is not complete
	for ; len(b) >= 3 && p.Err == nil && !p.Conn.Done(); b = b[3:] {
		steps++
		k, number := int(b[0]), int(b[2])
		stream := next - 2 - 2*int(b[1]%8)
		if open != 0 {
			stream = open
		}
		line := ""
		switch {
		case k == 0:
			line = broken[number%len(broken)]
		case k < 4:
			p.Do("shutdown")
		case open != 0 && k < 150:
			if line = blocks[k%len(blocks)]; strings.Contains(line, "EH") {
				open = 0
			}
		case k < 40:
			line, stream = opening[k%len(opening)], next
			if !strings.Contains(line, "EH") {
				open = next
			}
			next += 2
		case k < 150:
			if line = frames[k%len(frames)]; strings.HasPrefix(line, "HEADERS") && !strings.Contains(line, "EH") {
				open = stream
			}
		case k < 230:
			runCommand(p, uint32(max(stream, 1)), fill(commands[k%len(commands)], stream, number))
		case k < 240:
			p.Advance(time.Duration(number) * 100 * time.Millisecond)
		default:
			p.Flush()
		}
		if line != "" && stream > 0 {
			p.Send(fill(line, stream, number))
		}
	}
	p.Flush()
	p.Take()
	return steps
}

func fill(s string, stream, number int) string {
	return strings.NewReplacer("#", fmt.Sprint(max(stream, 1)), "@", fmt.Sprint(stream), "?", fmt.Sprint(number)).Replace(s)
}

func runCommand(p *nonettest.Peer, id uint32, command string) {
	p.TB.Helper()
	if app := p.Streams[id]; app != nil && (app.Done || app.Over && !strings.HasPrefix(command, "rel")) {
		return
	}
	if err := p.Engine.Do(command); err != nil && err != conn.ErrOrder && err != conn.ErrGone {
		p.TB.Fatalf("%s: %v", command, err)
	}
}
