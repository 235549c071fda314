package nonet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
)

// answering is a server that answers each request at once.
func answering(settings ...http2.Setting) func(p *peer, n int) {
	return func(p *peer, _ int) {
		p.script(func(f http2.Frame) {
			if f, ok := f.(*http2.HeadersFrame); ok {
				id := f.StreamID
				p.later(func() { p.write200(id, true) })
			}
		}, settings...)
	}
}

// slowEnd is a connection whose writes fail at some time, while its reads end
// a second later.
type slowEnd struct {
	net.Conn
	broken atomic.Bool
}

func (c *slowEnd) Write(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, errors.New("write: broken pipe")
	}
	return c.Conn.Write(p)
}

func (c *slowEnd) Close() error {
	time.AfterFunc(time.Second, func() { c.Conn.Close() })
	return nil
}

// TestPoolBrokenWrite: a connection that can't be written to gets no request
// any more, even while its reader has not noticed.
func TestPoolBrokenWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFarm(t, answering())
		var first *slowEnd
		c := f.client(ClientConfig{})
		c.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := f.dial(ctx, network, addr)
			if first == nil {
				first = &slowEnd{Conn: nc}
				nc = first
			}
			return nc, err
		}
		if _, _, err := fetch(ask(t, c, "GET", "/")); err != nil {
			t.Fatal(err)
		}
		first.broken.Store(true)
		lost := ask(t, c, "GET", "/")
		go lost.Response()
		synctest.Wait()
		if status, _, err := fetch(ask(t, c, "GET", "/")); status != 200 || err != nil {
			t.Errorf("the next request: %d %v", status, err)
		}
		if n := f.dials(); n != 2 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestPoolNothingToDo: a server that allows no streams is not dialled again
// and again by a client that has no requests.
func TestPoolNothingToDo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFarm(t, func(p *peer, _ int) {
			p.script(func(f http2.Frame) {
				if f, ok := f.(*http2.HeadersFrame); ok {
					id := f.StreamID
					p.later(func() {
						p.fr.WriteSettings(maxStreams(0))
						p.write200(id, true)
					})
				}
			})
		})
		c := f.client(ClientConfig{})
		if _, _, err := fetch(ask(t, c, "GET", "/")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if n := f.dials(); n != 1 {
			t.Errorf("%d connections for one request", n)
		}
		if n := len(c.Snapshot()); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// TestPoolDialFailsAheadOfNeed: requests that wait for a second connection get
// it when it can be opened again, though nothing else happens.
func TestPoolDialFailsAheadOfNeed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHeld()
		f := newFarm(t, h.serve(maxStreams(1)))
		c := f.client(ClientConfig{MaxConns: 2})
		get := func() {
			s := ask(t, c, "GET", "/")
			go s.Response()
			synctest.Wait()
		}
		var n atomic.Int32
		c.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if n.Add(1) == 2 {
				return nil, errors.New("dial: no route")
			}
			return f.dial(ctx, network, addr)
		}
		get()
		get()
		if got := h.counts(); n.Load() != 2 || len(got) != 1 {
			t.Fatalf("%d dials, streams %v", n.Load(), got)
		}
		time.Sleep(10 * time.Second)
		if got := h.counts(); len(got) != 2 || got[0] != 1 || got[1] != 1 {
			t.Errorf("streams %v", got)
		}
	})
}

// TestPoolDialFailsUnprocessed: what never left may be sent again.
func TestPoolDialFailsUnprocessed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFarm(t, answering())
		f.fail = errors.New("dial: no route")
		s := ask(t, f.client(ClientConfig{}), "POST", "/")
		if err := s.CloseWrite(); err == nil || !s.Unprocessed() {
			t.Errorf("%v, Unprocessed %v", err, s.Unprocessed())
		}
		if _, err := s.Response(); err == nil {
			t.Error("a response without a connection")
		}
	})
}

// TestRetryWhileResponseWaits: a request that its writer begins on another
// connection has not failed for the one who waits for the response.
func TestRetryWhileResponseWaits(t *testing.T) {
	for range 50 {
		inBubble(t, func(t *testing.T) {
			f := newFarm(t, func(p *peer, n int) {
				if n == 1 {
					io.CopyN(io.Discard, p.nc, 24)
					time.Sleep(time.Second)
					p.nc.Close()
					return
				}
				answering(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})(p, n)
			})
			s := ask(t, f.client(ClientConfig{}), "CONNECT", "/chat")
			if err := s.SetProtocol("websocket"); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := s.Flush(); err != nil {
					t.Error("Flush:", err)
				}
			})
			synctest.Wait()
			if status, err := s.Response(); status != 200 || err != nil {
				t.Error("Response:", status, err)
			}
			wg.Wait()
		})
	}
}

// TestPoolCloseEndsDials: nothing dials for a client that is closed.
func TestPoolCloseEndsDials(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		ended := make(chan error, 1)
		c := &Client{ClientConfig: ClientConfig{DialTimeout: -1, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}}}
		s := ask(t, c, "GET", "/")
		go func() { time.Sleep(time.Second); c.Close() }()
		if _, err := s.Response(); err != ErrClientClosed {
			t.Error(err)
		}
		if err := <-ended; err != context.Canceled || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestNoExtendedConnect: a server that does not offer it is asked once.
func TestNoExtendedConnect(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newFarm(t, answering()).client(ClientConfig{})
		if _, _, err := fetch(ask(t, c, "GET", "/")); err != nil {
			t.Fatal(err)
		}
		s := ask(t, c, "CONNECT", "/chat")
		s.SetProtocol("websocket")
		if err := s.Flush(); err != conn.ErrNoConnectProtocol {
			t.Error(err)
		}
		if n := s.s.st.c.tries; n != 1 {
			t.Errorf("%d tries", n)
		}
	})
}
