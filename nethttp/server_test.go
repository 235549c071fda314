package nethttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// versions are what clients of net/http may speak.
var versions = map[string]struct {
	set   func(*http.Protocols)
	tls   bool
	proto string
}{
	"HTTP/1.1":          {func(p *http.Protocols) { p.SetHTTP1(true) }, false, "HTTP/1.1"},
	"h2c":               {func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, false, "HTTP/2.0"},
	"HTTP/1.1 over TLS": {func(p *http.Protocols) { p.SetHTTP1(true) }, true, "HTTP/1.1"},
	"h2":                {func(p *http.Protocols) { p.SetHTTP1(true); p.SetHTTP2(true) }, true, "HTTP/2.0"},
}

// protoHandler answers with what it sees of the connection.
var protoHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	_, server := r.Context().Value(http.ServerContextKey).(*http.Server)
	fmt.Fprintf(w, "%s tls=%t local=%t server=%t remote=%t host=%t", r.Proto, r.TLS != nil && r.TLS.HandshakeComplete,
		local != nil && local.String() == r.Host, server, strings.HasPrefix(r.RemoteAddr, "127.0.0.1:"), r.Host != "")
})

// ask sends a request in one of the versions.
func ask(t *testing.T, version, addr string) {
	t.Helper()
	v := versions[version]
	tr := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	v.set(tr.Protocols)
	defer tr.CloseIdleConnections()
	scheme := "http://"
	if v.tls {
		scheme = "https://"
	}
	resp, err := (&http.Client{Transport: tr}).Get(scheme + addr + "/")
	if err != nil {
		t.Errorf("%s: %v", version, err)
		return
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if want := fmt.Sprintf("%s tls=%t local=true server=true remote=true host=true", v.proto, v.tls); err != nil || string(b) != want {
		t.Errorf("%s: %q, %v; want %q", version, b, err, want)
	}
}

// pemFiles writes a certificate as two files.
func pemFiles(t *testing.T) (certFile, keyFile string) {
	cert := certificate()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	must(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600))
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	return certFile, keyFile
}

// TestServe: each way to serve, to clients of each version.
func TestServe(t *testing.T) {
	certFile, keyFile := pemFiles(t)
	for name, tt := range map[string]struct {
		tls   bool
		serve func(s *nethttp.Server, l net.Listener) error
	}{
		"Serve": {false, func(s *nethttp.Server, l net.Listener) error { return s.Serve(l) }},
		"ServeTLS": {true, func(s *nethttp.Server, l net.Listener) error {
			s.TLSConfig = config{tls: true}.tlsConfig()
			return s.ServeTLS(l, "", "")
		}},
		"ServeTLS with files": {true, func(s *nethttp.Server, l net.Listener) error { return s.ServeTLS(l, certFile, keyFile) }},
		"Serve of tls.NewListener": {true, func(s *nethttp.Server, l net.Listener) error {
			c := config{tls: true}.tlsConfig()
			c.NextProtos = []string{"h2", "http/1.1"}
			return s.Serve(tls.NewListener(l, c))
		}},
		"ListenAndServe": {false, func(s *nethttp.Server, l net.Listener) error { return s.ListenAndServe() }},
		"ListenAndServeTLS": {true, func(s *nethttp.Server, l net.Listener) error {
			return s.ListenAndServeTLS(certFile, keyFile)
		}},
		"ConfigureServer": {false, func(s *nethttp.Server, l net.Listener) error {
			hs := &http.Server{Handler: s.Handler, Protocols: new(http.Protocols)}
			hs.Protocols.SetHTTP1(true)
			hs.Protocols.SetUnencryptedHTTP2(true)
			must(t, nethttp.ConfigureServer(hs))
			s.RegisterOnShutdown(func() { hs.Shutdown(context.Background()) })
			return hs.Serve(l)
		}},
		"ConfigureServer over TLS": {true, func(s *nethttp.Server, l net.Listener) error {
			hs := &http.Server{Handler: s.Handler}
			must(t, nethttp.ConfigureServer(hs))
			s.RegisterOnShutdown(func() { hs.Shutdown(context.Background()) })
			return hs.ServeTLS(l, certFile, keyFile)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			addr := l.Addr().String()
			s := &nethttp.Server{Addr: addr, Handler: protoHandler, ErrorLog: log.New(io.Discard, "", 0)}
			if strings.HasPrefix(name, "Listen") {
				l.Close() // before anybody dials, who would take it for the server
			}
			ended := make(chan error, 1)
			go func() { ended <- tt.serve(s, l) }()
			for nc := net.Conn(nil); nc == nil; { // until it listens
				if nc, err = net.Dial("tcp", addr); err == nil {
					nc.Close()
				}
			}
			for version, v := range versions {
				if v.tls == tt.tls {
					ask(t, version, addr)
				}
			}
			must(t, s.Shutdown(context.Background()))
			if err := <-ended; err != http.ErrServerClosed {
				t.Errorf("serving ended with %v", err)
			}
			if err := s.Serve(l); err != http.ErrServerClosed && !strings.HasPrefix(name, "Conf") {
				t.Errorf("Serve after Shutdown: %v", err)
			}
		})
	}
}

