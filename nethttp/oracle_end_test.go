package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/net/http2"
)

func storeIn(m map[string]int) { m["x"] = 1 }

// endRows: how exchanges end otherwise: panics, early returns, resets, and
// handlers that keep what they were given.
func endRows() (rows []exchange) {
	type handle = func(n *notes, w http.ResponseWriter, r *http.Request)
	for _, p := range []struct {
		name string
		do   func()
	}{
		{"a string", func() { panic("boom") }},
		{"an error", func() { panic(errors.New("boom")) }},
		{"nil map", func() { storeIn(nil) }},
		{"index out of range", func() { var s []int; _ = s[len(s)] }},
		{"http.ErrAbortHandler", func() { panic(http.ErrAbortHandler) }},
		{"wrapped http.ErrAbortHandler", func() { panic(fmt.Errorf("so: %w", http.ErrAbortHandler)) }},
		{"nil", func() { panic(nil) }},
		{"several lines", func() { panic("one\ntwo") }},
	} {
		for _, at := range []struct {
			name   string
			before func(w http.ResponseWriter)
		}{
			{"before headers", func(w http.ResponseWriter) {}},
			{"after a small write", func(w http.ResponseWriter) { io.WriteString(w, "partial") }},
			{"after a flush", func(w http.ResponseWriter) {
				io.WriteString(w, "partial")
				w.(http.Flusher).Flush()
			}},
		} {
			rows = append(rows, exchange{
				name:   fmt.Sprintf("panic: %s, %s (http.Handler)", p.name, at.name),
				script: func(c *client) { c.get("/"); c.get("/next") },
				handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/next" {
						io.WriteString(w, "alive")
						return
					}
					at.before(w)
					p.do()
				},
			})
		}
	}
	panics := func(name string, script func(c *client), h handle) exchange {
		return exchange{name: "panic: " + name + " (http.Handler)", script: script, handle: h}
	}
	stuck := func(c *client) {
		c.request("POST", "/", false)
		c.wait()
	}
	reset := func(name string, code http2.ErrCode, before func(c *client) uint32, h handle) exchange {
		return exchange{name: name, handle: h, script: func(c *client) {
			id := before(c)
			c.reset(id, code)
			c.release("go")
			c.get("/next")
		}}
	}
	// done notes how a request ended, and serves /next.
	done := func(h handle) handle {
		return func(n *notes, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/next" {
				io.WriteString(w, "alive")
				return
			}
			h(n, w, r)
		}
	}
	get := func(c *client) uint32 { return c.get("/") }
	post := func(c *client) uint32 {
		id := c.request("POST", "/", false)
		c.data(id, "abc", false)
		c.wait()
		return id
	}
	return append(rows,
		panics("after WriteHeader", nil, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			panic("late")
		}),
		panics("with the request body open", stuck, func(n *notes, w http.ResponseWriter, r *http.Request) { panic("boom") }),
		panics("http.ErrAbortHandler with the request body open", stuck, func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}),
		panics("after a whole response with content-length", nil, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "2")
			io.WriteString(w, "ok")
			w.(http.Flusher).Flush()
			panic("late")
		}),
		panics("after an interim response", nil, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(103)
			panic("boom")
		}),
		panics("with trailers set", nil, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			io.WriteString(w, "x")
			w.Header().Set("X-A", "1")
			panic("boom")
		}),
		panics("recovered by the handler", nil, func(n *notes, w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					http.Error(w, "recovered", 500)
				}
			}()
			panic("boom")
		}),
		panics("in a deferred call after a write", nil, func(n *notes, w http.ResponseWriter, r *http.Request) {
			defer panic("deferred")
			io.WriteString(w, "x")
		}),

		exchange{
			name: "early return: nothing written, body coming (RFC 9113 8.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "content-length", "100")
				c.look(id, "answered")
				c.data(id, pattern(100), true)
				c.look(id, "late data")
				c.get("/next")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {},
		},
		exchange{
			name: "early return: 413 with content-length (RFC 9113 8.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.look(id, "answered")
				c.data(id, pattern(50000), false)
				c.look(id, "late data")
				c.reset(id, http2.ErrCodeNo)
				c.get("/next")
			},
			handle: done(func(n *notes, w http.ResponseWriter, r *http.Request) {
				http.Error(w, "large", http.StatusRequestEntityTooLarge)
			}),
		},
		exchange{
			name: "early return: less than content-length, body coming (RFC 9113 8.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.look(id, "answered")
				c.get("/next")
			},
			handle: done(func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "10")
				io.WriteString(w, "less")
			}),
		},
		exchange{
			name: "early return: while another request runs (http.Handler)",
			script: func(c *client) {
				slow := c.request("GET", "/slow", true)
				c.wait()
				c.get("/next")
				c.look(slow, "not answered")
				c.release("go")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					n.await("go")
				}
				io.WriteString(w, r.URL.Path)
			},
		},

		reset("reset by the client: context (Request.Context)", http2.ErrCodeCancel, get, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			n.err("context", r.Context().Err())
			n.note("cause", context.Cause(r.Context()))
			// What programs ask of an error before they log it.
			n.note("cause is context.Canceled", errors.Is(context.Cause(r.Context()), context.Canceled))
		})),
		reset("reset by the client: read (Request.Body)", http2.ErrCodeInternal, post, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			n.note("text", err)
			var se http2.StreamError
			n.note("http2.StreamError", errors.As(err, &se))
			_, err = r.Body.Read(make([]byte, 1))
			n.note("again", err)
		})),
		reset("reset by the client: read of what was buffered (Request.Body)", http2.ErrCodeCancel, post, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			n.await("go")
			b, err := io.ReadAll(r.Body)
			n.note("read", fmt.Sprintf("%q %v", b, err))
		})),
		reset("reset by the client: invented code (Request.Body)", 0x1234, post, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			n.note("text", err)
		})),
		reset("reset by the client: write (http.ResponseWriter.Write)", http2.ErrCodeCancel, get, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			_, err := io.WriteString(w, strings.Repeat("x", 100000))
			n.note("write", err)
			n.note("flush", http.NewResponseController(w).Flush())
		})),
		reset("reset by the client: small write and return (http.ResponseWriter.Write)", http2.ErrCodeCancel, get, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			_, err := io.WriteString(w, "x")
			n.note("write", err)
		})),
		reset("reset by the client: 1xx and headers after it (http.ResponseWriter.WriteHeader)", http2.ErrCodeCancel, get, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			n.try("103", func() { w.WriteHeader(103) })
			n.try("200", func() { w.WriteHeader(200) })
		})),
		reset("reset by the client: panic after it (http.Handler)", http2.ErrCodeCancel, get, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			panic("boom")
		})),
		reset("reset by the client: NO_ERROR (Request.Body)", http2.ErrCodeNo, post, done(func(n *notes, w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			n.note("text", err)
		})),
		exchange{
			name:     "reset by the client: a write waits for the window (http.ResponseWriter.Write)",
			settings: []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 100}},
			script:   func(c *client) { id := c.get("/"); c.reset(id, http2.ErrCodeCancel) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				_, err := io.WriteString(w, strings.Repeat("x", 1<<20))
				n.note("write", err)
				n.err("context", r.Context().Err())
			},
		},
		exchange{
			name:   "connection gone: context, read and write (Request.Context)",
			script: func(c *client) { post(c); c.close(); c.wait() },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				_, err := io.ReadAll(r.Body)
				n.note("read fails", err != nil && err != io.EOF)
				<-r.Context().Done()
				n.err("context", r.Context().Err())
				_, err = io.WriteString(w, strings.Repeat("x", 1<<20))
				n.note("write fails", err != nil)
			},
		},
		exchange{
			name:   "kept: writer used after return (http.Handler)",
			script: func(c *client) { c.get("/"); c.release("late") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				go func() {
					n.await("late")
					n.try("header", func() { w.Header().Set("X", "1") })
					n.try("writeHeader", func() { w.WriteHeader(500) })
					n.try("write", func() { w.Write([]byte("late")) })
					n.try("flush", func() { w.(http.Flusher).Flush() })
				}()
				io.WriteString(w, "done")
			},
		},
		exchange{
			name:   "kept: request read after return (http.Request)",
			script: func(c *client) { c.get("/kept?x=1", "x-a", "1"); c.get("/other", "x-a", "2"); c.release("late") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/kept" {
					return
				}
				go func() {
					n.await("late")
					n.note("kept", r.Method+" "+r.URL.String()+" "+r.Host+" "+fields(r.Header)+" "+r.RemoteAddr)
				}()
			},
		},
		exchange{
			name:   "kept: header map changed after return (http.ResponseWriter.Header)",
			script: func(c *client) { c.get("/"); c.release("late"); c.get("/next") },
			handle: done(func(n *notes, w http.ResponseWriter, r *http.Request) {
				h := w.Header()
				h.Set("X-A", "1")
				go func() {
					n.await("late")
					h.Set("X-A", "2")
				}()
			}),
		},
		exchange{
			name: "concurrent: 20 requests at once (http.Handler)",
			script: func(c *client) {
				for i := range 20 {
					c.get(fmt.Sprint("/", i))
				}
			},
			handler: func(n *notes) http.Handler {
				var mu sync.Mutex
				running := 0
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					if running++; running == 20 {
						n.release("go")
					}
					mu.Unlock()
					n.await("go")
					io.WriteString(w, r.URL.Path)
				})
			},
		},
	)
}
