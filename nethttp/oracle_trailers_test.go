package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// trailerRows: trailer sections of requests and responses.
func trailerRows() (rows []exchange) {
	// asked is a request with a trailer section.
	asked := func(name, declared string, trailers ...string) exchange {
		return exchange{name: name, handle: readAll, script: func(c *client) {
			var fields []string
			if declared != "" {
				fields = []string{"trailer", declared}
			}
			id := c.request("POST", "/", false, fields...)
			c.data(id, "hello", false)
			c.wait()
			c.trailers(id, trailers...)
		}}
	}
	type handle = func(n *notes, w http.ResponseWriter, r *http.Request)
	answered := func(name string, h handle) exchange { return exchange{name: name, handle: h} }
	// declared declares, writes and sets.
	declared := func(name, names, body string, set ...string) exchange {
		return answered(name, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", names)
			if body != "" {
				io.WriteString(w, body)
			} else {
				w.WriteHeader(200)
			}
			for i := 0; i < len(set); i += 2 {
				w.Header().Add(set[i], set[i+1])
			}
		})
	}
	rows = []exchange{
		asked("request trailers: declared (Request.Trailer)", "X-A, x-b", "x-a", "1", "x-b", "2"),
		asked("request trailers: not declared (Request.Trailer)", "", "x-a", "1"),
		asked("request trailers: one of two declared (Request.Trailer)", "x-a", "x-a", "1", "x-b", "2"),
		asked("request trailers: declared and missing (Request.Trailer)", "x-a, x-b", "x-a", "1"),
		asked("request trailers: several values (Request.Trailer)", "x-a", "x-a", "1", "x-a", "2"),
		asked("request trailers: declaration of prohibited fields (RFC 9110 6.5.1)", "Content-Length, Transfer-Encoding, Trailer, X-A", "x-a", "1"),
		asked("request trailers: prohibited field (RFC 9110 6.5.1)", "Host", "host", "evil.example"),
		asked("request trailers: prohibited field, not declared (RFC 9110 6.5.1)", "", "content-length", "3"),
		asked("request trailers: declaration of odd names (Request.Trailer)", "a b, , x-c", "x-c", "1"),
		asked("request trailers: cookie crumbs (RFC 9113 8.2.3)", "cookie", "cookie", "a=1", "cookie", "b=2"),
		asked("request trailers: authorization (RFC 9110 6.5.1)", "Authorization", "authorization", "Basic x"),
		{
			name: "request trailers: before the body was read (Request.Trailer)", handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.await("go")
				n.note("before", fields(r.Trailer))
				readAll(n, w, r)
			},
			script: func(c *client) {
				id := c.request("POST", "/", false, "trailer", "x-a")
				c.data(id, "hello", false)
				c.trailers(id, "x-a", "1")
				c.release("go")
			},
		},
		{
			name: "request trailers: no data at all (RFC 9113 8.1)", handle: readAll,
			script: func(c *client) {
				id := c.request("POST", "/", false, "trailer", "x-a")
				c.trailers(id, "x-a", "1")
			},
		},
		{
			name: "request trailers: after the content-length (RFC 9113 8.1)", handle: readAll,
			script: func(c *client) {
				id := c.request("POST", "/", false, "trailer", "x-a", "content-length", "5")
				c.data(id, "hello", false)
				c.trailers(id, "x-a", "1")
			},
		},
		{
			name: "request trailers: never read (Request.Trailer)", handle: ok,
			script: func(c *client) {
				id := c.request("POST", "/", false, "trailer", "x-a")
				c.look(id, "answered")
				c.trailers(id, "x-a", "1")
				c.get("/next")
			},
		},

		declared("trailers: declared and set (http.ResponseWriter)", "X-A, X-B", "body", "X-A", "1", "X-B", "2"),
		declared("trailers: declared in lower case (http.ResponseWriter)", "x-a", "body", "X-A", "1"),
		declared("trailers: declared and never set (http.ResponseWriter)", "X-A", "body"),
		declared("trailers: set and not declared (http.ResponseWriter)", "X-A", "body", "X-A", "1", "X-B", "2"),
		declared("trailers: no body (RFC 9113 8.1)", "X-A", "", "X-A", "1"),
		declared("trailers: several values (http.ResponseWriter)", "X-A", "body", "X-A", "1", "X-A", "2"),
		declared("trailers: empty value (http.ResponseWriter)", "X-A", "body", "X-A", ""),
		declared("trailers: invalid value (RFC 9113 8.2.1)", "X-A, X-B", "body", "X-A", "a\nb", "X-B", "2"),
		declared("trailers: declared names that are invalid (RFC 9113 8.2.1)", "X A, , X-B", "body", "X-B", "2"),
		declared("trailers: large body (http.ResponseWriter)", "X-A", pattern(100000), "X-A", "1"),
		declared("trailers: 127 KB of them (RFC 9113 6.10)", "X-A", "body", "X-A", strings.Repeat("v", 127<<10)),
		declared("trailers: many (http.ResponseWriter)", "X-1, X-2, X-3, X-4, X-5", "body", "X-5", "5", "X-1", "1", "X-3", "3"),
		answered("trailers: declared by several fields (http.ResponseWriter)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Trailer", "X-A")
			w.Header().Add("Trailer", "X-B, X-A")
			io.WriteString(w, "body")
			w.Header().Set("X-A", "1")
			w.Header().Set("X-B", "2")
		}),
		answered("trailers: declared field set before the body too (http.ResponseWriter)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			w.Header().Set("X-A", "early")
			io.WriteString(w, "body")
			w.Header().Set("X-A", "late")
		}),
		answered("trailers: declared after the headers (http.ResponseWriter)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			w.Header().Set("Trailer", "X-A")
			w.Header().Set("X-A", "1")
		}),
		answered("trailers: declared after WriteHeader, before it is sent (http.ResponseWriter)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.Header().Set("Trailer", "X-A")
			w.Header().Set("X-A", "1")
		}),
		answered("trailers: http.TrailerPrefix (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "body")
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
			w.Header().Add(http.TrailerPrefix+"x-b", "2")
			w.Header().Add(http.TrailerPrefix+"x-b", "3")
		}),
		answered("trailers: http.TrailerPrefix before the headers (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
			io.WriteString(w, "body")
		}),
		answered("trailers: http.TrailerPrefix and a flush (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "body")
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
		}),
		answered("trailers: http.TrailerPrefix, no body (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
		}),
		answered("trailers: http.TrailerPrefix, flushed headers, no body (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
		}),
		answered("trailers: http.TrailerPrefix and a declared one (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			io.WriteString(w, "body")
			w.Header().Set("X-A", "1")
			w.Header().Set(http.TrailerPrefix+"X-B", "2")
		}),
		answered("trailers: http.TrailerPrefix of a declared name (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			io.WriteString(w, "body")
			w.Header().Set("X-A", "1")
			w.Header().Set(http.TrailerPrefix+"X-A", "2")
		}),
		answered("trailers: http.TrailerPrefix of nothing (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "body")
			w.Header().Set(http.TrailerPrefix, "1")
		}),
		answered("trailers: http.TrailerPrefix of an invalid name (RFC 9113 8.2.1)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "body")
			w.Header()[http.TrailerPrefix+"X A"] = []string{"1"}
			w.Header()[http.TrailerPrefix+"X-B"] = []string{"a\nb", "good"}
		}),
		answered("trailers: http.TrailerPrefix with no values (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "body")
			w.Header()[http.TrailerPrefix+"X-A"] = nil
		}),
		answered("trailers: with content-length (RFC 9113 8.1)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "body")
			w.Header().Set("X-A", "1")
		}),
		answered("trailers: 204 (RFC 9110 15.3.5)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			w.WriteHeader(204)
			w.Header().Set("X-A", "1")
		}),
		answered("trailers: 304 and http.TrailerPrefix (RFC 9110 15.4.5)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(304)
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
		}),
		answered("trailers: trailers-only, as gRPC answers an error (RFC 9113 8.1)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Grpc-Status", "12")
			w.WriteHeader(200)
		}),
		answered("trailers: as gRPC answers (http.TrailerPrefix)", func(n *notes, w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["Date"] = nil
			h.Set("Content-Type", "application/grpc")
			h.Add("Trailer", "Grpc-Status")
			h.Add("Trailer", "Grpc-Message")
			h.Add("Trailer", "Grpc-Status-Details-Bin")
			w.WriteHeader(200)
			w.Write([]byte{0, 0, 0, 0, 0})
			w.(http.Flusher).Flush()
			h.Set("Grpc-Status", "0")
			h.Set(http.TrailerPrefix+"X-More", "1")
		}),
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Host", "Content-Type", "Authorization", "Set-Cookie", "Te", "Cache-Control", "Content-Encoding"} {
		rows = append(rows,
			declared(fmt.Sprintf("trailers: prohibited %s, declared (RFC 9110 6.5.1)", name), name+", X-A", "body", name, "4", "X-A", "1"),
			answered(fmt.Sprintf("trailers: prohibited %s by http.TrailerPrefix (RFC 9110 6.5.1)", name), func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "body")
				w.Header().Set(http.TrailerPrefix+name, "4")
				w.Header().Set(http.TrailerPrefix+"X-A", "1")
			}),
		)
	}
	return rows
}
