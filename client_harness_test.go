package nonet

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"
)

// How the tests of the client are written: a scripted server, made of the same
// gear as the scripted client of the server's tests.
//
//	cc, p := withServer(t, nil)
//	s := ask(t, cc, "GET", "/")
//	p.want("HEADERS 1 :method=GET …")
//	p.respond(1, true)

const exampleURL = "http://example.com"

// newPeer returns a peer over nc that has sent nothing.
func newPeer(t *testing.T, nc net.Conn) *peer {
	p := &peer{t: t, nc: nc, fr: http2.NewFramer(nc, nc), ack: http2.NewFramer(nc, nil), log: new(syncBuffer), ended: make(chan error, 1),
		updates: make(map[uint32]int), body: make(map[uint32]int)}
	p.fr.ReadMetaHeaders = xhpack.NewDecoder(4096, nil)
	p.fr.MaxHeaderListSize = 1 << 20
	p.enc = xhpack.NewEncoder(&p.ebuf)
	return p
}

// greet takes the client's preface and exchanges SETTINGS.
func (p *peer) greet(settings ...http2.Setting) {
	p.t.Helper()
	p.preface()
	p.ok(p.fr.WriteSettings(settings...))
	p.want("SETTINGS ACK")
	p.ok(p.fr.WriteSettingsAck())
}

// preface takes the client's preface and SETTINGS, and goes on to read.
func (p *peer) preface() {
	p.t.Helper()
	b := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(p.nc, b); err != nil || string(b) != http2.ClientPreface {
		p.t.Fatalf("preface %q, %v", b, err)
	}
	go p.read()
	p.want("SETTINGS")
}

// respond sends a response's header section.
func (p *peer) respond(id uint32, end bool, fields ...string) {
	p.t.Helper()
	if len(fields) == 0 || fields[0][0] != ':' {
		fields = append([]string{":status: 200"}, fields...)
	}
	p.headers(id, end, fields...)
}

// withServer returns a client's connection and its scripted server, after the
// greeting.
func withServer(t *testing.T, c *ClientConfig, settings ...http2.Setting) (*ClientConn, *peer) {
	t.Helper()
	nc, sc := net.Pipe()
	cc, err := NewClientConn(t.Context(), nc, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close(); sc.Close() })
	p := newPeer(t, sc)
	p.greet(settings...)
	return cc, p
}

// connectClient connects a client to a server of ours over a pipe.
func connectClient(t *testing.T, s *Server, c *ClientConfig, wrap func(c, s net.Conn) (net.Conn, net.Conn)) *ClientConn {
	t.Helper()
	nc, sc := net.Pipe()
	if wrap != nil {
		nc, sc = wrap(nc, sc)
	}
	go s.ServeConn(sc)
	cc, err := NewClientConn(t.Context(), nc, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close(); s.Close() })
	return cc
}

// eachWay runs a test in a bubble for each transport.
func eachWay(t *testing.T, f func(t *testing.T, connect func(*Server) *ClientConn)) {
	certificate()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f(t, func(s *Server) *ClientConn { return connectClient(t, s, nil, tr.wrap) })
			})
		})
	}
}

// asker is a Client or a ClientConn.
type asker interface {
	Request(ctx context.Context, method, url string) (ClientStream, error)
}

func ask(t testing.TB, a asker, method, path string) ClientStream {
	t.Helper()
	return askIn(t, context.Background(), a, method, path)
}

func askIn(t testing.TB, ctx context.Context, a asker, method, path string) ClientStream {
	t.Helper()
	s, err := a.Request(ctx, method, exampleURL+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fetch completes a request, reads its response and closes it.
func fetch(s ClientStream) (status int, body string, err error) {
	defer s.Close()
	if status, err = s.Response(); err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(s)
	return status, string(b), err
}

// farm is what a Client dials in a bubble: scripted servers over pipes.
type farm struct {
	t  *testing.T
	mu sync.Mutex
	// serve is what each server does; it runs on a goroutine of its own.
	serve func(p *peer, n int)
	n     int
	fail  error
	conns []net.Conn
}

func newFarm(t *testing.T, serve func(p *peer, n int)) *farm {
	f := &farm{t: t, serve: serve}
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, nc := range f.conns {
			nc.Close()
		}
	})
	return f
}

func (f *farm) dial(context.Context, string, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.fail != nil {
		return nil, f.fail
	}
	c, s := net.Pipe()
	f.conns = append(f.conns, s)
	go f.serve(newPeer(f.t, s), f.n)
	return c, nil
}

func (f *farm) dials() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// client returns a Client that dials the farm.
func (f *farm) client(c ClientConfig) *Client {
	c.DialContext = f.dial
	cl := &Client{ClientConfig: c}
	f.t.Cleanup(func() { cl.Close() })
	return cl
}

// script is a server that calls on for each frame it gets, until the end.
func (p *peer) script(on func(http2.Frame), settings ...http2.Setting) {
	b := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(p.nc, b); err != nil || !bytes.Equal(b, []byte(http2.ClientPreface)) {
		return
	}
	rd := http2.NewFramer(nil, p.nc)
	out := make(chan func(), 1<<16) // a pipe has no room: read while writing
	defer close(out)
	go func() {
		for f := range out {
			f()
		}
	}()
	p.later = func(f func()) { out <- f }
	if !p.bare {
		p.later(func() { p.fr.WriteSettings(settings...) })
	}
	for {
		f, err := rd.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() && !p.noAck && !p.bare {
				p.later(func() { p.fr.WriteSettingsAck() })
			}
		case *http2.PingFrame:
			if data := f.Data; !f.IsAck() {
				p.later(func() { p.fr.WritePing(true, data) })
			}
		default:
			on(f)
		}
	}
}

// write200 answers a request without content; called by later.
func (p *peer) write200(id uint32, end bool) {
	p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: end})
}
