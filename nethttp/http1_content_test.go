package nethttp_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/nethttp"
)

// TestHTTP1Content: with full duplex, what is left of a request's content, or
// follows a fault in it, is no request (RFC 9112 9.3); net/http would take it for
// one. A connection whose content was read to its end goes on.
func TestHTTP1Content(t *testing.T) {
	type step = func(w http.ResponseWriter, r *http.Request)
	duplex := func(w http.ResponseWriter, r *http.Request) {
		must(t, http.NewResponseController(layered{w}).EnableFullDuplex())
	}
	late := func(w http.ResponseWriter, r *http.Request) {
		if http.NewResponseController(w).EnableFullDuplex() == nil {
			t.Error("full duplex after the response began")
		}
	}
	begin := func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) }
	read := func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }
	flush := func(w http.ResponseWriter, r *http.Request) { http.NewResponseController(w).Flush() }
	const (
		good = "2\nhi\n0\n\n"
		bad  = "2\nhi\nxyz\n"
	)
	long := "2\nhi\n0\nGET /evil HTTP/1.1\nHost: h\nX: " + strings.Repeat("a", 5000) + "\n\n"
	for name, tt := range map[string]struct {
		content string
		steps   []step
		alive   bool
	}{
		"good, read":                          {good, []step{duplex, read, flush}, true},
		"good, read, simplex":                 {good, []step{read, flush}, true},
		"good, not read, simplex":             {good, []step{flush}, true},
		"good, the response comes first":      {good, []step{duplex, flush, read}, false},
		"bad, read":                           {bad, []step{duplex, read}, false},
		"bad, read, simplex":                  {bad, []step{read}, false},
		"bad, read, in pieces":                {bad, []step{duplex, read, flush}, false},
		"bad, not read":                       {bad, []step{duplex}, false},
		"bad, not read, simplex":              {bad, nil, false},
		"bad, the response comes first":       {bad, []step{duplex, flush, read}, false},
		"bad, duplex too late":                {bad, []step{begin, late, read}, false},
		"trailers too long":                   {long, []step{duplex, read}, false},
		"trailers too long, response first":   {long, []step{duplex, flush, read}, false},
		"closed, and read to a part of it":    {bad, []step{duplex, func(w http.ResponseWriter, r *http.Request) { r.Body.Read(make([]byte, 1)); r.Body.Close() }}, false},
		"closed, and read to a part, simplex": {bad, []step{func(w http.ResponseWriter, r *http.Request) { r.Body.Read(make([]byte, 1)); r.Body.Close() }}, false},
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" {
				w.Header().Set("X-Path", r.URL.Path)
				return
			}
			for _, step := range tt.steps {
				step(w, r)
			}
		})
		hs := &http.Server{Handler: h}
		must(t, nethttp.ConfigureServer(hs))
		for kind, s := range map[string]interface {
			Serve(net.Listener) error
			Close() error
		}{"Server": &nethttp.Server{Handler: h}, "ConfigureServer": hs} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				must(t, err)
				go s.Serve(l)
				defer s.Close()
				nc, err := net.Dial("tcp", l.Addr().String())
				must(t, err)
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(10 * time.Second))
				io.WriteString(nc, strings.ReplaceAll("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n"+
					tt.content+"GET /next HTTP/1.1\nHost: h\nConnection: close\n\n", "\n", "\r\n"))
				br := bufio.NewReader(nc)
				resp, err := http.ReadResponse(br, nil)
				must(t, err)
				if _, err := io.ReadAll(resp.Body); err != nil || resp.Close == tt.alive {
					t.Errorf("Connection: close %t, %v", resp.Close, err)
				}
				rest, err := io.ReadAll(br)
				if tt.alive && err != nil || strings.Contains(string(rest), "/next") != tt.alive || strings.Contains(string(rest), "/evil") {
					t.Errorf("then came %q, %v", rest, err)
				}
			})
		}
	}
}

// TestHTTP1RequestContent: a request with content is what it is with net/http.
func TestHTTP1RequestContent(t *testing.T) {
	var file string
	s := &nethttp.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			must(t, r.ParseMultipartForm(0))
			f, err := r.MultipartForm.File["f"][0].Open()
			must(t, err)
			defer f.Close()
			file = f.(interface{ Name() string }).Name()
			_, err = os.Stat(file)
			must(t, err)
			return
		}
		b, err := io.ReadAll(r.Body)
		must(t, err)
		if r.URL.Path == "/trailers" {
			of := r.WithContext(r.Context())
			for name, want := range map[string]string{"X-A": "1", "X-B": "2"} {
				if r.Trailer.Get(name) != want || nethttp.Trailers(of).Get(name) != want {
					t.Errorf("trailers %v and %v", r.Trailer, nethttp.Trailers(of))
				}
			}
		}
		w.Write(b)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go s.Serve(l)
	defer s.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	br := bufio.NewReader(nc)
	for request, want := range map[string]string{
		"POST /trailers HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\nTrailer: X-A\n\n2\nhi\n0\nX-A: 1\nX-B: 2\n\n":                                                                                  "hi",
		"POST /trailers HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-A: 1\nX-B: 2\n\n":                                                                                                "hi",
		"POST /file HTTP/1.1\nHost: h\nContent-Type: multipart/form-data; boundary=x\nContent-Length: 79\n\n--x\nContent-Disposition: form-data; name=\"f\"; filename=\"g\"\n\n" + "content\n--x--\n": "",
	} {
		io.WriteString(nc, strings.ReplaceAll(request, "\n", "\r\n"))
		resp, err := http.ReadResponse(br, nil)
		must(t, err)
		if b, err := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(b) != want || err != nil {
			t.Errorf("%s: %d %q, %v", request, resp.StatusCode, b, err)
		}
	}
	s.Shutdown(t.Context()) // the requests are over
	if _, err := os.Stat(file); file == "" || err == nil {
		t.Errorf("the file %q is left", file)
	}
}
