package nethttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

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
		var mu sync.Mutex
		serve := x.serve
		if serve == nil {
			serve = func(o *origin) { o.serveOK() }
		}
		tr := &http.Transport{Protocols: new(http.Protocols)}
		tr.Protocols.SetUnencryptedHTTP2(true)
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			cc, sc := net.Pipe()
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, sc)
			n.add(fmt.Sprintf("dial %d", len(conns)), network+" "+addr)
			o := newOrigin(n, len(conns), sc)
			go o.read()
			go o.send()
			go serve(o)
			return placedConn{cc}, nil
		}
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
	n.add(at+"rest", fmt.Sprint(res.Close, res.TransferEncoding, res.TLS))
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

// origin is the server's end of one connection.
type origin struct {
	n  *tripNotes
	at string // before the paths of its notes
	no int
	nc net.Conn
	fr *http2.Framer

	greeted, asked bool // our SETTINGS are sent; the client's have come: wmu guards them

	more chan struct{} // out has something
	over chan struct{} // closed when the client is gone
	wmu  sync.Mutex
	out  bytes.Buffer // what fr has written and the client has not read yet
	hbuf bytes.Buffer
	henc *hpack.Encoder

	mu      sync.Mutex
	cond    *sync.Cond
	streams []*arrived
	taken   int
	gone    bool
}

// arrived is one request.
type arrived struct {
	id    uint32
	data  []byte
	ended bool
	reset bool
}

func newOrigin(n *tripNotes, no int, nc net.Conn) *origin {
	o := &origin{n: n, no: no, nc: nc, more: make(chan struct{}, 1), over: make(chan struct{})}
	o.fr = http2.NewFramer(&o.out, nc)
	if no > 1 {
		o.at = fmt.Sprintf("connection %d.", no)
	}
	o.cond = sync.NewCond(&o.mu)
	o.henc = hpack.NewEncoder(&o.hbuf)
	return o
}

// hello begins the connection.
func (o *origin) hello(settings ...http2.Setting) {
	o.write(func() error {
		o.greeted = true
		if o.asked {
			defer o.fr.WriteSettingsAck()
		}
		return o.fr.WriteSettings(append([]http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1 << 20}, {ID: http2.SettingMaxConcurrentStreams, Val: 100}}, settings...)...)
	})
	o.write(func() error { return o.fr.WriteWindowUpdate(0, 1<<20) })
}

func (o *origin) write(f func() error) {
	o.wmu.Lock()
	defer o.wmu.Unlock()
	if err := f(); err != nil {
		panic(err)
	}
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// send sends what was written: a pipe has no room for it.
func (o *origin) send() {
	for {
		select {
		case <-o.more:
		case <-o.over:
			return
		}
		o.wmu.Lock()
		b := bytes.Clone(o.out.Bytes())
		o.out.Reset()
		o.wmu.Unlock()
		if _, err := o.nc.Write(b); err != nil {
			return
		}
	}
}

// close closes the connection when everything was sent.
func (o *origin) close() {
	o.rest()
	o.nc.Close()
}

// read takes what the client sends.
func (o *origin) read() {
	defer func() {
		close(o.over)
		o.mu.Lock()
		o.gone = true
		o.cond.Broadcast()
		o.mu.Unlock()
	}()
	var preface [len(http2.ClientPreface)]byte
	if _, err := io.ReadFull(o.nc, preface[:]); err != nil || string(preface[:]) != http2.ClientPreface {
		o.n.add(o.at+"preface", "wrong")
		return
	}
	dec := hpack.NewDecoder(4096, nil)
	var block []byte
	end := false
	for {
		f, err := o.fr.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				o.write(func() error {
					if o.asked = true; !o.greeted {
						return nil
					}
					return o.fr.WriteSettingsAck()
				})
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				data := f.Data
				o.write(func() error { return o.fr.WritePing(true, data) })
			}
		case *http2.HeadersFrame:
			block, end = append([]byte(nil), f.HeaderBlockFragment()...), f.StreamEnded()
			if f.HeadersEnded() {
				o.fields(dec, f.StreamID, block, end)
			}
		case *http2.ContinuationFrame:
			block = append(block, f.HeaderBlockFragment()...)
			if f.HeadersEnded() {
				o.fields(dec, f.StreamID, block, end)
			}
		case *http2.DataFrame:
			o.change(f.StreamID, func(s *arrived) {
				s.data = append(s.data, f.Data()...)
				s.ended = s.ended || f.StreamEnded()
				if s.ended {
					o.n.add(o.path(s.id)+"body", shown(s.data))
				}
			})
		case *http2.RSTStreamFrame:
			o.change(f.StreamID, func(s *arrived) { s.reset = true })
			o.n.add(o.path(f.StreamID)+"reset", f.ErrCode.String())
		}
	}
}

