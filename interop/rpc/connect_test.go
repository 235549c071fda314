package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/nonet-h2/nonet/interop/host"
)

// The procedures of a service of connect-go without generated code. A message
// is a string.
const (
	unaryPath = "/test.Echo/Unary" // answers what it gets, or with an error when that is "fail"
	upPath    = "/test.Echo/Up"    // answers with the length of all messages
	downPath  = "/test.Echo/Down"  // answers with the words of a message
	bidiPath  = "/test.Echo/Bidi"  // answers each message
)

type text = wrapperspb.StringValue

// echoMux has the handlers. ended gets the context's error of each call of
// bidiPath, and the error of its Receive.
func echoMux(ended chan<- [2]error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(unaryPath, connect.NewUnaryHandler(unaryPath, echoUnary))
	mux.Handle(upPath, connect.NewClientStreamHandler(upPath, func(_ context.Context, st *connect.ClientStream[text]) (*connect.Response[text], error) {
		n := 0
		for st.Receive() {
			n += len(st.Msg().Value)
		}
		return connect.NewResponse(wrapperspb.String(fmt.Sprint(n))), st.Err()
	}))
	mux.Handle(downPath, connect.NewServerStreamHandler(downPath, func(_ context.Context, in *connect.Request[text], st *connect.ServerStream[text]) error {
		for word := range strings.FieldsSeq(in.Msg.Value) {
			if err := st.Send(wrapperspb.String(word)); err != nil {
				return err
			}
		}
		st.ResponseTrailer().Set("words", "sent")
		return nil
	}))
	mux.Handle(bidiPath, connect.NewBidiStreamHandler(bidiPath, func(ctx context.Context, st *connect.BidiStream[text, text]) error {
		for {
			in, err := st.Receive()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				<-ctx.Done()
				ended <- [2]error{err, ctx.Err()}
				return err
			}
			if err := st.Send(in); err != nil {
				return err
			}
		}
	}))
	return mux
}

func echoUnary(_ context.Context, in *connect.Request[text]) (*connect.Response[text], error) {
	if in.Msg.Value == "fail" {
		err := connect.NewError(connect.CodeNotFound, errors.New("näh, \"nothing\"\n"))
		detail, _ := connect.NewErrorDetail(structpb.NewNumberValue(3))
		err.AddDetail(detail)
		err.Meta().Set("echo-bin", connect.EncodeBinaryHeader([]byte(everyOctet())))
		return nil, err
	}
	out := connect.NewResponse(in.Msg)
	for _, v := range in.Header().Values("echo") {
		out.Header().Add("echo", v)
		out.Trailer().Add("echo-trailer", v)
	}
	return out, nil
}

// TestConnect: connect-go's handlers with connect-go's client on net/http's
// client and on ours, in each of the protocols that they speak.
func TestConnect(t *testing.T) {
	plain := connect.WithAcceptCompression("gzip", nil, nil)
	for _, tt := range []struct {
		name  string
		proto string
		opts  []connect.ClientOption
	}{
		{"Connect", "HTTP/2.0", []connect.ClientOption{plain}},
		{"Connect JSON gzip", "HTTP/2.0", []connect.ClientOption{connect.WithProtoJSON(), connect.WithSendGzip()}},
		{"gRPC", "HTTP/2.0", []connect.ClientOption{connect.WithGRPC(), plain}},
		{"gRPC-Web", "HTTP/2.0", []connect.ClientOption{connect.WithGRPCWeb(), plain}},
		{"Connect", "HTTP/1.1", []connect.ClientOption{plain}},
		{"gRPC-Web", "HTTP/1.1", []connect.ClientOption{connect.WithGRPCWeb(), plain}},
	} {
		t.Run(tt.name+" "+strings.ReplaceAll(tt.proto, "/", " "), func(t *testing.T) {
			t.Parallel()
			host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
				r := host.Start(t, k, overTLS, echoMux(nil))
				for _, c := range host.Clients {
					t.Run("with "+c.Name, func(t *testing.T) {
						hc := c.Of(r, t, tt.proto)
						at := func(path string) *connect.Client[text, text] {
							return connect.NewClient[text, text](hc, r.URL+path, tt.opts...)
						}
						connectUnary(t, at(unaryPath))
						connectStreams(t, at(upPath), at(downPath))
						if tt.proto == "HTTP/2.0" {
							connectBidi(t, at(bidiPath))
						}
					})
				}
			})
		})
	}
}

