package nonet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
)

func maxStreams(n uint32) http2.Setting {
	return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}
}

// held is a server that answers when it is told to: it notes the requests.
type held struct {
	mu   sync.Mutex
	open map[int][]uint32 // streams by connection
	most map[int]int      // how many were open at once
	get  int              // requests in all
	p    map[int]*peer
}

func newHeld() *held {
	return &held{open: map[int][]uint32{}, most: map[int]int{}, p: map[int]*peer{}}
}

func (h *held) serve(settings ...http2.Setting) func(p *peer, n int) {
	return func(p *peer, n int) {
		h.mu.Lock()
		h.p[n] = p
		h.mu.Unlock()
		p.script(func(f http2.Frame) {
			if f, ok := f.(*http2.HeadersFrame); ok {
				h.mu.Lock()
				h.open[n] = append(h.open[n], f.StreamID)
				h.most[n] = max(h.most[n], len(h.open[n]))
				h.get++
				h.mu.Unlock()
			}
		}, settings...)
	}
}

// answer answers the oldest request of a connection.
func (h *held) answer(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.open[n]) > 0 {
		p, id := h.p[n], h.open[n][0]
		h.open[n] = h.open[n][1:]
		p.later(func() { p.write200(id, true) })
	}
}

func (h *held) counts() (open []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := 1; n <= len(h.p); n++ {
		open = append(open, len(h.open[n]))
	}
	return open
}

// TestPool: the connection with the fewest streams, another one ahead of need,
// no more than allowed, and a queue in which nobody is overtaken.
func TestPool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHeld()
		f := newFarm(t, h.serve(maxStreams(8)))
		c := f.client(ClientConfig{MaxConns: 2})
		var wg sync.WaitGroup
		var order []int
		var mu sync.Mutex
		begin := func(i int) {
			s := ask(t, c, "GET", fmt.Sprint("/", i))
			wg.Go(func() {
				if err := s.Flush(); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				s.CloseWrite()
				if _, _, err := fetch(s); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for i := range 5 {
			begin(i)
		}
		if f.dials() != 1 {
			t.Fatalf("%d connections for 5 of 8 streams", f.dials())
		}
		begin(5)
		if f.dials() != 2 {
			t.Fatal("three quarters are in use and no other connection is opened")
		}
		for i := 6; i < 16; i++ {
			begin(i)
		}
		if got := fmt.Sprint(h.counts()); got != "[8 8]" {
			t.Fatalf("streams %s", got)
		}
		for i := 16; i < 100; i++ {
			begin(i)
		}
		if f.dials() != 2 || len(order) != 16 {
			t.Fatalf("%d connections, %d requests began", f.dials(), len(order))
		}
		for n := range 84 {
			h.answer(1 + n%2)
			synctest.Wait()
			if len(order) != 17+n {
				t.Fatalf("%d requests began after %d were answered", len(order), n+1)
			}
		}
		for range 16 {
			h.answer(1)
			h.answer(2)
		}
		wg.Wait()
		for i, x := range order {
			if i != x {
				t.Fatalf("request %d began as number %d", x, i)
			}
		}
		for _, s := range c.Snapshot() {
			if len(s.Streams) != 0 || s.Opened != 50 {
				t.Errorf("%d streams are left of %d", len(s.Streams), s.Opened)
			}
		}
	})
}

// TestPoolManyAtOnce: 1000 requests at once, one connection, 10 streams: never
// more than that at a time, fewer only at the end, and none is lost.
func TestPoolManyAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHeld()
		f := newFarm(t, h.serve(maxStreams(10)))
		c := f.client(ClientConfig{MaxConns: 1})
		var wg sync.WaitGroup
		var done atomic.Int32
		for range 1000 {
			s := ask(t, c, "GET", "/")
			wg.Go(func() {
				if status, _, err := fetch(s); status != 200 || err != nil {
					t.Error(status, err)
				}
				done.Add(1)
			})
		}
		for n := range 1000 {
			synctest.Wait()
			if got, want := h.counts()[0], min(10, 1000-n); got != want {
				t.Fatalf("%d streams after %d answers, want %d", got, n, want)
			}
			h.answer(1)
		}
		wg.Wait()
		if f.dials() != 1 || done.Load() != 1000 || h.get != 1000 || h.most[1] != 10 {
			t.Errorf("%d connections, %d requests of %d, %d at once", f.dials(), done.Load(), h.get, h.most[1])
		}
	})
}

