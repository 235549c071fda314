package nonet

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// HTTP/1.1 on the same port, with the same handler.

// exchange sends a request in HTTP/1 and returns the response, which was read
// to its end.
func exchange(t *testing.T, s *Server, overTLS bool, request string) (*http.Response, string) {
	t.Helper()
	c, sc := net.Pipe()
	if overTLS {
		c, sc = net.Conn(tls.Client(c, clientTLS("http/1.1"))), tls.Server(sc, serverTLS())
	}
	p := connect(t, s, c, sc)
	go io.WriteString(c, strings.ReplaceAll(request, "\n", "\r\n"))
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		body = append(body, " ("+err.Error()+")"...)
	}
	c.Close()
	<-p.ended
	return res, string(body)
}

func TestHTTP1(t *testing.T) {
	certificate()
	hop := func(s Stream) {
		s.SetField("x-protocol", s.Protocol())
		s.SetField("x-target", s.Method()+" "+string(s.Path())+" "+string(s.Scheme())+" "+string(s.Authority()))
		if s.ID() != 0 || s.RemoteAddr() == nil || s.LocalAddr() == nil || s.Context().Err() != nil {
			t.Error("something is missing")
		}
		if err := s.Reset(1); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Reset: %v", err)
		}
		b, err := io.ReadAll(s)
		must(t, err)
		s.SetField("x-sum", string(s.Trailers().GetName("X-Sum")))
		s.Write(b)
	}
	tests := []struct {
		name, request string
		handler       Handler
		want          string // status, fields by name, content, trailers
	}{
		{"get", "GET /a?b HTTP/1.1\nHost: h\n\n", hop,
			"200 Content-Length=0 X-Protocol=HTTP/1.1 X-Sum= X-Target=GET /a?b http h"},
		{"1.0", "GET / HTTP/1.0\nHost: h\n\n", hop,
			"200 Content-Length=0 X-Protocol=HTTP/1.0 X-Sum= X-Target=GET / http h"},
		{"absolute", "GET http://x/a HTTP/1.1\nHost: h\n\n", hop,
			"200 Content-Length=0 X-Protocol=HTTP/1.1 X-Sum= X-Target=GET /a http x"},
		{"options", "OPTIONS * HTTP/1.1\nHost: h\n\n", hop,
			"200 Content-Length=0 X-Protocol=HTTP/1.1 X-Sum= X-Target=OPTIONS * http h"},
		{"post", "POST / HTTP/1.1\nHost: h\nContent-Length: 3\n\nabc", hop,
			`200 Content-Length=3 X-Protocol=HTTP/1.1 X-Sum= X-Target=POST / http h "abc"`},
		{"chunked with trailer", "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\nTrailer: x-sum\n\n3\nabc\n0\nX-Sum: 7\n\n", hop,
			`200 Content-Length=3 X-Protocol=HTTP/1.1 X-Sum=7 X-Target=POST / http h "abc"`},
		{"upgrade is ignored", "GET / HTTP/1.1\nHost: h\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n\n", hop,
			"200 Content-Length=0 X-Protocol=HTTP/1.1 X-Sum= X-Target=GET / http h"},
		{"head", "HEAD / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			if s.SupportsTrailers() {
				t.Error("trailers in answer to HEAD")
			}
			s.WriteString("abc")
		}, "200 Content-Length=3"},
		{"status", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			s.SetStatus(204)
			if s.SupportsTrailers() {
				t.Error("trailers with 204")
			}
		}, "204"},
		{"close", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) { s.SetField("connection", "close") }, "200 close Content-Length=0"},
		{"trailers, declared", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			if !s.SupportsTrailers() {
				t.Error("no trailers")
			}
			must(t, s.DeclareTrailer("x-t"))
			must(t, s.SetField("content-length", "4"))
			s.WriteString("body")
			must(t, s.AppendTrailer("X-T", "a", "b"))
			if err := s.AppendTrailer("x-u", "v"); err != ErrTrailersNotSupported {
				t.Errorf("not declared and not asked for: %v", err)
			}
		}, `200 "body" X-T=a,b`},
		{"trailers, flushed", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			must(t, s.DeclareTrailer("x-t"))
			s.WriteString("body")
			must(t, s.Flush())
			s.WriteString("more")
			if err := s.DeclareTrailer("x-u"); err != ErrResponseStarted {
				t.Errorf("DeclareTrailer after the headers: %v", err)
			}
			must(t, s.AppendTrailer("x-t", "a"))
			must(t, s.Close())
		}, `200 "bodymore" X-T=a`},
		{"trailers, asked for", "GET / HTTP/1.1\nHost: h\nTE: gzip, trailers\nConnection: TE\n\n", func(s Stream) {
			s.Write(make([]byte, 3))
			s.Flush()
			must(t, s.AppendTrailer("x-t", "a"))
		}, "200 \"\\x00\\x00\\x00\" X-T=a"},
		{"trailers, too late", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			s.SetField("content-length", "1")
			s.WriteString("x")
			s.Flush()
			if s.SupportsTrailers() {
				t.Error("trailers after content-length")
			}
		}, `200 Content-Length=1 "x"`},
		{"trailers on 1.0", "GET / HTTP/1.0\nHost: h\nTE: trailers\n\n", func(s Stream) {
			if s.SupportsTrailers() {
				t.Error("trailers on HTTP/1.0")
			}
			if err := s.AppendTrailer("x-t", "a"); err != ErrTrailersNotSupported {
				t.Errorf("AppendTrailer: %v", err)
			}
		}, "200 Content-Length=0"},
		{"panic", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			s.SetField("a", "b")
			s.WriteString("x")
			panic("x")
		}, "500 Content-Length=0"},
		{"panic later", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			s.WriteString("x")
			s.Flush()
			panic("x")
		}, `200 "x (unexpected EOF)"`},
		{"abort", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			s.WriteString("x")
			s.Flush()
			ctx := s.Context()
			must(t, s.Abort())
			<-ctx.Done()
			if err := context.Cause(ctx); !isReset(err, frame.InternalError, 1) {
				t.Errorf("cause %v", err)
			}
			if _, err := s.WriteString("y"); !isReset(err, frame.InternalError, 1) {
				t.Errorf("Write: %v", err)
			}
		}, `200 "x (unexpected EOF)"`},
		{"large", "GET / HTTP/1.1\nHost: h\n\n", func(s Stream) {
			n, err := s.Write(make([]byte, 100_000))
			if n != 100_000 || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			s.ReadFrom(strings.NewReader(strings.Repeat("x", 50_000)))
		}, "200 #150000"},
		{"bad", "GET / HTTP/1.x\n\n", hello, "400 close Content-Type=text/plain; charset=utf-8 \"400 Bad Request\""},
	}
	for _, tt := range tests {
		for _, overTLS := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: ", tls"}[overTLS], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &Server{Handler: tt.handler}
					res, body := exchange(t, s, overTLS, tt.request)
					want := tt.want
					if overTLS {
						want = strings.Replace(want, " http ", " https ", 1)
					}
					if got := summary(res, body); got != want {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				})
			})
		}
	}
}

