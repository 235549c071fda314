package nonet

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nonet-h2/nonet/frame"
)

// led reports whether the reader of a connection runs the handler that calls it.
func led() bool {
	b := make([]byte, 16<<10)
	return bytes.Contains(b[:runtime.Stack(b, false)], []byte("nonet.(*driver).lead("))
}

// severalProcessors is what a reader runs handlers with.
func severalProcessors(t *testing.T) {
	if n := runtime.GOMAXPROCS(0); n < 2 {
		runtime.GOMAXPROCS(2)
		t.Cleanup(func() { runtime.GOMAXPROCS(n) })
	}
}

// leadingServer serves with several processors, and has a connection.
func leadingServer(t *testing.T, s *Server) *ClientConn {
	t.Helper()
	severalProcessors(t)
	cc, err := dialLoopback(s, loopback(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return cc
}

// answerTo is get.
func answerTo(t *testing.T, cc *ClientConn, path string) string {
	t.Helper()
	b, err := get(cc, path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLead: a request that is alone is answered by the reader, one after another.
func TestLead(t *testing.T) { eachSocket(t, testLead) }

func testLead(t *testing.T, c *tls.Config) {
	var n atomic.Int32
	s := &Server{TLSConfig: c, Handler: func(s Stream) {
		if led() {
			n.Add(1)
		}
		s.WriteString("yes")
	}}
	cc := leadingServer(t, s)
	for range 50 {
		if got := answerTo(t, cc, "/"); got != "yes" {
			t.Fatalf("answer %q", got)
		}
	}
	if n.Load() == 0 {
		t.Error("the reader ran no handler")
	}
}

// blockedLeader asks for /block until the reader runs the handler of that, which
// blocks until free is closed, and returns what awaits the answer.
func blockedLeader(t *testing.T, cc *ClientConn, leads chan bool) (answer chan string) {
	t.Helper()
	for range 100 {
		answer = make(chan string, 1)
		go func() {
			b, err := get(cc, "/block")
			if err != nil {
				b = err.Error()
			}
			answer <- b
		}()
		if <-leads {
			return answer
		}
		<-answer
	}
	t.Fatal("the reader ran no handler")
	return nil
}

// blocking answers at once where the reader does not run it, else when free is
// closed.
func blocking(leads chan bool, free chan struct{}) Handler {
	return func(s Stream) {
		if string(s.Path()) != "/block" {
			s.WriteString("others")
			return
		}
		l := led()
		leads <- l
		if l {
			select {
			case <-free:
			case <-s.Context().Done():
				return
			}
		}
		s.WriteString("blocked")
	}
}

// TestLeadRelieved: other requests are answered while the reader is in a handler,
// and that is answered, too.
func TestLeadRelieved(t *testing.T) { eachSocket(t, testLeadRelieved) }

func testLeadRelieved(t *testing.T, c *tls.Config) {
	leads, free := make(chan bool), make(chan struct{})
	cc := leadingServer(t, &Server{TLSConfig: c, Handler: blocking(leads, free)})
	answer := blockedLeader(t, cc, leads)
	for range 3 {
		if got := answerTo(t, cc, "/"); got != "others" {
			t.Errorf("answer %q", got)
		}
	}
	close(free)
	if got := <-answer; got != "blocked" {
		t.Errorf("answer %q", got)
	}
	if got := answerTo(t, cc, "/"); got != "others" {
		t.Errorf("answer %q", got)
	}
}

// TestLeadEnd: whoever ends the connection or the stream, the handler that the
// reader runs learns of it, and nothing is left.
func TestLeadEnd(t *testing.T) { eachSocket(t, testLeadEnd) }

func testLeadEnd(t *testing.T, c *tls.Config) {
	before := runtime.NumGoroutine()
	for _, x := range []struct {
		name string
		end  func(*Server, *ClientConn)
	}{
		{"the peer closes", func(_ *Server, cc *ClientConn) { cc.Close() }},
		{"the server closes", func(s *Server, _ *ClientConn) { s.Close() }},
	} {
		t.Run(x.name, func(t *testing.T) {
			leads, free := make(chan bool), make(chan struct{})
			s := &Server{TLSConfig: c, Handler: blocking(leads, free)}
			cc := leadingServer(t, s)
			answer := blockedLeader(t, cc, leads)
			x.end(s, cc)
			<-answer
			awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
			s.Close()
			cc.Close()
		})
	}
	awaitCount(t, "goroutines too many", 0, func() int { return max(0, runtime.NumGoroutine()-before) })
}

// TestLeadReset: the peer resets the stream whose handler the reader runs.
func TestLeadReset(t *testing.T) { eachSocket(t, testLeadReset) }

func testLeadReset(t *testing.T, c *tls.Config) {
	leads, over := make(chan bool), make(chan error, 1)
	s := &Server{TLSConfig: c, Handler: func(s Stream) {
		l := led()
		leads <- l
		if l {
			<-s.Context().Done()
			over <- context.Cause(s.Context())
		}
	}}
	cc := leadingServer(t, s)
	for range 100 {
		cs, err := cc.Request(context.Background(), "GET", "http://a/")
		if err != nil {
			t.Fatal(err)
		}
		if err := cs.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if <-leads {
			cs.Reset(frame.Cancel)
			if err := <-over; err == nil {
				t.Error("no cause")
			}
			return
		}
		cs.Close()
	}
	t.Fatal("the reader ran no handler")
}

// TestLeadGoexit: a handler that ends the reader's goroutine ends only that.
func TestLeadGoexit(t *testing.T) { eachSocket(t, testLeadGoexit) }

func testLeadGoexit(t *testing.T, c *tls.Config) {
	var n atomic.Int32
	s := &Server{TLSConfig: c, Config: Config{Logger: slog.New(slog.DiscardHandler)}, Handler: func(s Stream) {
		if string(s.Path()) == "/exit" {
			if led() {
				n.Add(1)
			}
			runtime.Goexit()
		}
		s.WriteString("yes")
	}}
	cc := leadingServer(t, s)
	for range 20 {
		cs, err := cc.Request(context.Background(), "GET", "http://a/exit")
		if err != nil {
			t.Fatal(err)
		}
		if status, err := cs.Response(); err != nil || status != 500 {
			t.Errorf("status %d, %v", status, err)
		}
		cs.Close()
		if got := answerTo(t, cc, "/"); got != "yes" {
			t.Errorf("answer %q", got)
		}
	}
	if n.Load() == 0 {
		t.Error("the reader ran no handler")
	}
}

// TestLeadIdle: a connection whose reader has led is parked when it rests, and the
// goroutine that waits for all ends with the last connection.
func TestLeadIdle(t *testing.T) { eachSocket(t, testLeadIdle) }

func testLeadIdle(t *testing.T, c *tls.Config) {
	before := runtime.NumGoroutine()
	s := &Server{TLSConfig: c, Handler: hello}
	cc := leadingServer(t, s)
	for range 20 {
		askParked(t, cc)
	}
	awaitCount(t, "connections are parked", 1, func() int { return parkedOf(s) })
	cc.Close()
	awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
	s.Close()
	awaitCount(t, "goroutines too many", 0, func() int { return max(0, runtime.NumGoroutine()-before) })
}

// TestLeadRaces: requests alone and in pairs of which the first waits for the
// second, and ends of connections, meet in every order.
func TestLeadRaces(t *testing.T) { eachSocket(t, testLeadRaces) }

func testLeadRaces(t *testing.T, c *tls.Config) {
	var seconds sync.Map // channels, by path
	second := func(path string) chan struct{} {
		c, _ := seconds.LoadOrStore(path, make(chan struct{}))
		return c.(chan struct{})
	}
	s := &Server{TLSConfig: c, Handler: func(s Stream) {
		path := string(s.Path())
		if name, ok := strings.CutPrefix(path, "/a"); ok {
			select {
			case <-second(name):
			case <-s.Context().Done():
			}
		}
		if name, ok := strings.CutPrefix(path, "/b"); ok {
			close(second(name))
		}
		s.WriteString("yes")
	}}
	severalProcessors(t)
	addr := loopback(t, s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 60 {
				cc, err := dialLoopback(s, addr)
				if err != nil {
					t.Error(err)
					return
				}
				for range k % 3 {
					askParked(t, cc)
				}
				name := strconv.Itoa(1000*i + k)
				first, err := cc.Request(context.Background(), "GET", "http://a/a"+name)
				if err == nil {
					err = first.CloseWrite()
				}
				if err != nil {
					t.Error(err)
				}
				if k%4 == 0 { // in the middle
					cc.Close()
					continue
				}
				other, err := cc.Request(context.Background(), "GET", "http://a/b"+name)
				if err != nil {
					t.Error(err)
					return
				}
				for _, cs := range []ClientStream{other, first} {
					if b, err := io.ReadAll(cs); err != nil || string(b) != "yes" {
						t.Errorf("answer %q, %v", b, err)
					}
					cs.Close()
				}
				for range k % 2 {
					askParked(t, cc)
				}
				cc.Close()
			}
		})
	}
	wg.Wait()
	awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
	awaitCount(t, "connections are parked", 0, func() int { return parkedOf(s) })
}
