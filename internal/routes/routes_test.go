package routes

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// server is what the servers of both packages have.
type server interface {
	Serve(net.Listener) error
	Close() error
}

// serve starts the routes on cleartext and returns a client that speaks one
// version, and the address.
func serve(t *testing.T, s server, http2 bool) (*http.Client, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(!http2)
	transport.Protocols.SetUnencryptedHTTP2(http2)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
		if err := <-done; !errors.Is(err, nonet.ErrServerClosed) && !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v, want ErrServerClosed", err)
		}
	})
	return &http.Client{Transport: transport}, "http://" + ln.Addr().String()
}

// each runs a test for each kind of handler and both versions.
func each(t *testing.T, f func(t *testing.T, c *http.Client, url string, http2 bool)) {
	quiet := nonet.Config{Logger: slog.New(slog.DiscardHandler)}
	for kind, start := range map[string]func() server{
		"stream":  func() server { return &nonet.Server{Handler: Stream, Config: quiet} },
		"inline":  func() server { return &nonet.Server{Inline: Inline, Config: quiet} },
		"nethttp": func() server { return &nethttp.Server{Handler: HTTP, Config: quiet} },
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/http2=%t", kind, http2), func(t *testing.T) {
				c, url := serve(t, start(), http2)
				f(t, c, url, http2)
			})
		}
	}
}

func TestRoutes(t *testing.T) {
	type test struct {
		method, path, body string
		status             int
		want               string // the content
		field, value       string // a field or trailer
	}
	long := strings.Repeat("0123456789", 10000)
	tests := []test{
		{"GET", "/", "", 200, page, "Content-Type", "text/html; charset=utf-8"},
		{"POST", "/", long, 200, page, "Content-Type", "text/html; charset=utf-8"},
		{"GET", "/?a=/hello", "", 200, page, "", ""},
		{"GET", "/hello", "", 200, "hello world\n", "Content-Length", "12"},
		{"HEAD", "/hello", "", 200, "", "Content-Length", "12"},
		{"POST", "/echo", "piece", 200, "piece", "X-Echo-Bytes", "5"},
		{"POST", "/echo", long, 200, long, "X-Echo-Bytes", "100000"},
		{"GET", "/bytes/0", "", 200, "", "Content-Length", "0"},
		{"GET", "/bytes/65", "", 200, line + "0", "Content-Length", "65"},
		{"GET", "/bytes/16384", "", 200, string(lines[:16384]), "", ""},
		{"GET", "/bytes/163840", "", 200, string(lines[:163840]), "Content-Length", "163840"},
		{"HEAD", "/bytes/999999999999999", "", 200, "", "Content-Length", "999999999999999"},
		{"GET", "/bytes/", "", 400, "how many octets? /bytes/N takes a number\n", "", ""},
		{"GET", "/bytes/1000000000000000", "", 400, "how many octets? /bytes/N takes a number\n", "", ""},
		{"GET", "/bytes/-1", "", 400, "how many octets? /bytes/N takes a number\n", "", ""},
		{"POST", "/sink", long, 200, "100000\n", "", ""},
		{"PUT", "/sink", "", 200, "0\n", "", ""},
		{"GET", "/sink", "", 405, "/sink takes a body: use POST or PUT\n", "Allow", "POST, PUT"},
		{"GET", "/trailers", "", 200, trailersBody, "X-Body-Bytes", "31"},
		{"GET", "/trailers", "", 200, trailersBody, "X-Body-Sha256", trailersSHA256},
		{"HEAD", "/trailers", "", 200, "", "X-Body-Bytes", ""},
		{"GET", "/reset/", "", 400, "which error code? /reset/CODE takes a name of RFC 9113 section 7, or a number\n", "", ""},
		{"GET", "/hello/", "", 404, "not found; / lists what there is\n", "", ""},
	}
	each(t, func(t *testing.T, c *http.Client, url string, http2 bool) {
		for _, tt := range tests {
			var body io.Reader
			if tt.body != "" {
				body = io.MultiReader(strings.NewReader(tt.body)) // of a length not known before
			}
			req, err := http.NewRequest(tt.method, url+tt.path, body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(req)
			if err != nil {
				t.Errorf("%s %s: %v", tt.method, tt.path, err)
				continue
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != tt.status || string(got) != tt.want {
				t.Errorf("%s %s: %d, %d octets, %v; want %d, %d octets", tt.method, tt.path,
					resp.StatusCode, len(got), err, tt.status, len(tt.want))
			}
			if value := resp.Header.Get(tt.field) + resp.Trailer.Get(tt.field); tt.field != "" && value != tt.value {
				t.Errorf("%s %s: %s is %q, want %q", tt.method, tt.path, tt.field, value, tt.value)
			}
		}
	})
}

func TestProtocolAndReset(t *testing.T) {
	each(t, func(t *testing.T, c *http.Client, url string, http2 bool) {
		want := "HTTP/1.1\n"
		if http2 {
			want = "HTTP/2\n"
		}
		resp, err := c.Get(url + "/protocol")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(resp.Body); string(got) != want {
			t.Errorf("/protocol: %q, %v; want %q", got, err, want)
		}
		for _, code := range []string{"CANCEL", "cancel", "8", "0x8"} {
			resp, err = c.Get(url + "/reset/" + code)
			switch {
			case http2 && (err == nil || !strings.Contains(err.Error(), "CANCEL")):
				t.Errorf("/reset/%s: %v, want a reset with CANCEL", code, err)
			case !http2 && (err != nil || resp.StatusCode != 501):
				t.Errorf("/reset/%s on HTTP/1.1: %v, %v; want 501", code, resp, err)
			}
		}
	})
}

// TestEchoIsFullDuplex: each piece comes back before the next one is sent.
func TestEchoIsFullDuplex(t *testing.T) {
	each(t, func(t *testing.T, c *http.Client, url string, http2 bool) {
		r, w := io.Pipe()
		req, err := http.NewRequest("POST", url+"/echo", r)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req) // before anything of the body was sent
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for _, piece := range []string{"one", "two", "three"} {
			io.WriteString(w, piece)
			got := make([]byte, len(piece))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != piece {
				t.Fatalf("got %q, %v; want %q", got, err, piece)
			}
		}
		w.Close()
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
			t.Errorf("then %q, %v", rest, err)
		}
		if got := resp.Trailer.Get("X-Echo-Bytes"); got != "11" {
			t.Errorf("x-echo-bytes %q, want 11", got)
		}
	})
}
