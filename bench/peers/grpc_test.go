package peers

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
)

// BenchmarkGRPC is calls to grpc.Server on nethttp, beside net/http and grpc-go's
// own transport as its hosts.
func BenchmarkGRPC(b *testing.B) {
	calls := calls(b)
	for _, secure := range []bool{false, true} {
		for i := range calls {
			w := &calls[i]
			for _, shape := range shapes() {
				for _, them := range []func(bool) rig.Server{onNetHTTP, ownTransport} {
					b.Run(fmt.Sprintf("%s/%s/%dx%d/%s", rig.Transport(secure), w.Name, shape[0], shape[1], them(secure).Name), func(b *testing.B) {
						besideHost(b, secure, w, shape, them)
					})
				}
			}
		}
	}
}

func besideHost(b *testing.B, secure bool, w *rig.Work, shape [2]int, them func(bool) rig.Server) {
	o := rig.Options{Secure: secure, Conns: shape[0], Streams: shape[1]}
	beside(b, w, o, onNethttp(secure), them(secure), false)
}

func onNethttp(secure bool) rig.Server { return rig.Adapted(secure, newServer()) }

func onNetHTTP(secure bool) rig.Server { return rig.NetHTTP(secure, newServer()) }

func ownTransport(secure bool) rig.Server {
	var creds []grpc.ServerOption
	if secure {
		creds = append(creds, grpc.Creds(credentials.NewTLS(rig.TLSConfig())))
	}
	s := newServer(creds...)
	return rig.Server{Name: "grpc-go", Serve: s.Serve, Close: func() error { s.Stop(); return nil }}
}

func newServer(more ...grpc.ServerOption) *grpc.Server {
	s := grpc.NewServer(append(more, grpc.MaxConcurrentStreams(rig.MaxStreams))...)
	pb.RegisterTestServiceServer(s, service{})
	return s
}

// service answers with what it gets.
type service struct {
	pb.UnimplementedTestServiceServer
}

func (service) EmptyCall(_ context.Context, in *pb.Empty) (*pb.Empty, error) { return in, nil }

func (service) UnaryCall(_ context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{Payload: in.Payload}, nil
}

func (service) FullDuplexCall(s pb.TestService_FullDuplexCallServer) error {
	for {
		in, err := s.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(&pb.StreamingOutputCallResponse{Payload: in.Payload}); err != nil {
			return err
		}
	}
}

// calls are the works. Requests and responses are equally long, for they have
// nothing but the payload.
func calls(t testing.TB) []rig.Work {
	payload := &pb.Payload{Body: make([]byte, 100)}
	call := func(name, method string, m proto.Message, stream bool) rig.Work {
		p, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		// A message: not compressed, its length, itself.
		send := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(p))), p...)
		w := rig.Work{Name: name, Send: send, Answer: len(send), Echo: stream}
		w.Fields = rig.Post("/grpc.testing.TestService/"+method, [2]string{"content-type", "application/grpc"}, [2]string{"te", "trailers"})
		return w
	}
	return []rig.Work{
		call("empty", "EmptyCall", &pb.Empty{}, false),
		call("unary-100B", "UnaryCall", &pb.SimpleRequest{Payload: payload}, false),
		call("stream-100B", "FullDuplexCall", &pb.StreamingOutputCallRequest{Payload: payload}, true),
	}
}

// TestGRPC: every call is answered by every kind of server.
func TestGRPC(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, s := range []rig.Server{onNethttp(secure), onNetHTTP(secure), ownTransport(secure)} {
			addr := s.Start(t)
			for _, w := range calls(t) {
				t.Run(rig.Transport(secure)+"/"+s.Name+"/"+w.Name, func(t *testing.T) { answered(t, addr, &w, secure, false) })
			}
		}
	}
}

func answered(t *testing.T, addr string, w *rig.Work, secure, http1 bool) {
	ls := rig.NewLoads(t, addr, w, rig.Options{Secure: secure, HTTP1: http1, Conns: 2, Streams: 3})
	defer ls.Close()
	p := ls.Pass("", 4)
	p.Run()
	first := 2 // each connection's first unit
	if http1 {
		first *= 3
	}
	if got, want := ls.Content(), (p.Units+first)*max(w.Answer, len(w.Send)); got != want {
		t.Errorf("%d octets of content, want %d", got, want)
	}
}
