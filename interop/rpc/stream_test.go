package rpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/nonet-h2/nonet/interop/host"
)

// sizes are those of the messages of a stream, again and again: empty ones,
// some of a frame, some of several.
var sizes = []int{0, 1, 100, 5, 16379, 16380, 40000, 3}

func size(number int) int { return sizes[number%len(sizes)] }

// TestBothWays: each side sends thousands of messages without waiting for the
// other, and gets all of the other's in order.
func TestBothWays(t *testing.T) {
	const messages = 3000
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{duplex: func(st calls) error {
			sent := make(chan error, 1)
			go func() {
				for i := range messages {
					if err := st.Send(&response{Payload: payload(i, size(i))}); err != nil {
						sent <- err
						return
					}
				}
				sent <- nil
			}()
			for i := 0; ; i++ {
				in, err := st.Recv()
				if err == io.EOF {
					if i != messages {
						t.Errorf("the server got %d messages, want %d", i, messages)
					}
					return <-sent
				}
				if err != nil {
					return err
				}
				if !numbered(t, in.Payload, i, size(i)) {
					return errors.New("wrong message")
				}
			}
		}})
		st, err := client(t, r).FullDuplexCall(within(t))
		if err != nil {
			t.Fatal(err)
		}
		var sending sync.WaitGroup
		sending.Go(func() {
			for i := range messages {
				if err := st.Send(&request{Payload: payload(i, size(i))}); err != nil {
					t.Errorf("message %d: %v", i, err)
					return
				}
			}
			if err := st.CloseSend(); err != nil {
				t.Error(err)
			}
		})
		defer sending.Wait()
		for i := 0; ; i++ {
			out, err := st.Recv()
			if err == io.EOF {
				if i != messages {
					t.Errorf("the client got %d messages, want %d", i, messages)
				}
				return
			}
			if err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
			if !numbered(t, out.Payload, i, size(i)) {
				return
			}
		}
	})
}

// TestPingPong: each answer comes before the next message is sent, so nothing
// may be held back.
func TestPingPong(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{duplex: echo})
		st, err := client(t, r).FullDuplexCall(within(t))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			if err := st.Send(&request{Payload: payload(i, size(i))}); err != nil {
				t.Fatal(err)
			}
			out, err := st.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if !numbered(t, out.Payload, i, size(i)) {
				return
			}
		}
		st.CloseSend()
		if _, err := st.Recv(); err != io.EOF {
			t.Errorf("the end of the stream: %v, want io.EOF", err)
		}
	})
}

// echo sends back what it gets.
func echo(st calls) error {
	for {
		in, err := st.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := st.Send(&response{Payload: in.Payload}); err != nil {
			return err
		}
	}
}

// TestHeadersFirst: SendHeader reaches the client before any message.
func TestHeadersFirst(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{duplex: func(st calls) error {
			if err := st.SendHeader(map[string][]string{"early": {"yes"}}); err != nil {
				return err
			}
			return echo(st)
		}})
		st, err := client(t, r).FullDuplexCall(within(t))
		if err != nil {
			t.Fatal(err)
		}
		md, err := st.Header()
		if err != nil || len(md["early"]) != 1 {
			t.Errorf("header %v, %v, want early: yes", md, err)
		}
		st.CloseSend()
		if _, err := st.Recv(); err != io.EOF {
			t.Errorf("the end of the stream: %v, want io.EOF", err)
		}
	})
}

// TestEarlyStatus: a call that ends while its client still sends gets its
// status, and the connection goes on with other calls.
func TestEarlyStatus(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{duplex: func(st calls) error {
			if _, err := st.Recv(); err != nil {
				return err
			}
			return status.Error(codes.FailedPrecondition, "no more of this")
		}})
		c := client(t, r)
		for range 20 {
			st, err := c.FullDuplexCall(within(t))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 100 {
				if err := st.Send(&request{Payload: payload(i, 10000)}); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			_, err = st.Recv()
			wantCode(t, err, codes.FailedPrecondition)
		}
		if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil {
			t.Error(err)
		}
	})
}

// TestSlowReader: a client that doesn't read stops the server's Send, and no
// other call.
func TestSlowReader(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		const messages, large = 64, 100_000
		sent := make(chan int, messages)
		r := start(t, k, overTLS, &service{duplex: func(st calls) error {
			for i := range messages {
				if err := st.Send(&response{Payload: payload(i, large)}); err != nil {
					return err
				}
				sent <- i
			}
			return nil
		}})
		// A fixed window: the client's estimate of the bandwidth would enlarge it.
		c := client(t, r, grpc.WithStaticStreamWindowSize(1<<16), grpc.WithStaticConnWindowSize(1<<20))
		st, err := c.FullDuplexCall(within(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Recv(); err != nil {
			t.Fatal(err)
		}
		for range 200 {
			if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(sent); n > messages/2 {
			t.Errorf("the server has sent %d of %d messages to a client that read one", n, messages)
		}
		for i := 1; i < messages; i++ {
			out, err := st.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if !numbered(t, out.Payload, i, large) {
				return
			}
		}
		if _, err := st.Recv(); err != io.EOF {
			t.Errorf("the end of the stream: %v, want io.EOF", err)
		}
	})
}

// TestCompression: messages that are gzipped one by one.
func TestCompression(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{unary: func(_ context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			return &testgrpc.SimpleResponse{Payload: in.Payload}, nil
		}})
		out, err := client(t, r).UnaryCall(within(t), &testgrpc.SimpleRequest{Payload: payload(7, 300_000)}, grpc.UseCompressor(gzip.Name))
		if err != nil {
			t.Fatal(err)
		}
		numbered(t, out.Payload, 7, 300_000)
	})
}
