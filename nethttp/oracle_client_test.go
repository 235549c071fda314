package nethttp_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// client is the scripted peer of an exchange: HTTP/2 by x/net's Framer and
// HPACK, or octets as HTTP/1.1. It checks nothing; it records.
type client struct {
	t       *testing.T
	n       *notes
	nc      net.Conn
	socket  bool     // no bubble: wait waits for the ends of streams
	methods []string // HTTP/1.1
	wfr     *http2.Framer
	ebuf    bytes.Buffer
	enc     *hpack.Encoder
	next    uint32

	mu      sync.Mutex
	cond    *sync.Cond
	out     []byte // not written yet
	shut    bool
	in      []byte // HTTP/1.1: everything received
	streams map[uint32]*answer
	window  map[uint32]int // what the server takes; 0: the connection
	initial int
	goaway  string
	closed  bool
	lines   [][2]string
}

// answer is what the server sent on one stream.
type answer struct {
	heads    []head // all but the last are interim
	body     []byte
	trailers *head
	end      bool
	reset    string
	bad      string // malformed, says the Framer
}

type head struct {
	status string
	fields http.Header // lower-case names
}

func newClient(t *testing.T, n *notes, nc net.Conn, x exchange, socket bool) *client {
	c := &client{
		t: t, n: n, nc: nc, socket: socket, methods: x.methods, next: 1, initial: 65535,
		streams: make(map[uint32]*answer), window: map[uint32]int{0: 65535},
	}
	c.cond = sync.NewCond(&c.mu)
	c.wfr = http2.NewFramer((*outbox)(c), nil)
	c.wfr.AllowIllegalWrites = true
	c.enc = hpack.NewEncoder(&c.ebuf)
	go c.write()
	if c.methods != nil {
		go c.readOctets()
		return c
	}
	settings := x.settings
	if settings == nil {
		settings = []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1 << 24}}
	}
	// All at once and before reading, which acknowledges the server's SETTINGS.
	c.do(func() {
		(*outbox)(c).Write([]byte(http2.ClientPreface))
		c.wfr.WriteSettings(settings...)
		c.wfr.WriteWindowUpdate(0, 1<<24)
	})
	go c.read()
	c.wait()
	return c
}

// outbox queues what is written to it, so that no writer waits.
type outbox client

func (o *outbox) Write(p []byte) (int, error) {
	o.out = append(o.out, p...)
	o.cond.Broadcast()
	return len(p), nil
}

// do writes frames.
func (c *client) do(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// raw sends octets.
func (c *client) raw(s string) { c.do(func() { (*outbox)(c).Write([]byte(s)) }) }

func (c *client) write() {
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.shut {
			c.cond.Wait()
		}
		p := c.out
		c.out = nil
		c.mu.Unlock()
		if len(p) == 0 {
			return
		}
		if _, err := c.nc.Write(p); err != nil {
			return
		}
	}
}

func (c *client) close() {
	c.do(func() { c.shut = true; c.cond.Broadcast() })
	c.nc.Close()
}

