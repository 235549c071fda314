package nethttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing/fstest"
	"time"

	"golang.org/x/net/http2"
)

// files is what file servers of the table serve.
var files = fstest.MapFS{
	"index.html":   {Data: []byte("<h1>index</h1>"), ModTime: modified},
	"a.txt":        {Data: []byte("0123456789"), ModTime: modified},
	"dir/b.json":   {Data: []byte(`{"b":1}`), ModTime: modified},
	"large.bin":    {Data: []byte(pattern(200000)), ModTime: modified},
	"no-extension": {Data: []byte("<?xml version='1'?>"), ModTime: modified},
}

var modified = time.Date(1999, 5, 1, 12, 0, 0, 0, time.UTC)

// middlewareRows: net/http's own handlers, and those that wrap a
// ResponseWriter.
func middlewareRows() (rows []exchange) {
	// file is a request to a file server.
	file := func(name, path string, fields ...string) exchange {
		return exchange{
			name:    "file server: " + name + " (http.FileServerFS)",
			handler: func(*notes) http.Handler { return http.FileServerFS(files) },
			script:  func(c *client) { c.get(path, fields...) },
		}
	}
	rows = []exchange{
		file("text", "/a.txt"),
		file("index", "/"),
		file("redirect of index.html", "/index.html"),
		file("directory without slash", "/dir"),
		file("listing", "/dir/"),
		file("missing", "/none"),
		file("large", "/large.bin"),
		file("sniffed", "/no-extension"),
		file("range", "/a.txt", "range", "bytes=2-5"),
		file("range from the end", "/a.txt", "range", "bytes=-3"),
		file("two ranges that cover more than the file", "/a.txt", "range", "bytes=0-8,1-9"),
		file("range that can't be", "/a.txt", "range", "bytes=20-"),
		file("range of a large file", "/large.bin", "range", "bytes=100000-150000"),
		file("if-range", "/a.txt", "range", "bytes=0-1", "if-range", "Sat, 01 May 1999 12:00:00 GMT"),
		file("if-modified-since", "/a.txt", "if-modified-since", "Sat, 01 May 1999 12:00:00 GMT"),
		file("if-unmodified-since", "/a.txt", "if-unmodified-since", "Sat, 01 May 1998 12:00:00 GMT"),
		file("dots", "/../a.txt"),
		{
			name:    "file server: HEAD (http.FileServerFS)",
			handler: func(*notes) http.Handler { return http.FileServerFS(files) },
			script:  func(c *client) { c.request("HEAD", "/large.bin", true); c.wait() },
		},
		{
			name:    "file server: under http.StripPrefix (http.StripPrefix)",
			handler: func(*notes) http.Handler { return http.StripPrefix("/static/", http.FileServerFS(files)) },
			script:  func(c *client) { c.get("/static/a.txt"); c.get("/a.txt") },
		},
		{
			name:   "http.ServeContent: etag (http.ServeContent)",
			script: func(c *client) { c.get("/", "if-none-match", `"v1"`); c.get("/", "range", "bytes=1-2") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"v1"`)
				http.ServeContent(w, r, "x.css", modified, strings.NewReader("body {}"))
			},
		},
		{
			name: "http.Redirect (http.Redirect)", script: func(c *client) { c.get("/a/b"); c.request("PUT", "/a/b", true); c.wait() },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "../c?d=1", http.StatusFound)
			},
		},
		{
			name: "http.Error after fields were set (http.Error)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "1000")
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Set("ETag", "x")
				http.Error(w, "wrong", 500)
			},
		},
		{name: "http.NotFound (http.NotFound)", handle: func(n *notes, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }},
		{
			name: "http.SetCookie (http.SetCookie)", script: func(c *client) { c.get("/", "cookie", "a=1", "cookie", `b="2"`) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				for _, cookie := range r.Cookies() {
					n.note("cookie", cookie.Name+" "+cookie.Value)
				}
				http.SetCookie(w, &http.Cookie{Name: "s", Value: "a b", Path: "/", HttpOnly: true})
				http.SetCookie(w, &http.Cookie{Name: "t", Value: "2", Expires: modified})
			},
		},
		{
			name: "mux: patterns, PathValue, methods (http.ServeMux)",
			script: func(c *client) {
				for _, p := range []string{"/items/7", "/items/a%2Fb", "/files/x/y/z", "/exact", "/exact/", "/items/", "//items/7", "/a/../exact", "/none"} {
					c.get(p)
				}
				for _, m := range []string{"POST", "DELETE", "HEAD"} {
					c.request(m, "/items/7", true)
					c.wait()
				}
			},
			handler: func(n *notes) http.Handler {
				mux := http.NewServeMux()
				mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("id"), r.Pattern) })
				mux.HandleFunc("POST /items/{id}", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201) })
				mux.HandleFunc("/files/{rest...}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("rest")) })
				mux.HandleFunc("/exact", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "exact") })
				mux.HandleFunc("/tree/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "tree") })
				return mux
			},
		},
		{
			name: "mux: host patterns and CONNECT (http.ServeMux)",
			script: func(c *client) {
				c.get("/")
				c.headers(true, ":method", "GET", ":scheme", "http", ":authority", "Other.example:8080", ":path", "/")
				c.wait()
				c.headers(true, ":method", "CONNECT", ":authority", "example.com:1")
				c.wait()
				c.headers(true, ":method", "OPTIONS", ":scheme", "http", ":authority", "example.com", ":path", "*")
				c.wait()
			},
			handler: func(n *notes) http.Handler {
				mux := http.NewServeMux()
				mux.HandleFunc("example.com/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "example") })
				mux.HandleFunc("other.example/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "other") })
				mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "any") })
				return mux
			},
		},
		{
			name: "http.TimeoutHandler: in time (http.TimeoutHandler)",
			handler: func(n *notes) http.Handler {
				return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-A", "1")
					w.WriteHeader(202)
					io.WriteString(w, "in time")
				}), time.Second, "late")
			},
		},
		{
			name: "http.TimeoutHandler: late (http.TimeoutHandler)", script: func(c *client) { c.get("/"); c.advance(3 * time.Second); c.release("go") },
			handler: func(n *notes) http.Handler {
				return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					n.await("go")
					n.err("context", r.Context().Err())
					_, err := io.WriteString(w, "x")
					n.err("write", err)
				}), time.Second, "late")
			},
		},
		{
			name: "http.TimeoutHandler: the client resets (http.TimeoutHandler)", script: func(c *client) { id := c.get("/"); c.reset(id, http2.ErrCodeCancel) },
			handler: func(n *notes) http.Handler {
				return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					n.err("context", r.Context().Err())
				}), time.Second, "late")
			},
		},
		{
			name: "http.TimeoutHandler: panic (http.TimeoutHandler)",
			handler: func(n *notes) http.Handler {
				return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic("boom") }), time.Second, "late")
			},
		},
		{
			name: "http.MaxBytesHandler (http.MaxBytesHandler)", script: func(c *client) { c.post("/", "short"); c.post("/", "much too long") },
			handler: func(n *notes) http.Handler {
				return http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { readAll(n, w, r) }), 8)
			},
		},
		{
			name: "http.AllowQuerySemicolons (http.AllowQuerySemicolons)", script: func(c *client) { c.get("/?a=1;b=2") },
			handler: func(n *notes) http.Handler {
				return http.AllowQuerySemicolons(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					fmt.Fprint(w, r.FormValue("a"), r.FormValue("b"))
				}))
			},
		},
		{
			name: "query with semicolons, not allowed (http.AllowQuerySemicolons)", script: func(c *client) { c.get("/?a=1;b=2") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.err("parse", r.ParseForm())
				fmt.Fprint(w, r.Form)
			},
		},
		{
			name: "http.CrossOriginProtection (http.CrossOriginProtection)",
			script: func(c *client) {
				for _, fields := range [][]string{
					{"sec-fetch-site", "cross-site"}, {"sec-fetch-site", "same-origin"},
					{"origin", "http://evil.example"}, {"origin", "http://example.com"},
				} {
					c.request("POST", "/", true, fields...)
					c.wait()
				}
				c.get("/", "sec-fetch-site", "cross-site")
			},
			handler: func(n *notes) http.Handler {
				return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "passed") }))
			},
		},
		{
			name: "basic authentication (Request.BasicAuth)", script: func(c *client) { c.get("/", "authorization", "Basic dTpw") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				u, p, set := r.BasicAuth()
				fmt.Fprint(w, u, p, set)
			},
		},
	}
	return append(rows, proxyRows()...)
}

// proxyRows: httputil.ReverseProxy in front of an HTTP/1.1 backend.
func proxyRows() (rows []exchange) {
	proxied := func(name string, script func(c *client), backend func(n *notes, w http.ResponseWriter, r *http.Request)) exchange {
		return exchange{
			name: "reverse proxy: " + name + " (httputil.ReverseProxy)", script: script,
			handler: func(n *notes) http.Handler {
				l := &listener{accepted: make(chan net.Conn), closed: make(chan struct{})}
				s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					n.note("backend request", r.Proto+" "+r.Method+" "+r.RequestURI+" "+r.Host+" "+fields(r.Header))
					backend(n, w, r)
				})}
				go s.Serve(l)
				go func() {
					n.await("the end")
					s.Close()
				}()
				return &httputil.ReverseProxy{
					ErrorLog: log.New(n, "", 0),
					Rewrite: func(pr *httputil.ProxyRequest) {
						pr.SetURL(&url.URL{Scheme: "http", Host: "backend.example"})
						pr.SetXForwarded()
					},
					Transport: &http.Transport{
						DisableKeepAlives: true,
						DialContext: func(context.Context, string, string) (net.Conn, error) {
							cc, sc := net.Pipe()
							select {
							case l.accepted <- sc:
								return cc, nil
							case <-l.closed:
								return nil, net.ErrClosed
							}
						},
					},
				}
			},
		}
	}
	type handle = func(n *notes, w http.ResponseWriter, r *http.Request)
	answer := func(f func(w http.ResponseWriter)) handle {
		return func(n *notes, w http.ResponseWriter, r *http.Request) { f(w) }
	}
	return []exchange{
		proxied("GET", nil, ok),
		proxied("fields in both directions", func(c *client) { c.get("/p?q=1", "cookie", "a=1", "cookie", "b=2", "te", "trailers", "x-a", "1") },
			answer(func(w http.ResponseWriter) {
				w.Header().Add("Set-Cookie", "a=1")
				w.Header().Add("Set-Cookie", "b=2")
				w.WriteHeader(404)
			})),
		proxied("POST of 100 000 octets, echoed", func(c *client) { c.post("/", pattern(100000)) }, func(n *notes, w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			n.wrote("backend read", len(b), err)
			w.Write(b)
		}),
		proxied("trailers of the response", nil, answer(func(w http.ResponseWriter) {
			w.Header().Set("Trailer", "X-T")
			io.WriteString(w, "body")
			w.Header().Set("X-T", "1")
		})),
		proxied("trailers that were not declared", nil, answer(func(w http.ResponseWriter) {
			io.WriteString(w, pattern(10000))
			w.Header().Set(http.TrailerPrefix+"X-T", "1")
		})),
		proxied("103 crosses", nil, answer(func(w http.ResponseWriter) {
			w.Header().Set("Link", "</a.css>")
			w.WriteHeader(103)
			io.WriteString(w, "x")
		})),
		proxied("HEAD", func(c *client) { c.request("HEAD", "/", true); c.wait() }, answer(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "500")
		})),
		proxied("backend cuts its response short", nil, answer(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "500")
			io.WriteString(w, "some")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})),
		proxied("backend closes without an answer", nil, answer(func(w http.ResponseWriter) { panic(http.ErrAbortHandler) })),
		proxied("flush of an event stream", func(c *client) {
			id := c.get("/")
			c.look(id, "first")
			c.release("go")
		}, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: 1\n\n")
			w.(http.Flusher).Flush()
			n.await("go")
			io.WriteString(w, "data: 2\n\n")
		}),
		proxied("the client resets", func(c *client) {
			id := c.get("/")
			c.reset(id, http2.ErrCodeCancel)
		}, func(n *notes, w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			n.err("backend context", r.Context().Err())
		}),
	}
}
