package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/nethttp"
)

// The features of the page, frame by frame, for handlers of net/http.

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// settle lets everything happen that is about to, in a handler's bubble.
func settle() { time.Sleep(100 * time.Microsecond) }

// layered is middleware around w.
type layered struct{ http.ResponseWriter }

func (l layered) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func TestReset(t *testing.T) {
	for _, code := range []frame.ErrCode{1111, 0} {
		rst := fmt.Sprintf("RST_STREAM 1 %v", http2.ErrCode(code))
		for name, tt := range map[string]struct {
			handler func(t *testing.T, w http.ResponseWriter, r *http.Request)
			body    bool // the request's is left open
			want    []string
		}{
			"before the response": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
				must(t, nethttp.Reset(w, code))
				if _, err := io.WriteString(w, "x"); err == nil {
					t.Error("Write after Reset: nil")
				}
				if !errors.Is(r.Context().Err(), context.Canceled) {
					t.Error("the context goes on after Reset")
				}
				var re *nonet.ResetError
				if err := context.Cause(r.Context()); !errors.As(err, &re) || re.Code != code || re.Side != conn.Local {
					t.Errorf("cause %v", err)
				}
			}, false, []string{rst}},
			"after the header section": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
				must(t, http.NewResponseController(w).Flush())
				settle()
				must(t, nethttp.Reset(layered{layered{w}}, code))
			}, false, []string{"HEADERS 1 :status=200", rst}},
			"during the body": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "part")
				must(t, http.NewResponseController(w).Flush())
				settle()
				must(t, nethttp.Reset(w, code))
			}, false, []string{"HEADERS 1 :status=200 content-type=text/plain; charset=utf-8", `DATA 1 "part"`, rst}},
			"while the request's body is read": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
				read := make(chan error)
				go func() {
					_, err := r.Body.Read(make([]byte, 1))
					read <- err
				}()
				settle()
				must(t, nethttp.Reset(w, code))
				var re *nonet.ResetError
				if err := <-read; !errors.As(err, &re) || re.Code != code {
					t.Errorf("the read that waited: %v", err)
				}
				if _, err := r.Body.Read(make([]byte, 1)); !errors.As(err, &re) {
					t.Errorf("a read after it: %v", err)
				}
			}, true, []string{rst}},
		} {
			t.Run(fmt.Sprintf("%d %s", code, name), func(t *testing.T) {
				onEach(t, func(w http.ResponseWriter, r *http.Request) { tt.handler(t, w, r) }, func(t *testing.T, p *peer) {
					p.request(1, "POST", "/", !tt.body)
					p.want(tt.want...)
					p.quiet()
				})
			})
		}
	}
}

func TestResponseBeforeTheRequestIsComplete(t *testing.T) {
	onEach(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "early") }, func(t *testing.T, p *peer) {
		p.request(1, "POST", "/", false)
		p.want("HEADERS 1 :status=200 content-type=text/plain; charset=utf-8 content-length=5", `DATA 1 "early" END_STREAM`,
			"RST_STREAM 1 NO_ERROR")
		p.data(1, "late", true)
		p.request(3, "POST", "/", true)
		p.want("HEADERS 3 :status=200 content-type=text/plain; charset=utf-8 content-length=5", `DATA 3 "early" END_STREAM`)
		p.quiet()
	})
}

func TestHandlerFails(t *testing.T) {
	t.Run("before the header section", func(t *testing.T) {
		onEach(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, func(t *testing.T, p *peer) {
			p.get(1)
			p.want("RST_STREAM 1 INTERNAL_ERROR")
			p.quiet()
		})
	})
	t.Run("after it", func(t *testing.T) {
		onEach(t, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, func(t *testing.T, p *peer) {
			p.get(1)
			p.want("HEADERS 1 :status=200 content-type=text/plain; charset=utf-8", `DATA 1 "part"`, "RST_STREAM 1 INTERNAL_ERROR")
			p.quiet()
		})
	})
}

