package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"golang.org/x/net/http2"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/interop/host"
	"github.com/nonet-h2/nonet/nethttp"
)

// gRPC's "negative HTTP/2" cases: a client and a server that breaks off, asks
// for patience, or wastes octets. All of them are for clients.

// The sizes of payloads in these cases.
const (
	largeRequest  = 271828
	largeResponse = 314159
)

const unaryCall = "/grpc.testing.TestService/UnaryCall"

// caller makes a unary call, with a payload of zeros, and returns how large
// that of the answer is.
type caller func(context.Context) (int, error)

var largeCall = &testgrpc.SimpleRequest{ResponseSize: largeResponse, Payload: &testgrpc.Payload{Body: make([]byte, largeRequest)}}

// callers are connect-go with our round tripper, and with net/http's, which
// shows that the lab is right; and our client alone.
var callers = []string{"Client", "Transport", "net http"}

func newCaller(t *testing.T, name, url string) caller {
	if name == "Client" {
		c := new(nonet.Client)
		t.Cleanup(func() { c.Close() })
		return func(ctx context.Context) (int, error) { return callClient(ctx, c, url) }
	}
	base := &http.Transport{Protocols: new(http.Protocols)}
	base.Protocols.SetUnencryptedHTTP2(true)
	hc := &http.Client{Transport: base}
	if name == "Transport" {
		hc.Transport = &nethttp.Transport{Base: base}
	}
	t.Cleanup(hc.CloseIdleConnections)
	cc := connect.NewClient[testgrpc.SimpleRequest, testgrpc.SimpleResponse](hc, url+unaryCall, connect.WithGRPC())
	return func(ctx context.Context) (int, error) {
		out, err := cc.CallUnary(ctx, connect.NewRequest(largeCall))
		if err != nil {
			return 0, err
		}
		return len(out.Msg.GetPayload().GetBody()), nil
	}
}

// callClient speaks gRPC by hand. What no server has processed is called
// again: the content is too long for the client to keep it.
func callClient(ctx context.Context, c *nonet.Client, url string) (int, error) {
	for {
		n, again, err := callOnce(ctx, c, url)
		if !again {
			return n, err
		}
	}
}

func callOnce(ctx context.Context, c *nonet.Client, url string) (n int, again bool, err error) {
	s, err := c.Request(ctx, "POST", url+unaryCall)
	if err != nil {
		return 0, false, err
	}
	defer s.Close()
	s.SetField("content-type", "application/grpc")
	s.SetField("te", "trailers")
	if _, err = s.Write(framed(largeCall)); err == nil {
		if err = s.CloseWrite(); err == nil {
			_, err = s.Response()
		}
	}
	if err != nil {
		return 0, s.Unprocessed(), err
	}
	b, err := io.ReadAll(s)
	if err != nil {
		return 0, s.Unprocessed(), err
	}
	if status := s.Trailers().GetName("grpc-status"); string(status) != "0" {
		return 0, false, fmt.Errorf("grpc-status %q", status)
	}
	out := new(testgrpc.SimpleResponse)
	if err := proto.Unmarshal(b[5:], out); err != nil {
		return 0, false, err
	}
	return len(out.GetPayload().GetBody()), false, nil
}

// eachCaller runs a case with each caller, with a lab of its own.
func eachCaller(t *testing.T, answer func(c *labConn, id uint32), f func(t *testing.T, name string, l *lab, call func() error), settings ...http2.Setting) {
	for _, name := range callers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLab(t, answer, settings...)
			call := newCaller(t, name, l.url)
			f(t, name, l, func() error {
				ctx, cancel := context.WithTimeout(t.Context(), host.Patience)
				defer cancel()
				n, err := call(ctx)
				if err == nil && n != largeResponse {
					err = fmt.Errorf("an answer of %d octets", n)
				}
				return err
			})
		})
	}
}