func summary(res *http.Response, body string) string {
	s := res.Status[:3]
	if res.Close && res.ProtoAtLeast(1, 1) {
		s += " close"
	}
	res.Header.Del("Date")
	for _, name := range slices.Sorted(maps.Keys(res.Header)) {
		s += " " + name + "=" + strings.Join(res.Header[name], ",")
	}
	if len(body) > 1000 {
		s += " #" + itoa(len(body))
	} else if body != "" {
		s += " " + quote(body)
	}
	for _, name := range slices.Sorted(maps.Keys(res.Trailer)) {
		s += " " + name + "=" + strings.Join(res.Trailer[name], ",")
	}
	return s
}

func TestHTTP1FullDuplex(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &Server{Handler: func(s Stream) {
			buf := make([]byte, 10)
			for {
				n, err := s.Read(buf)
				s.Write(buf[:n])
				if err != nil {
					return
				}
				s.Flush()
			}
		}}
		c, sc := net.Pipe()
		p := connect(t, s, c, sc)
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			must(t, err)
			if line == "\r\n" {
				break
			}
		}
		buf := make([]byte, 6)
		io.ReadFull(r, buf)
		if string(buf) != "1\r\na\r\n" {
			t.Errorf("%q", buf)
		}
		io.WriteString(c, "1\r\nb\r\n0\r\n\r\n")
		io.ReadFull(r, buf)
		if string(buf) != "1\r\nb\r\n" {
			t.Errorf("%q", buf)
		}
		c.Close()
		<-p.ended
	})
}

func TestHTTP1InformAndInline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &Server{Inline: func(s Stream) {
			var f hpack.Fields
			f.Add("link", "</a>")
			must(t, s.Inform(103, &f))
			s.Go(hello)
		}}
		c, sc := net.Pipe()
		p := connect(t, s, c, sc)
		go io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		b, err := io.ReadAll(c)
		must(t, err)
		if !strings.HasPrefix(string(b), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n") || strings.Count(string(b), "Link") != 1 {
			t.Errorf("%q", b)
		}
		<-p.ended
	})
}

func TestHTTP1Shutdown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &Server{Handler: func(s Stream) {
			time.Sleep(3 * time.Second)
			hello(s)
		}}
		c, sc := net.Pipe()
		p := connect(t, s, c, sc)
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		b, err := io.ReadAll(c)
		must(t, err)
		if !strings.HasSuffix(string(b), "hello\n") {
			t.Errorf("%q", b)
		}
		must(t, <-done)
		<-p.ended
	})
}