// TestRFC9113_8_7_Retry: what no server has processed is sent again.
func TestRFC9113_8_7_Retry(t *testing.T) {
	for _, c := range []struct {
		name   string
		serve  func(p *peer, n int, id uint32) // what becomes of a request on connection n
		body   int
		early  bool // flushed before it is complete
		tries  int32
		status int
		err    string
		safe   bool // Unprocessed
	}{
		{name: "GOAWAY leaves it out", tries: 2, status: 200, serve: func(p *peer, n int, id uint32) {
			if n == 1 {
				p.fr.WriteGoAway(0, http2.ErrCodeNo, nil)
				return
			}
			p.write200(id, true)
		}},
		{name: "GOAWAY leaves it out, with content", body: 1000, tries: 2, status: 200, serve: func(p *peer, n int, id uint32) {
			if n == 1 {
				p.fr.WriteGoAway(0, http2.ErrCodeNo, nil)
				return
			}
			p.write200(id, true)
		}},
		{name: "GOAWAY leaves it out, content too large to keep", body: 5000, tries: 1, err: "stream reset by the peer: REFUSED_STREAM", safe: true,
			serve: func(p *peer, n int, id uint32) { p.fr.WriteGoAway(0, http2.ErrCodeNo, nil) }},
		{name: "GOAWAY leaves it out, content still to come", early: true, tries: 1, err: "stream reset by the peer: REFUSED_STREAM", safe: true,
			serve: func(p *peer, n int, id uint32) { p.fr.WriteGoAway(0, http2.ErrCodeNo, nil) }},
		{name: "GOAWAY in two steps leaves it out", tries: 2, status: 200, serve: func(p *peer, n int, id uint32) {
			if n == 1 {
				p.fr.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil)
				p.fr.WriteGoAway(0, http2.ErrCodeNo, nil)
				return
			}
			p.write200(id, true)
		}},
		{name: "GOAWAY in two steps keeps it", tries: 1, status: 200, serve: func(p *peer, n int, id uint32) {
			p.fr.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil)
			p.fr.WriteGoAway(1, http2.ErrCodeNo, nil)
			p.write200(id, true)
		}},
		{name: "refused once", tries: 2, status: 200, serve: func(p *peer, n int, id uint32) {
			if id == 1 {
				p.fr.WriteRSTStream(id, http2.ErrCodeRefusedStream)
				return
			}
			p.write200(id, true)
		}},
		{name: "refused always", tries: 3, err: "stream reset by the peer: REFUSED_STREAM", safe: true,
			serve: func(p *peer, n int, id uint32) { p.fr.WriteRSTStream(id, http2.ErrCodeRefusedStream) }},
		{name: "reset with another code", tries: 1, err: "stream reset by the peer: CANCEL",
			serve: func(p *peer, n int, id uint32) { p.fr.WriteRSTStream(id, http2.ErrCodeCancel) }},
		{name: "GOAWAY always", tries: 6, err: "stream reset by the peer: REFUSED_STREAM", safe: true,
			serve: func(p *peer, n int, id uint32) { p.fr.WriteGoAway(0, http2.ErrCodeNo, nil) }},
		{name: "the connection is cut after the request", tries: 1, err: "connection closed",
			serve: func(p *peer, n int, id uint32) { p.nc.Close() }},
		{name: "processed, GOAWAY, answered", tries: 1, status: 200, serve: func(p *peer, n int, id uint32) {
			p.fr.WriteGoAway(1, http2.ErrCodeNo, nil)
			p.write200(id, true)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var tries atomic.Int32
				f := newFarm(t, func(p *peer, n int) {
					p.script(func(f http2.Frame) {
						if f, ok := f.(*http2.HeadersFrame); ok {
							tries.Add(1)
							id := f.StreamID
							p.later(func() { c.serve(p, n, id) })
						}
					})
				})
				cl := f.client(ClientConfig{})
				s := ask(t, cl, "PATCH", "/")
				if c.early {
					s.Flush()
					synctest.Wait()
				}
				if !c.early {
					s.Write(make([]byte, c.body))
					if err := s.CloseWrite(); err != nil {
						t.Error(err)
					}
				}
				status, err := s.Response()
				text := fmt.Sprint(err)
				if status != c.status || err == nil != (c.err == "") || !strings.Contains(text, c.err) {
					t.Errorf("%d %v, want %d %s", status, err, c.status, c.err)
				}
				if s.Unprocessed() != c.safe {
					t.Errorf("Unprocessed is %v", !c.safe)
				}
				if tries.Load() != c.tries {
					t.Errorf("sent %d times, want %d", tries.Load(), c.tries)
				}
				s.Close()
				// The pool is alive afterwards.
				f.serve = func(p *peer, _ int) {
					p.script(func(f http2.Frame) {
						if f, ok := f.(*http2.HeadersFrame); ok {
							id := f.StreamID
							p.later(func() { p.write200(id, true) })
						}
					})
				}
				c.serve = func(p *peer, n int, id uint32) { p.write200(id, true) }
				if status, _, err := fetch(ask(t, cl, "GET", "/")); status != 200 || err != nil {
					t.Errorf("the next request: %d %v", status, err)
				}
			})
		})
	}
}

