package rpc

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/nonet-h2/nonet/interop/host"
)

// TestLargeMessages: 16 MiB each way, one call and four at once.
func TestLargeMessages(t *testing.T) {
	const large = 16 << 20
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{unary: func(_ context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			return &testgrpc.SimpleResponse{Payload: in.Payload}, nil
		}}, grpc.MaxRecvMsgSize(large+1000), grpc.MaxSendMsgSize(large+1000))
		c := client(t, r)
		call := func(i int) {
			out, err := c.UnaryCall(within(t), &testgrpc.SimpleRequest{Payload: payload(i, large)}, grpc.MaxCallRecvMsgSize(large+1000))
			if err != nil {
				t.Error(err)
				return
			}
			numbered(t, out.Payload, i, large)
		}
		call(0)
		var at sync.WaitGroup
		for i := range 4 {
			at.Go(func() { call(i) })
		}
		at.Wait()
	})
}

// TestMessageTooLarge: what grpc-go refuses by its own limit is a status, and
// the connection goes on.
func TestMessageTooLarge(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, &service{unary: func(_ context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			return new(testgrpc.SimpleResponse), nil
		}})
		c := client(t, r)
		for range 10 {
			_, err := c.UnaryCall(within(t), &testgrpc.SimpleRequest{Payload: payload(0, 8<<20)})
			wantCode(t, err, codes.ResourceExhausted)
		}
		if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil {
			t.Error(err)
		}
	})
}

// TestLargeMetadata: header fields and trailers that need CONTINUATION frames,
// both ways.
func TestLargeMetadata(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		value := strings.Repeat("0123456789abcdef", 1500) // 24 000 octets
		r := start(t, k, overTLS, &service{unary: func(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			if got := md.Get("large"); len(got) != 1 || got[0] != value {
				return nil, fmt.Errorf("the server got %d values", len(got))
			}
			if err := grpc.SetHeader(ctx, metadata.Pairs("large", value)); err != nil {
				return nil, err
			}
			trailer := metadata.MD{}
			for i := range 500 {
				trailer.Append(fmt.Sprintf("part-%d", i), value[:200])
			}
			return new(testgrpc.SimpleResponse), grpc.SetTrailer(ctx, trailer)
		}})
		c := client(t, r)
		for range 3 { // the second time, HPACK's table has what fits
			var header, trailer metadata.MD
			ctx := metadata.AppendToOutgoingContext(within(t), "large", value)
			if _, err := c.UnaryCall(ctx, new(testgrpc.SimpleRequest), grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
				t.Fatal(err)
			}
			if got := header.Get("large"); len(got) != 1 || got[0] != value {
				t.Errorf("the client got %d values", len(got))
			}
			for i := range 500 {
				if got := trailer.Get(fmt.Sprintf("part-%d", i)); len(got) != 1 || got[0] != value[:200] {
					t.Fatalf("part %d of the trailers: %d values", i, len(got))
				}
			}
		}
	})
}

// TestMetadataTooLarge: a header section above the server's limit fails its
// call only.
func TestMetadataTooLarge(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := start(t, k, overTLS, new(service))
		c := client(t, r)
		ctx := metadata.AppendToOutgoingContext(within(t), "large", strings.Repeat("x", 3<<20))
		if _, err := c.EmptyCall(ctx, new(testgrpc.Empty)); err == nil {
			t.Error("3 MiB of metadata were accepted")
		}
		if _, err := c.EmptyCall(within(t), new(testgrpc.Empty)); err != nil {
			t.Error(err)
		}
	})
}
