package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/nethttp"
)

// countingListener counts the connections that it accepts.
type countingListener struct {
	net.Listener
	n atomic.Int32
}

func (l *countingListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return nc, err
}

// trip is one row of the client's table: requests to a scripted server, by
// net/http's Transport and by this package's.
type trip struct {
	name string
	base func(tr *http.Transport)
	// request makes the request; default: GET http://example.com/.
	request func(n *tripNotes) *http.Request
	// act is the client's part; default: one request, its response read and
	// closed.
	act func(n *tripNotes, rt http.RoundTripper)
	// with makes a request and takes its response; default: tripNotes.trip.
	with func(n *tripNotes, rt http.RoundTripper, r *http.Request)
	// serve is the server's part on each connection; default: 200 "ok" for
	// every request when it is complete.
	serve func(o *origin)
	// road is what lies before the server; see roads.
	road road
}

// tripper makes a RoundTripper of what both are given.
type tripper struct {
	name string
	make func(base *http.Transport) http.RoundTripper
}

var (
	netHTTPTripper = tripper{"net/http", func(base *http.Transport) http.RoundTripper { return base }}
	nonetTripper   = tripper{"nethttp.Transport", func(base *http.Transport) http.RoundTripper { return &nethttp.Transport{Base: base} }}
)

// runTrip runs a row.
func runTrip(t *testing.T, by tripper, x trip) (result seen) {
	defer func() {
		if e := recover(); e != nil { // a deadlock in the bubble
			t.Errorf("by %s: %v", by.name, e)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		n := &tripNotes{seen: make(seen)}
		var conns []net.Conn
		dials := 0
		var mu sync.Mutex
		serve := x.serve
		if serve == nil {
			serve = func(o *origin) { o.serveOK() }
		}
		tr := &http.Transport{Protocols: new(http.Protocols)}
		tr.Protocols.SetUnencryptedHTTP2(true)
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if err := x.road.dialed(ctx, addr); err != nil {
				n.event("dial fails", network+" "+addr)
				return nil, err
			}
			cc, sc := net.Pipe()
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, sc)
			dials++
			n.add(fmt.Sprintf("dial %d", dials), network+" "+addr)
			if x.road.plain() {
				serveHTTP2(n, dials, sc, serve)
			} else {
				roomy := newRoomy(sc)
				conns = append(conns, roomy)
				go x.road.serve(n, dials, roomy, serve)
			}
			return placedConn{cc}, nil
		}
		x.road.prepare(tr)
		if x.base != nil {
			x.base(tr)
		}
		rt := by.make(tr)
		switch {
		case x.act != nil:
			x.act(n, rt)
		case x.with != nil:
			x.with(n, rt, x.makeRequest(n))
		default:
			n.trip("", rt, x.makeRequest(n))
		}
		time.Sleep(time.Second)
		n.mu.Lock()
		result = maps.Clone(n.seen)
		n.mu.Unlock()
		rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		synctest.Wait()
		mu.Lock()
		for _, nc := range conns {
			nc.Close()
		}
		mu.Unlock()
		time.Sleep(time.Hour)
	})
	return result
}

// serveHTTP2 serves a connection.
func serveHTTP2(n *tripNotes, no int, nc net.Conn, serve func(o *origin)) {
	o := newOrigin(n, no, nc)
	go o.read()
	go o.send()
	go serve(o)
}

func (x trip) makeRequest(n *tripNotes) *http.Request {
	if x.request != nil {
		return x.request(n)
	}
	return newGet("http://example.com/")
}

func newRequest(method, url string, body io.Reader) *http.Request {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	return r
}

func newGet(url string) *http.Request { return newRequest("GET", url, nil) }

// tripNotes is everything that is compared.
type tripNotes struct {
	mu   sync.Mutex
	seen seen
}

func (n *tripNotes) add(path, value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen.add(path, value)
}

// event adds to a list.
func (n *tripNotes) event(path, value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen[path] += value + "; "
}

// trip makes a request, reads the response and closes it.
func (n *tripNotes) trip(at string, rt http.RoundTripper, r *http.Request) {
	res, err := rt.RoundTrip(r)
	if n.response(at, r, res, err) {
		n.body(at, res)
	}
}

// response notes a response without its body.
func (n *tripNotes) response(at string, r *http.Request, res *http.Response, err error) bool {
	n.add(at+"error", kind(err))
	if (res == nil) == (err == nil) {
		n.add(at+"odd", "response and error")
	}
	if err != nil {
		return false
	}
	n.add(at+"status", res.Status)
	n.add(at+"proto", fmt.Sprint(res.Proto, " ", res.ProtoMajor, res.ProtoMinor))
	for k, v := range res.Header {
		n.add(at+"header."+k, fmt.Sprintf("%q", v))
	}
	n.add(at+"contentLength", fmt.Sprint(res.ContentLength))
	n.add(at+"uncompressed", fmt.Sprint(res.Uncompressed))
	n.add(at+"announced", fmt.Sprint(slices.Sorted(maps.Keys(res.Trailer)), res.Trailer != nil))
	n.add(at+"request", fmt.Sprint(res.Request == r))
	n.add(at+"nobody", fmt.Sprint(res.Body == nil))
	n.add(at+"rest", fmt.Sprint(res.Close, res.TransferEncoding, " ", tlsNote(res.TLS)))
	return true
}

// body reads and closes a response's body.
func (n *tripNotes) body(at string, res *http.Response) {
	b, err := io.ReadAll(res.Body)
	n.add(at+"body", shown(b))
	n.add(at+"body.error", kind(err))
	for k, v := range res.Trailer {
		n.add(at+"trailer."+k, fmt.Sprintf("%q", v))
	}
	n.add(at+"close", kind(res.Body.Close()))
}

// pings sends pings as the request's content, notes what answers each, and ends
// both directions.
func (n *tripNotes) pings(times int, pw *io.PipeWriter, res *http.Response) {
	buf := make([]byte, 100)
	for i := range times {
		fmt.Fprintf(pw, "ping %d", i)
		k, err := res.Body.Read(buf)
		n.event("echo", fmt.Sprint(string(buf[:k]), kind(err)))
	}
	pw.Close()
	n.body("", res)
}

// shown is content, or what stands for it.
func shown(b []byte) string {
	if len(b) <= 64 {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%d octets %08x", len(b), crc32.ChecksumIEEE(b))
}

var errTest = errors.New("an error of the test")

// kind is what programs can tell of an error. Texts count where they are
// net/http's own, or parsed by others.
func kind(err error) string {
	if err == nil {
		return "none"
	}
	var list []string
	for _, is := range []struct {
		name string
		err  error
	}{
		{"canceled", context.Canceled}, {"deadline", context.DeadlineExceeded}, {"EOF", io.EOF},
		{"unexpected EOF", io.ErrUnexpectedEOF}, {"test", errTest},
	} {
		if errors.Is(err, is.err) {
			list = append(list, is.name)
		}
	}
	if te, ok := err.(interface{ Timeout() bool }); ok && te.Timeout() {
		list = append(list, "timeout")
	}
	var se http2.StreamError
	text := err.Error()
	switch {
	case errors.As(err, &se):
		list = append(list, "stream error "+se.Code.String())
		if strings.HasSuffix(text, "received from peer") {
			list = append(list, text)
		}
	case strings.HasPrefix(text, "net/http: ") || strings.HasPrefix(text, "http: "):
		list = append(list, text)
	case list == nil:
		list = append(list, "another")
	}
	return strings.Join(list, ", ")
}