// TestHTTPTest: httptest's server runs on it.
func TestHTTPTest(t *testing.T) {
	s := httptest.NewUnstartedServer(protoHandler)
	must(t, nethttp.ConfigureServer(s.Config))
	s.EnableHTTP2 = true
	s.TLS = s.Config.TLSConfig
	s.StartTLS()
	defer s.Close()
	resp, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || !strings.HasPrefix(string(b), "HTTP/2.0 tls=true") {
		t.Errorf("%q, %v", b, err)
	}
}

func TestBadServers(t *testing.T) {
	l := &listener{accepted: make(chan net.Conn), closed: make(chan struct{})}
	for _, err := range []error{
		nethttp.ConfigureServer(nil),
		new(nethttp.Server).ServeTLS(l, "", ""),
		new(nethttp.Server).ServeTLS(l, "missing.pem", "missing.pem"),
		(&nethttp.Server{Addr: "256.0.0.1:http"}).ListenAndServe(),
		(&nethttp.Server{Addr: "127.0.0.1:0"}).ListenAndServeTLS("", ""),
	} {
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want one line", err)
		}
	}
	select {
	case <-l.closed:
	default:
		t.Error("the listener is open")
	}
}

// TestShutdown: requests are finished, RegisterOnShutdown's function is called,
// and Close is for those that don't end.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		called := make(chan struct{})
		s := &nethttp.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			io.WriteString(w, "done")
		})}
		s.RegisterOnShutdown(func() { close(called) })
		p := dial(t, s, false)
		p.get(1)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := s.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Errorf("Shutdown with a deadline: %v", err)
		}
		<-called
		p.want("GOAWAY NO_ERROR")
		time.Sleep(time.Second)
		p.want("GOAWAY NO_ERROR")
		time.Sleep(time.Second)
		p.want("HEADERS 1 :status=200 content-type=text/plain; charset=utf-8 content-length=4", `DATA 1 "done" END_STREAM`)
	})
}

// TestConnState: the states of connections as net/http tells them.
func TestConnState(t *testing.T) {
	for version := range versions {
		t.Run(version, func(t *testing.T) {
			var mu sync.Mutex
			var states []string
			conns := make(map[net.Conn]bool)
			closed := make(chan struct{})
			s := &nethttp.Server{Handler: protoHandler, ConnState: func(nc net.Conn, state http.ConnState) {
				mu.Lock()
				defer mu.Unlock()
				conns[nc] = true
				states = append(states, state.String())
				if state == http.StateClosed {
					close(closed)
				}
			}, ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
				mu.Lock()
				defer mu.Unlock()
				conns[nc] = true
				return ctx
			}}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			if versions[version].tls {
				s.TLSConfig = config{tls: true}.tlsConfig()
				go s.ServeTLS(l, "", "")
			} else {
				go s.Serve(l)
			}
			ask(t, version, l.Addr().String())
			<-closed
			s.Close()
			mu.Lock()
			defer mu.Unlock()
			// The settings of HTTP/2 may come alone.
			got := strings.Replace(strings.Join(states, " "), " idle active", "", 1)
			if got != "new active idle closed" && (versions[version].proto == "HTTP/2.0" || got != "new active closed") {
				t.Errorf("states %q", got)
			}
			if len(conns) != 1 {
				t.Errorf("one connection was seen as %d", len(conns))
			}
		})
	}
}

