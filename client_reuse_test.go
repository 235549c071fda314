package nonet

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// lateAnswers answers every request after half a second.
func lateAnswers(p *peer) func(http2.Frame) {
	return func(f http2.Frame) {
		if f, ok := f.(*http2.HeadersFrame); ok {
			id := f.StreamID
			time.AfterFunc(time.Second/2, func() { p.later(func() { p.write200(id, true) }) })
		}
	}
}

// TestPoolOneServer: however its authority is written, a server has one pool of
// connections; each request knows whether its connection served others before,
// and how long ago.
func TestPoolOneServer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFarm(t, func(p *peer, n int) { p.script(lateAnswers(p)) })
		c := f.client(ClientConfig{})
		begin := func(url string) ClientStream {
			t.Helper()
			s, err := c.Request(context.Background(), "GET", url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			if reused, idle := s.Reused(); reused || idle != 0 {
				t.Errorf("reused %v, %v, and not begun", reused, idle)
			}
			if err := s.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			return s
		}
		for i, url := range []string{"http://example.com", "http://example.com:80/", "http://example.com:/"} {
			s := begin(url)
			if reused, idle := s.Reused(); reused != (i > 0) || idle != time.Duration(i)*time.Second {
				t.Errorf("%s: reused %v, idle for %v", url, reused, idle)
			}
			fetch(s)
			time.Sleep(time.Duration(i+1) * time.Second)
		}
		begin("http://example.com")
		if reused, idle := begin("http://example.com").Reused(); !reused || idle != -1 {
			t.Errorf("beside another: reused %v, %v", reused, idle)
		}
		if f.dials() != 1 {
			t.Errorf("%d connections", f.dials())
		}
		if begin("http://example.com:443/"); f.dials() != 2 {
			t.Error("443 is a port of its own for http")
		}
		time.Sleep(time.Second) // until they are answered
	})
}

// TestClientSlowDial: the connection's own limits of time begin when the dial is
// over.
func TestClientSlowDial(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFarm(t, func(p *peer, n int) {
			time.Sleep(9 * time.Second) // SETTINGS have 10
			p.script(lateAnswers(p))
		})
		c := f.client(ClientConfig{DialTimeout: time.Minute})
		dial := c.DialContext
		c.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			time.Sleep(15 * time.Second)
			return dial(ctx, network, addr)
		}
		if _, _, err := fetch(ask(t, c, "GET", "/")); err != nil || f.dials() != 1 {
			t.Errorf("%v, %d connections", err, f.dials())
		}
	})
}