// TestPoolNoRoom: a server that allows no streams at all (E5): requests wait
// until their contexts end, and those of other servers do not.
func TestPoolNoRoom(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHeld()
		f := newFarm(t, h.serve(maxStreams(0)))
		c := f.client(ClientConfig{MaxConns: 3})
		// The first one does not wait for SETTINGS.
		first := ask(t, c, "GET", "/")
		go first.Response()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, _, err := fetch(askIn(t, ctx, c, "GET", "/")); err != context.DeadlineExceeded || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if n := f.dials(); n > 3 {
			t.Errorf("%d connections", n)
		}
		s := ask(t, c, "GET", "/")
		go func() { time.Sleep(time.Second); s.Reset(5) }()
		var reset *ResetError
		if _, err := s.Response(); !errors.As(err, &reset) || reset.Code != 5 {
			t.Error(err)
		}
		s = ask(t, c, "GET", "/")
		go func() { time.Sleep(time.Second); s.Close() }()
		if _, err := s.Response(); err != ErrStale {
			t.Error(err)
		}
	})
}

// TestPoolDialFails: everybody who waits is told, in one line, and the next
// request tries again.
func TestPoolDialFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHeld()
		f := newFarm(t, h.serve())
		f.fail = errors.New("dial tcp: connection refused")
		c := f.client(ClientConfig{})
		var wg sync.WaitGroup
		for range 10 {
			s := ask(t, c, "GET", "/")
			wg.Go(func() {
				if _, err := s.Response(); err == nil || err.Error() != "nonet: dial tcp: connection refused" {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		f.mu.Lock()
		f.fail = nil
		f.mu.Unlock()
		s := ask(t, c, "GET", "/")
		go func() { synctest.Wait(); h.answer(f.dials()) }()
		if _, _, err := fetch(s); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.hosts) != 1 {
			t.Errorf("%d hosts", len(c.hosts))
		}
	})
}

