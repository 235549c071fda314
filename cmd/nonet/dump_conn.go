package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// dumpConn runs -conn: over the octets of a client, or of a server; or over the
// client's and then the server's.
func dumpConn(inputs []*input, p *printer, o dumpOptions) error {
	methods := make(map[uint32]string)
	for i, in := range inputs {
		e := &engine{fr: newFrames(in, p, o), p: p, methods: methods, next: 1}
		e.fr.tap, e.fr.lenient = e.feed, true
		if len(inputs) == 2 {
			e.fr.from = [...]string{"client", "server"}[i]
			if !p.json {
				p.line("%s: from the %s", in.name, e.fr.from)
			}
		}
		if err := e.run(); err != nil {
			return err
		}
	}
	return nil
}

const (
	// tick is how much time goes by with each frame: enough for any rate.
	tick = time.Second
	// keepRequests is how many complete requests stay unanswered, so that what
	// comes after them meets an open stream.
	keepRequests = 64
	// ahead is how many requests the client's role opens before the server's
	// octets speak of them: after a GOAWAY it can open none. jump is how far
	// beyond them a response is believed to be one.
	ahead, jump = 32, 4096
	// keepMethods bounds the methods that are remembered for the server's octets.
	keepMethods = 1 << 14
)

// engine is a Conn that receives the octets of an input.
type engine struct {
	fr      *frames
	p       *printer
	c       *conn.Conn
	now     time.Duration
	role    conn.Role
	list    hpack.Fields
	batch   conn.Batch
	dec     hpack.Decoder // of what the Conn sends
	err     *conn.Error
	events  []*eventRecord
	waiting []conn.Ref        // complete requests
	methods map[uint32]string // HEAD and CONNECT, by stream
	seen    uint32            // the highest stream the server spoke of
	next    uint32            // the stream that the client's role opens next
	acks    int               // of SETTINGS
}

