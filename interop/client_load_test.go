package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// errand is one request and what its response has to be.
type errand struct {
	method, url, body, want string
}

// how says in which way an errand ended.
type how int

const (
	wrong       how = iota // by an error that leaves open whether it was processed, or not as it should
	well                   // with the response that it has to have
	unprocessed            // by an error that says it may be run again
)

// runner runs errands.
type runner struct {
	run   func(context.Context, errand) (how, string)
	dials atomic.Int64
}

// runners are the two ways to send requests with nonet.
var runners = []string{"Client", "Transport"}

func newRunner(t *testing.T, name string) *runner {
	r := new(runner)
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		r.dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	if name == "Client" {
		c := newClient(t)
		c.DialContext = dial
		r.run = func(ctx context.Context, e errand) (how, string) { return runOnClient(ctx, c, e) }
		return r
	}
	tr := &nethttp.Transport{
		Base:           &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots(t)}, DialContext: dial},
		PriorKnowledge: true,
	}
	t.Cleanup(tr.CloseIdleConnections)
	r.run = func(ctx context.Context, e errand) (how, string) { return runOnTransport(ctx, tr, e) }
	return r
}

func runOnClient(ctx context.Context, c *nonet.Client, e errand) (how, string) {
	s, err := c.Request(ctx, e.method, e.url)
	if err != nil {
		return wrong, err.Error()
	}
	defer s.Close()
	if e.body != "" {
		if _, err = s.WriteString(e.body); err == nil {
			err = s.CloseWrite()
		}
	}
	status := 0
	var b []byte
	if err == nil {
		if status, err = s.Response(); err == nil {
			b, err = io.ReadAll(s)
		}
	}
	if err != nil && s.Unprocessed() {
		return unprocessed, err.Error()
	}
	return e.judge(status, b, err)
}

func runOnTransport(ctx context.Context, tr http.RoundTripper, e errand) (how, string) {
	r, err := http.NewRequestWithContext(ctx, e.method, e.url, strings.NewReader(e.body))
	if err != nil {
		return wrong, err.Error()
	}
	res, err := tr.RoundTrip(r)
	if err != nil {
		return wrong, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return e.judge(res.StatusCode, b, err)
}

func (e errand) judge(status int, b []byte, err error) (how, string) {
	if err != nil || status != 200 || string(b) != e.want {
		return wrong, fmt.Sprintf("%s %s: status %d, %d octets %.60q, %v", e.method, e.url, status, len(b), b, err)
	}
	return well, ""
}

// disturbances is how often load disturbs a server.
const disturbances = 5

// load runs errands, in turn, from many goroutines, and disturbs the server
// again and again, so that it ends its connections. Each errand has to end
// well, or to say that it may be run again, which the caller does.
func load(t *testing.T, r *runner, errands []errand, disturb func()) {
	t.Helper()
	var done, repeated atomic.Int64
	var wg sync.WaitGroup
	enough := make(chan struct{})
	for w := range 30 {
		wg.Go(func() {
			for i := w; ; {
				select {
				case <-enough:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				how, text := r.run(ctx, errands[i%len(errands)])
				cancel()
				switch how {
				case well:
					done.Add(1)
					i++
				case unprocessed:
					repeated.Add(1)
				default:
					if !t.Failed() {
						t.Error(text)
					}
					return
				}
			}
		})
	}
	until := func(what string, ok func() bool) {
		for limit := time.Now().Add(patience); !ok() && !t.Failed(); time.Sleep(time.Millisecond) {
			if time.Now().After(limit) {
				t.Errorf("in vain: %s", what)
			}
		}
	}
	for range disturbances {
		n, dials := done.Load()+200, r.dials.Load()
		until("errands", func() bool { return done.Load() >= n })
		// It has taken effect when connections are made anew. A server that is
		// busy with the last time may miss it.
		again := time.Now()
		until("new connections", func() bool {
			if !time.Now().Before(again) {
				disturb()
				again = again.Add(3 * time.Second)
			}
			return r.dials.Load() > dials
		})
	}
	close(enough)
	wg.Wait()
	t.Logf("%d requests ended well on %d connections; %d times the caller had to send one again", done.Load(), r.dials.Load(), repeated.Load())
	if n := r.dials.Load(); n <= disturbances {
		t.Errorf("%d connections: the server was hardly disturbed", n)
	}
}

// abandoned resets downloads in their middle, several at once, and wants the
// connection to serve the next ones.
func abandoned(t *testing.T, url string) {
	t.Helper()
	c := newClient(t)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 5 {
				s := ask(t, c, "GET", url)
				if n, err := io.ReadFull(s, make([]byte, 300_000)); err != nil {
					t.Errorf("%d octets, %v", n, err)
				}
				if err := s.Reset(8); err != nil {
					t.Error(err)
				}
				s.Close()
			}
		})
	}
	wg.Wait()
	s := ask(t, c, "GET", url)
	n, err := io.Copy(io.Discard, s)
	if err != nil || n != int64(largeSize) {
		t.Errorf("%d octets, %v", n, err)
	}
	s.Close()
	for _, snap := range c.Snapshot() {
		if snap.Ended != nil || snap.Draining || snap.RecvHeld != 0 || len(snap.Streams) != 0 {
			t.Errorf("%+v", snap)
		}
	}
}

// largeSize is how long a file is that is not sent at once.
const largeSize = 5_000_000

var large = bytes.Repeat([]byte("0123456789"), largeSize/10)
