package rpc

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/nonet-h2/nonet/interop/host"
)

// TestConcurrentCalls: a hundred calls run at once on one connection; each
// waits until all have come.
func TestConcurrentCalls(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		const n = 100
		var all sync.WaitGroup
		all.Add(n)
		conns := new(connCounter)
		r := host.Start(t, k, overTLS, conns.count(handler(&service{unary: func(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			all.Done()
			all.Wait()
			return &testgrpc.SimpleResponse{Payload: in.Payload}, nil
		}})))
		c := client(t, r)
		var sent sync.WaitGroup
		for i := range n {
			sent.Go(func() {
				out, err := c.UnaryCall(within(t), &testgrpc.SimpleRequest{Payload: payload(i, 5000)})
				if err != nil {
					t.Error(err)
					return
				}
				numbered(t, out.Payload, i, 5000)
			})
		}
		sent.Wait()
		if got := conns.len(); got != 1 {
			t.Errorf("the client needed %d connections, want 1", got)
		}
	})
}

// TestManyCalls: more calls at once than the server takes; none fails.
func TestManyCalls(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{unary: func(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			return &testgrpc.SimpleResponse{Payload: in.Payload}, nil
		}})
		c := client(t, r)
		var callers sync.WaitGroup
		for i := range 400 {
			callers.Go(func() {
				for range 5 {
					out, err := c.UnaryCall(within(t), &testgrpc.SimpleRequest{Payload: payload(i, 500)})
					if err != nil {
						t.Error(err)
						return
					}
					numbered(t, out.Payload, i, 500)
				}
			})
		}
		callers.Wait()
	})
}

// TestGracefulStop: Shutdown lets the calls that run end as they would have,
// and takes no others.
func TestGracefulStop(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		release, arrived := make(chan struct{}), make(chan struct{})
		r := start(t, k, overTLS, &service{
			unary: func(context.Context, *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
				close(arrived)
				<-release
				return &testgrpc.SimpleResponse{Payload: payload(1, 200_000)}, nil
			},
			duplex: echo,
		})
		cc := dial(t, r)
		c := testgrpc.NewTestServiceClient(cc)
		open, err := c.FullDuplexCall(within(t))
		if err != nil {
			t.Fatal(err)
		}
		exchange := func(i int) {
			t.Helper()
			if err := open.Send(&request{Payload: payload(i, 1000)}); err != nil {
				t.Fatal(err)
			}
			out, err := open.Recv()
			if err != nil {
				t.Fatal(err)
			}
			numbered(t, out.Payload, i, 1000)
		}
		exchange(0)
		var unary sync.WaitGroup
		defer unary.Wait()
		unary.Go(func() {
			out, err := c.UnaryCall(within(t), new(testgrpc.SimpleRequest))
			if err != nil {
				t.Error(err)
				return
			}
			numbered(t, out.Payload, 1, 200_000)
		})
		wait(t, arrived, "the unary call")

		stopped := make(chan error, 1)
		go func() { stopped <- r.Shutdown(within(t)) }()
		// GOAWAY takes the connection out of the client's use.
		if !cc.WaitForStateChange(within(t), connectivity.Ready) {
			t.Fatal("the client saw no GOAWAY")
		}
		for i := range 10 {
			exchange(i)
		}
		_, err = c.EmptyCall(within(t), new(testgrpc.Empty))
		wantCode(t, err, codes.Unavailable)
		select {
		case err := <-stopped:
			t.Errorf("Shutdown returned %v while calls were running", err)
		default:
		}
		close(release)
		unary.Wait()
		open.CloseSend()
		if _, err := open.Recv(); err != io.EOF {
			t.Errorf("the end of the stream: %v, want io.EOF", err)
		}
		if err := wait(t, stopped, "Shutdown"); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// TestNotGRPC: requests that grpc-go answers by net/http's means.
func TestNotGRPC(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, new(service))
		for _, tt := range []struct {
			proto, method, contentType, timeout string
			status                              int
			text                                string
		}{
			{"HTTP/2.0", "GET", "application/grpc", "", http.StatusMethodNotAllowed, "invalid gRPC request method"},
			{"HTTP/2.0", "POST", "text/plain", "", http.StatusUnsupportedMediaType, "invalid gRPC request content-type"},
			{"HTTP/2.0", "POST", "application/grpc", "soon", http.StatusBadRequest, "malformed grpc-timeout"},
			{"HTTP/1.1", "POST", "application/grpc", "", http.StatusHTTPVersionNotSupported, "gRPC requires HTTP/2"},
		} {
			req, err := http.NewRequestWithContext(within(t), tt.method, r.URL+"/grpc.testing.TestService/EmptyCall", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.contentType)
			if tt.timeout != "" {
				req.Header.Set("Grpc-Timeout", tt.timeout)
			}
			resp, err := r.Client(t, tt.proto).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(body), tt.text) {
				t.Errorf("%s %s %s: %d %q, %v, want %d %q", tt.proto, tt.method, tt.contentType, resp.StatusCode, body, err, tt.status, tt.text)
			}
		}
	})
}
