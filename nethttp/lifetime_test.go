package nethttp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// TestKept: what a handler keeps is harmless after it returned, while the
// memory of its stream serves other requests.
func TestKept(t *testing.T) {
	type kept struct {
		w http.ResponseWriter
		r *http.Request
	}
	var first *kept
	onEach(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keep" {
			first = &kept{w, r}
			return
		}
		w.Header().Set("X-Path", r.URL.Path)
		io.WriteString(w, "second")
		k := first
		if _, err := io.WriteString(k.w, "late"); err == nil {
			t.Error("a write after the handler returned: nil")
		}
		k.w.Header().Set("X-Late", "x")
		k.w.WriteHeader(500)
		rc := http.NewResponseController(k.w)
		if rc.Flush() == nil {
			t.Error("a flush after the handler returned: nil")
		}
		_ = rc.SetReadDeadline(time.Now().Add(-time.Second))
		_ = rc.SetWriteDeadline(time.Now().Add(-time.Second))
		_ = k.w.(http.CloseNotifier).CloseNotify() //lint:ignore SA1019 it is there
		if nethttp.Reset(k.w, 8) == nil || nethttp.AppendTrailer(k.w, "x-late", "1") == nil || nethttp.DeclareTrailer(k.w, "x-late") == nil || nethttp.SupportsTrailers(k.w) {
			t.Error("the response can still be changed")
		}
		if _, err := k.r.Body.Read(make([]byte, 8)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("a read after the handler returned: %v", err)
		}
		if k.r.URL.Path != "/keep" || k.r.Header.Get("X-Keep") != "this" || k.r.Context().Err() == nil {
			t.Errorf("the request has changed: %v %v", k.r.URL, k.r.Header)
		}
		if k.r.Context().Value(http.ServerContextKey) == nil || k.r.Context().Value(http.LocalAddrContextKey) == nil {
			t.Error("the context has lost its values")
		}
		select {
		case <-k.r.Context().Done():
		default:
			t.Error("the context is not done")
		}
	}, func(t *testing.T, p *peer) {
		p.request(1, "POST", "/keep", false, "x-keep: this")
		p.want("HEADERS 1 :status=200 content-length=0 END_STREAM", "RST_STREAM 1 NO_ERROR")
		p.request(3, "POST", "/other", false, "x-keep: that")
		p.want("HEADERS 3 :status=200 x-path=/other content-type=text/plain; charset=utf-8 content-length=6", `DATA 3 "second" END_STREAM`, "RST_STREAM 3 NO_ERROR")
		p.quiet()
	})
}

// TestReturnWhileOthersUseIt: a handler may return while goroutines still read
// and write; they get errors. The race detector looks on.
func TestReturnWhileOthersUseIt(t *testing.T) {
	var others sync.WaitGroup
	var mu sync.Mutex
	over := false // the test waits for others: handlers of requests that were given up may still start
	h := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if over {
			mu.Unlock()
			return
		}
		others.Add(1)
		mu.Unlock()
		defer others.Done()
		for range 4 {
			others.Go(func() {
				for {
					if _, err := r.Body.Read(make([]byte, 100)); err != nil {
						return
					}
				}
			})
			others.Go(func() {
				for {
					if _, err := io.WriteString(w, "x"); err != nil {
						return
					}
					w.(http.Flusher).Flush()
				}
			})
			others.Go(func() { <-r.Context().Done() })
		}
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
		r.Body.Close()
	}
	s := &nethttp.Server{Handler: http.HandlerFunc(h)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	defer s.Close()
	c := http2Client(t)
	for range 50 {
		body, w := io.Pipe()
		go func() {
			io.WriteString(w, strings.Repeat("x", 10000))
			w.Close()
		}()
		resp, err := c.Post("http://"+l.Addr().String()+"/", "", body)
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+l.Addr().String()+"/wait", nil)
		if resp, err := c.Do(req); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		cancel()
	}
	mu.Lock()
	over = true
	mu.Unlock()
	others.Wait()
}