func connectUnary(t *testing.T, c *connect.Client[text, text]) {
	t.Helper()
	long := strings.Repeat("long ", 50_000)
	req := connect.NewRequest(wrapperspb.String(long))
	req.Header().Add("echo", "one")
	req.Header().Add("echo", "two")
	resp, err := c.CallUnary(within(t), req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Msg.Value != long {
		t.Errorf("the answer has %d octets, want %d", len(resp.Msg.Value), len(long))
	}
	if got := resp.Header().Values("echo"); len(got) != 2 || got[1] != "two" {
		t.Errorf("header field echo: %q", got)
	}
	if got := resp.Trailer().Values("echo-trailer"); len(got) != 2 || got[1] != "two" {
		t.Errorf("trailer: %q", got)
	}

	_, err = c.CallUnary(within(t), connect.NewRequest(wrapperspb.String("fail")))
	var e *connect.Error
	if !errors.As(err, &e) || e.Code() != connect.CodeNotFound || e.Message() != "näh, \"nothing\"\n" {
		t.Fatalf("error %v", err)
	}
	if v, err := connect.DecodeBinaryHeader(e.Meta().Get("echo-bin")); err != nil || string(v) != everyOctet() {
		t.Errorf("the error's binary field has %d octets, %v", len(v), err)
	}
	if len(e.Details()) != 1 {
		t.Errorf("the error has %d details", len(e.Details()))
	}
}

func connectStreams(t *testing.T, up, down *connect.Client[text, text]) {
	t.Helper()
	st := up.CallClientStream(within(t))
	for range 100 {
		if err := st.Send(wrapperspb.String(strings.Repeat("x", 1000))); err != nil {
			t.Fatal(err)
		}
	}
	if resp, err := st.CloseAndReceive(); err != nil || resp.Msg.Value != "100000" {
		t.Errorf("the answer to a stream: %v, %v", resp, err)
	}
	words, err := down.CallServerStream(within(t), connect.NewRequest(wrapperspb.String(strings.Repeat("word ", 1000))))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for words.Receive() {
		n++
	}
	if err := words.Err(); err != nil || n != 1000 || words.ResponseTrailer().Get("words") != "sent" {
		t.Errorf("%d words, %v, trailers %v", n, err, words.ResponseTrailer())
	}
	words.Close()
}

func connectBidi(t *testing.T, c *connect.Client[text, text]) {
	t.Helper()
	st := c.CallBidiStream(within(t))
	for i := range 200 { // each answer before the next message
		if err := st.Send(wrapperspb.String(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if out, err := st.Receive(); err != nil || out.Value != fmt.Sprint(i) {
			t.Fatalf("answer %d: %v, %v", i, out, err)
		}
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range 500 {
			if err := st.Send(wrapperspb.String(fmt.Sprint(i))); err != nil {
				t.Error(err)
				return
			}
		}
		st.CloseRequest()
	})
	defer sending.Wait()
	for i := range 500 {
		if out, err := st.Receive(); err != nil || out.Value != fmt.Sprint(i) {
			t.Fatalf("answer %d: %v, %v", i, out, err)
		}
	}
	if _, err := st.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("the end of the stream: %v, want io.EOF", err)
	}
	st.CloseResponse()
}

// TestConnectCancel: connect-go's handler sees the client's cancellation in
// Receive and in its context.
func TestConnectCancel(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		ended := make(chan [2]error, 1)
		r := host.Start(t, k, overTLS, echoMux(ended))
		ctx, cancel := context.WithCancel(within(t))
		defer cancel()
		st := connect.NewClient[text, text](r.Client(t, "HTTP/2.0"), r.URL+bidiPath, connect.WithGRPC()).CallBidiStream(ctx)
		if err := st.Send(wrapperspb.String("here")); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Receive(); err != nil {
			t.Fatal(err)
		}
		cancel()
		// net/http's client, which waits for a message to send, learns it here.
		st.CloseResponse()
		errs := wait(t, ended, "the handler's end")
		if connect.CodeOf(errs[0]) != connect.CodeCanceled || !errors.Is(errs[1], context.Canceled) {
			t.Errorf("Receive: %v, context: %v", errs[0], errs[1])
		}
	})
}

// TestConnectFromGRPC: grpc-go's client with connect-go's handlers.
func TestConnectFromGRPC(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := host.Start(t, k, overTLS, echoMux(nil))
		cc := dial(t, r)
		var header, trailer metadata.MD
		out := new(text)
		ctx := metadata.AppendToOutgoingContext(within(t), "echo", "one")
		if err := cc.Invoke(ctx, unaryPath, wrapperspb.String("hello"), out, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil || out.Value != "hello" {
			t.Errorf("answer %q, %v", out.Value, err)
		}
		if header.Get("echo") == nil || trailer.Get("echo-trailer") == nil {
			t.Errorf("header fields %v, trailers %v", header, trailer)
		}
		err := cc.Invoke(within(t), unaryPath, wrapperspb.String("fail"), out, grpc.Trailer(&trailer))
		wantCode(t, err, codes.NotFound)
		if len(status.Convert(err).Details()) != 1 {
			t.Errorf("details %v", status.Convert(err).Details())
		}
		if v := trailer.Get("echo-bin"); len(v) != 1 || v[0] != everyOctet() {
			t.Errorf("the binary trailer has %d values", len(v))
		}

		st, err := cc.NewStream(within(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, bidiPath)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			if err := st.SendMsg(wrapperspb.String(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
			if err := st.RecvMsg(out); err != nil || out.Value != fmt.Sprint(i) {
				t.Fatalf("answer %d: %v, %v", i, out, err)
			}
		}
		st.CloseSend()
		if err := st.RecvMsg(out); err != io.EOF {
			t.Errorf("the end of the stream: %v, want io.EOF", err)
		}
	})
}
