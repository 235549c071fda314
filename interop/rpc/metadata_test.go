package rpc

import (
	"context"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/nonet-h2/nonet/interop/host"
)

// everyOctet is a binary value with each octet there is.
func everyOctet() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// TestMetadata: several values of a name, empty ones and binary ones, in the
// header section and the trailers of requests that succeed and that fail.
func TestMetadata(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		sent := metadata.Pairs(
			"one", "1", "several", "a", "several", "", "several", "c, d", "empty", "",
			"octets-bin", everyOctet(), "octets-bin", "", "octets-bin", "\x00\xff", "x_y.z-0", "odd name")
		r := start(t, k, overTLS, &service{unary: func(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			if d := cmp.Diff(sent, only(md, sent)); d != "" {
				t.Errorf("the server's view (-want +got):\n%s", d)
			}
			grpc.SetHeader(ctx, sent)
			grpc.SetTrailer(ctx, sent)
			if s := in.GetResponseStatus(); s != nil {
				return nil, status.Error(codes.Code(s.Code), s.Message)
			}
			return new(testgrpc.SimpleResponse), nil
		}})
		c := client(t, r)
		for _, in := range []*testgrpc.SimpleRequest{
			{},
			{ResponseStatus: &testgrpc.EchoStatus{Code: int32(codes.DataLoss), Message: "100% tab\t newline\n ünïcödé \u2028 😀"}},
		} {
			var header, trailer metadata.MD
			_, err := c.UnaryCall(metadata.NewOutgoingContext(within(t), sent), in, grpc.Header(&header), grpc.Trailer(&trailer))
			wantCode(t, err, codes.Code(in.GetResponseStatus().GetCode()))
			if got, want := status.Convert(err).Message(), in.GetResponseStatus().GetMessage(); got != want {
				t.Errorf("message %q, want %q", got, want)
			}
			if d := cmp.Diff(sent, only(header, sent)); d != "" {
				t.Errorf("header fields (-want +got):\n%s", d)
			}
			if d := cmp.Diff(sent, only(trailer, sent)); d != "" {
				t.Errorf("trailers (-want +got):\n%s", d)
			}
			if got := trailer.Get("trailer"); got != nil {
				t.Errorf("the trailers declare trailers: %q", got)
			}
		}
	})
}

// only returns what md has under the names of want.
func only(md, want metadata.MD) metadata.MD {
	got := metadata.MD{}
	for name := range want {
		if v := md.Get(name); v != nil {
			got[name] = v
		}
	}
	return got
}

// TestStatusDetails: a status whose details are in grpc-status-details-bin.
func TestStatusDetails(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		detail := structpb.NewStringValue(string(make([]rune, 3000)))
		r := start(t, k, overTLS, &service{unary: func(context.Context, *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			st, err := status.New(codes.Aborted, "see the details").WithDetails(detail)
			if err != nil {
				return nil, err
			}
			return nil, st.Err()
		}})
		_, err := client(t, r).UnaryCall(within(t), new(testgrpc.SimpleRequest))
		wantCode(t, err, codes.Aborted)
		details := status.Convert(err).Details()
		if len(details) != 1 || !proto.Equal(details[0].(proto.Message), detail) {
			t.Errorf("%d details", len(details))
		}
	})
}

// TestPeer: what the handler knows about its client.
func TestPeer(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		peers := make(chan *grpcpeer.Peer, 1)
		authorities := make(chan []string, 1)
		r := start(t, k, overTLS, &service{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			p, _ := grpcpeer.FromContext(ctx)
			peers <- p
			md, _ := metadata.FromIncomingContext(ctx)
			authorities <- md.Get(":authority")
			return new(testgrpc.SimpleResponse), nil
		}})
		locals := make(chan string, 1)
		c := client(t, r, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err == nil {
				locals <- nc.LocalAddr().String()
			}
			return nc, err
		}))
		if _, err := c.UnaryCall(within(t), new(testgrpc.SimpleRequest)); err != nil {
			t.Fatal(err)
		}
		p := <-peers
		if got, want := p.Addr.String(), <-locals; got != want {
			t.Errorf("the peer is %s, want %s", got, want)
		}
		if p.LocalAddr == nil || p.LocalAddr.String() != r.Addr {
			t.Errorf("the local address is %v, want %s", p.LocalAddr, r.Addr)
		}
		want := r.Addr
		if overTLS {
			want = "localhost"
		}
		if got := <-authorities; len(got) != 1 || got[0] != want {
			t.Errorf("the authority is %q, want %q", got, want)
		}
		info, ok := p.AuthInfo.(credentials.TLSInfo)
		if ok != overTLS {
			t.Errorf("AuthInfo is %T", p.AuthInfo)
		}
		if ok && (info.State.NegotiatedProtocol != "h2" || !info.State.HandshakeComplete) {
			t.Errorf("the TLS state says protocol %q, handshake complete %v", info.State.NegotiatedProtocol, info.State.HandshakeComplete)
		}
	})
}
