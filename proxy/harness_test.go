package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
	"github.com/nonet-h2/nonet/proxy"
)

// patience bounds how long a test waits for anything. Nothing that works comes
// close to it.
const patience = 20 * time.Second

// edge is a running proxy, in cleartext.
type edge struct {
	t    testing.TB
	addr string
	h    *proxy.Handler
	srv  *nethttp.Server
	log  *lines
}

// lines is a log that tests look at.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newEdge starts a proxy in front of a backend's address.
func newEdge(t testing.TB, backend string, c proxy.Config) *edge {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newEdgeOn(t, ln, backend, c, nonet.Config{})
}

// newEdgeOn is newEdge on a listener, with a server that is told more.
func newEdgeOn(t testing.TB, ln net.Listener, backend string, c proxy.Config, sc nonet.Config) *edge {
	t.Helper()
	e := &edge{t: t, log: new(lines)}
	c.Backend = "http://" + backend
	c.Logger = slog.New(slog.NewTextHandler(e.log, nil))
	h, err := proxy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	e.h, e.addr = h, ln.Addr().String()
	e.srv = &nethttp.Server{Handler: h, Config: sc}
	e.srv.Logger = c.Logger
	go e.srv.Serve(ln)
	t.Cleanup(e.close)
	return e
}

func (e *edge) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := e.srv.Shutdown(ctx); err != nil {
		e.t.Errorf("shutdown of the edge: %v", err)
	}
	e.h.CloseIdleConnections()
}

// logged wants so many lines in the log, and these words in it.
func (e *edge) logged(n int, words ...string) {
	e.t.Helper()
	text := e.log.String()
	if got := strings.Count(text, "\n"); got != n {
		e.t.Errorf("%d lines logged, want %d:\n%s", got, n, text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			e.t.Errorf("no %q in the log:\n%s", w, text)
		}
	}
}

// client speaks HTTP/2 to the edge in frames. What comes on a stream is kept
// as lines, in order:
//
//	HEADERS 200 content-type=text/plain     date is left out
//	DATA "text" END_STREAM                  frames without a line between them are one
//	TRAILERS x-a=1 END_STREAM
//	RST_STREAM CANCEL
//	GOAWAY NO_ERROR                         on stream 0
type client struct {
	t     testing.TB
	nc    net.Conn
	out   *bufio.Writer
	fr    *http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
	lines map[uint32][]string
	acked int
	pings int
	ended error

	started <-chan struct{} // one for each connection on which the backend has got something
}

func (e *edge) connect() *client {
	e.t.Helper()
	nc, err := net.Dial("tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	return speak(e.t, nc)
}

// speak starts HTTP/2 on a connection.
func speak(t testing.TB, nc net.Conn) *client {
	t.Helper()
	nc.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { nc.Close() })
	c := &client{t: t, nc: nc, out: bufio.NewWriterSize(nc, 1<<20), lines: make(map[uint32][]string)}
	c.fr = http2.NewFramer(c.out, nc)
	c.fr.AllowIllegalWrites = true
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.enc = hpack.NewEncoder(&c.block)
	io.WriteString(c.out, http2.ClientPreface)
	c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	c.fr.WriteWindowUpdate(0, 1<<20)
	return c
}

// field is a field of a request, also one that HTTP/2 forbids.
type field struct{ name, value string }

// fields parses "name=value" lines; a pseudo-header field's name has no "=".
func fields(list ...string) (fs []field) {
	for _, f := range list {
		i := strings.Index(f[1:], "=") + 1
		fs = append(fs, field{f[:i], f[i+1:]})
	}
	return fs
}

// get are the fields of a GET request, with others.
func get(path string, more ...string) []field {
	return fields(append([]string{":method=GET", ":scheme=http", ":path=" + path, ":authority=example.com"}, more...)...)
}

// post are the fields of a POST request, with others.
func post(path string, more ...string) []field {
	fs := get(path, more...)
	fs[0].value = "POST"
	return fs
}