// wait waits until nothing moves any more, in the client and in the server.
func (c *client) wait() {
	if !c.socket {
		synctest.Wait()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.streams {
		for !c.closed && !a.end && a.reset == "" {
			c.cond.Wait()
		}
	}
}

// advance lets time pass.
func (c *client) advance(d time.Duration) { time.Sleep(d); synctest.Wait() }

// release lets a handler go on that waits with notes.await. What the client
// sent before has arrived by then.
func (c *client) release(gate string) {
	c.wait()
	c.n.release(gate)
	c.wait()
}

// get asks for a path and waits.
func (c *client) get(path string, fields ...string) uint32 {
	id := c.request("GET", path, true, fields...)
	c.wait()
	return id
}

// request opens a stream; fields are names and values in turn.
func (c *client) request(method, path string, end bool, fields ...string) uint32 {
	return c.headers(end, append([]string{":method", method, ":scheme", "http", ":authority", "example.com", ":path", path}, fields...)...)
}

// post sends a request with a body: the handler runs before the body comes.
func (c *client) post(path, body string, fields ...string) uint32 {
	id := c.request("POST", path, false, fields...)
	c.wait()
	c.data(id, body, true)
	c.wait()
	return id
}

// headers opens a stream with exactly these fields.
func (c *client) headers(end bool, fields ...string) uint32 {
	id := c.next
	c.next += 2
	c.do(func() {
		c.streams[id] = &answer{}
		c.window[id] = c.initial
	})
	c.section(id, end, fields)
	return id
}

// trailers ends the request with a trailer section.
func (c *client) trailers(id uint32, fields ...string) {
	c.section(id, true, fields)
	c.wait()
}

func (c *client) section(id uint32, end bool, fields []string) {
	c.do(func() {
		c.ebuf.Reset()
		for i := 0; i < len(fields); i += 2 {
			c.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		block := c.ebuf.Bytes()
		first := block[:min(len(block), 16384)]
		rest := block[len(first):]
		c.wfr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndStream: end, EndHeaders: len(rest) == 0})
		for len(rest) > 0 {
			first, rest = rest[:min(len(rest), 16384)], rest[min(len(rest), 16384):]
			c.wfr.WriteContinuation(id, len(rest) == 0, first)
		}
	})
}

// data sends a body as far as windows let it, waiting for them. It stops when
// the stream was reset.
func (c *client) data(id uint32, body string, end bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		n := min(len(body), 16384)
		for n > 0 && (c.window[0] <= 0 || c.window[id] <= 0) {
			if c.closed || c.streams[id].reset != "" {
				return
			}
			c.cond.Wait()
		}
		n = max(0, min(n, c.window[0], c.window[id]))
		c.window[0] -= n
		c.window[id] -= n
		c.wfr.WriteData(id, end && n == len(body), []byte(body[:n]))
		if body = body[n:]; body == "" {
			return
		}
	}
}

func (c *client) reset(id uint32, code http2.ErrCode) {
	c.do(func() { c.wfr.WriteRSTStream(id, code) })
	c.wait()
}

// credit lets the server send n more octets on a stream.
func (c *client) credit(id uint32, n uint32) {
	c.do(func() { c.wfr.WriteWindowUpdate(id, n) })
	c.wait()
}

// note records what the script found out.
func (c *client) note(path string, value any) {
	c.do(func() { c.lines = append(c.lines, [2]string{path, fmt.Sprint(value)}) })
}

// look records what has arrived on a stream by now.
func (c *client) look(id uint32, label string) {
	c.wait()
	c.mu.Lock()
	a := c.streams[id]
	var heads []string
	for _, h := range a.heads {
		heads = append(heads, h.status)
	}
	line := fmt.Sprintf("heads %v, body %s, trailers %t, end %t, reset %q", heads, brief(a.body), a.trailers != nil, a.end, a.reset)
	c.mu.Unlock()
	c.note(label, line)
}

// read records the server's frames until the connection ends.
func (c *client) read() {
	fr := http2.NewFramer((*outbox)(c), c.nc)
	fr.SetMaxReadFrameSize(1 << 24)
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	fr.MaxHeaderListSize = 1 << 24
	for {
		f, err := fr.ReadFrame()
		var se http2.StreamError
		if errors.As(err, &se) {
			c.do(func() {
				if a := c.streams[se.StreamID]; a != nil {
					a.bad = fmt.Sprint(se.Cause)
				}
			})
			continue
		}
		if err != nil {
			c.do(func() { c.closed = true; c.cond.Broadcast() })
			return
		}
		c.do(func() { c.frame(fr, f); c.cond.Broadcast() })
	}
}