func TestConnectionClose(t *testing.T) {
	onEach(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }, func(t *testing.T, p *peer) {
		p.get(1)
		p.want("HEADERS 1 :status=200 content-length=0 END_STREAM", "GOAWAY NO_ERROR")
	})
}

func TestTrailers(t *testing.T) {
	long := strings.Repeat("x", 127<<10)
	const typed = " content-type=text/plain; charset=utf-8"
	for name, tt := range map[string]struct {
		handler func(t *testing.T, w http.ResponseWriter)
		want    []string
	}{
		"without a body": {func(t *testing.T, w http.ResponseWriter) {
			must(t, nethttp.AppendTrailer(w, "X-A", "1"))
		}, []string{"HEADERS 1 :status=200", "HEADERS 1 x-a=1 END_STREAM"}},
		"after a body, several values, any case": {func(t *testing.T, w http.ResponseWriter) {
			io.WriteString(w, "body")
			must(t, nethttp.AppendTrailer(w, "X-a", "1", "2"))
			must(t, nethttp.AppendTrailer(layered{w}, "x-B", ""))
			must(t, nethttp.AppendTrailer(w, "x-c"))
		}, []string{"HEADERS 1 :status=200" + typed, `DATA 1 "body"`, "HEADERS 1 x-a=1 x-a=2 x-b= END_STREAM"}},
		"after content-length": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "body")
			must(t, nethttp.AppendTrailer(w, "x-a", "1"))
		}, []string{"HEADERS 1 :status=200 content-length=4" + typed, `DATA 1 "body"`, "HEADERS 1 x-a=1 END_STREAM"}},
		"declared": {func(t *testing.T, w http.ResponseWriter) {
			must(t, nethttp.DeclareTrailer(layered{w}, "x-a"))
			io.WriteString(w, "body")
			if err := nethttp.DeclareTrailer(w, "x-b"); !errors.Is(err, nonet.ErrResponseStarted) {
				t.Errorf("DeclareTrailer after the body: %v", err)
			}
			must(t, nethttp.AppendTrailer(w, "x-a", "1"))
		}, []string{"HEADERS 1 :status=200 trailer=X-A" + typed, `DATA 1 "body"`, "HEADERS 1 x-a=1 END_STREAM"}},
		"declared and missing": {func(t *testing.T, w http.ResponseWriter) {
			must(t, nethttp.DeclareTrailer(w, "x-a"))
			io.WriteString(w, "body")
		}, []string{"HEADERS 1 :status=200 trailer=X-A" + typed + " content-length=4", `DATA 1 "body" END_STREAM`}},
		"with those of net/http": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Trailer", "X-B")
			io.WriteString(w, "body")
			must(t, nethttp.AppendTrailer(w, "x-a", "1"))
			w.Header().Set("X-B", "2")
			w.Header().Set(http.TrailerPrefix+"X-C", "3")
		}, []string{"HEADERS 1 :status=200 trailer=X-B" + typed, `DATA 1 "body"`, "HEADERS 1 x-a=1 x-b=2 x-c=3 END_STREAM"}},
		"127 KB": {func(t *testing.T, w http.ResponseWriter) {
			io.WriteString(w, "body")
			must(t, nethttp.AppendTrailer(w, "x-a", long))
		}, []string{"HEADERS 1 :status=200" + typed, `DATA 1 "body"`, "HEADERS 1 x-a=#130048 END_STREAM"}},
		"prohibited": {func(t *testing.T, w http.ResponseWriter) {
			for _, name := range []string{"Content-Length", "host", "Set-Cookie", "authorization", ":status", "TE", "Connection"} {
				if nethttp.AppendTrailer(w, name, "x") == nil || nethttp.DeclareTrailer(w, name) == nil {
					t.Errorf("%s is accepted", name)
				}
			}
			for _, name := range []string{"", "a b", "a\n"} {
				if nethttp.AppendTrailer(w, name, "x") == nil || nethttp.DeclareTrailer(w, name) == nil {
					t.Errorf("the name %q is accepted", name)
				}
			}
			if nethttp.AppendTrailer(w, "x-a", "ok", "a\nb") == nil {
				t.Error("an invalid value is accepted")
			}
			if err := nethttp.AppendTrailer(w, "Vary", "x"); !errors.Is(err, nonet.ErrProhibitedTrailer) {
				t.Errorf("Vary: %v", err)
			}
		}, []string{"HEADERS 1 :status=200 content-length=0 END_STREAM"}},
		"204 has none": {func(t *testing.T, w http.ResponseWriter) {
			if !nethttp.SupportsTrailers(w) {
				t.Error("not supported before the status is known")
			}
			w.WriteHeader(204)
			if nethttp.SupportsTrailers(w) || !errors.Is(nethttp.AppendTrailer(w, "x-a", "1"), nonet.ErrTrailersNotSupported) {
				t.Error("supported with 204")
			}
		}, []string{"HEADERS 1 :status=204 END_STREAM"}},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(w http.ResponseWriter, _ *http.Request) { tt.handler(t, w) }, func(t *testing.T, p *peer) {
				p.get(1)
				p.want(tt.want...)
				p.quiet()
			})
		})
	}
}

