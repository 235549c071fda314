package programs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/nonet-h2/nonet/interop/host"
)

// TestOpenTelemetry: otelhttp's middleware makes a span of each request, with
// what it can know about it.
func TestOpenTelemetry(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		spans := tracetest.NewInMemoryExporter()
		provider := trace.NewTracerProvider(trace.WithSyncer(spans))
		defer provider.Shutdown(context.Background())
		var running handlers
		r := host.Start(t, k, overTLS, running.count(otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !oteltrace.SpanFromContext(r.Context()).SpanContext().IsValid() {
				t.Error("the handler's context has no span")
			}
			n, _ := io.Copy(io.Discard, r.Body)
			w.Header().Set(http.TrailerPrefix+"Octets", fmt.Sprint(n))
			if r.URL.Path == "/fail" {
				w.WriteHeader(http.StatusInternalServerError)
			}
			io.WriteString(w, "first ")
			w.(http.Flusher).Flush()
			io.WriteString(w, "second")
		}), "test", otelhttp.WithTracerProvider(provider), otelhttp.WithPropagators(propagation.TraceContext{}))))

		for _, proto := range host.Protocols {
			c := &client{t: t, r: r, proto: proto, Client: r.Client(t, proto)}
			for _, path := range []string{"/ok", "/fail"} {
				spans.Reset()
				a := c.do("POST", path, "content", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
				status := map[string]int{"/ok": 200, "/fail": 500}[path]
				c.want(a, status, "first second")
				if got := a.Trailer.Get("Octets"); got != "7" {
					t.Errorf("%s %s: trailer %q, want 7", proto, path, got)
				}
				running.Wait() // the span ends after the response
				if n := len(spans.GetSpans()); n != 1 {
					t.Fatalf("%s %s: %d spans", proto, path, n)
				}
				span := spans.GetSpans()[0]
				if got := span.SpanContext.TraceID().String(); got != "0af7651916cd43dd8448eb211c80319c" || span.Parent.SpanID().String() != "b7ad6b7169203331" {
					t.Errorf("%s %s: trace %s, parent %s", proto, path, got, span.Parent.SpanID())
				}
				attributes := map[string]string{}
				for _, a := range span.Attributes {
					attributes[string(a.Key)] = a.Value.String()
				}
				for name, want := range map[string]string{
					"http.request.method":       "POST",
					"http.response.status_code": fmt.Sprint(status),
					"http.request.body.size":    "7",
					"http.response.body.size":   "12",
					"url.path":                  path,
					"network.peer.address":      "127.0.0.1",
					"network.protocol.version":  strings.TrimSuffix(strings.TrimPrefix(proto, "HTTP/"), ".0"),
				} {
					if attributes[name] != want && !(name == "network.protocol.version" && attributes[name] == want+".0") {
						t.Errorf("%s %s: attribute %s is %q, want %q", proto, path, name, attributes[name], want)
					}
				}
				if failed := span.Status.Code == codes.Error; failed != (status == 500) {
					t.Errorf("%s %s: the span's status is %v", proto, path, span.Status)
				}
			}
		}
	})
}

// handlers are the requests that are being handled.
type handlers struct{ sync.WaitGroup }

func (h *handlers) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Add(1)
		defer h.Done()
		next.ServeHTTP(w, r)
	})
}

// TestPrometheus: promhttp's middlewares count requests, and the counts are
// served by promhttp on the same server.
func TestPrometheus(t *testing.T) {
	each(t, func(*testing.T) http.Handler {
		registry := prometheus.NewRegistry()
		count := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests", Help: "."}, []string{"code", "method"})
		seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "seconds", Help: "."}, []string{"code"})
		octets := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "octets", Help: "."}, nil)
		running := prometheus.NewGauge(prometheus.GaugeOpts{Name: "running", Help: "."})
		registry.MustRegister(count, seconds, octets, running)
		var counted handlers
		mux := http.NewServeMux()
		metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
		mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
			counted.Wait() // the middlewares count after the response
			metrics.ServeHTTP(w, r)
		})
		mux.Handle("/", counted.count(promhttp.InstrumentHandlerInFlight(running, promhttp.InstrumentHandlerDuration(seconds,
			promhttp.InstrumentHandlerCounter(count, promhttp.InstrumentHandlerResponseSize(octets,
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == "DELETE" {
						w.WriteHeader(http.StatusNoContent)
						return
					}
					io.WriteString(w, "first ")
					w.(http.Flusher).Flush()
					io.Copy(w, io.MultiReader(strings.NewReader("second")))
				})))))))
		return mux
	}, func(t *testing.T, c *client) {
		for range 5 {
			c.want(c.get("/"), 200, "first second")
		}
		c.want(c.do("DELETE", "/", ""), 204, "")
		n := 5
		if c.proto == "HTTP/1.1" {
			n = 10 // the same server's second client
		}
		a := c.get("/metrics")
		for _, line := range []string{
			fmt.Sprintf(`requests{code="200",method="get"} %d`, n),
			fmt.Sprintf(`requests{code="204",method="delete"} %d`, n/5),
			fmt.Sprintf(`octets_sum %d`, 12*n),
			fmt.Sprintf(`seconds_count{code="200"} %d`, n),
			`running 0`,
		} {
			if !strings.Contains("\n"+a.body, "\n"+line+"\n") {
				t.Errorf("no line %s in\n%s", line, a.body)
			}
		}
	})
}
