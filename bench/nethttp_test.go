package bench

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/nethttp"
)

// What a request costs a handler of net/http: the same handler under nethttp
// and under net/http's HTTP/2 server, on loopback, turn by turn. The client
// repeats octets that were made before and counts END_STREAM flags: it allocates
// nothing, so what is allocated is the server's.

// httpHello is a small response as handlers write it.
func httpHello(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Length", "12")
	io.WriteString(w, "hello world\n")
}

// httpBatch is how many requests are in flight.
const httpBatch = 100

// httpServers serve it until stop is called.
var httpServers = map[string]func(net.Listener) (stop func()){
	"nethttp": func(l net.Listener) func() {
		s := &nethttp.Server{Handler: http.HandlerFunc(httpHello)}
		s.Limits.Requests = -1 // any number on one connection
		go s.Serve(l)
		return func() { s.Close() }
	},
	"net/http": func(l net.Listener) func() {
		s := &http.Server{Handler: http.HandlerFunc(httpHello), Protocols: new(http.Protocols)}
		s.Protocols.SetUnencryptedHTTP2(true)
		go s.Serve(l)
		return func() { s.Close() }
	},
}

// httpClient sends batches of requests.
type httpClient struct {
	nc    net.Conn
	next  uint32
	out   []byte
	block []byte // the header section of each request but the first
	buf   [64 << 10]byte
	head  [frame.HeaderLen]byte
	n     int // octets of head
	skip  int // of a payload
}

func newHTTPClient(b *testing.B, addr string) *httpClient {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	c := &httpClient{nc: nc, next: 1}
	var first bytes.Buffer
	enc := xhpack.NewEncoder(&first)
	fields := []xhpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: "/hello"},
		{Name: ":authority", Value: "127.0.0.1:8080"}, {Name: "user-agent", Value: "h2load nghttp2/1.52.0"},
	}
	for _, f := range fields {
		enc.WriteField(f)
	}
	one := bytes.Clone(first.Bytes())
	first.Reset()
	for _, f := range fields {
		enc.WriteField(f)
	}
	c.block = bytes.Clone(first.Bytes())
	var hello bytes.Buffer
	hello.WriteString(http2.ClientPreface)
	fr := http2.NewFramer(&hello, nil)
	fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	fr.WriteSettingsAck()
	fr.WriteWindowUpdate(0, 1<<30)
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: c.next, BlockFragment: one, EndHeaders: true, EndStream: true})
	c.next += 2
	if _, err := nc.Write(hello.Bytes()); err != nil {
		b.Fatal(err)
	}
	c.await(b, 1)
	return c
}

// batch sends requests and waits for their responses.
func (c *httpClient) batch(b *testing.B) {
	c.out = c.out[:0]
	for range httpBatch {
		c.out = frame.AppendHeader(c.out, frame.Header{Length: uint32(len(c.block)), Type: frame.TypeHeaders,
			Flags: frame.FlagEndHeaders | frame.FlagEndStream, StreamID: c.next})
		c.out = append(c.out, c.block...)
		c.next += 2
	}
	if _, err := c.nc.Write(c.out); err != nil {
		b.Fatal(err)
	}
	c.await(b, httpBatch)
}

// await reads until so many streams have ended.
func (c *httpClient) await(b *testing.B, ends int) {
	for ends > 0 {
		n, err := c.nc.Read(c.buf[:])
		if err != nil {
			b.Fatal(err)
		}
		for p := c.buf[:n]; len(p) > 0; {
			if c.skip > 0 {
				k := min(c.skip, len(p))
				c.skip -= k
				p = p[k:]
				continue
			}
			k := copy(c.head[c.n:], p)
			c.n += k
			p = p[k:]
			if c.n == len(c.head) {
				h := frame.ParseHeader(c.head[:])
				c.n, c.skip = 0, int(h.Length)
				if (h.Type == frame.TypeHeaders || h.Type == frame.TypeData) && h.Flags&frame.FlagEndStream != 0 {
					ends--
				}
			}
		}
	}
}

// BenchmarkHTTPHandler measures a request of a batch under both, and counts the
// allocations of both.
func BenchmarkHTTPHandler(b *testing.B) {
	run := make(map[string]func())
	for name, serve := range httpServers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer serve(l)()
		c := newHTTPClient(b, l.Addr().String())
		defer c.nc.Close()
		run[name] = func() { c.batch(b) }
	}
	ours, theirs := newSide(run["nethttp"]), newSide(run["net/http"])
	for b.Loop() {
		ours.run()
		theirs.run()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours.median()/httpBatch, "ns/request")
	b.ReportMetric(theirs.median()/httpBatch, "net/http-ns/request")
	b.ReportMetric(theirs.median()/ours.median(), "ratio")
	b.ReportMetric(testing.AllocsPerRun(10, run["nethttp"])/httpBatch, "allocs/request")
	b.ReportMetric(testing.AllocsPerRun(10, run["net/http"])/httpBatch, "net/http-allocs/request")
}
