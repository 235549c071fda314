package nonet

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// stuckConn can be made to write nothing until it is gone.
type stuckConn struct {
	net.Conn
	stuck atomic.Bool
	gone  chan struct{}
}

func (c *stuckConn) Write(p []byte) (int, error) {
	if c.stuck.Load() {
		<-c.gone
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

// TestClientLimitOfStreams: 1000 requests at once, on a connection whose
// server allows 10: in their order, none lost.
func TestClientLimitOfStreams(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 10})
		var wg sync.WaitGroup
		for i := range 1000 {
			s := ask(t, cc, "GET", fmt.Sprintf("/%d", i))
			wg.Go(func() {
				status, body, err := fetch(s)
				if want := fmt.Sprintf("%d\n", i); status != 200 || body != want || err != nil {
					t.Errorf("%d: %d %q %v", i, status, body, err)
				}
			})
			synctest.Wait() // they stand in line one behind the other
		}
		if n := cc.Snapshot().Waiting; n != 990 {
			t.Errorf("%d requests wait, want 990", n)
		}
		for i := range 1000 {
			id := uint32(2*i + 1)
			p.want(fmt.Sprintf("HEADERS %d :method=GET :scheme=http :authority=example.com :path=/%d END_STREAM", id, i))
			if i >= 9 {
				// Ten are open. The end of one brings the next, and only that.
				p.quiet()
				p.respond(id-18, false)
				p.data(id-18, fmt.Sprintf("%d\n", i-9), true)
			}
		}
		for id := uint32(1983); id < 2000; id += 2 {
			p.respond(id, false)
			p.data(id, fmt.Sprintf("%d\n", id/2), true)
		}
		wg.Wait()
		if s := cc.Snapshot(); s.Waiting != 0 || len(s.Streams) != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestClientLimitFallsAndRises: SETTINGS change how many may be open.
func TestClientLimitFallsAndRises(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		limit := func(n uint32) http2.Setting {
			return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}
		}
		cc, p := withServer(t, nil, limit(2))
		var wg sync.WaitGroup
		for range 6 {
			s := ask(t, cc, "GET", "/")
			wg.Go(func() {
				if _, _, err := fetch(s); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		get := func(id int) string {
			return fmt.Sprintf("HEADERS %d :method=GET :scheme=http :authority=example.com :path=/ END_STREAM", id)
		}
		p.want(get(1), get(3))
		p.ok(p.fr.WriteSettings(limit(1)))
		p.want("SETTINGS ACK")
		p.respond(1, true)
		p.quiet()
		p.respond(3, true)
		p.want(get(5))
		p.ok(p.fr.WriteSettings(limit(0)))
		p.want("SETTINGS ACK")
		p.respond(5, true)
		p.quiet()
		p.ok(p.fr.WriteSettings(limit(100)))
		p.want("SETTINGS ACK", get(7), get(9), get(11))
		for _, id := range []uint32{7, 9, 11} {
			p.respond(id, true)
		}
		wg.Wait()
	})
}

// TestClientWaitsForSettings: until the server has said how much it takes,
// one request is sent.
func TestClientWaitsForSettings(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		nc, sc := net.Pipe()
		cc, err := NewClientConn(t.Context(), nc, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer cc.Close()
		defer sc.Close()
		p := newPeer(t, sc)
		var wg sync.WaitGroup
		for range 3 {
			s := ask(t, cc, "GET", "/")
			wg.Go(func() { fetch(s) })
			synctest.Wait()
		}
		p.preface()
		p.want("HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/ END_STREAM")
		p.quiet()
		p.ok(p.fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 2}))
		p.want("SETTINGS ACK", "HEADERS 3 :method=GET :scheme=http :authority=example.com :path=/ END_STREAM")
		p.quiet()
		for _, id := range []uint32{1, 3} {
			p.respond(id, true)
		}
		p.want("HEADERS 5 :method=GET :scheme=http :authority=example.com :path=/ END_STREAM")
		p.respond(5, true)
		wg.Wait()
	})
}

// TestClientCreditWakesItsWriter: WINDOW_UPDATE for a stream lets that stream
// go on and nobody else.
func TestClientCreditWakesItsWriter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		p.ok(p.fr.WriteWindowUpdate(0, 1<<30))
		var wrote [3]atomic.Int64
		for i := range 3 {
			s := ask(t, cc, "POST", "/")
			go func() {
				for {
					n, err := s.Write(make([]byte, 1<<10))
					if err != nil {
						return
					}
					wrote[i].Add(int64(n))
				}
			}()
			synctest.Wait()
		}
		before := [3]int64{wrote[0].Load(), wrote[1].Load(), wrote[2].Load()}
		p.received(1)
		p.ok(p.fr.WriteWindowUpdate(3, 1<<20))
		synctest.Wait()
		for i := range 3 {
			if grew := wrote[i].Load() - before[i]; (grew > 0) != (i == 1) {
				t.Errorf("writer %d wrote %d octets more", i, grew)
			}
		}
		if n := p.received(3); n != 65535+1<<20 {
			t.Errorf("%d octets came", n)
		}
	})
}

