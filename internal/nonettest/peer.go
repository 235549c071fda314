package nonettest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nonet-h2/nonet/conn"
)

// Peer is the other end of an Engine, played by the test line by line.
type Peer struct {
	*Engine
	script *script
	seen   int // lines of Wire.Lines that were wanted
	told   int // events that were wanted
	heard  int // signals that were wanted
}

// NewPeer returns a Peer whose Engine has sent and received nothing.
func NewPeer(tb testing.TB, cfg conn.Config) *Peer {
	return &Peer{Engine: NewEngine(tb, cfg), script: newScript()}
}

// Greet exchanges prefaces, SETTINGS and their acknowledgements, whatever they
// hold: extra are settings that the peer sends, such as "MAX_FRAME_SIZE=20000".
func (p *Peer) Greet(extra ...string) {
	p.TB.Helper()
	if p.Wire.server {
		p.Send("PREFACE")
	}
	p.Send("SETTINGS " + strings.Join(extra, " "))
	p.Flush()
	p.Send("SETTINGS ACK")
	p.Skip()
	if p.Err != nil {
		p.TB.Fatalf("the greeting fails: %v", p.Err)
	}
}

// Send sends frames in the notation of script.go. All octets are given to the
// Engine at once; what the Engine answers is not yet sent.
func (p *Peer) Send(lines ...string) {
	p.TB.Helper()
	p.Feed(p.Octets(lines...))
}

// Octets are the octets of frames, encoded in the order of the calls.
func (p *Peer) Octets(lines ...string) (b []byte) {
	p.TB.Helper()
	var err error
	for _, l := range lines {
		if b, err = p.script.append(b, l); err != nil {
			p.TB.Fatal(err)
		}
	}
	return b
}

// Do carries out commands of the application (Engine.Do), which must succeed.
func (p *Peer) Do(commands ...string) {
	p.TB.Helper()
	for _, c := range commands {
		if err := p.Engine.Do(c); err != nil {
			p.TB.Fatalf("%s: %v", c, err)
		}
	}
}

// DoErr carries out a command that must fail with this error.
func (p *Peer) DoErr(want error, command string) {
	p.TB.Helper()
	if err := p.Engine.Do(command); err != want {
		p.TB.Fatalf("%s: error %v, want %v", command, err, want)
	}
}

// Want asserts that the next frames the Engine sends are these, and that it
// sends nothing else now. A GOAWAY without debug= fits any debug data; HEADERS
// without fields fits any fields; "SETTINGS …" fits any settings.
func (p *Peer) Want(reason string, lines ...string) {
	p.TB.Helper()
	p.compare(reason, "frames", p.Sent(), lines)
}

// WantIdle asserts that the Engine has nothing to send and no error.
func (p *Peer) WantIdle(reason string) {
	p.TB.Helper()
	p.Want(reason)
	if p.Err != nil {
		p.TB.Errorf("%s: connection error: %v", reason, p.Err)
	}
}

// WantEvents asserts that the events since the last WantEvents are these.
// Headers, info and trailers without fields fit any; so do errors and resets
// without debug=.
func (p *Peer) WantEvents(reason string, lines ...string) {
	p.TB.Helper()
	got := p.Events[p.told:]
	p.told = len(p.Events)
	p.compare(reason, "events", got, lines)
}

// WantSignals asserts that the signals since the last WantSignals are these.
func (p *Peer) WantSignals(reason string, lines ...string) {
	p.TB.Helper()
	p.Drain()
	got := p.Signals[p.heard:]
	p.heard = len(p.Signals)
	p.compare(reason, "signals", got, lines)
}

// Skip takes everything that was sent and told as wanted.
func (p *Peer) Skip() {
	p.TB.Helper()
	p.Sent()
	p.seen, p.told, p.heard = len(p.Wire.Lines), len(p.Events), len(p.Signals)
}

// Sent returns the frames that were sent since the last Want, and takes them as wanted.
func (p *Peer) Sent() []string {
	p.TB.Helper()
	p.Flush()
	p.Take()
	got := p.Wire.Lines[p.seen:]
	p.seen = len(p.Wire.Lines)
	return got
}

func (p *Peer) compare(reason, what string, got, want []string) {
	p.TB.Helper()
	short := make([]string, len(got))
	for i, g := range got {
		if short[i] = g; i < len(want) {
			short[i] = fit(g, want[i])
		}
	}
	full := make([]string, len(want))
	for i, w := range want {
		full[i] = expand(w)
	}
	if diff := cmp.Diff(full, short); diff != "" && len(full)+len(short) > 0 {
		p.TB.Fatalf("%s: wrong %s (-want +got):\n%s", reason, what, diff)
	}
}