// http2Client returns a client of net/http that speaks HTTP/2 in cleartext.
func http2Client(t testing.TB) *http.Client {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// TestContext: a request's context ends with its handler, with its stream,
// with its connection and with the server's base, and takes no goroutine to
// hand that on.
func TestContext(t *testing.T) {
	type key struct{}
	var base context.Context
	var cancelBase context.CancelCauseFunc
	var ended chan error
	s := func() *nethttp.Server {
		return &nethttp.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				if ctx.Value(key{}) != "conn" {
					t.Errorf("the value of ConnContext is %v", ctx.Value(key{}))
				}
				before := runtime.NumGoroutine()
				child, cancel := context.WithCancel(context.WithValue(ctx, key{}, "mine"))
				defer cancel()
				grandchild, cancel := context.WithTimeout(child, time.Hour)
				defer cancel()
				if n := runtime.NumGoroutine(); n != before {
					t.Errorf("contexts made from it started %d goroutines", n-before)
				}
				if r.URL.Path == "/return" {
					context.AfterFunc(ctx, func() { ended <- context.Cause(ctx) })
					return
				}
				w.(http.Flusher).Flush()
				<-grandchild.Done()
				if ctx.Err() != context.Canceled || grandchild.Err() != context.Canceled || ctx.Value(key{}) != "conn" {
					t.Errorf("after its end: %v, %v, %v", ctx.Err(), grandchild.Err(), ctx.Value(key{}))
				}
				ended <- context.Cause(grandchild)
			}),
			BaseContext: func(net.Listener) context.Context { return base },
			ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
				return context.WithValue(ctx, key{}, "conn")
			},
		}
	}
	inBubble := func(name string, f func(t *testing.T, p *peer)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, cancelBase = context.WithCancelCause(context.Background())
				ended = make(chan error, 1)
				f(t, dial(t, s(), false))
			})
		})
	}
	inBubble("return", func(t *testing.T, p *peer) {
		p.request(1, "GET", "/return", true)
		if err := <-ended; err != context.Canceled {
			t.Errorf("cause %v", err)
		}
	})
	var re *nonet.ResetError
	inBubble("reset", func(t *testing.T, p *peer) {
		p.get(1)
		p.want("HEADERS 1 :status=200")
		p.reset(1, 1111)
		if err := <-ended; !errors.As(err, &re) || re.Code != 1111 {
			t.Errorf("cause %v", err)
		}
	})
	inBubble("connection", func(t *testing.T, p *peer) {
		p.get(1)
		p.want("HEADERS 1 :status=200")
		p.nc.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("cause %v", err)
		}
	})
	inBubble("base", func(t *testing.T, p *peer) {
		p.get(1)
		p.want("HEADERS 1 :status=200")
		why := errors.New("why")
		cancelBase(why)
		if err := <-ended; err != why {
			t.Errorf("cause %v", err)
		}
	})
}

// TestDeadlines: a deadline wakes what waits.
func TestDeadlines(t *testing.T) {
	t.Run("read", func(t *testing.T) {
		onEach(t, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(layered{w})
			must(t, rc.SetReadDeadline(time.Now().Add(time.Hour)))
			must(t, rc.SetReadDeadline(time.Now().Add(time.Second)))
			begin := time.Now()
			b, err := io.ReadAll(r.Body)
			if string(b) != "some" || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
				t.Errorf("read %q, %v after %v", b, err, time.Since(begin))
			}
			w.WriteHeader(408)
		}, func(t *testing.T, p *peer) {
			p.request(1, "POST", "/", false)
			p.data(1, "some", false)
			time.Sleep(time.Second)
			p.want("HEADERS 1 :status=408 content-length=0 END_STREAM", "RST_STREAM 1 NO_ERROR")
			p.quiet()
		})
	})
	t.Run("write", func(t *testing.T) {
		onEach(t, func(w http.ResponseWriter, r *http.Request) {
			must(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Second)))
			begin := time.Now()
			for {
				if _, err := io.WriteString(w, strings.Repeat("x", 10000)); err != nil {
					if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
						t.Errorf("Write: %v after %v", err, time.Since(begin))
					}
					return
				}
			}
		}, func(t *testing.T, p *peer) {
			p.get(1)
			time.Sleep(time.Second)
			for {
				line := p.next()
				if line == "RST_STREAM 1 INTERNAL_ERROR" {
					break
				}
				if strings.HasPrefix(line, "nothing") {
					t.Fatal(line)
				}
			}
			p.quiet()
		})
	})
	t.Run("write, of a handler that has panicked", func(t *testing.T) {
		onEach(t, func(w http.ResponseWriter, r *http.Request) {
			must(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Second)))
			io.WriteString(w, strings.Repeat("x", 100_000)) // more than the window
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, func(t *testing.T, p *peer) {
			p.get(1)
			time.Sleep(time.Second)
			for line := ""; line != "RST_STREAM 1 INTERNAL_ERROR"; {
				if line = p.next(); strings.HasPrefix(line, "nothing") {
					t.Fatal(line)
				}
			}
			p.quiet()
		})
	})
	t.Run("taken back", func(t *testing.T) {
		onEach(t, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			must(t, rc.SetReadDeadline(time.Now().Add(time.Second)))
			must(t, rc.SetWriteDeadline(time.Now().Add(time.Second)))
			must(t, rc.SetReadDeadline(time.Time{}))
			must(t, rc.SetWriteDeadline(time.Time{}))
			time.Sleep(time.Minute / 4)
			_, err := io.Copy(w, r.Body)
			must(t, err)
		}, func(t *testing.T, p *peer) {
			p.request(1, "POST", "/", false)
			time.Sleep(time.Minute / 4)
			p.data(1, "some", true)
			p.want("HEADERS 1 :status=200 content-type=text/plain; charset=utf-8 content-length=4", `DATA 1 "some" END_STREAM`)
			p.quiet()
		})
	})
}