// TestClientCancellations: 10 000 uploads that are cancelled in the middle, by
// context, Reset and Close. The windows are whole in the end, and no goroutine
// is left (the bubble sees to it).
func TestClientCancellations(t *testing.T) {
	n := 10_000
	if testing.Short() || raceEnabled {
		n = 1000
	}
	inBubble(t, func(t *testing.T) {
		var sent, resets, granted atomic.Int64
		f := newFarm(t, func(p *peer, _ int) {
			p.script(func(f http2.Frame) {
				switch f := f.(type) {
				case *http2.HeadersFrame:
					id := f.StreamID
					p.later(func() {
						p.write200(id, false)
						p.fr.WriteData(id, false, make([]byte, 1000))
						sent.Add(1000)
					})
				case *http2.DataFrame:
					if k := uint32(len(f.Data())); k > 0 {
						p.later(func() { p.fr.WriteWindowUpdate(0, k) })
					}
				case *http2.WindowUpdateFrame:
					if f.StreamID == 0 {
						granted.Add(int64(f.Increment))
					}
				case *http2.RSTStreamFrame:
					resets.Add(1)
				}
			}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
		})
		nc, _ := f.dial(t.Context(), "", "")
		cc, err := NewClientConn(t.Context(), nc, nil)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		work := make(chan int)
		for range 150 {
			wg.Go(func() {
				for i := range work {
					ctx, cancel := context.WithCancel(t.Context())
					s := askIn(t, ctx, cc, "POST", "/")
					s.Write(make([]byte, 3000))
					s.Flush()
					switch i % 4 {
					case 0:
						cancel()
					case 1:
						s.Reset(7)
					case 2:
						s.Response()
						cancel()
						s.Write(make([]byte, 100_000))
					case 3:
						s.Response()
						s.Read(make([]byte, 500))
					}
					s.Close()
					cancel()
				}
			})
		}
		for i := range n {
			work <- i
		}
		close(work)
		wg.Wait()
		synctest.Wait()
		s := cc.Snapshot()
		if s.Waiting != 0 || len(s.Streams) != 0 || s.Ended != nil {
			t.Errorf("%+v", s)
		}
		if s.SendWindow != 65535 {
			t.Errorf("the window to send is %d, want 65535", s.SendWindow)
		}
		if got := s.RecvWindow; got > clientConnWindow || got < clientConnWindow/2 || got != 65535+granted.Load()-sent.Load() {
			t.Errorf("the server may send %d octets; it got credit for %d and sent %d", got, granted.Load(), sent.Load())
		}
		if s.RecvHeld != 0 {
			t.Errorf("%d octets of credit are lost", s.RecvHeld)
		}
		if resets.Load() < int64(n)/2 {
			t.Errorf("%d resets came", resets.Load())
		}
		cc.Close()
	})
}

// TestClientGoroutines: a request has none of its own.
func TestClientGoroutines(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		before := runtime.NumGoroutine()
		for range 100 {
			if err := ask(t, cc, "POST", "/").Flush(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := runtime.NumGoroutine() - before; n > 10 { // some may come and go elsewhere
			t.Errorf("%d goroutines for 100 requests", n)
		}
		_ = p
	})
}

// TestClientTrace: the trace of a connection, and of a pool's.
func TestClientTrace(t *testing.T) {
	want := []string{"conn 1 send SETTINGS", "send HEADERS stream=1", "send     :path: /", "recv HEADERS stream=1", "recv     :status: 200"}
	inBubble(t, func(t *testing.T) {
		log := new(syncBuffer)
		nc, sc := net.Pipe()
		cc, err := NewClientConn(t.Context(), nc, &ClientConfig{Trace: log})
		if err != nil {
			t.Fatal(err)
		}
		defer cc.Close()
		h := newHeld()
		pool := newFarm(t, h.serve()).client(ClientConfig{Trace: log})
		go h.serve()(newPeer(t, sc), 2)
		for n, a := range []asker{pool, cc} {
			s := ask(t, a, "GET", "/")
			go func() { synctest.Wait(); h.answer(n + 1) }()
			if _, _, err := fetch(s); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			for _, w := range want {
				if !strings.Contains(log.String(), w) {
					t.Errorf("no %q in\n%s", w, log)
				}
			}
			log.b.Reset()
			want[0] = "conn 1 send HEADERS"
		}
		sc.Close()
	})
}

// TestClientSnapshot: both sides' SETTINGS, windows, streams.
func TestClientSnapshot(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 7})
		s := ask(t, cc, "GET", "/")
		go s.Response()
		p.want("HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/ END_STREAM")
		p.respond(1, false)
		p.data(1, "hello", false)
		synctest.Wait()
		time.Sleep(time.Second)
		snap := cc.Snapshot()
		if snap.Role != conn.Client || !snap.PeerSeen || !snap.Acked || snap.Peer.MaxConcurrentStreams != 7 || snap.Age < time.Second ||
			len(snap.Streams) != 1 || snap.Streams[0].ID != 1 || snap.Streams[0].Unread != 5 || snap.RemoteAddr == nil {
			t.Errorf("%+v", snap)
		}
		i := slices.IndexFunc(snap.Ours, func(s frame.Setting) bool { return s.Value == clientStreamWindow })
		if i < 0 {
			t.Errorf("our settings %v", snap.Ours)
		}
		cc.Close()
		if snap := cc.Snapshot(); snap.Ended == nil {
			t.Errorf("%+v", snap)
		}
		if _, err := io.ReadAll(s); err == nil {
			t.Error("a response that is cut off reads well")
		}
	})
}
