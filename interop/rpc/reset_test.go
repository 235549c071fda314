package rpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/interop/host"
)

// TestReset: a client that resets a call in the middle of a message. grpc-go
// asks a read's error for the code by errors.As with x/net's StreamError.
func TestReset(t *testing.T) {
	for _, code := range []http2.ErrCode{
		http2.ErrCodeNo, http2.ErrCodeProtocol, http2.ErrCodeInternal, http2.ErrCodeRefusedStream,
		http2.ErrCodeCancel, http2.ErrCodeEnhanceYourCalm, http2.ErrCodeHTTP11Required,
	} {
		t.Run(code.String(), func(t *testing.T) {
			host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
				first := make(chan bool, 1)
				reads, ctxs := make(chan error, 1), make(chan error, 1)
				h := handler(&service{duplex: func(st calls) error {
					if _, err := st.Recv(); err != nil {
						t.Error(err)
					}
					first <- true
					_, err := st.Recv()
					if got := status.Code(err); got == codes.OK || got == codes.Unknown {
						t.Errorf("the handler got %v", err)
					}
					return err
				}})
				r := host.Start(t, k, overTLS, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Body = &firstError{ReadCloser: r.Body, done: make(chan struct{}), to: reads}
					h.ServeHTTP(w, r)
					<-r.Context().Done()
					ctxs <- context.Cause(r.Context())
				}))
				p := speak(t, r)
				p.open("/grpc.testing.TestService/FullDuplexCall")
				p.data([]byte{0, 0, 0, 0, 0}, []byte{0, 0, 0, 0, 100, 1, 2, 3}) // an empty message, the beginning of another
				// nonet does not start the handler of a request that is reset already.
				wait(t, first, "the first message")
				p.check(p.WriteRSTStream(1, code))

				err := wait(t, reads, "the error of Read")
				var se http2.StreamError
				if !errors.As(err, &se) || se.Code != code || se.StreamID != 1 {
					t.Errorf("Read: %v (%T), want a StreamError with %v", err, err, code)
				}
				cause := wait(t, ctxs, "the end of the context")
				if k == host.NetHTTP {
					return // its error has neither this text nor a side, and its context no cause
				}
				// connect-go's client reads the code out of this text.
				if want := fmt.Sprintf("stream error: stream ID 1; %v; received from peer", code); err.Error() != want {
					t.Errorf("Read: %q, want %q", err, want)
				}
				for what, err := range map[string]error{"Read": err, "the context's cause": cause} {
					var re *nonet.ResetError
					if !errors.As(err, &re) || uint32(re.Code) != uint32(code) || re.Side != conn.Remote {
						t.Errorf("%s: %v, want the peer's reset with %v", what, err, code)
					}
				}
			})
		})
	}
}

// firstError reports the error of a body's Read. Close waits for it, because a
// closed body has another error to tell.
type firstError struct {
	io.ReadCloser
	done chan struct{}
	to   chan<- error
}

func (b *firstError) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.to <- err
		close(b.done)
	}
	return n, err
}

func (b *firstError) Close() error {
	select {
	case <-b.done:
	case <-time.After(host.Patience):
	}
	return b.ReadCloser.Close()
}

// peer is a client that writes its frames itself.
type peer struct {
	*http2.Framer
	t   *testing.T
	enc *hpack.Encoder
	buf bytes.Buffer
}

// speak connects and sends the preface. What the server says is read and
// thrown away.
func speak(t *testing.T, r *host.Running) *peer {
	t.Helper()
	nc, err := new(net.Dialer).DialContext(within(t), "tcp", r.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if r.Roots != nil {
		config := r.Roots.Clone()
		config.NextProtos = []string{"h2"}
		nc = tls.Client(nc, config)
	}
	p := &peer{Framer: http2.NewFramer(nc, nil), t: t}
	p.enc = hpack.NewEncoder(&p.buf)
	_, err = io.WriteString(nc, http2.ClientPreface)
	p.check(err)
	p.check(p.WriteSettings())
	p.check(p.WriteSettingsAck())
	go io.Copy(io.Discard, nc)
	return p
}

func (p *peer) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// open begins a gRPC call on stream 1.
func (p *peer) open(path string) {
	p.t.Helper()
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", "localhost"}, {":path", path},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		p.enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	p.check(p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.buf.Bytes(), EndHeaders: true}))
}

// data sends each part in a DATA frame.
func (p *peer) data(parts ...[]byte) {
	p.t.Helper()
	for _, b := range parts {
		p.check(p.WriteData(1, false, b))
	}
}
