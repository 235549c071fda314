package peers

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
)

// BenchmarkGRPC is calls to grpc.Server on nethttp, beside net/http and grpc-go's
// own transport as its hosts.
func BenchmarkGRPC(b *testing.B) {
	calls := calls(b)
	for i := range calls {
		w := &calls[i]
		for _, shape := range shapes() {
			for _, them := range []func() rig.Server{onNetHTTP, ownTransport} {
				b.Run(fmt.Sprintf("h2c/%s/%dx%d/%s", w.Name, shape[0], shape[1], them().Name), func(b *testing.B) {
					beside(b, w, shape, onNethttp(), them(), false)
				})
			}
		}
	}
}

func onNethttp() rig.Server { return rig.Adapted(false, newServer()) }

func onNetHTTP() rig.Server { return rig.NetHTTP(false, newServer()) }

func ownTransport() rig.Server {
	s := newServer()
	return rig.Server{Name: "grpc-go", Serve: s.Serve, Close: func() error { s.Stop(); return nil }}
}

func newServer() *grpc.Server {
	s := grpc.NewServer(grpc.MaxConcurrentStreams(rig.MaxStreams))
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
	for _, s := range []rig.Server{onNethttp(), onNetHTTP(), ownTransport()} {
		addr := s.Start(t)
		for _, w := range calls(t) {
			t.Run(s.Name+"/"+w.Name, func(t *testing.T) { answered(t, addr, &w, false) })
		}
	}
}

func answered(t *testing.T, addr string, w *rig.Work, http1 bool) {
	ls := rig.NewLoads(t, addr, w, rig.Options{Conns: 2, Streams: 3, HTTP1: http1})
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
