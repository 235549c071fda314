package proxy_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/proxy"
)

// pipeListener accepts connections in memory.
type pipeListener struct {
	conns chan net.Conn
	quit  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.quit:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.quit) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// queued is a connection whose writes don't wait for the reader.
type queued struct {
	net.Conn
	q    chan []byte
	once sync.Once
}

func newQueued(nc net.Conn) *queued {
	c := &queued{Conn: nc, q: make(chan []byte, 1024)}
	go func() {
		for p := range c.q {
			c.Conn.Write(p)
		}
		c.Conn.Close()
	}()
	return c
}

func (c *queued) Write(p []byte) (int, error) {
	c.q <- append([]byte(nil), p...)
	return len(p), nil
}

func (c *queued) Close() error {
	c.once.Do(func() { close(c.q) })
	return nil
}

// Separators of fuzzed fields, and of a name and its value.
const (
	betweenFields = "\x1e"
	betweenParts  = "\x1f"
)

func encodeFields(fs []field) []byte {
	var parts []string
	for _, f := range fs {
		parts = append(parts, f.name+betweenParts+f.value)
	}
	return []byte(strings.Join(parts, betweenFields))
}

func decodeFields(b []byte) (fs []field) {
	if len(b) == 0 {
		return nil
	}
	for part := range strings.SplitSeq(string(b), betweenFields) {
		name, value, _ := strings.Cut(part, betweenParts)
		fs = append(fs, field{name, value})
	}
	return fs
}

// FuzzHop sends a request through the edge, all in memory: its method, target
// and host, other fields, content and trailers. The backend must get none and
// the client an error, or exactly one, with the method, target, host and content
// that were sent. How the content is cut, and whether there is a host by itself,
// is in shape.
func FuzzHop(f *testing.F) {
	add := func(fs []field, body string, trailers []field) {
		more := fs[4:]
		if len(more) > 0 && more[0].name == "" {
			more = nil
		}
		for _, shape := range []uint8{0, 3} {
			f.Add(fs[0].value, fs[2].value, fs[3].value, encodeFields(more), []byte(body), encodeFields(trailers), shape)
		}
	}
	add(get("/a?b"), "", nil)
	add(post("/", "content-length=5"), "hello", nil)
	add(post("/", "content-length=5", "trailer=x-a"), "hello", fields("x-a=1"))
	add(post("/", "trailer=x-a, content-length"), "hello", fields("x-a=1", "content-length=3"))
	add(post("/", "content-length=0"), smuggled, nil)
	add(post("/", "transfer-encoding=chunked", "expect=100-continue"), "0\r\n\r\n", nil)
	add(get("//a\"b", "cookie=a", "cookie=b", "host=example.com", "te=trailers", "via=1.1 x", "max-forwards=3"), "", nil)
	add(get("/", "x-a=b\r\nContent-Length: 5", "content_length=5", "connection=x"), "", nil)
	add(fields(":method=OPTIONS", ":scheme=https", ":path=*", ":authority=", "host=[::1]:80"), "", nil)
	add(fields(":method=HEAD", ":scheme=https", ":path=/%zz?%zz;", ":authority=a.b:1"), "", nil)
	add(fields(":method=DELETE", ":scheme=https", ":path=//x//..?a|b", ":authority=[2001:db8::1]:443"), "x", nil)
	f.Fuzz(func(t *testing.T, method, path, authority string, more, body, trailers []byte, shape uint8) {
		if len(method)+len(path)+len(authority)+len(more)+len(body)+len(trailers) > 8<<10 {
			t.Skip("too long")
		}
		fs := []field{{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", authority}}
		if shape&0x80 != 0 {
			fs = fs[:3]
		}
		hop(t, append(fs, decodeFields(more)...), string(body), decodeFields(trailers), int(shape&0x7f))
	})
}

func hop(t *testing.T, fs []field, body string, trailers []field, cut int) {
	r := newRecorder(t)
	ln := &pipeListener{conns: make(chan net.Conn, 1), quit: make(chan struct{})}
	e := newEdgeOn(t, ln, "backend", proxy.Config{
		ResponseTimeout: patience,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			r.busy.Go(func() { r.serve(there) })
			return here, nil
		},
	}, nonet.Config{})
	here, there := net.Pipe()
	ln.conns <- there
	nc := newQueued(here)
	c := speak(t, nc)
	c.headers(1, fs, body == "" && len(trailers) == 0)
	for sent := 0; sent < len(body); {
		n := len(body) - sent
		if cut > 0 {
			n = min(n, 1+len(body)/cut)
		}
		sent += n
		c.data(1, body[sent-n:sent], sent == len(body) && len(trailers) == 0)
	}
	if len(trailers) > 0 {
		c.headers(1, trailers, true)
	}
	for c.flush(); !c.over(1) && c.read(); {
	}
	if ne, ok := c.ended.(net.Error); ok && ne.Timeout() {
		t.Fatalf("no answer to %q %q %q", fs, body, trailers)
	}
	nc.Close()
	e.close()
	reqs, _ := r.judge()

	got := strings.Join(c.lines[1], " | ")
	switch {
	case len(reqs) > 1:
		t.Fatalf("%q %q became %v", fs, body, reqs)
	case len(reqs) == 1:
		sent := seen{first(fs, ":method"), first(fs, ":path"), first(fs, ":authority"), body, nil}
		if !slices.ContainsFunc(fs, func(f field) bool { return f.name == ":authority" }) {
			sent.host = first(fs, "host")
		}
		if reqs[0].String() != sent.String() {
			t.Fatalf("sent %v, the backend got %v", sent, reqs[0])
		}
	case !refused(got) && len(c.lines[0]) == 0 && !answeredByEdge(fs):
		t.Fatalf("%q %q: the backend got nothing, the client %q", fs, body, got)
	}
}

func first(fs []field, name string) string {
	for _, f := range fs {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// refused reports whether the client got an error.
func refused(got string) bool {
	return strings.Contains(got, "RST_STREAM") || strings.Contains(got, "HEADERS 4") || strings.Contains(got, "HEADERS 5")
}

// answeredByEdge: OPTIONS that asks about the edge.
func answeredByEdge(fs []field) bool {
	return first(fs, ":method") == "OPTIONS" && (first(fs, ":path") == "*" || first(fs, "max-forwards") == "0")
}

// TestHop runs what fuzzing found first, by hand.
func TestHop(t *testing.T) {
	start := time.Now()
	hop(t, get("/"), "", nil, 0)
	hop(t, post("/"), "hello", fields("x-a=1"), 2)
	if d := time.Since(start); d > patience/2 {
		t.Errorf("two requests in memory take %v", d)
	}
}