// TestLogs: a panic is logged once, with where it was, to ErrorLog or to
// Logger, on both versions.
func TestLogs(t *testing.T) {
	for name, set := range map[string]func(*nethttp.Server, io.Writer){
		"ErrorLog": func(s *nethttp.Server, w io.Writer) { s.ErrorLog = log.New(w, "mine: ", 0) },
		"Logger":   func(s *nethttp.Server, w io.Writer) { s.Logger = slog.New(slog.NewTextHandler(w, nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			s := &nethttp.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { panic("on purpose") })}
			set(s, &text)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			go s.Serve(l)
			resp, err := http2Client(t).Get("http://" + l.Addr().String())
			if err != nil || resp.StatusCode != 500 {
				t.Errorf("HTTP/2: %v, %v; want 500", resp, err)
			}
			if _, err := http.Get("http://" + l.Addr().String()); err == nil {
				t.Error("HTTP/1.1: no error")
			}
			must(t, s.Shutdown(context.Background()))
			if got := text.String(); strings.Count(got, "on purpose") != 2 || strings.Count(got, "http: panic serving 127.0.0.1:") != 2 || strings.Count(got, "server_test.go:") < 2 {
				t.Errorf("the log is %s", got)
			}
		})
	}
}

// TestConfigureServerLimits: what of http.HTTP2Config is obeyed.
func TestConfigureServerLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs := &http.Server{Handler: protoHandler, Protocols: new(http.Protocols), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 7, MaxReceiveBufferPerStream: 99999}}
		hs.Protocols.SetUnencryptedHTTP2(true)
		must(t, nethttp.ConfigureServer(hs))
		l := &listener{accepted: make(chan net.Conn), closed: make(chan struct{})}
		go hs.Serve(l)
		defer hs.Close()
		p := l.dial(t, false)
		if got := p.settings; got[3] != 7 || got[4] != 99999 {
			t.Errorf("SETTINGS %v", got)
		}
		done := make(chan error)
		go func() { done <- hs.Shutdown(context.Background()) }()
		must(t, <-done)
	})
}

