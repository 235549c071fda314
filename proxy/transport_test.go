package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestStaleConnections: a connection that went bad while it waited is not
// written to, and costs no request, not even one with content.
func TestStaleConnections(t *testing.T) {
	for _, tt := range []struct {
		stale, status int
		body          string
	}{{0, 200, "hello"}, {1, 200, "hello"}, {maxStale - 1, 200, "hello"}, {maxStale, 502, "502 Bad Gateway\n"}} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		app := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })}
		go app.Serve(ln)
		var log strings.Builder
		h, err := New(Config{Backend: "http://" + ln.Addr().String(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		dial, stale := h.base.DialContext, tt.stale
		h.base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := dial(ctx, network, addr)
			if stale > 0 && err == nil {
				stale--
				nc.(*guard).fail = errUnasked
			}
			return nc, err
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/", io.NopCloser(strings.NewReader("hello")))
		r.ContentLength = 5
		h.ServeHTTP(w, r)
		if w.Code != tt.status || w.Body.String() != tt.body {
			t.Errorf("%d stale: %d %q, want %d %q", tt.stale, w.Code, w.Body, tt.status, tt.body)
		}
		if lines := strings.Count(log.String(), "\n"); (tt.status == 200) != (lines == 0) || lines > 1 {
			t.Errorf("%d stale: logged %s", tt.stale, &log)
		}
		h.CloseIdleConnections()
		app.Close()
	}
}

// TestNewErrors: one line that says what is wrong.
func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{}, "proxy: no backend; it is http://HOST:PORT"},
		{Config{Backend: "http://a", Via: "a b"}, `proxy: the name "a b" for Via is not a token`},
		{Config{Backend: "http://a", Hosts: []string{"a/b"}}, `proxy: "a/b" is not the name of a host`},
		{Config{Backend: "http://a", MaxRequests: -1}, "proxy: MaxRequests and DialTimeout are not negative; 0 is the default"},
		{Config{Backend: "http://a/b"}, `proxy: backend "http://a/b" has a path, and targets are passed on as they are; it is http://HOST:PORT`},
	} {
		if _, err := New(tt.c); err == nil || err.Error() != tt.want {
			t.Errorf("%+v: %v, want %s", tt.c, err, tt.want)
		}
	}
	for backend, want := range map[string]string{
		"http://a": "a:80", "http://a/": "a:80", "HTTP://A:8080": "A:8080", "http://[::1]:1": "[::1]:1", "http://[::1]": "[::1]:80", "http://127.0.0.1:3000": "127.0.0.1:3000",
	} {
		if h, err := New(Config{Backend: backend}); err != nil || h.addr != want {
			t.Errorf("%s: %v, %v; want %s", backend, h, err, want)
		}
	}
}

// TestStaleBody: content is not used up by a connection of no use.
func TestStaleBody(t *testing.T) {
	src := strings.NewReader("hello")
	b := &requestBody{src: src, stale: new(atomic.Bool)}
	b.stale.Store(true)
	if n, err := b.Read(make([]byte, 5)); n != 0 || err != errStale || src.Len() != 5 {
		t.Errorf("read %d octets, %v; %d are left", n, err, src.Len())
	}
}

// TestAborts: an exchange that can't be completed ends with the panic that
// servers reset a stream or close a connection for, in any server.
func TestAborts(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer app.Close()
	h, err := New(Config{Backend: app.URL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer h.CloseIdleConnections()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ctx := range map[string]context.Context{"a broken response": t.Context(), "nobody waits": gone} {
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%s: panic %v", name, v)
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
			t.Errorf("%s: looks complete", name)
		}()
	}
}
