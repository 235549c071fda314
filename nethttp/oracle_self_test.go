package nethttp_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestOraclePlanted proves that the comparison finds what it is for: each
// exchange has one thing that the second server does differently.
func TestOraclePlanted(t *testing.T) {
	type handle = func(n *notes, w http.ResponseWriter, r *http.Request)
	for _, p := range []struct {
		path   string // where the difference must be found
		a, b   handle
		script func(c *client)
	}{
		{path: "1.status", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(201)
			ok(n, w, r)
		}},
		{path: "1.field.x-a", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "")
			ok(n, w, r)
		}},
		{path: "1.field.x-b", a: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header()["X-B"] = []string{"1", "2"}
		}, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header()["X-B"] = []string{"2", "1"}
		}},
		{path: "1.field.date", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = nil
			ok(n, w, r)
		}},
		{path: "1.body", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) { io.WriteString(w, "OK\n") }},
		{path: "1.body", a: func(n *notes, w http.ResponseWriter, r *http.Request) { io.WriteString(w, pattern(1<<20)) },
			b: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, pattern(1<<20-1)+"x")
			}},
		{path: "1.trailer.x-t", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			ok(n, w, r)
			w.Header().Set(http.TrailerPrefix+"X-T", "1")
		}},
		{path: "1.interim.0.status", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(103)
			ok(n, w, r)
		}},
		{path: "1.reset", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }},
		{path: "1.end", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) { n.await("never") }},
		{path: "log", a: func(n *notes, w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
			b: func(n *notes, w http.ResponseWriter, r *http.Request) { panic("boom") }},
		{path: "goaway", a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			ok(n, w, r)
		}},
		{path: "closed", script: func(c *client) { c.get("/"); c.advance(10e9) }, a: ok, b: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			ok(n, w, r)
		}},
		{path: "handler.seen", a: func(n *notes, w http.ResponseWriter, r *http.Request) { n.err("seen", nil) },
			b: func(n *notes, w http.ResponseWriter, r *http.Request) { n.err("seen", io.EOF) }},
		{path: "client.first", script: func(c *client) {
			id := c.get("/")
			c.look(id, "first")
			c.release("go")
		}, a: func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			n.await("go")
		}, b: func(n *notes, w http.ResponseWriter, r *http.Request) { n.await("go") }},
		{path: "1.reset", script: func(c *client) {
			c.request("POST", "/", false)
			c.wait()
		}, a: func(n *notes, w http.ResponseWriter, r *http.Request) { io.ReadAll(r.Body) }, b: ok},
	} {
		t.Run(p.path, func(t *testing.T) {
			t.Parallel()
			x := exchange{name: "planted", script: p.script, handle: p.a}
			y := x
			y.handle = p.b
			found := differences(x.name, run(t, netHTTP, x), run(t, netHTTP, y))
			if !slices.ContainsFunc(found, func(d difference) bool { return d.path == p.path }) {
				t.Errorf("no difference at %s, but %v", p.path, found)
			}
		})
	}
}

// TestOraclePlantedRequest plants differences into what a handler is given,
// and one into HTTP/1.1.
func TestOraclePlantedRequest(t *testing.T) {
	// through runs the handler behind f.
	through := func(f func(r *http.Request)) server {
		return server{"planted", func(l net.Listener, h http.Handler, c config, lg *log.Logger) func() {
			return netHTTP.serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				f(r)
				h.ServeHTTP(w, r)
			}), c, lg)
		}}
	}
	for path, f := range map[string]func(r *http.Request){
		"method":           func(r *http.Request) { r.Method = "get" },
		"url":              func(r *http.Request) { r.URL.ForceQuery = true },
		"requestURI":       func(r *http.Request) { r.RequestURI = "" },
		"proto":            func(r *http.Request) { r.ProtoMinor = 7 },
		"host":             func(r *http.Request) { r.Host = "EXAMPLE.com" },
		"header":           func(r *http.Request) { r.Header["x"] = nil },
		"contentLength":    func(r *http.Request) { r.ContentLength = -1 },
		"transferEncoding": func(r *http.Request) { r.TransferEncoding = []string{"chunked"} },
		"trailer":          func(r *http.Request) { r.Trailer = http.Header{} },
		"remoteAddr":       func(r *http.Request) { r.RemoteAddr = strings.TrimSuffix(r.RemoteAddr, "0") },
		"rest":             func(r *http.Request) { r.Close = true },
	} {
		x := exchange{name: "planted", handle: ok}
		found := differences(x.name, run(t, netHTTP, x), run(t, through(f), x))
		if len(found) != 1 || found[0].path != "request 1.is."+path {
			t.Errorf("planted %s, found %v", path, found)
		}
		x.methods, x.script = []string{"GET"}, func(c *client) { c.raw("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"); c.wait() }
		found = differences(x.name, run(t, netHTTP, x), run(t, through(f), x))
		if len(found) != 1 || found[0].path != "request 1.is."+path {
			t.Errorf("HTTP/1.1: planted %s, found %v", path, found)
		}
	}
}

// TestOracleIntended proves that a listed difference must exist, exactly so.
func TestOracleIntended(t *testing.T) {
	x := exchange{name: "planted", handle: ok}
	a := run(t, netHTTP, x)
	x.handle = func(n *notes, w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }
	b := run(t, netHTTP, x)
	all := differences("planted", a, b)
	if got := faults("planted", a, b, all); len(got) != 0 {
		t.Errorf("listed differences are faults: %q", got)
	}
	if got := faults("planted", a, b, all[1:]); len(got) != 1 {
		t.Errorf("one unlisted difference: %q", got)
	}
	if got := faults("planted", a, a, all); len(got) != len(all) {
		t.Errorf("%d listed differences that are none: %q", len(all), got)
	}
	other := slices.Clone(all)
	other[0].here = "something else"
	if got := faults("planted", a, b, other); len(got) != 2 {
		t.Errorf("one difference is listed otherwise: %q", got)
	}
}
