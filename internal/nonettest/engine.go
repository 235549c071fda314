package nonettest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// Engine drives one Conn as a driver does, without a network, and is the
// application above it as far as a test says so. It fails the test when the
// Conn's output breaks a rule of the wire, when an event does not fit the
// stream, or when an invariant does not hold.
type Engine struct {
	TB   testing.TB
	Conn *conn.Conn
	Wire *Checker
	Now  time.Duration

	// Slice says how many of n octets the next call of Next gets; nil: all.
	Slice func(n int) int
	// Check is asked after every step whether invariants hold; nil: not.
	Check func(*conn.Conn) error
	// App is told of every event after the Engine has noted it.
	App func(ev conn.Event, f *hpack.Fields)
	// OnSignal is told of every signal after the Engine has noted it.
	OnSignal func(r conn.Ref, x conn.Signals)
	// Pattern says that payload consists of the octets of Octet: it is made so
	// when sent and checked when received.
	Pattern bool
	// Max is the size of a batch; 0: 1 MiB.
	Max int

	// Events and Signals are what happened, as text: see event.go.
	Events  []string
	Signals []string
	// Err is the connection error that Next or Expire returned.
	Err *conn.Error

	Streams map[uint32]*App
	fields  hpack.Fields
	batch   conn.Batch
	sent    []byte // octets that left and that nobody took
	partial bool   // the last event is a part of a DATA frame
}

// App is a stream as the application sees it.
type App struct {
	Ref    conn.Ref
	Got    int // octets of payload received
	Unread int // of them not consumed
	Sent   int // octets of payload sent
	End    bool
	Over   bool // Reset or Ended was told
	Done   bool // released
	Sends  bool // we sent or queued the end
	Trails bool // TrailersSent is due
}

// NewEngine returns an Engine with a new Conn at time 0.
func NewEngine(tb testing.TB, cfg conn.Config) *Engine {
	e := &Engine{TB: tb, Wire: NewChecker(cfg.Role == conn.Server), Streams: map[uint32]*App{}}
	e.Conn = conn.New(cfg, 0)
	return e
}

// Feed gives octets to the Conn, all of them. While the Conn does not want to
// read, what it has to send is sent first.
func (e *Engine) Feed(b []byte) {
	e.TB.Helper()
	for len(b) > 0 {
		n := len(b)
		if e.Slice != nil {
			n = max(1, min(e.Slice(n), n))
		}
		used := e.next(b[:n])
		if used == 0 {
			if e.Conn.WantRead() {
				e.TB.Fatalf("Next consumed nothing of %d octets and WantRead is true", n)
			}
			e.Flush()
			if !e.Conn.WantRead() {
				e.TB.Fatal("WantRead is false after everything was sent")
			}
		}
		b = b[used:]
	}
	if used := e.next(nil); used != 0 {
		e.TB.Fatalf("Next consumed %d octets of none", used)
	}
}

func (e *Engine) next(b []byte) int {
	e.TB.Helper()
	ev, n, err := e.Conn.Next(e.Now, b, &e.fields)
	if n < 0 || n > len(b) {
		e.TB.Fatalf("Next consumed %d of %d octets", n, len(b))
	}
	e.Wire.Input(b[:n])
	e.failed(err)
	e.event(ev)
	e.Verify()
	return n
}

func (e *Engine) failed(err error) {
	if err == nil {
		return
	}
	var ce *conn.Error
	if !errors.As(err, &ce) || ce.Stream != 0 {
		e.TB.Fatalf("error is no connection error: %v", err)
	}
	if e.Err != nil {
		e.TB.Fatalf("a second connection error: %v after %v", err, e.Err)
	}
	e.Err = ce
	e.Events = append(e.Events, fmt.Sprintf("error %v debug=%s", ce.Code, escape(ce.Reason.String())))
}

// Flush sends everything that the Conn wants to send, in batches, and drains
// the signals.
func (e *Engine) Flush() {
	e.TB.Helper()
	empty := 0
	for e.Conn.WantEmit() {
		if e.Emit(e.Max) == 0 {
			if empty++; empty > 3 {
				e.TB.Fatal("WantEmit stays true and Emit sends nothing")
			}
		}
	}
	e.Drain()
}

// Emit sends one batch of at most about max octets, and returns its size.
func (e *Engine) Emit(max int) int {
	e.TB.Helper()
	if max == 0 {
		max = 1 << 20
	}
	e.batch.Reset()
	e.Conn.Emit(e.Now, &e.batch, max)
	before := len(e.sent)
	e.materialize()
	if err := e.Wire.Output(e.sent[before:]); err != nil {
		e.TB.Fatalf("the output breaks a rule: %v", err)
	}
	e.Drain()
	e.Verify()
	return len(e.sent) - before
}

// materialize puts payload between the octets of the batch.
func (e *Engine) materialize() {
	w, at, sum := &e.batch, 0, 0
	for _, c := range w.Cuts {
		if c.At < at || c.At > len(w.Buf) || c.N < 0 {
			e.TB.Fatalf("cut %+v after %d of %d", c, at, len(w.Buf))
		}
		e.sent = append(e.sent, w.Buf[at:c.At]...)
		at, sum = c.At, sum+c.N
		app := e.Streams[c.Ref.ID]
		if app == nil || app.Over {
			e.TB.Fatalf("cut %+v of a stream that is over", c)
		}
		for range c.N {
			e.sent = append(e.sent, Octet(c.Ref.ID, app.Sent))
			app.Sent++
		}
	}
	e.sent = append(e.sent, w.Buf[at:]...)
	if sum != w.Payload {
		e.TB.Fatalf("Payload is %d, the cuts have %d", w.Payload, sum)
	}
}