// TestNegativeGoAway: goaway. The next call takes another connection, and so
// does one that the server has left out.
func TestNegativeGoAway(t *testing.T) {
	for _, x := range []struct {
		name   string
		answer func(c *labConn, id uint32)
	}{
		{"after the answer", func(c *labConn, id uint32) {
			c.serveWell(id)
			if c.number == 1 {
				c.goAway(id)
			}
		}},
		{"before the answer", func(c *labConn, id uint32) {
			if c.number == 1 {
				c.goAway(id)
			}
			c.serveWell(id)
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			eachCaller(t, x.answer, func(t *testing.T, name string, l *lab, call func() error) {
				if err := call(); err != nil {
					t.Error(err)
				}
				// It may be that the client has not read GOAWAY yet; it has when
				// it ends the connection. net/http's does that with a stream, not
				// when GOAWAY comes after the last.
				first := l.all()[0]
				first.await(func() bool {
					return first.gone || name == "net http" && first.away && first.pings == 0
				})
				if err := call(); err != nil {
					t.Error(err)
				}
				if n := len(l.all()); n != 2 {
					t.Errorf("%d connections, want 2", n)
				}
			})
		})
	}
	t.Run("leaves one out", func(t *testing.T) {
		eachCaller(t, func(c *labConn, id uint32) {
			if c.number > 1 {
				c.serveWell(id)
				return
			}
			if !c.await(func() bool { return c.taken == 2 }) || id != 1 {
				return
			}
			c.goAway(1)
			c.serveWell(1)
		}, func(t *testing.T, name string, l *lab, call func() error) {
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					if err := call(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := len(l.all()); n != 2 && name != "net http" { // which may begin with two
				t.Errorf("%d connections, want 2", n)
			}
		})
	})
}

// TestNegativeReset: rst_after_header, rst_during_data and rst_after_data. The
// code is 0, which does not make it a success; the connection goes on.
func TestNegativeReset(t *testing.T) {
	for _, x := range []struct {
		name string
		bad  func(c *labConn, id uint32)
	}{
		{"rst_after_header", func(c *labConn, id uint32) { c.head(id) }},
		{"rst_during_data", func(c *labConn, id uint32) {
			c.head(id)
			c.data(id, c.reply(id)[:largeResponse/2], 16384, 0)
		}},
		{"rst_after_data", func(c *labConn, id uint32) {
			c.head(id)
			c.data(id, c.reply(id), 16384, 0)
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			eachCaller(t, func(c *labConn, id uint32) {
				if id == 1 {
					x.bad(c, id)
					c.reset(id, http2.ErrCodeNo)
					return
				}
				c.serveWell(id)
			}, func(t *testing.T, name string, l *lab, call func() error) {
				err := call()
				var reset *nonet.ResetError
				switch {
				case err == nil:
					t.Error("a call that was reset is a success")
				case name == "net http": // whose error is another
				case !errors.As(err, &reset) || reset.Code != frame.NoError || reset.Side != conn.Remote:
					t.Errorf("%v, want the server's reset with NO_ERROR", err)
				case name == "Transport" && connect.CodeOf(err) != connect.CodeInternal:
					t.Errorf("code %v, want %v", connect.CodeOf(err), connect.CodeInternal)
				}
				if err := call(); err != nil {
					t.Errorf("the next call: %v", err)
				}
				if n := len(l.all()); n != 1 {
					t.Errorf("%d connections, want 1", n)
				}
			})
		})
	}
}

// TestNegativePing: ping. Each is acknowledged.
func TestNegativePing(t *testing.T) {
	eachCaller(t, func(c *labConn, id uint32) {
		c.ping()
		c.head(id)
		c.ping()
		for b := c.reply(id); len(b) > 0; {
			part := b[:min(len(b), 16384)]
			c.data(id, part, 16384, 0)
			c.ping()
			b = b[len(part):]
		}
		c.ok(id)
		c.ping()
	}, func(t *testing.T, _ string, l *lab, call func() error) {
		if err := call(); err != nil {
			t.Error(err)
		}
		if c := l.all()[0]; !c.await(func() bool { return c.pings == 0 }) {
			t.Errorf("%d PINGs were not acknowledged", c.pings)
		}
	})
}

// TestNegativeMaxStreams: max_streams. The server allows one stream a
// connection, on the first not before the first call; then many come at once.
func TestNegativeMaxStreams(t *testing.T) {
	one := http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1}
	eachCaller(t, func(c *labConn, id uint32) {
		if c.number == 1 && id == 1 {
			c.write(func() { c.fr.WriteSettings(one) })
		}
		c.serveWell(id)
	}, func(t *testing.T, name string, l *lab, call func() error) {
		if err := call(); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 15 {
			wg.Go(func() {
				if err := call(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		calls := 0
		for _, c := range l.all() {
			c.await(func() bool { return c.open == 0 })
			calls += c.taken
			// Before it has read SETTINGS, net/http thinks that there is no limit.
			if c.most > 1 && (c.number == 1 || name != "net http") {
				t.Errorf("connection %d had %d streams at once", c.number, c.most)
			}
		}
		if calls != 16 {
			t.Errorf("%d calls, want 16", calls)
		}
	}, one)
}

// TestNegativePadding: data_frame_padding and no_df_padding_sanity_test. The
// answer comes five octets at a time, with and without as much padding as
// there can be, which counts against the windows.
func TestNegativePadding(t *testing.T) {
	for name, padding := range map[string]int{"data_frame_padding": 255, "no_df_padding_sanity_test": 0} {
		t.Run(name, func(t *testing.T) {
			eachCaller(t, func(c *labConn, id uint32) {
				c.head(id)
				c.data(id, c.reply(id), 5, padding)
				c.ok(id)
			}, func(t *testing.T, _ string, l *lab, call func() error) {
				for range 2 {
					if err := call(); err != nil {
						t.Error(err)
					}
				}
				if n := len(l.all()); n != 1 {
					t.Errorf("%d connections, want 1", n)
				}
			})
		})
	}
}
