package nethttp_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/nethttp"
)

// TestTransportServers: requests to net/http's servers, over TLS that chooses
// HTTP/2 and HTTP/1.1, and in cleartext.
func TestTransportServers(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", fmt.Sprint(r.Proto, " ", r.Method, " ", r.Host, r.URL, " ", len(b), " ", err))
		w.Header().Set("Trailer", "X-End")
		w.Write(b)
		w.Header().Set("X-End", "end")
	})
	for _, tt := range []struct {
		name  string
		http2 bool
		tls   bool
		prior bool
		proto string
	}{
		{"h2", true, true, false, "HTTP/2.0"},
		{"HTTP/1.1 by ALPN", false, true, false, "HTTP/1.1"},
		{"h2c", true, false, true, "HTTP/2.0"},
		{"http", true, false, false, "HTTP/1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var conns int
			s := httptest.NewUnstartedServer(h)
			s.EnableHTTP2 = tt.http2 && tt.tls
			l := &countingListener{Listener: s.Listener}
			s.Listener = l
			if tt.prior {
				s.Config.Protocols = new(http.Protocols)
				s.Config.Protocols.SetUnencryptedHTTP2(true)
			}
			if tt.tls {
				s.StartTLS()
			} else {
				s.Start()
			}
			defer s.Close()
			tr := &nethttp.Transport{PriorKnowledge: tt.prior, Base: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			defer tr.CloseIdleConnections()
			c := &http.Client{Transport: tr}
			for i, body := range []string{"", "short", strings.Repeat("long", 1<<16)} {
				for _, r := range []io.Reader{strings.NewReader(body), struct{ io.Reader }{strings.NewReader(body)}} {
					res, err := c.Post(s.URL+"/a?b=c", "text/plain", r)
					if err != nil {
						t.Fatal(err)
					}
					b, err := io.ReadAll(res.Body)
					if err != nil || string(b) != body || res.Proto != tt.proto || res.Trailer.Get("X-End") != "end" && res.ProtoMajor == 2 {
						t.Errorf("%d: %v %d octets, %s, trailer %v", i, err, len(b), res.Proto, res.Trailer)
					}
					res.Body.Close()
					want := fmt.Sprint(tt.proto, " POST ", s.Listener.Addr(), "/a?b=c ", len(body), " <nil>")
					if got := res.Header.Get("X-Seen"); got != want {
						t.Errorf("%d: %s, want %s", i, got, want)
					}
					if (res.TLS != nil) != tt.tls {
						t.Errorf("TLS %v", res.TLS)
					}
				}
			}
			if conns = int(l.n.Load()); conns != 1 {
				t.Errorf("%d connections", conns)
			}
		})
	}
}

// TestTransportStopped: a server that has answered ends the upload with
// RST_STREAM(NO_ERROR), which takes nothing from its answer (RFC 9113 8.1).
func TestTransportStopped(t *testing.T) {
	got := runTrip(t, nonetTripper, trip{request: func(n *tripNotes) *http.Request {
		return newRequest("POST", "http://example.com/", watched{strings.NewReader(long), n})
	}, with: readThenClose, serve: func(o *origin) {
		o.hello()
		id := o.next()
		o.headers(id, false, ":status", "200")
		o.data(id, "answer", true)
		o.reset(id, http2.ErrCodeNo)
	}})
	for path, want := range map[string]string{"body": `"answer"`, "body.error": "none", "close": "none", "request body": "closed", "1.reset": ""} {
		if got[path] != want {
			t.Errorf("%s is %s, want %s", path, got[path], want)
		}
	}
}

// TestTransportProxy: net/http makes the tunnel, and HTTP/2 in it is ours; a
// request for http goes to the proxy itself.
func TestTransportProxy(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	tunnels := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			io.WriteString(w, "proxied "+r.RequestURI)
			return
		}
		tunnels++
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { io.Copy(up, down); up.Close() }()
		go func() { io.Copy(down, up); down.Close() }()
	}))
	defer proxy.Close()
	to, err := url.Parse(proxy.URL)
	must(t, err)
	tr := &nethttp.Transport{Base: &http.Transport{Proxy: http.ProxyURL(to), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer tr.CloseIdleConnections()
	for u, want := range map[string]string{s.URL: "HTTP/2.0", "http://example.com/x": "proxied http://example.com/x"} {
		for range 3 {
			res, err := tr.RoundTrip(newGet(u))
			must(t, err)
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			if string(b) != want || err != nil {
				t.Errorf("%q, %v, want %q", b, err, want)
			}
		}
	}
	if tunnels != 1 {
		t.Errorf("%d tunnels", tunnels)
	}
}
