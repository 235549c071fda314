package nethttp_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/nethttp"
)

// How the tests beside the table are written: a scripted peer sends frames and
// says what it wants, line by line, in a bubble of testing/synctest.
//
//	p := dial(t, s, over)
//	p.request(1, "GET", "/", true)
//	p.want("HEADERS 1 :status=200 content-length=6", `DATA 1 "hello\n" END_STREAM`)
type peer struct {
	t    *testing.T
	nc   net.Conn
	fr   *http2.Framer
	enc  *hpack.Encoder
	ebuf bytes.Buffer

	mu       sync.Mutex
	lines    []string
	gone     error
	settings map[http2.SettingID]uint32
}

// cleartext and overTLS are the two ways to a server.
var transports = map[string]bool{"h2c": false, "TLS": true}

// onEach runs a test in a bubble on both ways, with a server of its own.
func onEach(t *testing.T, h http.HandlerFunc, f func(t *testing.T, p *peer)) {
	certificate()
	for name, secure := range transports {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, dial(t, &nethttp.Server{Handler: h}, secure)) })
		})
	}
}

// begin serves s on a listener in memory until the test ends.
func begin(t *testing.T, s *nethttp.Server, secure bool) *listener {
	l := &listener{accepted: make(chan net.Conn), closed: make(chan struct{})}
	if secure {
		s.TLSConfig = config{tls: true}.tlsConfig()
	}
	ended := make(chan error, 1)
	go func() {
		if secure {
			ended <- s.ServeTLS(l, "", "")
		} else {
			ended <- s.Serve(l)
		}
	}()
	t.Cleanup(func() {
		s.Close()
		if err := <-ended; err != http.ErrServerClosed {
			t.Errorf("Serve: %v, want http.ErrServerClosed", err)
		}
	})
	return l
}

// dial connects a peer to s.
func dial(t *testing.T, s *nethttp.Server, secure bool) *peer {
	return begin(t, s, secure).dial(t, secure)
}

func (l *listener) dial(t *testing.T, secure bool) *peer {
	nc, sc := net.Pipe()
	l.accepted <- placedConn{sc}
	if secure {
		nc = tls.Client(nc, clientTLS(false))
	}
	p := &peer{t: t, nc: nc, fr: http2.NewFramer(nc, nc), settings: make(map[http2.SettingID]uint32)}
	p.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.fr.MaxHeaderListSize = 1 << 20
	p.enc = hpack.NewEncoder(&p.ebuf)
	t.Cleanup(func() { nc.Close() })
	go p.read()
	p.ok(errOf(io.WriteString(nc, http2.ClientPreface)))
	p.ok(p.fr.WriteSettings())
	p.want("SETTINGS", "SETTINGS ACK")
	p.ok(p.fr.WriteSettingsAck())
	return p
}

func errOf(_ int, err error) error { return err }

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
		if s, ok := f.(*http2.SettingsFrame); ok && !s.IsAck() {
			_ = s.ForeachSetting(func(s http2.Setting) error { p.settings[s.ID] = s.Val; return nil })
		}
		if line := frameLine(f); line != "" {
			p.lines = append(p.lines, line)
		}
		p.mu.Unlock()
	}
}

// frameLine prints a frame; date fields and WINDOW_UPDATE are left out.
func frameLine(f http2.Frame) string {
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
		return ""
	case *http2.DataFrame:
		if len(f.Data()) > 64 {
			return fmt.Sprintf("DATA %d %d%s", h.StreamID, len(f.Data()), end)
		}
		return fmt.Sprintf("DATA %d %q%s", h.StreamID, f.Data(), end)
	case *http2.MetaHeadersFrame:
		var b strings.Builder
		fmt.Fprintf(&b, "HEADERS %d", h.StreamID)
		for _, f := range f.Fields {
			switch {
			case len(f.Value) > 100:
				fmt.Fprintf(&b, " %s=#%d", f.Name, len(f.Value))
			case f.Name != "date":
				fmt.Fprintf(&b, " %s=%s", f.Name, f.Value)
			}
		}
		return b.String() + end
	case *http2.RSTStreamFrame:
		return fmt.Sprintf("RST_STREAM %d %v", h.StreamID, f.ErrCode)
	case *http2.GoAwayFrame:
		return fmt.Sprintf("GOAWAY %v", f.ErrCode)
	case *http2.PingFrame:
		return ""
	}
	return h.Type.String()
}

// want takes the next lines.
func (p *peer) want(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		got := p.next()
		if got != want {
			p.t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// next gives the next line a millisecond to come.
func (p *peer) next() string {
	for range 20 {
		synctest.Wait()
		p.mu.Lock()
		if len(p.lines) > 0 {
			defer p.mu.Unlock()
			line := p.lines[0]
			p.lines = p.lines[1:]
			return line
		}
		p.mu.Unlock()
		time.Sleep(50 * time.Microsecond)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("nothing (%v)", p.gone)
}

// quiet wants nothing more, and the connection alive.
func (p *peer) quiet() {
	p.t.Helper()
	time.Sleep(time.Millisecond)
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) > 0 || p.gone != nil {
		p.t.Fatalf("not quiet: %q, %v", p.lines, p.gone)
	}
}

// request sends a header section; fields are "name: value".
func (p *peer) request(id uint32, method, path string, end bool, fields ...string) {
	p.t.Helper()
	p.section(id, end, append([]string{":method: " + method, ":scheme: http", ":path: " + path, ":authority: example.com"}, fields...)...)
}

func (p *peer) section(id uint32, end bool, fields ...string) {
	p.t.Helper()
	p.ebuf.Reset()
	for _, f := range fields {
		i := strings.Index(f[1:], ": ") + 1
		p.ok(p.enc.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+2:]}))
	}
	p.ok(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.ebuf.Bytes(), EndHeaders: true, EndStream: end}))
}

func (p *peer) get(id uint32, fields ...string) {
	p.t.Helper()
	p.request(id, "GET", "/", true, fields...)
}

func (p *peer) data(id uint32, s string, end bool) {
	p.t.Helper()
	p.ok(p.fr.WriteData(id, end, []byte(s)))
}

func (p *peer) reset(id uint32, code http2.ErrCode) {
	p.t.Helper()
	p.ok(p.fr.WriteRSTStream(id, code))
}

// answered is a response and its whole content.
type answered struct {
	*http.Response
	body string
	err  error // what its end was
}

// over asks a handler by net/http's client, on HTTP/2 in cleartext.
func over(t *testing.T, h http.Handler, method string) answered {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nethttp.Server{Handler: h}
	go s.Serve(l)
	defer s.Close()
	req, err := http.NewRequest(method, "http://"+l.Addr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http2Client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answered{resp, string(b), err}
}
