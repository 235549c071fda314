package nonet

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/frame"
)

// Real sockets, where reading and writing take other ways than on a pipe.

// start serves on a loopback port until the test ends, then checks that no
// goroutine is left.
func start(t testing.TB, s *Server, overTLS bool) (addr string) {
	t.Helper()
	before := runtime.NumGoroutine()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	ended := make(chan error, 1)
	go func() {
		if overTLS {
			s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate()}}
			ended <- s.ServeTLS(l)
		} else {
			ended <- s.Serve(l)
		}
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-ended; err != ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
		deadline := time.Now().Add(5 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Fatalf("goroutines left:\n%s", buf[:runtime.Stack(buf, true)])
			}
			runtime.Gosched()
		}
	})
	return l.Addr().String()
}

func testRoutes(s Stream) {
	switch string(s.Path()) {
	case "/echo":
		buf := make([]byte, 3000)
		for {
			n, err := s.Read(buf)
			if _, err := s.Write(buf[:n]); err != nil {
				return
			}
			if err != nil {
				return
			}
			s.Flush()
		}
	case "/duplex":
		done := make(chan int64)
		go func() {
			n, _ := io.Copy(io.Discard, s)
			done <- n
		}()
		for range 50 {
			s.Write(make([]byte, 2000))
			s.Flush()
		}
		s.WriteString(itoa(int(<-done)))
	case "/big":
		s.Write(make([]byte, 300_000))
	case "/trailers":
		s.DeclareTrailer("x-t")
		s.WriteString("body")
		s.AppendTrailer("x-t", "v")
	case "/wait":
		<-s.Context().Done()
	default:
		hello(s)
	}
}

func inlineRoutes(s Stream) {
	if string(s.Path()) == "/" {
		hello(s)
		return
	}
	s.Go(testRoutes)
}

// net/http's client asks for many things at once, and gives some of them up.
func TestManyRequests(t *testing.T) {
	for _, kind := range []string{"h2c, stream", "h2c, inline", "tls, stream", "tls, inline"} {
		t.Run(kind, func(t *testing.T) {
			s := &Server{Handler: testRoutes}
			if strings.HasSuffix(kind, "inline") {
				s.Inline = inlineRoutes
			}
			overTLS := strings.HasPrefix(kind, "tls")
			base := "http://" + start(t, s, overTLS)
			tr := &http.Transport{TLSClientConfig: clientTLS(), Protocols: new(http.Protocols)}
			tr.Protocols.SetUnencryptedHTTP2(true)
			if overTLS {
				base = "https" + base[4:]
				tr.Protocols = nil
				tr.ForceAttemptHTTP2 = true
			}
			defer tr.CloseIdleConnections()
			var wg sync.WaitGroup
			for g := range 8 {
				wg.Go(func() { visit(t, tr, base, g) })
			}
			wg.Wait()
		})
	}
}

func visit(t *testing.T, tr *http.Transport, base string, g int) {
	content := bytes.Repeat([]byte{byte('a' + g)}, 100_000)
	for i := range 30 {
		ctx, cancel := context.WithCancel(context.Background())
		path, method := []string{"/", "/big", "/trailers", "/echo", "/wait", "/duplex"}[(g+i)%6], "GET"
		var body io.Reader
		if path == "/echo" || path == "/duplex" {
			method, body = "POST", bytes.NewReader(content)
		}
		req, _ := http.NewRequestWithContext(ctx, method, base+path, body)
		if path == "/wait" {
			time.AfterFunc(time.Millisecond, cancel)
		}
		res, err := tr.RoundTrip(req)
		if path == "/wait" {
			if err == nil {
				t.Error("a cancelled request went well")
				res.Body.Close()
			}
			cancel()
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			cancel()
			continue
		}
		got, err := io.ReadAll(res.Body)
		want := map[string]int{"/": 6, "/big": 300_000, "/trailers": 4, "/echo": len(content), "/duplex": 100_006}[path]
		if err != nil || len(got) != want || res.ProtoMajor != 2 || path == "/echo" && !bytes.Equal(got, content) ||
			path == "/trailers" && res.Trailer.Get("X-T") != "v" {
			t.Errorf("%s: %d octets, %v, trailers %v", path, len(got), err, res.Trailer)
		}
		res.Body.Close()
		cancel()
	}
}

// conversation is a client that sends prepared octets.
type conversation struct {
	t    testing.TB
	nc   net.Conn
	next uint32
	buf  []byte
	in   []byte
	have int
}

func newConversation(t testing.TB, addr string, overTLS bool) *conversation {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if overTLS {
		nc = tls.Client(nc, clientTLS())
	}
	c := &conversation{t: t, nc: nc, next: 1, in: make([]byte, 1<<20)}
	c.buf = append(c.buf, http2.ClientPreface...)
	c.buf = frame.AppendSettings(c.buf, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 1 << 20})
	c.buf = frame.AppendSettingsAck(c.buf)
	c.buf = frame.AppendWindowUpdate(c.buf, 0, 1<<30)
	return c
}