// headers puts a header section into the buffer.
func (c *client) headers(id uint32, fs []field, end bool) {
	c.block.Reset()
	for _, f := range fs {
		c.enc.WriteField(hpack.HeaderField{Name: f.name, Value: f.value})
	}
	b := c.block.Bytes()
	n := min(len(b), 16384)
	c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b[:n], EndStream: end, EndHeaders: n == len(b)})
	for b = b[n:]; len(b) > 0; b = b[n:] {
		n = min(len(b), 16384)
		c.fr.WriteContinuation(id, n == len(b), b[:n])
	}
}

// data puts content into the buffer.
func (c *client) data(id uint32, content string, end bool) {
	for len(content) > 16384 {
		c.fr.WriteData(id, false, []byte(content[:16384]))
		content = content[16384:]
	}
	c.fr.WriteData(id, end, []byte(content))
}

// flush sends the buffer, all of it at once.
func (c *client) flush() {
	if err := c.out.Flush(); err != nil {
		c.ended = err
	}
}

// read reads a frame. False: there is no more.
func (c *client) read() bool {
	f, err := c.fr.ReadFrame()
	if err != nil {
		c.ended = err
		return false
	}
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			c.fr.WriteSettingsAck()
			c.flush()
		}
	case *http2.PingFrame:
		if f.IsAck() {
			c.acked++
		} else {
			c.fr.WritePing(true, f.Data)
			c.flush()
		}
	case *http2.MetaHeadersFrame:
		c.note(id, section(f))
	case *http2.DataFrame:
		c.noteData(id, f)
		if n := uint32(len(f.Data())); n > 0 {
			c.fr.WriteWindowUpdate(0, n)
			c.fr.WriteWindowUpdate(id, n)
			c.flush()
		}
	case *http2.RSTStreamFrame:
		c.note(id, "RST_STREAM "+f.ErrCode.String())
	case *http2.GoAwayFrame:
		c.note(0, "GOAWAY "+f.ErrCode.String())
	}
	return true
}

func (c *client) note(id uint32, line string) { c.lines[id] = append(c.lines[id], line) }

func (c *client) noteData(id uint32, f *http2.DataFrame) {
	text := strconv.Quote(string(f.Data()))
	l := c.lines[id]
	if n := len(l); n > 0 && strings.HasPrefix(l[n-1], `DATA "`) && strings.HasSuffix(l[n-1], `"`) {
		l[n-1] = strings.TrimSuffix(l[n-1], `"`) + text[1:]
	} else {
		l = append(l, "DATA "+text)
	}
	if f.StreamEnded() {
		l[len(l)-1] += " END_STREAM"
	}
	c.lines[id] = l
}

func section(f *http2.MetaHeadersFrame) string {
	line := "TRAILERS"
	if status := f.PseudoValue("status"); status != "" {
		line = "HEADERS " + status
	}
	for _, field := range f.RegularFields() {
		if field.Name != "date" || line == "TRAILERS" {
			line += " " + field.Name + "=" + field.Value
		}
	}
	if f.StreamEnded() {
		line += " END_STREAM"
	}
	return line
}

// over reports whether the edge has ended a stream.
func (c *client) over(id uint32) bool {
	l := c.lines[id]
	if len(l) == 0 {
		return false
	}
	last := l[len(l)-1]
	return strings.HasSuffix(last, " END_STREAM") || strings.HasPrefix(last, "RST_STREAM ")
}

// until reads until the lines of a stream satisfy a condition.
func (c *client) until(id uint32, what string, ok func() bool) {
	c.t.Helper()
	for c.flush(); !ok(); {
		if !c.read() {
			c.t.Fatalf("stream %d: waiting for %s: %v; got %q, and on the connection %q", id, what, c.ended, c.lines[id], c.lines[0])
		}
	}
}