func (c *client) frame(fr *http2.Framer, f http2.Frame) {
	a := c.streams[f.Header().StreamID]
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			return
		}
		if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
			for id := range c.streams {
				c.window[id] += int(v) - c.initial
			}
			c.initial = int(v)
		}
		c.wfr.WriteSettingsAck()
		c.cond.Broadcast()
	case *http2.PingFrame:
		if !f.IsAck() {
			c.wfr.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		c.window[f.StreamID] += int(f.Increment)
		c.cond.Broadcast()
	case *http2.GoAwayFrame:
		c.goaway = f.ErrCode.String()
	case *http2.RSTStreamFrame:
		if a != nil {
			a.reset = f.ErrCode.String()
			c.cond.Broadcast()
		}
	case *http2.DataFrame:
		if a != nil {
			a.body = append(a.body, f.Data()...)
			a.end = a.end || f.StreamEnded()
		}
	case *http2.MetaHeadersFrame:
		if a == nil {
			return
		}
		h := head{status: f.PseudoValue("status"), fields: make(http.Header)}
		for _, hf := range f.RegularFields() {
			h.fields[hf.Name] = append(h.fields[hf.Name], hf.Value)
		}
		a.end = a.end || f.StreamEnded()
		if h.status == "" {
			a.trailers = &h
		} else {
			a.heads = append(a.heads, h)
		}
	}
}

// readOctets records what an HTTP/1.1 server sends.
func (c *client) readOctets() {
	buf := make([]byte, 4096)
	for {
		n, err := c.nc.Read(buf)
		c.do(func() {
			c.in = append(c.in, buf[:n]...)
			c.closed = c.closed || err != nil
		})
		if err != nil {
			return
		}
	}
}

// brief prints a body: all of it when it is short.
func brief(b []byte) string {
	if len(b) <= 512 {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%d octets %x", len(b), sha256.Sum256(b))[:40]
}

func (c *client) seen() seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := make(seen)
	for _, l := range c.lines {
		s.add("client."+l[0], l[1])
	}
	s.add("closed", fmt.Sprint(c.closed))
	if c.methods != nil {
		c.seenHTTP1(s)
		return s
	}
	s.add("goaway", c.goaway)
	for id, a := range c.streams {
		p := fmt.Sprint(id)
		s.add(p+".body", brief(a.body))
		s.add(p+".end", fmt.Sprint(a.end))
		s.add(p+".reset", a.reset)
		if a.bad != "" {
			s.add(p+".malformed", a.bad)
		}
		for i, h := range a.heads {
			at := p
			if i < len(a.heads)-1 || strings.HasPrefix(h.status, "1") {
				at = fmt.Sprintf("%s.interim.%d", p, i)
			}
			s.add(at+".status", h.status)
			s.fields(at+".field.", h.fields)
		}
		if a.trailers != nil {
			s.add(p+".trailers", "")
			s.fields(p+".trailer.", a.trailers.fields)
		}
	}
	return s
}

func (s seen) fields(prefix string, h http.Header) {
	for name, values := range h {
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = brief([]byte(v))
		}
		s.add(prefix+name, strings.Join(list, ", "))
	}
}

// seenHTTP1 reads responses from what was received.
func (c *client) seenHTTP1(s seen) {
	br := bufio.NewReader(bytes.NewReader(c.in))
	methods := c.methods
	for i := 0; ; i++ {
		p := fmt.Sprint(i)
		if _, err := br.Peek(1); err != nil {
			return
		}
		method := "GET"
		if len(methods) > 0 {
			method = methods[0]
		}
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			rest, _ := io.ReadAll(br)
			s.add(p+".malformed", fmt.Sprintf("%v, then %s", err, brief(rest)))
			return
		}
		if resp.StatusCode >= 200 && len(methods) > 0 {
			methods = methods[1:]
		}
		s.add(p+".status", resp.Proto+" "+resp.Status)
		lower := make(http.Header)
		for k, v := range resp.Header {
			lower[strings.ToLower(textproto.CanonicalMIMEHeaderKey(k))] = v
		}
		s.fields(p+".field.", lower)
		s.add(p+".framing", fmt.Sprintf("length %d, %q, close %t", resp.ContentLength, resp.TransferEncoding, resp.Close))
		if resp.StatusCode == http.StatusSwitchingProtocols {
			rest, _ := io.ReadAll(br)
			s.add(p+".body", brief(rest))
			return
		}
		body, err := io.ReadAll(resp.Body)
		s.add(p+".body", brief(body))
		s.add(p+".bodyError", class(err))
		s.fields(p+".trailer.", resp.Trailer)
	}
}
