package interop

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/internal/routes"
	"github.com/nonet-h2/nonet/internal/skip"
	"github.com/nonet-h2/nonet/nethttp"
	"github.com/nonet-h2/nonet/proxy"
)

// startProxy serves an edge in front of an application.
func startProxy(t *testing.T, tr transport, app interface {
	Serve(net.Listener) error
	Close() error
}) *server {
	t.Helper()
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return ln
	}
	back := listen()
	go app.Serve(back)
	t.Cleanup(func() { app.Close() })

	front := listen()
	s := &server{transport: tr, addr: front.Addr().String(), url: "http://" + front.Addr().String()}
	logger := slog.New(slog.NewTextHandler(&s.log, nil))
	h, err := proxy.New(proxy.Config{Backend: "http://" + back.Addr().String(), Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	edge := &nethttp.Server{Handler: h, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	edge.Logger = logger
	done := make(chan error, 1)
	go func() {
		if tr == overTLS {
			done <- edge.ServeTLS(front, "", "")
			return
		}
		done <- edge.Serve(front)
	}()
	if tr == overTLS {
		s.url = "https://" + s.addr
	}
	t.Cleanup(func() {
		edge.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the edge ended with %v", err)
		}
		h.CloseIdleConnections()
		if t.Failed() {
			t.Logf("the edge's log:\n%s", s.log.String())
		}
	})
	return s
}

// routesApp is the routes of `nonet serve` as an application, with trailers on
// HTTP/1.1.
func routesApp() *nethttp.Server { return &nethttp.Server{Handler: routes.HTTP} }

// app is an application of net/http.
func app(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
}

// TestProxyCurl asks for every route through the edge: the client sees the
// version it speaks, and the application HTTP/1.1.
func TestProxyCurl(t *testing.T) {
	skip.NeedProgram(t, "curl")
	for _, tt := range []struct {
		tr      transport
		flag    string
		version string
	}{
		{overTLS, "--http2", "2"},
		{overTLS, "--http1.1", "1.1"},
		{overTCP, "--http2-prior-knowledge", "2"},
		{overTCP, "--http1.1", "1.1"},
	} {
		t.Run(fmt.Sprintf("%s/%s", tt.tr, tt.flag), func(t *testing.T) {
			t.Parallel()
			srv := startProxy(t, tt.tr, routesApp())
			for _, want := range curlRoutes(t, "1.1") {
				want.check(t, tt.version, curl(t, srv, append(want.flags, tt.flag), want.path))
			}
			if log := srv.log.String(); log != "" {
				t.Errorf("the edge logged\n%s", log)
			}
		})
	}
}

// TestProxyCurlHop: what HTTP/1.1 has and HTTP/2 has otherwise.
func TestProxyCurlHop(t *testing.T) {
	skip.NeedProgram(t, "curl")
	mux := http.NewServeMux()
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Declared")
		io.WriteString(w, r.Proto+"\n")
		w.Header().Set("X-Declared", "1")
		w.Header().Set(http.TrailerPrefix+"X-Late", "2")
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		io.WriteString(w, r.Proto+"\n")
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // and no content, which the reset might drop
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/seen", func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via", "Forwarded", "Expect", "Connection", "Upgrade"} {
			fmt.Fprintf(w, "%s: %s\n", name, r.Header[name])
		}
	})
	for _, tr := range transports {
		srv := startProxy(t, tr, app(mux))
		flag, scheme := "--http2-prior-knowledge", "http"
		if tr == overTLS {
			flag, scheme = "--http2", "https"
		}
		for _, want := range []curlRoute{
			{path: "/trailers", status: "200", headers: []string{"trailer: x-declared", "x-declared: 1", "x-late: 2"}, body: "HTTP/1.1\n"},
			{path: "/hints", status: "200", headers: []string{"http/2 103 ", "link: </style.css>", "http/2 200 "}, body: "HTTP/1.1\n"},
			{path: "/broken", exit: curlHTTP2Stream},
			{path: "/seen", status: "200", flags: []string{"-H", "X-Forwarded-For: 1.2.3.4", "-H", "Forwarded: for=1.2.3.4", "-H", "Via: 1.0 front", "-H", "Host: a.example", "-H", "Expect: 100-continue", "-d", "x"},
				body: "X-Forwarded-For: [127.0.0.1]\nX-Forwarded-Host: [a.example]\nX-Forwarded-Proto: [" + scheme + "]\nVia: [1.0 front 2.0 nonet]\n" +
					"Forwarded: []\nExpect: []\nConnection: []\nUpgrade: []\n"},
		} {
			want.check(t, "2", curl(t, srv, append(want.flags, flag), want.path))
		}
		if n := strings.Count(srv.log.String(), "\n"); n != 1 { // of /broken
			t.Errorf("%d lines logged:\n%s", n, srv.log.String())
		}
	}
}

// TestProxyNghttp: nghttp shows the frames of a response that came in
// HTTP/1.1, and sends trailers.
func TestProxyNghttp(t *testing.T) {
	nghttp := skip.NeedProgram(t, "nghttp")
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Sum")
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %q %v %s", r.Proto, body, err, r.Trailer)
		w.Header().Set("X-Sum", "7")
	})
	for _, tr := range transports {
		srv := startProxy(t, tr, app(h))
		_, stdout, _ := run(t, nghttp, "-v", "--no-dep", "-d", file, "--trailer", "x-client: yes", srv.url+"/")
		rest := stdout
		for _, want := range []string{
			":status: 103", "recv HEADERS frame", ":status: 200", "trailer: X-Sum", "recv HEADERS frame",
			`HTTP/1.1 "content" <nil> map[X-Client:[yes]]`, "x-sum: 7", "; END_STREAM | END_HEADERS",
		} {
			i := strings.Index(rest, want)
			if i < 0 {
				t.Errorf("%s: no %q, or not in this order, in\n%s", tr, want, stdout)
				break
			}
			rest = rest[i+len(want):]
		}
	}
}

// TestProxyH2load: many requests at once through the edge.
func TestProxyH2load(t *testing.T) {
	h2load := skip.NeedProgram(t, "h2load")
	for _, tr := range transports {
		srv := startProxy(t, tr, routesApp())
		for _, args := range [][]string{
			{"-n", "2000", "-c", "4", "-m", "50", srv.url + "/hello"},
			{"-n", "200", "-c", "4", "-m", "10", srv.url + "/bytes/100000"},
			{"-n", "200", "-c", "2", "-m", "10", srv.url + "/trailers"},
		} {
			_, stdout, stderr := run(t, h2load, args...)
			want := fmt.Sprintf("%s done, %[1]s succeeded, 0 failed, 0 errored, 0 timeout", args[1])
			if !strings.Contains(stdout, want) {
				t.Errorf("h2load %s: no %q in\n%s%s", strings.Join(args, " "), want, stdout, stderr)
			}
		}
		if log := srv.log.String(); log != "" {
			t.Errorf("the edge logged\n%s", log)
		}
	}
}