// expand resolves the macros and repetitions of a wanted line.
func expand(line string) string {
	words := strings.Fields(macros.Replace(line))
	for i, w := range words {
		if strings.Contains(w, "{") {
			if s, err := unescape(w); err == nil {
				words[i] = escape(s)
			}
		}
	}
	return strings.Join(words, " ")
}

// fit takes from a line what the wanted line says nothing about.
func fit(got, want string) string {
	kind := firstWord(got)
	if want == "SETTINGS …" && kind == "SETTINGS" && !strings.HasPrefix(got, "SETTINGS ACK") {
		return want
	}
	if !strings.Contains(want, "debug=") {
		got, _, _ = strings.Cut(got, " debug=")
	}
	switch kind {
	case "HEADERS", "headers", "info", "trailers":
		if !strings.Contains(expand(want), "=") {
			words := strings.Fields(got)
			for i, w := range words {
				if strings.Contains(w, "=") {
					return strings.Join(words[:i], " ")
				}
			}
		}
	}
	return got
}

// WantAlive asserts that the connection works: a PING is answered, and another
// request succeeds, with fields that are indexed and come again.
func (p *Peer) WantAlive(reason string) {
	p.TB.Helper()
	p.WantIdle(reason + ": nothing else was sent")
	p.Send("PING text=alive?!!")
	p.Want(reason+": a PING is answered", "PING ACK text=alive?!!")
	app, onSignal := p.App, p.OnSignal
	p.App, p.OnSignal = nil, nil
	told := len(p.Events)
	if p.Wire.server {
		id := max(p.script.opened, p.Wire.highest) + 2
		if p.script.opened == 0 && p.Wire.highest == 0 {
			id = 1
		}
		for range 2 {
			p.Send(fmt.Sprintf("HEADERS %d ES EH $get alive=%d", id, p.script.opened))
			p.Do(fmt.Sprintf("respond %d", id))
			p.Want(reason+": another request succeeds", fmt.Sprintf("HEADERS %d ES :status=200", id))
			id += 2
		}
	} else {
		for range 2 {
			p.Do("open ES $get")
			p.Flush()
			id := p.Wire.highest
			p.Send(fmt.Sprintf("HEADERS %d ES EH $ok alive=%d", id, id))
			p.Do(fmt.Sprintf("release %d", id))
			p.Want(reason+": another request succeeds", fmt.Sprintf("HEADERS %d ES $get", id))
		}
	}
	p.App, p.OnSignal = app, onSignal
	p.Events = append(p.Events[:told:told], keepErrors(p.Events[told:])...)
	p.heard = len(p.Signals)
}

func keepErrors(events []string) (kept []string) {
	for _, e := range events {
		if firstWord(e) == "error" {
			kept = append(kept, e)
		}
	}
	return kept
}

// WantDone asserts that the connection ended: nothing is to be sent, what the
// peer sends is ignored, and no deadline is left.
func (p *Peer) WantDone(reason string) {
	p.TB.Helper()
	p.Want(reason + ": nothing else was sent")
	if !p.Conn.Done() {
		p.TB.Fatalf("%s: the connection is not done", reason)
	}
	told := len(p.Events)
	p.Send("PING text=too-late", "HEADERS 2147483647 ES EH $get")
	p.Want(reason + ": octets after the end are ignored")
	if len(p.Events) != told {
		p.TB.Fatalf("%s: events after the end: %q", reason, p.Events[told:])
	}
}

// WantError asserts that the connection ended with this code and last stream.
func (p *Peer) WantError(reason, code string, last int) {
	p.TB.Helper()
	p.Want(reason, fmt.Sprintf("GOAWAY last=%d %s", last, code))
	if p.Err == nil || p.Err.Side != conn.Local || p.Conn.Err() != p.Err {
		p.TB.Fatalf("%s: Next returned %v, Err is %v", reason, p.Err, p.Conn.Err())
	}
	p.WantDone(reason)
	if d := p.Conn.Deadline(); d != 0 {
		p.TB.Fatalf("%s: deadline %v after the end", reason, d)
	}
}

// WantDeadline asserts when Expire is to be called, counted from now.
func (p *Peer) WantDeadline(reason string, in time.Duration) {
	p.TB.Helper()
	if d := p.Conn.Deadline() - p.Now; d != in {
		p.TB.Fatalf("%s: the deadline is in %v, want %v", reason, d, in)
	}
}
