package nonet

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"

	h2tls "github.com/nonet-h2/nonet/tls"
)

// How the tests of this package are written: a scripted peer, made of x/net's
// Framer, sends frames and says what it wants, line by line. Time is virtual
// (testing/synctest), which also fails a test that leaves a goroutine behind.
//
//	p := dial(t, &Server{Handler: hello})
//	p.get(1, "/")
//	p.want("HEADERS 1 :status=200 content-length=6", `DATA 1 "hello\n" END_STREAM`)
//	p.quiet()

// transports are the ways by which a scripted peer reaches a server.
var transports = []struct {
	name string
	wrap func(client, server net.Conn) (net.Conn, net.Conn)
}{
	{"h2c", func(c, s net.Conn) (net.Conn, net.Conn) { return c, s }},
	{"octets", func(c, s net.Conn) (net.Conn, net.Conn) { return c, octetConn{s} }},
	{"tls", func(c, s net.Conn) (net.Conn, net.Conn) {
		return tls.Client(c, clientTLS()), tls.Server(s, serverTLS())
	}},
}

// octetConn writes octet by octet.
type octetConn struct{ net.Conn }

func (c octetConn) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		_, err = c.Conn.Write(p[n : n+1])
		n++
	}
	return n, err
}

var certificate = sync.OnceValue(func() tls.Certificate {
	cert, err := h2tls.Development()
	if err != nil {
		panic(err)
	}
	return cert
})

func serverTLS() *tls.Config {
	return h2tls.ServerConfig(&tls.Config{Certificates: []tls.Certificate{certificate()}})
}

func clientTLS(protos ...string) *tls.Config {
	if protos == nil {
		protos = []string{"h2"}
	}
	return &tls.Config{InsecureSkipVerify: true, ServerName: "localhost", NextProtos: protos}
}

// onEach runs a test in a bubble, once for each transport.
func onEach(t *testing.T, f func(t *testing.T, dial func(*Server) *peer)) {
	certificate()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f(t, func(s *Server) *peer {
					c, sc := net.Pipe()
					cc, ss := tr.wrap(c, sc)
					p := connect(t, s, cc, ss)
					p.hello()
					return p
				})
			})
		})
	}
}

// inBubble runs a test in a bubble, on h2c.
func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

// peer is a scripted client.
type peer struct {
	t    *testing.T
	nc   net.Conn
	fr   *http2.Framer // the test's
	ack  *http2.Framer // the read loop's, to answer PING
	enc  *xhpack.Encoder
	ebuf bytes.Buffer
	log  *syncBuffer
	lag  time.Duration // of answers to PING

	mu      sync.Mutex
	lines   []string
	updates map[uint32]int // WINDOW_UPDATE increments, which are no lines
	body    map[uint32]int // octets of DATA
	gone    error          // what the read loop ended with
	ended   chan error     // what ServeConn returned
	later   func(func())   // of a scripted server: write after what it writes now
	noAck   bool           // a scripted server does not acknowledge SETTINGS
	bare    bool           // nor does this one, which has none of its own
}

// syncBuffer is a buffer that several goroutines may write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// dial connects a peer on h2c and sends the preface.
func dial(t *testing.T, s *Server) *peer {
	c, sc := net.Pipe()
	p := connect(t, s, c, sc)
	p.hello()
	return p
}

// connect serves one end of a connection; the test ends by closing it.
func connect(t *testing.T, s *Server, nc, server net.Conn) *peer {
	p := &peer{t: t, nc: nc, fr: http2.NewFramer(nc, nc), ack: http2.NewFramer(nc, nil), log: new(syncBuffer), ended: make(chan error, 1),
		updates: make(map[uint32]int), body: make(map[uint32]int)}
	p.fr.ReadMetaHeaders = xhpack.NewDecoder(4096, nil)
	p.fr.MaxHeaderListSize = 1 << 20
	p.enc = xhpack.NewEncoder(&p.ebuf)
	if s.Logger == nil {
		s.Logger = slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	go func() { p.ended <- s.ServeConn(server) }()
	t.Cleanup(func() { p.nc.Close(); s.Close() })
	return p
}

// hello sends the preface and takes the server's.
func (p *peer) hello(settings ...http2.Setting) {
	p.t.Helper()
	go p.read()
	if _, err := io.WriteString(p.nc, http2.ClientPreface); err != nil {
		p.t.Fatal(err)
	}
	p.ok(p.fr.WriteSettings(settings...))
	p.want("SETTINGS", "SETTINGS ACK")
	p.ok(p.fr.WriteSettingsAck())
}

func (p *peer) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) read() {
	for {
		f, err := p.fr.ReadFrame()
		p.mu.Lock()
		if err != nil {
			p.gone = err
			p.mu.Unlock()
			return
		}
		if line := p.line(f); line != "" {
			p.lines = append(p.lines, line)
		}
		p.mu.Unlock()
	}
}

