package nonet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// TestClientChaos: many goroutines do everything at once, to servers of ours
// that refuse, reset, leave and come back. A response that is whole is right,
// a failure has a reason, and in the end nothing is open.
func TestClientChaos(t *testing.T) {
	var servers atomic.Pointer[Server]
	var addr atomic.Value
	begin := func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		s := &Server{Handler: chaosHandler, Config: Config{Limits: conn.Limits{MaxConcurrentStreams: 20, WorkQueue: 5, StreamWindow: 1000}}}
		go s.Serve(l)
		addr.Store(l.Addr().String())
		if old := servers.Swap(s); old != nil {
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				old.Shutdown(ctx)
				old.Close()
			}()
		}
	}
	begin()
	c := &Client{ClientConfig: ClientConfig{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr.Load().(string))
	}}}
	rounds := 150
	if testing.Short() || raceEnabled {
		rounds = 60
	}
	var wg sync.WaitGroup
	var good, bad atomic.Int64
	for w := range 60 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 7))
			for i := range rounds {
				if chaosRequest(t, c, rnd) {
					good.Add(1)
				} else {
					bad.Add(1)
				}
				if w == 0 && i%20 == 19 {
					begin()
				}
			}
		})
	}
	wg.Wait()
	for range 500 {
		open := 0
		for _, s := range c.Snapshot() {
			open += len(s.Streams) + s.Waiting
		}
		if open == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for _, s := range c.Snapshot() {
		if len(s.Streams) > 0 || s.Waiting > 0 || s.RecvHeld != 0 {
			t.Errorf("%+v", s)
		}
	}
	c.mu.Lock()
	for _, h := range c.hosts {
		for _, cc := range h.conns {
			if cc.taken != 0 {
				t.Errorf("%d places are taken", cc.taken)
			}
		}
		if h.head != nil {
			t.Error("somebody waits")
		}
	}
	c.mu.Unlock()
	c.Close()
	servers.Load().Close()
	if good.Load() == 0 || bad.Load() == 0 {
		t.Errorf("%d succeeded, %d did not", good.Load(), bad.Load())
	}
	t.Logf("%d succeeded, %d did not", good.Load(), bad.Load())
}

// chaosHandler does what the path says.
func chaosHandler(s Stream) {
	switch p := string(s.Path()); {
	case p == "/reset":
		s.Reset(1111)
	case p == "/refuse":
		s.Reset(frame.RefusedStream)
	case p == "/early":
		s.WriteString("early")
	case p == "/half":
		s.WriteString("half")
		s.Flush()
		s.Reset(frame.InternalError)
	default:
		echo(s)
	}
}

// chaosRequest sends one request and treats it in one of many ways. It reports
// whether the response came whole.
func chaosRequest(t *testing.T, c *Client, rnd *rand.Rand) bool {
	paths := []string{"/echo", "/echo", "/echo", "/reset", "/refuse", "/early", "/half"}
	path := paths[rnd.IntN(len(paths))]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if rnd.IntN(8) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rnd.IntN(3000))*time.Microsecond)
		defer cancel()
	}
	s, err := c.Request(ctx, "POST", exampleURL+path)
	if err != nil {
		return false
	}
	text := strings.Repeat(fmt.Sprintf("%d,", rnd.IntN(1000)), []int{0, 10, 1000, 20000}[rnd.IntN(4)])
	var wg sync.WaitGroup
	defer func() {
		if rnd.IntN(2) == 0 {
			s.Reset(frame.Cancel)
		}
		wg.Wait()
		s.Close()
	}()
	switch rnd.IntN(6) {
	case 0:
		wg.Go(func() { s.Reset(frame.Cancel) })
	case 1:
		pause := time.Duration(rnd.IntN(500)) * time.Microsecond
		wg.Go(func() { time.Sleep(pause); s.Reset(frame.InternalError) })
	case 2:
		wg.Go(func() { cancel() })
	}
	if rnd.IntN(2) == 0 {
		s.WriteString(text)
		s.CloseWrite()
	} else if s.Flush() == nil {
		wg.Go(func() {
			s.WriteString(text)
			s.AppendTrailer("x-trailer", "up")
			s.CloseWrite()
		})
	}
	status, err := s.Response()
	var b []byte
	if err == nil {
		b, err = io.ReadAll(s)
	}
	var reset *ResetError
	var ce *conn.Error
	switch {
	case err == nil && status == 200:
		if want := map[string]string{"/echo": text, "/early": "early"}[path]; string(b) != want {
			t.Errorf("%s: %d octets %.50q, want %d %.50q", path, len(b), b, len(want), want)
		}
		return true
	case errors.As(err, &reset), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), err == ErrStale:
	case errors.As(err, &ce) && ce.Side == conn.Remote && ce.Code == frame.EnhanceYourCalm: // so many resets are a flood
	case errors.As(err, &ce):
		t.Errorf("a connection error: %v", err)
	default:
		if !strings.Contains(err.Error(), "connection") && !strings.Contains(err.Error(), "reset by peer") && !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("%d %v", status, err)
		}
	}
	return false
}
