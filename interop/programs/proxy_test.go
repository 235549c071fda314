package programs

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/interop/host"
)

// application is what stands behind a proxy, on net/http with HTTP/1.1. gone
// gets a value when a client of /wait has gone.
func application(gone chan<- bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/request", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %d %v te=%q for=%q", r.Method, r.URL.RequestURI(), r.Proto, len(body), err, r.Header["Te"], r.Header["X-Forwarded-For"])
	})
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Declared")
		io.Copy(w, r.Body)
		w.Header().Set("Declared", "one")
		w.Header().Set(http.TrailerPrefix+"Undeclared", "two")
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		buf := make([]byte, 1000)
		for {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			w.(http.Flusher).Flush()
			if err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		gone <- true
	})
	mux.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "a part")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/upgrade", func(w http.ResponseWriter, r *http.Request) {
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer nc.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + r.Header.Get("Upgrade") + "\r\n\r\n")
		rw.Flush()
		io.Copy(nc, rw) // an echo
	})
	return mux
}

// TestReverseProxy: httputil.ReverseProxy at the edge, the application in
// HTTP/1.1 behind it.
func TestReverseProxy(t *testing.T) {
	gone := make(chan bool)
	each(t, func(t *testing.T) http.Handler {
		app := httptest.NewServer(application(gone))
		t.Cleanup(app.Close)
		target, _ := url.Parse(app.URL)
		return &httputil.ReverseProxy{
			Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
			ErrorLog: log.New(io.Discard, "", 0),
		}
	}, func(t *testing.T, c *client) {
		const from = `for=["127.0.0.1"]`
		c.want(c.get("/request?a=b%20c", "X-Forwarded-For: 192.0.2.1", "Te: trailers"), 200, `GET /request?a=b%20c HTTP/1.1 0 <nil> te=["trailers"] `+from)
		c.want(c.do("POST", "/request", strings.Repeat("x", 200_000)), 200, "POST /request HTTP/1.1 200000 <nil> te=[] "+from)
		c.want(c.get("/none"), 404, "404 page not found\n")
		trailers(c)
		hints(c)
		if c.proto == "HTTP/2.0" {
			duplex(c) // net/http's HTTP/1.1 server takes the content from the proxy when a response begins
		}

		// A client that goes takes its request with it to the application.
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", c.r.URL+"/wait", nil)
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		select {
		case <-gone:
		case <-time.After(host.Patience):
			t.Error("the application didn't see that the client has gone")
		}
		resp.Body.Close()

		// A response that the application breaks off is broken off here.
		resp = c.open("GET", "/abort", "")
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "a part" || err == nil {
			t.Errorf("the broken response: %q, %v, want a part and an error", body, err)
		}
		c.want(c.get("/none"), 404, "404 page not found\n")
	})
}

// trailers wants the trailers that the application declared, and one that it
// did not.
func trailers(c *client) {
	c.t.Helper()
	a := c.do("POST", "/trailers", "content")
	c.want(a, 200, "content")
	if got, want := fmt.Sprint(a.Trailer), "map[Declared:[one] Undeclared:[two]]"; got != want {
		c.t.Errorf("trailers %s, want %s", got, want)
	}
}

// hints wants a 103 before the response.
func hints(c *client) {
	c.t.Helper()
	var early []string
	ctx := httptrace.WithClientTrace(c.t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			early = append(early, fmt.Sprint(code, " ", h.Get("Link")))
			return nil
		},
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", c.r.URL+"/hints", nil)
	resp, err := c.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	if want := "103 </style.css>; rel=preload"; resp.StatusCode != 202 || len(early) != 1 || early[0] != want {
		c.t.Errorf("GET /hints: %q, then %d, want %q, then 202", early, resp.StatusCode, want)
	}
}

// duplex wants each part of the content back before it sends the next one.
func duplex(c *client) {
	c.t.Helper()
	pr, pw := io.Pipe()
	defer pw.Close()
	req, _ := http.NewRequestWithContext(c.t.Context(), "POST", c.r.URL+"/echo", pr)
	resp, err := c.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	for i := range 20 {
		part := fmt.Sprintf("part %2d", i)
		if _, err := io.WriteString(pw, part); err != nil {
			c.t.Fatal(err)
		}
		got := make([]byte, len(part))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != part {
			c.t.Fatalf("POST /echo: %q, %v, want %q", got, err, part)
		}
	}
	pw.Close()
	if b, err := io.ReadAll(resp.Body); len(b) > 0 || err != nil {
		c.t.Errorf("POST /echo: at the end %q, %v", b, err)
	}
}

// TestReverseProxyUpgrade: another protocol crosses the proxy in HTTP/1.1.
func TestReverseProxyUpgrade(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		app := httptest.NewServer(application(nil))
		defer app.Close()
		target, _ := url.Parse(app.URL)
		r := host.Start(t, k, overTLS, httputil.NewSingleHostReverseProxy(target))
		nc, err := net.Dial("tcp", r.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(host.Patience))
		if r.Roots != nil {
			nc = tls.Client(nc, r.Roots)
		}
		io.WriteString(nc, "GET /upgrade HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		rd := bufio.NewReader(nc)
		resp, err := http.ReadResponse(rd, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Upgrade") != "echo" {
			t.Fatalf("answer %d %v", resp.StatusCode, resp.Header)
		}
		for i := range 20 {
			line := fmt.Sprintf("line %d\n", i)
			io.WriteString(nc, line)
			if got, err := rd.ReadString('\n'); got != line || err != nil {
				t.Fatalf("%q, %v, want %q", got, err, line)
			}
		}
	})
}

// TestReverseProxyDown: an application that is not there, and one that talks
// nonsense, are 502.
func TestReverseProxyDown(t *testing.T) {
	for _, says := range []string{"", "SSH-2.0-nonsense\r\n"} {
		each(t, func(t *testing.T) http.Handler {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ln.Close() })
			go func() {
				for {
					nc, err := ln.Accept()
					if err != nil {
						return
					}
					if says != "" {
						nc.Read(make([]byte, 1))
						io.WriteString(nc, says)
					}
					nc.Close()
				}
			}()
			return &httputil.ReverseProxy{
				Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: ln.Addr().String()}) },
				ErrorLog: log.New(io.Discard, "", 0),
			}
		}, func(t *testing.T, c *client) {
			for range 3 {
				c.want(c.get("/"), 502, "")
			}
			c.want(c.do("POST", "/", strings.Repeat("x", 100_000)), 502, "")
		})
	}
}