// untilOver reads until the edge has ended a stream, and returns its lines.
func (c *client) untilOver(id uint32) string {
	c.t.Helper()
	c.until(id, "its end", func() bool { return c.over(id) })
	// A flush may separate the last octet from the end.
	return strings.Replace(strings.Join(c.lines[id], " | "), ` | DATA "" END_STREAM`, " END_STREAM", 1)
}

// untilLine reads until the last line of a stream begins with this.
func (c *client) untilLine(id uint32, prefix string) {
	c.t.Helper()
	c.until(id, prefix, func() bool {
		l := c.lines[id]
		return len(l) > 0 && strings.HasPrefix(l[len(l)-1], prefix)
	})
}

// ping makes sure that the edge has read all that was sent, and lives.
func (c *client) ping() {
	c.t.Helper()
	c.pings++
	c.fr.WritePing(false, [8]byte{byte(c.pings)})
	c.until(0, "a PING to come back", func() bool { return c.acked >= c.pings })
}

// want compares the lines of a stream.
func want(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// backend is an HTTP/1.1 application on a raw TCP socket, in the test's hands.
type backend struct {
	t     testing.TB
	ln    net.Listener
	addr  string
	conns chan *upstream
}

// upstream is a connection from the edge to the backend.
type upstream struct {
	t  testing.TB
	nc net.Conn
	br *bufio.Reader
}

// newBackend listens; connections are taken with next.
func newBackend(t testing.TB) *backend {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{t: t, ln: ln, addr: ln.Addr().String(), conns: make(chan *upstream, 16)}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			nc.SetDeadline(time.Now().Add(patience))
			b.conns <- &upstream{t, nc, bufio.NewReader(nc)}
		}
	}()
	return b
}

// next waits for a connection.
func (b *backend) next() *upstream {
	b.t.Helper()
	select {
	case u := <-b.conns:
		b.t.Cleanup(func() { u.nc.Close() })
		return u
	case <-time.After(patience):
		b.t.Fatal("no connection to the backend")
		return nil
	}
}

// request reads a request's header section.
func (u *upstream) request() *http.Request {
	u.t.Helper()
	r, err := http.ReadRequest(u.br)
	if err != nil {
		u.t.Fatalf("the backend waits for a request: %v", err)
	}
	return r
}

// raw reads a header section as it is.
func (u *upstream) raw() string {
	u.t.Helper()
	var text strings.Builder
	for !strings.HasSuffix(text.String(), "\r\n\r\n") {
		line, err := u.br.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			u.t.Fatalf("the backend waits for a request: %v after %q", err, text.String())
		}
	}
	return text.String()
}

// write answers; line feeds become CRLF.
func (u *upstream) write(text string) {
	u.t.Helper()
	if _, err := io.WriteString(u.nc, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		u.t.Errorf("the backend writes: %v", err)
	}
}

// closed waits for the end of the connection, and returns what still came.
func (u *upstream) closed() string {
	u.t.Helper()
	rest, err := io.ReadAll(u.br)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		u.t.Errorf("the connection to the backend goes on: %v", err)
	}
	return string(rest)
}

// app runs an http.Handler as the backend.
func app(t testing.TB, h http.HandlerFunc) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

// ok is a short response.
func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(body), body)
}

func reader(nc net.Conn) *bufio.Reader { return bufio.NewReader(nc) }

func word2chunk(word string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(word), word) }

// sortWords sorts the fields of a line; what stands before them stays.
func sortWords(line string) string {
	var fs []string
	rest := line
	for {
		i := strings.LastIndex(rest, "=")
		if i < 0 {
			break
		}
		at := strings.LastIndexByte(rest[:i], ' ')
		fs, rest = append(fs, rest[at+1:]), rest[:at]
	}
	end := ""
	for i, f := range fs {
		if g, ok := strings.CutSuffix(f, " END_STREAM"); ok {
			fs[i], end = g, " END_STREAM"
		}
	}
	slices.Sort(fs)
	return strings.Join(append([]string{rest}, fs...), " ") + end
}