func (o *origin) path(id uint32) string { return fmt.Sprintf("%s%d.", o.at, id) }

// fields takes a header or trailer section.
func (o *origin) fields(dec *hpack.Decoder, id uint32, block []byte, end bool) {
	list, err := dec.DecodeFull(block)
	if err != nil {
		panic(err)
	}
	what := "trailer."
	o.mu.Lock()
	if i := slices.IndexFunc(o.streams, func(s *arrived) bool { return s.id == id }); i < 0 {
		what = "field."
		o.streams = append(o.streams, &arrived{id: id})
	}
	o.mu.Unlock()
	for _, f := range list {
		o.n.add(o.path(id)+what+f.Name, f.Value)
	}
	o.change(id, func(s *arrived) {
		if s.ended = end; end {
			o.n.add(o.path(id)+"body", shown(s.data))
		}
	})
}

func (o *origin) change(id uint32, f func(s *arrived)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.streams {
		if s.id == id {
			f(s)
		}
	}
	o.cond.Broadcast()
}

// await waits for something, or ends the script with the connection.
func (o *origin) await(f func() bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !f() {
		if o.gone {
			runtime.Goexit()
		}
		o.cond.Wait()
	}
}

// next waits for the next request.
func (o *origin) next() (id uint32) {
	o.await(func() bool {
		if o.taken == len(o.streams) {
			return false
		}
		id = o.streams[o.taken].id
		o.taken++
		return true
	})
	return id
}

// whole waits for the next request, and until it is complete or reset and the
// client at rest.
func (o *origin) whole() uint32 {
	id := o.next()
	o.ended(id)
	return id
}

func (o *origin) ended(id uint32) {
	o.await(func() bool {
		for _, s := range o.streams {
			if s.id == id {
				return s.ended || s.reset
			}
		}
		return false
	})
	o.rest()
}

// has waits until n octets of content have come.
func (o *origin) has(id uint32, n int) {
	o.await(func() bool {
		for _, s := range o.streams {
			if s.id == id {
				return len(s.data) >= n
			}
		}
		return false
	})
	o.rest()
}

// rest waits until nothing moves.
func (o *origin) rest() { time.Sleep(time.Millisecond) }

// headers sends a header or trailer section: names and values in turn.
func (o *origin) headers(id uint32, end bool, kv ...string) {
	o.write(func() error {
		o.hbuf.Reset()
		for i := 0; i < len(kv); i += 2 {
			o.henc.WriteField(hpack.HeaderField{Name: kv[i], Value: kv[i+1]})
		}
		block := o.hbuf.Bytes()
		first := block[:min(len(block), 16384)]
		block = block[len(first):]
		if err := o.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndStream: end, EndHeaders: len(block) == 0}); err != nil {
			return err
		}
		for len(block) > 0 {
			part := block[:min(len(block), 16384)]
			block = block[len(part):]
			if err := o.fr.WriteContinuation(id, len(block) == 0, part); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *origin) data(id uint32, s string, end bool) {
	for {
		part := s[:min(len(s), 16384)]
		s = s[len(part):]
		o.write(func() error { return o.fr.WriteData(id, end && s == "", []byte(part)) })
		if s == "" {
			return
		}
	}
}

func (o *origin) reset(id uint32, code http2.ErrCode) {
	o.write(func() error { return o.fr.WriteRSTStream(id, code) })
}

func (o *origin) goAway(last uint32, code http2.ErrCode) {
	o.write(func() error { return o.fr.WriteGoAway(last, code, nil) })
}

// ok answers a request.
func (o *origin) ok(id uint32) {
	o.headers(id, false, ":status", "200")
	o.data(id, "ok", true)
}

// serveOK answers every request when it is complete.
func (o *origin) serveOK() {
	o.hello()
	for {
		o.ok(o.whole())
	}
}

// watched is a request body that notes its end.
type watched struct {
	io.Reader
	n *tripNotes
}

func (b watched) Close() error {
	b.n.mu.Lock()
	defer b.n.mu.Unlock()
	b.n.seen["request body"] = "closed"
	return nil
}
