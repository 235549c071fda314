package rpc

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/nonet-h2/nonet/interop/host"
)

type (
	request  = testgrpc.StreamingOutputCallRequest
	response = testgrpc.StreamingOutputCallResponse
	calls    = grpc.BidiStreamingServer[request, response]
)

// service is a test service; each test sets the calls that it needs.
type service struct {
	testgrpc.UnimplementedTestServiceServer
	unary  func(context.Context, *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error)
	duplex func(calls) error
}

func (s *service) EmptyCall(context.Context, *testgrpc.Empty) (*testgrpc.Empty, error) {
	return new(testgrpc.Empty), nil
}

func (s *service) UnaryCall(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	return s.unary(ctx, in)
}

func (s *service) FullDuplexCall(st calls) error { return s.duplex(st) }

// start serves the service on a grpc.Server as http.Handler.
func start(t *testing.T, k host.Kind, overTLS bool, s *service, opts ...grpc.ServerOption) *host.Running {
	t.Helper()
	return host.Start(t, k, overTLS, handler(s, opts...))
}

func handler(s *service, opts ...grpc.ServerOption) http.Handler {
	g := grpc.NewServer(opts...)
	testgrpc.RegisterTestServiceServer(g, s)
	return g
}

// dial makes a client, which connects with its first call.
func dial(t *testing.T, r *host.Running, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	creds := insecure.NewCredentials()
	if r.Roots != nil {
		creds = credentials.NewTLS(r.Roots.Clone())
	}
	cc, err := grpc.NewClient(r.Addr, append([]grpc.DialOption{grpc.WithTransportCredentials(creds)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return cc
}

// client dials with a client of the test service.
func client(t *testing.T, r *host.Running, opts ...grpc.DialOption) testgrpc.TestServiceClient {
	t.Helper()
	return testgrpc.NewTestServiceClient(dial(t, r, opts...))
}

// within is a context for calls that no test lets run longer.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), host.Patience)
	t.Cleanup(cancel)
	return ctx
}

// wait receives from c, or fails the test with what it waited for.
func wait[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-within(t).Done():
		t.Fatalf("waited in vain for %s", what)
	}
	return v
}

// wantCode fails the test if err isn't a status with this code.
func wantCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("code %v (%v), want %v", got, err, want)
	}
}

// octets are what payloads are cut from, longer than the largest.
var octets = func() []byte {
	b := make([]byte, 17<<20)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

// payload is a payload that tells its number, n octets long.
func payload(number, n int) *testgrpc.Payload {
	return &testgrpc.Payload{Body: octets[number : number+n]}
}

// numbered fails the test if p isn't payload(number, n).
func numbered(t *testing.T, p *testgrpc.Payload, number, n int) bool {
	t.Helper()
	if !bytes.Equal(p.GetBody(), octets[number:number+n]) {
		t.Errorf("message %d is wrong; it has %d octets, want %d", number, len(p.GetBody()), n)
		return false
	}
	return true
}
