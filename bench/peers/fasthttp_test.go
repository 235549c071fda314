package peers

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
	"github.com/valyala/fasthttp"
)

// BenchmarkFasthttp is a stream handler over HTTP/2 beside fasthttp over HTTP/1.1.
func BenchmarkFasthttp(b *testing.B) {
	works := works()
	for i := range works {
		w := &works[i]
		for _, shape := range shapes() {
			if w.Answer > 1<<20 || w.Upload > 0 || w.Churn {
				shape = [2]int{1, 1}
			}
			b.Run(fmt.Sprintf("%s/%dx%d/%s", w.Name, shape[0], shape[1], fast().Name), func(b *testing.B) { beside(b, w, shape, rig.Streams(false), fast(), true) })
			if shape == [2]int{1, 1} && w.Name != rig.Hello.Name {
				break
			}
		}
	}
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

func fast() rig.Server {
	s := &fasthttp.Server{Handler: answer, MaxRequestBodySize: 8 << 20, StreamRequestBody: true, ReadBufferSize: 16 << 10}
	return rig.Server{Name: "fasthttp-HTTP/1.1", Serve: s.Serve, Close: s.Shutdown}
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
	addr := fast().Start(t)
	for _, w := range works() {
		t.Run(w.Name, func(t *testing.T) { answered(t, addr, &w, true) })
	}
}