// Octet is octet i of the payload of a stream, where Pattern is set.
func Octet(id uint32, i int) byte { return byte(int(id)*37 + i + i>>8) }

// Take returns the octets that were sent since the last Take.
func (e *Engine) Take() []byte {
	b := e.sent
	e.sent = nil
	return b
}

// Advance lets time pass: deadlines are met in order, and what has to be sent
// is sent at each.
func (e *Engine) Advance(d time.Duration) {
	e.TB.Helper()
	end := e.Now + d
	for range 10_000 {
		at := e.Conn.Deadline()
		if at == 0 || at > end {
			e.Now = end
			e.Flush()
			return
		}
		e.Now = max(e.Now, at)
		e.failed(e.Conn.Expire(e.Now))
		e.Verify()
		e.Flush()
		if again := e.Conn.Deadline(); again != 0 && again <= e.Now {
			e.TB.Fatalf("Expire at %v leaves the deadline at %v", e.Now, again)
		}
	}
	e.TB.Fatal("the deadlines never end")
}

// Verify holds the Conn against the invariants.
func (e *Engine) Verify() {
	e.TB.Helper()
	if e.Check != nil {
		if err := e.Check(e.Conn); err != nil {
			e.TB.Fatalf("invariant: %v", err)
		}
	}
	if at := e.Conn.Deadline(); at < 0 {
		e.TB.Fatalf("deadline %v", at)
	}
}

// Fields makes a field list from words such as ":status=200 a=b".
func Fields(text string) *hpack.Fields {
	w, err := parseWords("HEADERS 1 " + text)
	if err != nil {
		panic(err)
	}
	f := new(hpack.Fields)
	for _, x := range w.fields {
		f.Add(x[0], x[1])
	}
	return f
}

// Do carries out a command of the application, in text:
//
//	headers 1 [ES] fields…   trailers 1 fields…   queue 1 n [ES]
//	consume 1 n              reset 1 CODE         release 1
//	open [ES] fields…        respond 1 (200, no content, release)
//	shutdown   ping text     advance 5s           emit max
//	budget n                 prioritize 1 urgency
//
// The error is the Conn's.
func (e *Engine) Do(command string) (err error) {
	e.TB.Helper()
	defer e.Verify()
	w, perr := parseCommand(command)
	if perr != nil {
		e.TB.Fatalf("%q: %v", command, perr)
	}
	app := e.Streams[w.stream]
	if app == nil {
		app = &App{Ref: conn.Ref{Slot: 1 << 20, ID: w.stream}}
	}
	end := w.flags != 0
	switch w.kind {
	case "headers":
		return e.note(app, e.Conn.Headers(app.Ref, list(w.words), end), end)
	case "trailers":
		return e.note(app, e.Conn.Trailers(app.Ref, list(w.words)), true)
	case "queue":
		return e.note(app, e.Conn.Queue(app.Ref, w.n, end), end)
	case "consume":
		app.Unread -= min(app.Unread, w.n)
		e.Conn.Consumed(app.Ref, w.n)
	case "reset":
		code, cerr := frame.ParseErrCode(w.rest)
		if cerr != nil {
			e.TB.Fatalf("%q: %v", command, cerr)
		}
		return e.Conn.Reset(app.Ref, code)
	case "release":
		app.Done = true
		e.Conn.Release(app.Ref)
	case "respond":
		if err := e.Do(fmt.Sprintf("headers %d ES :status=200", w.stream)); err != nil {
			return err
		}
		return e.Do(fmt.Sprintf("release %d", w.stream))
	case "open":
		r, err := e.Conn.Open(e.Now, list(w.words), end)
		if err == nil {
			e.Streams[r.ID] = &App{Ref: r, Sends: end}
		}
		return err
	case "shutdown":
		e.Conn.Shutdown(e.Now)
	case "ping":
		e.Conn.Ping([8]byte([]byte(w.rest)))
	case "advance":
		d, derr := time.ParseDuration(w.rest)
		if derr != nil {
			e.TB.Fatalf("%q: %v", command, derr)
		}
		e.Advance(d)
	case "emit":
		e.Emit(w.n)
	case "budget":
		e.Conn.SetRecvBudget(int64(w.n))
	case "prioritize":
		e.Conn.Prioritize(app.Ref, conn.Priority{Urgency: uint8(w.n), Incremental: strings.HasSuffix(w.rest, "i")})
	default:
		e.TB.Fatalf("unknown command %q", command)
	}
	return nil
}

func (e *Engine) note(app *App, err error, end bool) error {
	if err == nil && end {
		app.Sends = true
	}
	return err
}

func list(w *words) *hpack.Fields {
	f := new(hpack.Fields)
	for _, x := range w.fields {
		f.Add(x[0], x[1])
	}
	return f
}
