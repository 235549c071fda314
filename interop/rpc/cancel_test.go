package rpc

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/nonet-h2/nonet/interop/host"
)

// TestCancel: the handler sees it wherever it is when the client cancels.
func TestCancel(t *testing.T) {
	for _, tt := range []struct {
		name  string
		until func(calls) error // the handler, until it sees the cancellation
	}{
		{"in Recv", func(st calls) error {
			for {
				if _, err := st.Recv(); err != nil {
					return err
				}
			}
		}},
		{"in Send, without window", func(st calls) error {
			for {
				if err := st.Send(&response{Payload: payload(0, 100_000)}); err != nil {
					return err
				}
			}
		}},
		{"elsewhere", func(st calls) error {
			<-st.Context().Done()
			return st.Context().Err()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
				over := make(chan error, 1)
				r := start(t, k, overTLS, &service{duplex: func(st calls) error {
					if err := st.Send(new(response)); err != nil {
						return err
					}
					err := tt.until(st)
					<-st.Context().Done()
					over <- st.Context().Err()
					return err
				}})
				c := client(t, r, grpc.WithStaticStreamWindowSize(1<<16))
				ctx, cancel := context.WithCancel(within(t))
				defer cancel()
				st, err := c.FullDuplexCall(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := st.Recv(); err != nil {
					t.Fatal(err)
				}
				cancel()
				if err := wait(t, over, "the handler's end"); !errors.Is(err, context.Canceled) {
					t.Errorf("the handler's context says %v, want %v", err, context.Canceled)
				}
				if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil {
					t.Errorf("a call after the cancelled one: %v", err)
				}
			})
		})
	}
}

// TestCancelMany: a client that cancels most of its calls keeps its connection.
func TestCancelMany(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		var handlers sync.WaitGroup
		conns := new(connCounter)
		r := host.Start(t, k, overTLS, conns.count(handler(&service{duplex: func(st calls) error {
			handlers.Add(1)
			defer handlers.Done()
			if err := st.Send(new(response)); err != nil {
				return err
			}
			<-st.Context().Done()
			return st.Context().Err()
		}})))
		c := client(t, r)
		for range 500 {
			ctx, cancel := context.WithCancel(within(t))
			st, err := c.FullDuplexCall(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Recv(); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil {
			t.Error(err)
		}
		handlers.Wait()
		if n := conns.len(); n != 1 {
			t.Errorf("the client needed %d connections, want 1", n)
		}
	})
}

// connCounter counts the connections that requests came on.
type connCounter struct {
	mu    sync.Mutex
	peers map[string]bool
}

func (c *connCounter) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		if c.peers == nil {
			c.peers = make(map[string]bool)
		}
		c.peers[r.RemoteAddr] = true
		c.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (c *connCounter) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.peers)
}

// TestDeadline: the handler knows the client's deadline and ends with it.
func TestDeadline(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		over := make(chan error, 1)
		r := start(t, k, overTLS, &service{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			if d, ok := ctx.Deadline(); !ok || time.Until(d) > host.Patience {
				t.Errorf("the handler's deadline is %v, %v", d, ok)
			}
			<-ctx.Done()
			over <- ctx.Err()
			return nil, ctx.Err()
		}})
		c := client(t, r)
		if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil { // connects
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.UnaryCall(ctx, new(testgrpc.SimpleRequest))
		wantCode(t, err, codes.DeadlineExceeded)
		// The deadline of the server's clock, or the client's reset at its own.
		if err := wait(t, over, "the handler's end"); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			t.Errorf("the handler's context says %v", err)
		}
		if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil {
			t.Error(err)
		}
	})
}

// TestConnectionLost: the handlers of a connection see that it is gone.
func TestConnectionLost(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		const n = 10
		over := make(chan error, n)
		r := start(t, k, overTLS, &service{duplex: func(st calls) error {
			if err := st.Send(new(response)); err != nil {
				return err
			}
			<-st.Context().Done()
			over <- st.Context().Err()
			return st.Context().Err()
		}})
		sockets := make(chan net.Conn, 1)
		c := client(t, r, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err == nil {
				select {
				case sockets <- nc:
				default: // the reconnection
				}
			}
			return nc, err
		}))
		var open []testgrpc.TestService_FullDuplexCallClient
		for range n {
			st, err := c.FullDuplexCall(within(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Recv(); err != nil {
				t.Fatal(err)
			}
			open = append(open, st)
		}
		(<-sockets).Close()
		for range n {
			if err := wait(t, over, "a handler's end"); !errors.Is(err, context.Canceled) {
				t.Errorf("a handler's context says %v, want %v", err, context.Canceled)
			}
		}
		for _, st := range open {
			_, err := st.Recv()
			wantCode(t, err, codes.Unavailable)
		}
	})
}
