package nonet

import (
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// parkedOf returns how many connections of s are parked.
func parkedOf(s *Server) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parking.mu.Lock()
	defer s.parking.mu.Unlock()
	for d := range s.drivers {
		if d.place != 0 {
			n++
		}
	}
	return n
}

// awaitCount waits until count is want.
func awaitCount(t *testing.T, what string, want int, count func() int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		n := count()
		if n == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %s, want %d", n, what, want)
		}
	}
}

func connsOf(s *Server) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.drivers)
}

// parkedServer serves, and has n connections that have been used and are parked.
func parkedServer(t *testing.T, s *Server, n int) []*ClientConn {
	t.Helper()
	addr := loopback(t, s)
	var ccs []*ClientConn
	for range n {
		cc, err := dialLoopback(s, addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cc.Close() })
		askParked(t, cc)
		ccs = append(ccs, cc)
	}
	awaitCount(t, "connections are parked", n, func() int { return parkedOf(s) })
	return ccs
}

func askParked(t *testing.T, cc *ClientConn) {
	t.Helper()
	if _, err := get(cc, "/"); err != nil {
		t.Error(err)
	}
}

// TestPark: a parked connection goes on when there is input, again and again.
func TestPark(t *testing.T) { eachSocket(t, testPark) }

func testPark(t *testing.T, c *tls.Config) {
	t.Parallel()
	s := &Server{TLSConfig: c, Handler: hello}
	ccs := parkedServer(t, s, 20)
	for range 2 {
		for _, cc := range ccs {
			askParked(t, cc)
		}
		awaitCount(t, "connections are parked", len(ccs), func() int { return parkedOf(s) })
	}
}

// TestParkGoroutines: parked connections have one goroutine together, which ends
// with the last of them.
func TestParkGoroutines(t *testing.T) {
	s := &Server{Handler: hello}
	addr := loopback(t, s)
	before := runtime.NumGoroutine()
	const n = 50
	var ends []net.Conn
	for range n {
		ends = append(ends, greetedConn(t, addr))
	}
	awaitCount(t, "connections are parked", n, func() int { return parkedOf(s) })
	awaitCount(t, "goroutines too many", 0, func() int { return max(0, runtime.NumGoroutine()-before-1) })
	for _, nc := range ends {
		nc.Close()
	}
	awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
	awaitCount(t, "goroutines too many", 0, func() int { return max(0, runtime.NumGoroutine()-before) })
}

// TestParkEnd: whichever side ends a parked connection, it is gone.
func TestParkEnd(t *testing.T) { eachSocket(t, testParkEnd) }

func testParkEnd(t *testing.T, c *tls.Config) {
	t.Parallel()
	for _, x := range []struct {
		name   string
		limits conn.Limits
		end    func(*Server, []*ClientConn)
	}{
		{name: "the peer closes", end: func(_ *Server, ccs []*ClientConn) {
			for _, cc := range ccs {
				cc.Close()
			}
		}},
		{name: "the server closes", end: func(s *Server, _ []*ClientConn) { s.Close() }},
		{name: "the server shuts down", end: func(s *Server, _ []*ClientConn) {
			if err := s.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}},
		{name: "idle for too long", limits: conn.Limits{Idle: 1500 * time.Millisecond}, end: func(*Server, []*ClientConn) {}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := &Server{TLSConfig: c, Handler: hello, Config: Config{Limits: x.limits}}
			ccs := parkedServer(t, s, 5)
			x.end(s, ccs)
			awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
		})
	}
}

