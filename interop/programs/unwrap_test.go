package programs

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/interop/host"
	"github.com/nonet-h2/nonet/nethttp"
)

// wrapped is a handler inside of the middlewares of chi, OpenTelemetry and
// Prometheus, each with a http.ResponseWriter of its own.
func wrapped(h http.HandlerFunc) http.Handler {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests", Help: "."}, []string{"code"})
	logs := middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0)})
	return logs(otelhttp.NewHandler(promhttp.InstrumentHandlerCounter(count, h), "test",
		otelhttp.WithTracerProvider(trace.NewTracerProvider())))
}

// TestUnwrap: the functions of package nethttp find their response inside of
// other people's middlewares.
func TestUnwrap(t *testing.T) {
	ended := make(chan error, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		if !nethttp.SupportsTrailers(w) {
			t.Errorf("%s: SupportsTrailers is false", r.Proto)
		}
		if err := nethttp.DeclareTrailer(w, "Declared"); err != nil {
			t.Errorf("%s: DeclareTrailer: %v", r.Proto, err)
		}
		io.WriteString(w, "content")
		if err := nethttp.AppendTrailer(w, "Declared", "a", "b"); err != nil {
			t.Errorf("%s: AppendTrailer: %v", r.Proto, err)
		}
		if err := nethttp.AppendTrailer(w, "Content-Length", "7"); err == nil {
			t.Errorf("%s: AppendTrailer took Content-Length", r.Proto)
		}
	})
	mux.HandleFunc("/reset", func(w http.ResponseWriter, r *http.Request) {
		err := nethttp.Reset(w, 1111)
		if r.ProtoMajor == 1 {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("Reset in HTTP/1.1: %v, want errors.ErrUnsupported", err)
			}
			return
		}
		if err != nil {
			t.Errorf("Reset: %v", err)
		}
		ended <- context.Cause(r.Context())
	})
	each(t, always(wrapped(mux.ServeHTTP)), func(t *testing.T, c *client) {
		if c.r.Kind == host.NetHTTP {
			t.Skip("net/http has no such functions")
		}
		a := c.get("/trailers", "Te: trailers")
		c.want(a, 200, "content")
		if got := strings.Join(a.Trailer["Declared"], " "); got != "a b" {
			t.Errorf("trailer %q, want a and b", got)
		}
		if c.proto == "HTTP/1.1" {
			c.want(c.get("/reset"), 200, "")
			return
		}
		_, err := c.Get(c.r.URL + "/reset")
		var se http2.StreamError
		if !errors.As(err, &se) || se.Code != 1111 {
			t.Errorf("GET /reset: %v, want a reset with 1111", err)
		}
		var re *nonet.ResetError
		if err := <-ended; !errors.As(err, &re) || re.Code != frame.ErrCode(1111) {
			t.Errorf("the cause of the context is %v", err)
		}
	})
}