// ask sends n requests in one write and reads the answers; n is at most 100.
func (c *conversation) ask(n int) {
	c.buf = frame.AppendWindowUpdate(c.buf, 0, 1<<16)
	for range n {
		c.buf = frame.AppendHeaders(c.buf, c.next, []byte("\x82\x86\x84\x41\x01a"), true, 16384)
		c.next += 2
	}
	if _, err := c.nc.Write(c.buf); err != nil {
		c.t.Fatal(err)
	}
	c.buf = c.buf[:0]
	for n > 0 {
		k, err := c.nc.Read(c.in[c.have:])
		if err != nil {
			c.t.Fatal(err)
		}
		c.have += k
		at := 0
		for c.have-at >= frame.HeaderLen {
			h := frame.ParseHeader(c.in[at:])
			size := frame.HeaderLen + int(h.Length)
			if c.have-at < size {
				break
			}
			if h.StreamID != 0 && h.Flags.Has(frame.FlagEndStream) {
				n--
			}
			at += size
		}
		c.have = copy(c.in, c.in[at:c.have])
	}
}

// What the socket does not take at once is written by someone who may wait.
func TestInlineLargeAnswers(t *testing.T) {
	for _, overTLS := range []bool{false, true} {
		content := make([]byte, 60_000)
		s := &Server{Inline: func(s Stream) {
			if n, err := s.Write(content); n != len(content) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
		}}
		c := newConversation(t, start(t, s, overTLS), overTLS)
		for range 3 {
			c.ask(100)
		}
		c.nc.Close()
	}
}

// A request allocates nothing once everything is warm.
func TestRequestAllocates(t *testing.T) {
	for _, inline := range []bool{false, true} {
		s := &Server{Handler: hello}
		if inline {
			s.Inline = hello
		}
		c := newConversation(t, start(t, s, false), false)
		const burst, rounds = 100, 100
		for range rounds {
			c.ask(burst)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			c.ask(burst)
		}
		runtime.ReadMemStats(&after)
		per := float64(after.Mallocs-before.Mallocs) / (burst * rounds)
		t.Logf("inline %v: %.3f allocations a request", inline, per)
		if limit := 0.2; per > limit && !raceEnabled {
			t.Errorf("inline %v: %.3f allocations a request, want at most %v", inline, per, limit)
		}
		c.nc.Close()
	}
}

// After a connection error the peer gets GOAWAY and a clean end, though it
// went on sending: closing a socket with unread input would destroy both.
func TestCleanEnd(t *testing.T) {
	for _, overTLS := range []bool{false, true} {
		addr := start(t, &Server{Handler: hello}, overTLS)
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if overTLS {
			nc = tls.Client(nc, clientTLS())
		}
		out := frame.AppendSettings([]byte(frame.Preface))
		out = frame.AppendData(out, 1, []byte("on an idle stream"), false)
		for range 30 {
			out = frame.AppendData(out, 1, make([]byte, 16<<10), false)
		}
		if _, err := nc.Write(out); err != nil {
			t.Fatal(err)
		}
		nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		in, err := io.ReadAll(nc)
		if err != nil {
			t.Errorf("tls %v: the end is %v", overTLS, err)
		}
		last := ""
		for len(in) >= frame.HeaderLen {
			h := frame.ParseHeader(in)
			last = h.Type.String()
			in = in[frame.HeaderLen+int(h.Length):]
		}
		if last != "GOAWAY" {
			t.Errorf("tls %v: the last frame is %s", overTLS, last)
		}
		nc.Close()
	}
}

// A client of HTTP/1 on a TLS port, and of TLS on a cleartext port.
func TestWrongPort(t *testing.T) {
	nc, err := net.Dial("tcp", start(t, &Server{Handler: hello}, true))
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if b, _ := io.ReadAll(nc); !strings.HasPrefix(string(b), "HTTP/1.0 400 ") {
		t.Errorf("%q", b)
	}
	nc.Close()
	nc, err = net.Dial("tcp", start(t, &Server{Handler: hello}, false))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	begun := time.Now()
	if err := tls.Client(nc, clientTLS()).Handshake(); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("handshake with a cleartext port: %v after %v", err, time.Since(begun))
	}
}

func TestServeErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := new(Server).Serve(l); err != errNoHandler {
		t.Errorf("Serve without a handler: %v", err)
	}
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := &Server{Handler: hello, Addr: l.Addr().String()}
	if err := taken.ListenAndServe(); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a taken port: %v", err)
	}
	free := &Server{Handler: hello, Addr: "127.0.0.1:0"}
	if err := free.ListenAndServeTLS("", ""); err != errNoCertificate {
		t.Errorf("TLS without a certificate: %v", err)
	}
	if err := free.ListenAndServeTLS("missing.pem", "missing.pem"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a missing certificate: %v", err)
	}
	free.Close()
	if err := free.ListenAndServe(); err != ErrServerClosed {
		t.Errorf("after Close: %v", err)
	}
}