// TestPoolEnds: Shutdown lets requests end, Close does not, CloseIdle ends
// what rests.
func TestPoolEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHeld()
		f := newFarm(t, h.serve())
		c := f.client(ClientConfig{})
		s := ask(t, c, "GET", "/")
		done := make(chan error)
		go func() { _, _, err := fetch(s); done <- err }()
		synctest.Wait()
		c.CloseIdle()
		synctest.Wait()
		if n := len(c.Snapshot()); n != 1 {
			t.Errorf("%d connections after CloseIdle", n)
		}
		h.answer(1)
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		c.CloseIdle()
		time.Sleep(2 * time.Second)
		if n := len(c.Snapshot()); n != 0 {
			t.Errorf("%d connections after CloseIdle", n)
		}

		s = ask(t, c, "GET", "/")
		go func() { _, _, err := fetch(s); done <- err }()
		synctest.Wait()
		shut := make(chan error)
		go func() { shut <- c.Shutdown(t.Context()) }()
		synctest.Wait()
		if _, err := ask(t, c, "GET", "/").Response(); err != ErrClientClosed {
			t.Error(err)
		}
		h.answer(2)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := <-shut; err != nil {
			t.Error(err)
		}
	})
}

// TestPoolIdle: a connection that rests is closed, and the next request gets
// another.
func TestPoolIdle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHeld()
		f := newFarm(t, h.serve())
		c := f.client(ClientConfig{Limits: conn.Limits{Idle: time.Minute}})
		for n := 1; n <= 2; n++ {
			s := ask(t, c, "GET", "/")
			go func() { synctest.Wait(); h.answer(n) }()
			if _, _, err := fetch(s); err != nil || f.dials() != n {
				t.Fatal(err, f.dials())
			}
			time.Sleep(time.Minute + 2*time.Second)
			if n := len(c.Snapshot()); n != 0 {
				t.Errorf("%d connections", n)
			}
		}
	})
}

// TestRetryContent: what is sent again is what was written, however it was
// written; and only if all of it is still there.
func TestRetryContent(t *testing.T) {
	for _, c := range []struct {
		pieces []int
		again  bool
	}{
		{nil, true}, {[]int{600}, true}, {[]int{300, 300, 300}, true}, {[]int{1024}, true}, {[]int{1000, 24}, true},
		{[]int{1000, 25}, false}, {[]int{600, 600}, false}, {[]int{1024, 1024, 1024}, false}, {[]int{3000}, false}, {[]int{10, 3000}, false},
	} {
		for _, flush := range []bool{false, true} {
			t.Run(fmt.Sprint(c.pieces, flush), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					var mu sync.Mutex
					var got [3]strings.Builder
					f := newFarm(t, func(p *peer, n int) {
						end := func(id uint32) {
							p.later(func() {
								if n == 1 {
									p.fr.WriteGoAway(0, http2.ErrCodeNo, nil)
									return
								}
								p.write200(id, true)
							})
						}
						p.script(func(f http2.Frame) {
							switch f := f.(type) {
							case *http2.HeadersFrame:
								if f.StreamEnded() {
									end(f.StreamID)
								}
							case *http2.DataFrame:
								mu.Lock()
								got[n].Write(f.Data())
								mu.Unlock()
								if f.StreamEnded() {
									end(f.StreamID)
								}
							}
						})
					})
					s := ask(t, f.client(ClientConfig{}), "POST", "/")
					var want strings.Builder
					for i, n := range c.pieces {
						text := strings.Repeat(string(rune('a'+i)), n)
						want.WriteString(text)
						io.WriteString(s, text)
						if flush {
							s.Flush()
							synctest.Wait()
						}
					}
					s.CloseWrite()
					status, err := s.Response()
					if c.again != (status == 200 && err == nil) || c.again == s.Unprocessed() {
						t.Fatal(status, err, s.Unprocessed())
					}
					mu.Lock()
					defer mu.Unlock()
					if got[1].String() != want.String() || c.again && got[2].String() != want.String() {
						t.Errorf("content %.20q and %.20q, want %.20q", got[1].String(), got[2].String(), want.String())
					}
				})
			})
		}
	}
}
