package peers

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
	"github.com/valyala/fasthttp"
)

// BenchmarkFasthttp is a stream handler over HTTP/2 beside fasthttp over HTTP/1.1.
func BenchmarkFasthttp(b *testing.B) {
	works := works()
	for _, secure := range []bool{false, true} {
		for i := range works {
			w := &works[i]
			all := shapes()
			if w.Answer > 1<<20 || w.Upload > 0 || w.Churn {
				all = [][2]int{{1, 1}}
			}
			for _, shape := range all {
				b.Run(fmt.Sprintf("%s/%s/%dx%d/%s", rig.Transport(secure), w.Name, shape[0], shape[1], fast(secure).Name), func(b *testing.B) {
					besideFast(b, secure, w, shape)
				})
			}
		}
	}
}

func besideFast(b *testing.B, secure bool, w *rig.Work, shape [2]int) {
	o := rig.Options{Secure: secure, Conns: shape[0], Streams: shape[1]}
	beside(b, w, o, rig.Streams(secure), fast(secure), true)
}

func works() []rig.Work {
	all := []rig.Work{rig.Hello, rig.Churn}
	for _, w := range append(rig.Small, rig.Large...) {
		if !w.Echo && !w.Slow && w.Name != rig.Hello.Name {
			all = append(all, w)
		}
	}
	return all
}

func fast(secure bool) rig.Server {
	s := &fasthttp.Server{
		Handler: answer, TLSConfig: rig.TLSConfig(),
		MaxRequestBodySize: 8 << 20, StreamRequestBody: true, ReadBufferSize: 16 << 10,
	}
	serve := s.Serve
	if secure {
		serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
	}
	return rig.Server{Name: "fasthttp-HTTP/1.1", Serve: serve, Close: s.Shutdown}
}

// answer is the routes of package rig.
func answer(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/plain")
	path := string(ctx.Path())
	if count, ok := strings.CutPrefix(path, "/bytes/"); ok {
		n, _ := strconv.Atoi(count)
		ctx.SetBodyStream(&source{n}, n)
		return
	}
	switch path {
	case "/sink":
		got, buf := 0, make([]byte, 16<<10)
		for {
			k, err := ctx.RequestBodyStream().Read(buf)
			if got += k; err != nil {
				break
			}
		}
		ctx.WriteString(strconv.Itoa(got))
	default:
		ctx.WriteString(rig.HelloText)
	}
}

// source has zeros to be read.
type source struct{ left int }

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := min(s.left, len(p))
	clear(p[:n])
	s.left -= n
	return n, nil
}

// TestFasthttp: every work is done.
func TestFasthttp(t *testing.T) {
	for _, secure := range []bool{false, true} {
		addr := fast(secure).Start(t)
		for _, w := range works() {
			t.Run(rig.Transport(secure)+"/"+w.Name, func(t *testing.T) { answered(t, addr, &w, secure, true) })
		}
	}
}
