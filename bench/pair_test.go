package bench

import (
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// exchange is one kind of request and its answer.
type exchange struct {
	name     string
	request  hpack.Fields
	body     int // octets of the request's content; 0: none
	response hpack.Fields
	answer   int           // octets of the response's content; 0: none
	trailers *hpack.Fields // of the response, or nil
}

// exchanges returns those that are measured.
func exchanges() []*exchange {
	get := func(name, path string) *exchange {
		x := &exchange{name: name}
		x.request.AddToken(hpack.TokenMethod, "GET")
		x.request.AddToken(hpack.TokenScheme, "https")
		x.request.AddToken(hpack.TokenAuthority, "localhost:8443")
		x.request.AddToken(hpack.TokenPath, path)
		x.request.AddToken(hpack.TokenUserAgent, "bench/1")
		x.response.AddToken(hpack.TokenStatus, "200")
		return x
	}
	empty := get("empty", "/empty")

	hello := get("hello", "/hello")
	hello.response.AddToken(hpack.TokenContentType, "text/plain")
	hello.response.AddToken(hpack.TokenContentLength, "12")
	hello.answer = 12

	bytes64k := get("64k", "/bytes/65536")
	bytes64k.response.AddToken(hpack.TokenContentLength, "65536")
	bytes64k.answer = 64 << 10

	grpc := &exchange{name: "grpc", body: 55, answer: 55, trailers: new(hpack.Fields)}
	lists := newCorpus("", append(grpcRequests(1), grpcResponses(1)...)).blocks
	grpc.request.CopyFrom(lists[0].own)
	grpc.response.CopyFrom(lists[1].own)
	grpc.trailers.CopyFrom(lists[2].own)
	return []*exchange{empty, hello, bytes64k, grpc}
}

// payload is the content of everything; nobody looks at it.
var payload = make([]byte, 64<<10)

// end is a Conn, what it has to send, and where its events' fields go.
type end struct {
	c      *conn.Conn
	batch  conn.Batch
	wire   []byte
	fields hpack.Fields
}

// emit makes one piece of octets of everything that there is to send.
func (e *end) emit(now time.Duration) []byte {
	e.wire = e.wire[:0]
	for e.c.WantEmit() {
		e.batch.Reset()
		e.c.Emit(now, &e.batch, 64<<10)
		at := 0
		for _, cut := range e.batch.Cuts {
			e.wire = append(e.wire, e.batch.Buf[at:cut.At]...)
			e.wire = append(e.wire, payload[:cut.N]...)
			at = cut.At
		}
		e.wire = append(e.wire, e.batch.Buf[at:]...)
	}
	return e.wire
}

// pair is a client and a server that pass each other's octets in memory.
type pair struct {
	tb             testing.TB
	client, server end
	now            time.Duration
	x              *exchange
	answered       int // requests whose response is complete
	received       int // octets of content, on both sides
}

// limitless are limits that a benchmark doesn't run into: a server says goodbye
// after a number of requests.
var limitless = conn.Limits{Requests: -1}

func newPair(tb testing.TB, x *exchange) *pair {
	p := &pair{tb: tb, x: x, now: time.Second}
	p.client.c = conn.New(conn.Config{Role: conn.Client, Limits: limitless}, p.now)
	p.server.c = conn.New(conn.Config{Role: conn.Server, Limits: limitless}, p.now)
	p.exchange()
	return p
}

// run sends n requests at once and lets both sides go on until all are answered.
func (p *pair) run(n int) {
	p.now += 10 * time.Microsecond
	want := p.answered + n
	for range n {
		r, err := p.client.c.Open(p.now, &p.x.request, p.x.body == 0)
		if err != nil {
			p.tb.Fatal(err)
		}
		if p.x.body > 0 {
			p.check(p.client.c.Queue(r, p.x.body, true))
		}
	}
	p.exchange()
	if p.answered != want {
		p.tb.Fatalf("%d requests are answered, want %d", p.answered, want)
	}
}

func (p *pair) check(err error) {
	if err != nil {
		p.tb.Fatal(err)
	}
}

// exchange passes octets until neither side has more.
func (p *pair) exchange() {
	for {
		up := p.client.emit(p.now)
		p.serve(up)
		down := p.server.emit(p.now)
		p.receive(down)
		if len(up)+len(down) == 0 {
			return
		}
	}
}

// serve is the server's driver and application.
func (p *pair) serve(b []byte) { p.feed("server", &p.server, b, p.answer) }

// answer answers a complete request and is done with it.
func (p *pair) answer(r conn.Ref) {
	c, x := p.server.c, p.x
	p.check(c.Headers(r, &x.response, x.answer == 0 && x.trailers == nil))
	if x.answer > 0 {
		p.check(c.Queue(r, x.answer, x.trailers == nil))
	}
	if x.trailers != nil {
		p.check(c.Trailers(r, x.trailers))
	}
	c.Release(r)
}

// receive is the client's driver and application.
func (p *pair) receive(b []byte) { p.feed("client", &p.client, b, p.finish) }

// finish is done with a complete response.
func (p *pair) finish(r conn.Ref) {
	p.client.c.Release(r)
	p.answered++
}

// feed gives b to one end, which reads all content at once; done takes each
// stream whose message is complete.
func (p *pair) feed(who string, e *end, b []byte, done func(conn.Ref)) {
	for len(b) > 0 {
		ev, n, err := e.c.Next(p.now, b, &e.fields)
		if err != nil || n == 0 {
			p.tb.Fatalf("%s: Next: %d octets, %v", who, n, err)
		}
		b = b[n:]
		switch ev.Kind {
		case conn.Data:
			p.received += len(ev.Data)
			e.c.Consumed(ev.Ref, len(ev.Data))
		case conn.Reset:
			p.tb.Fatalf("%s: %+v", who, ev)
		}
		if ev.End {
			done(ev.Ref)
		}
	}
	drain(e.c)
}

// drain fetches signals; none is of interest here.
func drain(c *conn.Conn) {
	for {
		if _, _, ok := c.Signal(); !ok {
			return
		}
	}
}

// burst is what a client sends for a number of requests, recorded from a Conn
// that had sent many before: their blocks are references to HPACK's table, and
// only stream identifiers change from one burst to the next.
type burst struct {
	octets []byte
	ids    []int // where a stream identifier stands in octets
	n      int
}

// record runs a pair until its HPACK tables are settled and returns the server's
// half, with a burst of n requests that it understands.
func record(tb testing.TB, x *exchange, n int) (*pair, *burst) {
	p := newPair(tb, x)
	p.run(n)
	p.run(n)
	p.now += time.Microsecond
	for range n {
		r, err := p.client.c.Open(p.now, &x.request, x.body == 0)
		p.check(err)
		if x.body > 0 {
			p.check(p.client.c.Queue(r, x.body, true))
		}
	}
	bu := &burst{octets: append([]byte(nil), p.client.emit(p.now)...), n: n}
	for at := 0; at < len(bu.octets); {
		h := frame.ParseHeader(bu.octets[at:])
		if h.StreamID > 0 {
			bu.ids = append(bu.ids, at+5)
		}
		at += frame.HeaderLen + int(h.Length)
	}
	// What the server sends has to fit the windows, however often.
	bu.octets = frame.AppendWindowUpdate(bu.octets, 0, uint32(max(n*x.answer, 1)))
	return p, bu
}

// play lets the server answer the burst and moves it on to the next streams.
func (p *pair) play(bu *burst) {
	p.now += 10 * time.Microsecond
	p.serve(bu.octets)
	sink.n = len(p.server.emit(p.now))
	for _, at := range bu.ids {
		id := uint32(bu.octets[at])<<24 | uint32(bu.octets[at+1])<<16 | uint32(bu.octets[at+2])<<8 | uint32(bu.octets[at+3])
		id += 2 * uint32(bu.n)
		bu.octets[at], bu.octets[at+1], bu.octets[at+2], bu.octets[at+3] = byte(id>>24), byte(id>>16), byte(id>>8), byte(id)
	}
}