// eventRecord is what the engine told of a frame.
type eventRecord struct {
	What   string `json:"what"` // event
	From   string `json:"from,omitempty"`
	Offset int64  `json:"offset"` // of the frame
	Event  string `json:"event"`  // request, response, interim, data, trailers, reset, pong, settings, goaway, ended, drained or error
	Stream uint32 `json:"stream"`
	End    bool   `json:"end,omitempty"`    // nothing more comes on this stream
	Octets int    `json:"octets,omitempty"` // data
	Side   string `json:"side,omitempty"`   // reset, error: who caused it
	Scope  string `json:"scope,omitempty"`  // reset, error: stream or connection
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// start makes the Conn, in the role that receives what begins like this.
func (e *engine) start() error {
	first, _ := e.fr.in.r.Peek(4)
	client := string(first) == frame.Preface[:4]
	if e.role = conn.Client; client {
		e.role = conn.Server
	}
	switch {
	case e.fr.from == "client" && !client:
		return e.fr.fault(0, "the first of two files has the client's octets; these do not begin with its preface")
	case e.fr.from == "server" && client:
		return e.fr.fault(0, "the second of two files has the server's octets; these begin with a client's preface")
	}
	lim := conn.Limits{
		// What the real receiver may have allowed.
		HeaderTableSize: hpack.MaxTableSize, MaxFrameSize: frame.MaxMaxFrameSize,
		MaxConcurrentStreams: 1000, LateData: 1 << 20 * time.Second,
	}
	e.c = conn.New(conn.Config{Role: e.role, Limits: lim, EnableConnectProtocol: true}, 0)
	if err := e.fr.start(); err != nil {
		return err
	}
	e.flush()
	return nil
}

func (e *engine) run() error {
	if err := e.start(); err != nil {
		return err
	}
	for {
		h, err := e.fr.header()
		if err == io.EOF {
			return nil
		}
		e.fr.buf = e.fr.buf[:0]
		if err == nil && e.err == nil { // else the header was enough
			err = e.fr.payload(h)
		}
		if err != nil {
			e.flush()
			return err
		}
		r, err := e.fr.record(h)
		e.p.print(r)
		e.flush()
		switch {
		case err != nil:
			return err // the same as the engine's, and often more exact
		case e.err != nil:
			return e.fr.fault(e.fr.at, "%s: %s", e.err.Code, e.err.Reason)
		}
		if e.fr.in.waits() {
			e.p.w.Flush()
		}
	}
}

// feed gives octets to the Conn and notes what it tells.
func (e *engine) feed(b []byte, header bool) {
	if header {
		h := frame.ParseHeader(b)
		if h == (frame.Header{Type: frame.TypeSettings, Flags: frame.FlagAck}) {
			if e.acks++; e.acks > 1 {
				return // it answers the real receiver, which sent SETTINGS again
			}
		}
		if e.role == conn.Client {
			e.open(h.StreamID)
		}
	}
	for len(b) > 0 && e.err == nil {
		ev, n, err := e.c.Next(e.now, b, &e.list)
		b = b[n:]
		if errors.As(err, &e.err) {
			e.event(&eventRecord{Event: "error", Side: e.err.Side.String(), Scope: "connection",
				Code: e.err.Code.String(), Reason: e.err.Reason.String()})
			return
		}
		if e.take(ev); n == 0 && ev.Kind == conn.None {
			e.answers() // it waits for room
		}
	}
}

// take notes an event, and is the application.
func (e *engine) take(ev conn.Event) {
	r := &eventRecord{Stream: ev.Ref.ID, End: ev.End}
	switch ev.Kind {
	case conn.None:
		return
	case conn.Headers:
		r.Event = "response"
		if e.role == conn.Server {
			r.Event = "request"
			e.method(ev.Ref.ID)
		}
	case conn.Info:
		r.Event = "interim"
	case conn.Data:
		r.Event, r.Octets = "data", len(ev.Data)
		e.c.Consumed(ev.Ref, len(ev.Data))
	case conn.Trailers:
		r.Event = "trailers"
	case conn.Reset:
		r.Event, r.Side, r.Scope, r.Code = "reset", ev.Side.String(), "stream", ev.Code.String()
		if ev.Reason != frame.ReasonNone {
			r.Reason = ev.Reason.String()
		}
		e.c.Release(ev.Ref)
	case conn.Pong:
		r.Event = "pong"
	}
	if ev.End {
		e.complete(ev.Ref)
	}
	e.event(r)
}

// method remembers what a response depends on.
func (e *engine) method(id uint32) {
	m := string(e.list.Get(hpack.TokenMethod))
	if (m == "HEAD" || m == "CONNECT") && len(e.methods) < keepMethods {
		e.methods[id] = m
	}
}

// complete is called when the peer sent all of a message.
func (e *engine) complete(r conn.Ref) {
	if e.role == conn.Client {
		e.c.Release(r)
		return
	}
	if e.waiting = append(e.waiting, r); len(e.waiting) > keepRequests {
		var f hpack.Fields
		f.AddToken(hpack.TokenStatus, placeholder)
		e.c.Headers(e.waiting[0], &f, true) // an error says that it is gone
		e.c.Release(e.waiting[0])
		e.waiting = slices.Delete(e.waiting, 0, 1)
	}
}

// placeholder is the status of answers that are not shown: they are not the
// engine's.
const placeholder = "200"

// open opens requests up to the stream that a server speaks of, and some more.
func (e *engine) open(id uint32) {
	if id%2 == 1 && id > e.seen && id < e.next+2*jump {
		e.seen = id
	}
	for e.next < e.seen+2*ahead {
		method := e.methods[e.next]
		if method == "" {
			method = "GET"
		}
		var f hpack.Fields
		f.AddToken(hpack.TokenMethod, method)
		f.AddToken(hpack.TokenScheme, "http")
		f.AddToken(hpack.TokenAuthority, "-")
		f.AddToken(hpack.TokenPath, "/")
		if _, err := e.c.Open(e.now, &f, true); err != nil {
			return // a frame on the stream will be an error
		}
		e.next += 2
	}
}

// event adds to what is printed after the frame. DATA of one frame is one event.
func (e *engine) event(r *eventRecord) {
	if n := len(e.events); n > 0 && r.Event == "data" && e.events[n-1].Event == "data" && e.events[n-1].Stream == r.Stream {
		e.events[n-1].Octets += r.Octets
		e.events[n-1].End = r.End
		return
	}
	r.What, r.From, r.Offset = "event", e.fr.from, e.fr.at
	e.events = append(e.events, r)
}

// flush prints the events and signals, and then the answers.
func (e *engine) flush() {
	for r, s, ok := e.c.Signal(); ok; r, s, ok = e.c.Signal() {
		e.signal(r, s)
	}
	for _, r := range e.events {
		e.p.print(r)
	}
	e.events = e.events[:0]
	e.answers()
	e.now += tick
}

func (e *engine) signal(r conn.Ref, s conn.Signals) {
	for _, sig := range []struct {
		s    conn.Signals
		name string
	}{{conn.SettingsChanged, "settings"}, {conn.GoAway, "goaway"}, {conn.Ended, "ended"}, {conn.Drained, "drained"}} {
		if s&sig.s == 0 {
			continue
		}
		ev := &eventRecord{Event: sig.name, Stream: r.ID}
		if sig.s == conn.Ended {
			code, side, _ := e.c.Fate(r)
			ev.Code, ev.Side, ev.Scope = code.String(), side.String(), "stream"
			e.c.Release(r)
		}
		e.event(ev)
	}
}

// answers prints what the Conn sends, but for the messages that stand for the
// application's.
func (e *engine) answers() {
	e.batch.Reset()
	e.c.Emit(e.now, &e.batch, 1<<20)
	b := e.batch.Buf
	if e.role == conn.Client && len(b) >= len(frame.Preface) && string(b[:len(frame.Preface)]) == frame.Preface {
		b = b[len(frame.Preface):]
	}
	for len(b) > 0 {
		h := frame.ParseHeader(b)
		r := newFrameRecord(h, b[frame.HeaderLen:][:h.Length])
		b = b[frame.HeaderLen+h.Length:]
		r.What, r.From, r.Offset = "answer", e.fr.from, e.fr.at
		if h.Type == frame.TypeRSTStream && r.Code != frame.NoError.String() {
			e.p.note(e.fr.fault(e.fr.at, "stream %d is answered with %s", h.StreamID, r.Code))
		}
		if r.fragment != nil {
			r.Fields, _, _ = decodeFields(&e.dec, r.fragment)
			if e.role == conn.Client || slices.ContainsFunc(r.Fields, func(f fieldRecord) bool { return f.Name == ":status" && *f.Value == placeholder }) {
				continue
			}
		}
		e.p.print(r)
	}
}

func (r *eventRecord) text(p *printer) {
	s := r.Event
	if r.Stream != 0 {
		s += fmt.Sprintf(" stream=%d", r.Stream)
	}
	if r.Event == "data" {
		s += fmt.Sprintf(" octets=%d", r.Octets)
	}
	for _, f := range []struct{ name, value string }{{"scope", r.Scope}, {"code", r.Code}, {"side", r.Side}} {
		if f.value != "" {
			s += " " + f.name + "=" + f.value
		}
	}
	if r.Reason != "" {
		s += fmt.Sprintf(" reason=%q", r.Reason)
	}
	if r.End {
		s += " end"
	}
	p.line("%s= %s", inner, s)
}