// TestHTTP1Trailers: the functions on HTTP/1.1, by chunked encoding.
func TestHTTP1Trailers(t *testing.T) {
	for name, tt := range map[string]struct {
		request string
		handler http.HandlerFunc
		want    []string // in the response
		not     string
	}{
		"declared": {"GET / HTTP/1.1\r\nHost: a\r\n", func(w http.ResponseWriter, _ *http.Request) {
			must(t, nethttp.DeclareTrailer(layered{w}, "x-a"))
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "body")
			must(t, nethttp.AppendTrailer(layered{w}, "x-a", "1", "2"))
			if err := nethttp.AppendTrailer(w, "x-b", "1"); !errors.Is(err, nonet.ErrTrailersNotSupported) {
				t.Errorf("not declared and not asked for: %v", err)
			}
		}, []string{"Trailer: X-A\r\n", "Transfer-Encoding: chunked\r\n", "\r\n0\r\nX-A: 1\r\nX-A: 2\r\n\r\n"}, "Content-Length"},
		"asked for": {"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			must(t, nethttp.AppendTrailer(w, "x-a", "1"))
			io.WriteString(w, "body")
			must(t, nethttp.AppendTrailer(w, "x-b", "2"))
			if nethttp.DeclareTrailer(w, "x-c") != nonet.ErrResponseStarted {
				t.Error("declared after the body")
			}
			if !errors.Is(nethttp.Reset(w, 8), errors.ErrUnsupported) {
				t.Error("HTTP/1.1 has no resets")
			}
		}, []string{"\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"}, "Content-Length"},
		"asked for, after a short body": {"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "body")
			must(t, nethttp.AppendTrailer(w, "x-a", "1"))
			must(t, nethttp.AppendTrailer(w, "x-b", "2"))
		}, []string{"4\r\nbody\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"}, "Content-Length"},
		"without content": {"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "0")
			must(t, nethttp.AppendTrailer(w, "x-a", "1"))
		}, []string{"\r\n\r\n0\r\nX-A: 1\r\n\r\n"}, "Content-Length"},
		"with content-length": {"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "body")
			if nethttp.SupportsTrailers(w) || nethttp.AppendTrailer(w, "x-a", "1") == nil {
				t.Error("trailers after content-length")
			}
		}, []string{"Content-Length: 4\r\n", "\r\n\r\nbody"}, "X-A"},
		"HTTP/1.0": {"GET / HTTP/1.0\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			if nethttp.SupportsTrailers(w) || nethttp.DeclareTrailer(w, "x-a") == nil || nethttp.AppendTrailer(w, "x-a", "1") == nil {
				t.Error("trailers on HTTP/1.0")
			}
		}, []string{"200 OK"}, "X-A"},
		"HEAD": {"HEAD / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			if nethttp.SupportsTrailers(w) {
				t.Error("trailers in answer to HEAD")
			}
		}, []string{"200 OK"}, "X-A"},
		"304": {"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(304)
			if nethttp.SupportsTrailers(w) {
				t.Error("trailers with 304")
			}
		}, []string{"103 Early Hints", "304 Not Modified"}, "X-A"},
		"prohibited": {"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n", func(w http.ResponseWriter, _ *http.Request) {
			if nethttp.AppendTrailer(w, "Host", "x") == nil || nethttp.DeclareTrailer(w, "Host") == nil || nethttp.AppendTrailer(w, "x-a", "a\r\nb") == nil {
				t.Error("accepted")
			}
		}, []string{"Content-Length: 0\r\n"}, "X-A"},
		"hijacked": {"GET / HTTP/1.1\r\nHost: a\r\n", func(w http.ResponseWriter, _ *http.Request) {
			nc, _, err := http.NewResponseController(layered{w}).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(nc, "mine")
			nc.Close()
		}, []string{"mine"}, "HTTP"},
	} {
		hs := &http.Server{Handler: tt.handler}
		must(t, nethttp.ConfigureServer(hs))
		for kind, s := range map[string]interface {
			Serve(net.Listener) error
			Close() error
		}{"Server": &nethttp.Server{Handler: tt.handler}, "ConfigureServer": hs} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				must(t, err)
				go s.Serve(l)
				defer s.Close()
				nc, err := net.Dial("tcp", l.Addr().String())
				must(t, err)
				io.WriteString(nc, tt.request+"Connection: close\r\n\r\n")
				b, err := io.ReadAll(nc)
				for _, want := range tt.want {
					if err != nil || !strings.Contains(string(b), want) {
						t.Errorf("the response is %q, %v; want %q in it", b, err, want)
					}
				}
				if strings.Contains(string(b), tt.not) {
					t.Errorf("the response is %q, with %q", b, tt.not)
				}
			})
		}
	}
}

// TestOtherWriters: writers that are not of this package.
func TestOtherWriters(t *testing.T) {
	w := httptest.NewRecorder()
	if nethttp.SupportsTrailers(w) || nethttp.SupportsTrailers(nil) ||
		!errors.Is(nethttp.DeclareTrailer(w, "x-a"), errors.ErrUnsupported) ||
		!errors.Is(nethttp.AppendTrailer(layered{w}, "x-a", "1"), errors.ErrUnsupported) ||
		!errors.Is(nethttp.Reset(w, 8), errors.ErrUnsupported) {
		t.Error("a recorder has trailers or resets")
	}
}