func TestPeersReset(t *testing.T) {
	for _, code := range []http2.ErrCode{http2.ErrCodeCancel, http2.ErrCodeNo, 1111} {
		t.Run(code.String(), func(t *testing.T) {
			done := make(chan struct{})
			onEach(t, func(w http.ResponseWriter, r *http.Request) {
				defer func() { done <- struct{}{} }()
				var re *nonet.ResetError
				_, err := r.Body.Read(make([]byte, 1))
				if !errors.As(err, &re) || re.Side != conn.Remote || uint32(re.Code) != uint32(code) {
					t.Errorf("Read: %v", err)
				}
				var se http2.StreamError
				if !errors.As(err, &se) || se.StreamID != 1 || se.Code != code || se.Cause == nil {
					t.Errorf("Read: %v as http2.StreamError is %+v", err, se)
				}
				if want := fmt.Sprintf("stream error: stream ID 1; %v; received from peer", frame.ErrCode(code)); err.Error() != want {
					t.Errorf("Read: %q, want %q", err, want)
				}
				if _, err := io.WriteString(w, "x"); !errors.As(err, &re) || re.Side != conn.Remote {
					t.Errorf("Write: %v", err)
				}
				if err := http.NewResponseController(w).Flush(); !errors.As(err, &re) {
					t.Errorf("Flush: %v", err)
				}
				<-r.Context().Done()
				if err := context.Cause(r.Context()); !errors.As(err, &re) || uint32(re.Code) != uint32(code) || !errors.Is(err, context.Canceled) {
					t.Errorf("cause: %v", err)
				}
			}, func(t *testing.T, p *peer) {
				p.request(1, "POST", "/", false)
				synctest.Wait()
				p.reset(1, code)
				<-done
				p.quiet()
			})
		})
	}
}

// TestExtendedConnect (RFC 8441): the protocol is where net/http has it, and the
// stream is a tunnel.
func TestExtendedConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := dial(t, &nethttp.Server{
			Config: nonet.Config{EnableConnectProtocol: true},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "CONNECT" || r.Header.Get(":protocol") != "websocket" || r.URL.Path != "/chat" || r.Host != "example.com" || r.ContentLength != -1 {
					t.Errorf("%s %v %v %s %d", r.Method, r.URL, r.Header, r.Host, r.ContentLength)
				}
				must(t, http.NewResponseController(w).Flush())
				b := make([]byte, 100)
				for {
					n, err := r.Body.Read(b)
					if err != nil {
						return
					}
					w.Write(b[:n])
					w.(http.Flusher).Flush()
				}
			}),
		}, false)
		p.section(1, false, ":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /chat", ":authority: example.com")
		p.want("HEADERS 1 :status=200")
		p.data(1, "ping", false)
		p.want(`DATA 1 "ping"`)
		p.data(1, "", true)
		p.want(`DATA 1 "" END_STREAM`)
		p.quiet()
	})
}
