package nethttp_test

import (
	"net/http"
	"runtime"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// net/http's Transport as oracle: each trip is a request to a scripted HTTP/2
// server, made by net/http's Transport and by this package's with the same
// settings, with virtual time and connections in memory. What the server got
// and what the client returned must be the same. What differs on purpose stands
// in transport_intended_test.go, each with its reason.

// trips is every row.
func trips() []trip {
	return slices.Concat(tripRequests(), tripFields(), tripErrors(), tripBodies(), tripResponses(), tripEnds(), tripTraces(), tripTLS(), tripProxies(), tripDials(), tripUpgrades(), tripKept())
}

func TestTransportOracle(t *testing.T) {
	for _, x := range trips() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, b := runTrip(t, netHTTPTripper, x), runTrip(t, nonetTripper, x)
			list := faults(x.name, a, b, intendedTrips())
			for _, f := range list {
				t.Error(f)
			}
			if list != nil {
				t.Logf("%s, the list was made with %s; -net/http +here:\n%s", runtime.Version(), listedWith, gocmp.Diff(a, b))
			}
		})
	}
}

// TestTransportOracleTable keeps the table what it says it is.
func TestTransportOracleTable(t *testing.T) {
	names := make(map[string]bool)
	for _, x := range trips() {
		if names[x.name] {
			t.Errorf("two trips are named %q", x.name)
		}
		names[x.name] = true
	}
	t.Logf("%s: %d trips, %d intended differences", runtime.Version(), len(names), len(intendedTrips()))
	if len(names) < 100 {
		t.Errorf("%d trips", len(names))
	}
	for _, d := range intendedTrips() {
		if !names[d.exchange] {
			t.Errorf("intended difference of %q, which is no trip", d.exchange)
		}
	}
}

// TestTransportOracleAlone runs net/http against itself: what isn't the same each time
// can't be compared.
func TestTransportOracleAlone(t *testing.T) {
	for _, x := range trips() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, b := runTrip(t, netHTTPTripper, x), runTrip(t, netHTTPTripper, x)
			if diff := gocmp.Diff(a, b); diff != "" {
				t.Errorf("net/http differs from itself (-first +second):\n%s", diff)
			}
		})
	}
}

// TestTransportOraclePlanted proves that the comparison finds what it is for: a
// round tripper changes one thing, and the difference is found there.
func TestTransportOraclePlanted(t *testing.T) {
	for path, plant := range map[string]func(r *http.Request) func(*http.Response){
		"1.field.x-planted": func(r *http.Request) func(*http.Response) { r.Header.Set("X-Planted", "1"); return nil },
		"1.field.:method":   func(r *http.Request) func(*http.Response) { r.Method = "PUT"; return nil },
		"status":            func(*http.Request) func(*http.Response) { return func(r *http.Response) { r.Status = "200 ok" } },
		"header.X-Planted": func(*http.Request) func(*http.Response) {
			return func(r *http.Response) { r.Header.Set("X-Planted", "1") }
		},
		"contentLength": func(*http.Request) func(*http.Response) { return func(r *http.Response) { r.ContentLength++ } },
		"body": func(*http.Request) func(*http.Response) {
			return func(r *http.Response) { r.Body.Read(make([]byte, 1)) }
		},
		"trailer.X-Planted": func(*http.Request) func(*http.Response) {
			return func(r *http.Response) { r.Trailer = http.Header{"X-Planted": nil} }
		},
		"1.reset": func(*http.Request) func(*http.Response) { return func(r *http.Response) { r.Body.Close() } },
		"error":   func(r *http.Request) func(*http.Response) { r.Header = nil; return nil },
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			x := trip{name: "planted"}
			if path == "1.reset" {
				x.serve = func(o *origin) {
					o.hello()
					o.headers(o.whole(), false, ":status", "200")
				}
				x.act = func(n *tripNotes, rt http.RoundTripper) {
					res, err := rt.RoundTrip(newGet("http://example.com/"))
					n.response("", nil, res, err)
				}
			}
			planted := tripper{"planted", func(base *http.Transport) http.RoundTripper {
				return planter{base, plant}
			}}
			found := differences(x.name, runTrip(t, netHTTPTripper, x), runTrip(t, planted, x))
			if !slices.ContainsFunc(found, func(d difference) bool { return d.path == path }) {
				t.Errorf("no difference at %s, but %v", path, found)
			}
		})
	}
}

type planter struct {
	*http.Transport
	plant func(*http.Request) func(*http.Response)
}

func (p planter) RoundTrip(r *http.Request) (*http.Response, error) {
	after := p.plant(r)
	res, err := p.Transport.RoundTrip(r)
	if err == nil && after != nil {
		after(res)
	}
	return res, err
}