// TestParkShared: a connection that the program knows is not parked, as the
// program may close it.
func TestParkShared(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen net.Conn
	keep := func(ctx context.Context, nc net.Conn) context.Context {
		mu.Lock()
		defer mu.Unlock()
		seen = nc
		return ctx
	}
	s := &Server{Handler: hello, ConnContext: keep}
	addr := loopback(t, s)
	cc, err := Dial(context.Background(), "tcp", addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	askParked(t, cc)
	s.mu.Lock()
	drivers := slices.Collect(maps.Keys(s.drivers))
	s.mu.Unlock()
	for _, d := range drivers {
		awaitResting(t, d)
	}
	if n := parkedOf(s); n != 0 {
		t.Errorf("%d connections are parked", n)
	}
	mu.Lock()
	seen.Close()
	mu.Unlock()
	awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
	<-cc.Done()
}

// TestParkClosing: a connection is not parked whose opening Close or Shutdown has
// found: they close the socket without its driver, perhaps only when it rests.
func TestParkClosing(t *testing.T) {
	t.Parallel()
	s := &Server{Handler: hello, ForgetsConns: true, Config: Config{Limits: conn.Limits{Drain: time.Hour}}}
	found := make(chan net.Conn, 1)
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		s.mu.Lock()
		s.closing = true
		s.mu.Unlock()
		found <- nc
		return ctx
	}
	nc, err := net.Dial("tcp", loopback(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	io.WriteString(nc, frame.Preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	fr := http2.NewFramer(io.Discard, nc)
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f.Header().Type == http2.FrameGoAway {
			break
		}
	}
	s.mu.Lock()
	for d := range s.drivers {
		if d.parks {
			t.Error("the connection may be parked")
		}
	}
	s.mu.Unlock()
	(<-found).Close()
	awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
}

// TestParkUnwatched: a set that the runtime does not watch is not used, as the
// goroutine that watches it could never wait. A regular file is such a thing.
func TestParkUnwatched(t *testing.T) {
	t.Parallel()
	fd, err := syscall.Open(filepath.Join(t.TempDir(), "set"), syscall.O_CREAT|syscall.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	l := parking{set: fd}
	if err := l.useLocked(); err == nil || l.file != nil {
		t.Error("the set is used")
	}
}

// TestParkBubble: the server of a bubble of testing/synctest parks its connections
// while there are others outside, and each goes on where it is.
func TestParkBubble(t *testing.T) {
	parked := func(t *testing.T) (*Server, net.Conn) {
		s := &Server{Handler: hello}
		nc := greetedConn(t, loopback(t, s))
		for parkedOf(s) == 0 { // no sleep: in a bubble time stands still while a socket is waited for
			runtime.Gosched()
		}
		return s, nc
	}
	use := func(s *Server, nc net.Conn) {
		io.WriteString(nc, "\x00\x00\x08\x06\x00\x00\x00\x00\x00"+"12345678") // PING
		nc.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, nc)
		for connsOf(s) > 0 {
			runtime.Gosched()
		}
	}
	outside, nc := parked(t)
	synctest.Test(t, func(t *testing.T) { use(parked(t)) })
	use(outside, nc)
}

// greetedConn is a client's connection whose reader in the server finds nothing more
// once it has rested.
func greetedConn(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	io.WriteString(nc, frame.Preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"+"\x00\x00\x00\x04\x01\x00\x00\x00\x00")
	return nc
}

// TestParkRaces: input, the peer's end and ours meet in every order, while
// others come and take the numbers of sockets that were closed.
func TestParkRaces(t *testing.T) { eachSocket(t, testParkRaces) }

func testParkRaces(t *testing.T, c *tls.Config) {
	t.Parallel()
	s := &Server{TLSConfig: c, Handler: hello}
	addr := loopback(t, s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 100 {
				cc, err := dialLoopback(s, addr)
				if err != nil {
					t.Error(err)
					return
				}
				var ended chan error
				switch (i + k) % 4 {
				case 0:
					askParked(t, cc)
				case 1:
					askParked(t, cc)
					s.mu.Lock()
					for d := range s.drivers {
						if d.wire.nc.RemoteAddr().String() == cc.d.wire.nc.LocalAddr().String() {
							go d.hangUp()
						}
					}
					s.mu.Unlock()
				case 2:
					ended = make(chan error, 1)
					go func() {
						cs, err := cc.Request(context.Background(), "GET", "http://a/")
						if err == nil {
							_, err = cs.Response()
							cs.Close()
						}
						ended <- err
					}()
				}
				cc.Close()
				if ended != nil {
					<-ended
				}
			}
		})
	}
	wg.Wait()
	awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
	awaitCount(t, "connections are parked", 0, func() int { return parkedOf(s) })
}