// line prints a frame.
func (p *peer) line(f http2.Frame) string {
	h := f.Header()
	end := ""
	if (h.Type == http2.FrameData || h.Type == http2.FrameHeaders) && h.Flags.Has(http2.FlagDataEndStream) {
		end = " END_STREAM"
	}
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			return "SETTINGS ACK"
		}
		return "SETTINGS"
	case *http2.WindowUpdateFrame:
		p.updates[h.StreamID] += int(f.Increment)
		return ""
	case *http2.DataFrame:
		p.body[h.StreamID] += len(f.Data())
		if len(f.Data()) > 64 {
			return fmt.Sprintf("DATA %d %d%s", h.StreamID, len(f.Data()), end)
		}
		return fmt.Sprintf("DATA %d %q%s", h.StreamID, f.Data(), end)
	case *http2.MetaHeadersFrame:
		var b strings.Builder
		fmt.Fprintf(&b, "HEADERS %d", h.StreamID)
		for _, f := range f.Fields {
			if len(f.Value) > 100 {
				fmt.Fprintf(&b, " %s=#%d", f.Name, len(f.Value))
			} else if f.Name != "date" {
				fmt.Fprintf(&b, " %s=%s", f.Name, f.Value)
			}
		}
		return b.String() + end
	case *http2.RSTStreamFrame:
		return fmt.Sprintf("RST_STREAM %d %v", h.StreamID, code(f.ErrCode))
	case *http2.GoAwayFrame:
		return fmt.Sprintf("GOAWAY %d %v", f.LastStreamID, code(f.ErrCode))
	case *http2.PingFrame:
		if f.IsAck() {
			return "PING ACK"
		}
		data := f.Data
		time.AfterFunc(p.lag, func() { _ = p.ack.WritePing(true, data) })
		if string(f.Data[:4]) == "nnt?" {
			return "" // measures the round trip, now and then
		}
		return "PING"
	}
	return h.Type.String()
}

func code(c http2.ErrCode) string { return c.String() }

// settle lets everything happen that is about to.
func settle() { time.Sleep(time.Millisecond) }

// await gives the next line time to come.
func (p *peer) await() {
	for range 20 {
		synctest.Wait()
		p.mu.Lock()
		n := len(p.lines)
		p.mu.Unlock()
		if n > 0 {
			return
		}
		settle()
	}
}

// want takes the next lines.
func (p *peer) want(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		p.await()
		p.mu.Lock()
		got, gone := "nothing", p.gone
		if len(p.lines) > 0 {
			got, p.lines = p.lines[0], p.lines[1:]
		}
		p.mu.Unlock()
		if got != want {
			p.t.Fatalf("got  %s\nwant %s\nthe connection: %v\nlog: %s", got, want, gone, p.log)
		}
	}
}

// quiet wants nothing more, and the connection alive.
func (p *peer) quiet() {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) > 0 || p.gone != nil {
		p.t.Fatalf("not quiet: %q, %v", p.lines, p.gone)
	}
}

// wantEnd wants no more frames and the end of the connection.
func (p *peer) wantEnd() {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) > 0 || p.gone == nil {
		p.t.Fatalf("not at the end: %q, %v", p.lines, p.gone)
	}
}

// wantContent wants DATA of n octets in all and END_STREAM.
func (p *peer) wantContent(id uint32, n int) {
	p.t.Helper()
	for {
		p.await()
		p.mu.Lock()
		if len(p.lines) == 0 || !strings.HasPrefix(p.lines[0], fmt.Sprintf("DATA %d ", id)) {
			p.t.Fatalf("%d of %d octets came, then %q", p.body[id], n, p.lines)
		}
		end := strings.HasSuffix(p.lines[0], "END_STREAM")
		p.lines = p.lines[1:]
		got := p.body[id]
		p.mu.Unlock()
		if end {
			if got != n {
				p.t.Fatalf("content of %d octets, want %d", got, n)
			}
			return
		}
	}
}

// wantText wants text in DATA frames, however many they are.
func (p *peer) wantText(id uint32, text string) {
	p.t.Helper()
	for got := ""; got != text; {
		p.await()
		p.mu.Lock()
		line := "nothing"
		if len(p.lines) > 0 {
			line, p.lines = p.lines[0], p.lines[1:]
		}
		p.mu.Unlock()
		var from uint32
		var more string
		if _, err := fmt.Sscanf(line, "DATA %d %q", &from, &more); err != nil || from != id || more == "" || !strings.HasPrefix(text, got+more) {
			p.t.Fatalf("%s after %q, want %q", line, got, text)
		}
		got += more
	}
}

// received returns how many octets of DATA came, and forgets the lines.
func (p *peer) received(id uint32) int {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = nil
	return p.body[id]
}

// updated returns the sum of the WINDOW_UPDATE increments.
func (p *peer) updated(id uint32) int {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.updates[id]
}

// request sends a header section; fields are "name: value".
func (p *peer) request(id uint32, method, path string, end bool, fields ...string) {
	p.t.Helper()
	all := append([]string{":method: " + method, ":scheme: http", ":path: " + path, ":authority: example.com"}, fields...)
	p.headers(id, end, all...)
}

func (p *peer) headers(id uint32, end bool, fields ...string) {
	p.t.Helper()
	p.ebuf.Reset()
	for _, f := range fields {
		i := strings.Index(f[1:], ": ") + 1
		p.ok(p.enc.WriteField(xhpack.HeaderField{Name: f[:i], Value: f[i+2:]}))
	}
	p.ok(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.ebuf.Bytes(), EndHeaders: true, EndStream: end}))
}

func (p *peer) get(id uint32, path string, fields ...string) {
	p.t.Helper()
	p.request(id, "GET", path, true, fields...)
}

func (p *peer) post(id uint32, path string, fields ...string) {
	p.t.Helper()
	p.request(id, "POST", path, false, fields...)
}

func (p *peer) data(id uint32, s string, end bool) {
	p.t.Helper()
	p.ok(p.fr.WriteData(id, end, []byte(s)))
}

func (p *peer) reset(id uint32, code http2.ErrCode) {
	p.t.Helper()
	p.ok(p.fr.WriteRSTStream(id, code))
}
