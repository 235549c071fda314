package nethttp_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// flushRows: what has arrived when.
func flushRows() []exchange {
	// stepwise looks at the response at each of the steps that handle awaits.
	stepwise := func(name string, steps int, handle func(n *notes, w http.ResponseWriter, r *http.Request)) exchange {
		return exchange{
			name: name, handle: handle,
			script: func(c *client) {
				id := c.get("/")
				for i := range steps {
					c.look(id, fmt.Sprint("step ", i))
					c.release(fmt.Sprint(i))
				}
				c.look(id, "last")
			},
		}
	}
	flush := func(w http.ResponseWriter) { w.(http.Flusher).Flush() }
	return []exchange{
		stepwise("flush: headers only, then a body (http.Flusher)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			flush(w)
			n.await("0")
			io.WriteString(w, "body")
		}),
		stepwise("flush: after WriteHeader (http.Flusher)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(202)
			flush(w)
			n.await("0")
		}),
		stepwise("flush: WriteHeader alone sends nothing (http.ResponseWriter.WriteHeader)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(202)
			n.await("0")
		}),
		stepwise("flush: a small write is kept (http.ResponseWriter.Write)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "small")
			n.await("0")
		}),
		stepwise("flush: write, flush, write, flush (http.Flusher)", 2, func(n *notes, w http.ResponseWriter, r *http.Request) {
			for i := range 2 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				flush(w)
				n.await(fmt.Sprint(i))
			}
		}),
		stepwise("flush: nothing new to flush (http.Flusher)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			flush(w)
			flush(w)
			flush(w)
			n.await("0")
			flush(w)
		}),
		stepwise("flush: with content-length, all written (http.Flusher)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "full")
			flush(w)
			n.await("0")
		}),
		stepwise("flush: 204 (http.Flusher)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(204)
			flush(w)
			n.await("0")
		}),
		stepwise("flush: a large write is not kept (http.ResponseWriter.Write)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("x", 200000))
			n.await("0")
		}),
		stepwise("flush: fields before and after it (http.Flusher)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "1")
			flush(w)
			w.Header().Set("X-B", "2")
			n.await("0")
			io.WriteString(w, "<html>")
		}),
		stepwise("flush: server-sent events (text/event-stream)", 3, func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			rc := http.NewResponseController(w)
			for i := range 3 {
				fmt.Fprintf(w, "id: %d\n\n", i)
				n.err("flush", rc.Flush())
				n.await(fmt.Sprint(i))
			}
		}),
		stepwise("flush: a hundred events (http.Flusher)", 1, func(n *notes, w http.ResponseWriter, r *http.Request) {
			for i := range 100 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				flush(w)
			}
			n.await("0")
		}),
		{
			name:     "flush: a window of one octet (RFC 9113 6.9)",
			settings: []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1}},
			script: func(c *client) {
				id := c.get("/")
				for range 4 {
					c.look(id, "now")
					c.credit(id, 1)
				}
			},
			handle: ok,
		},
		{
			name:     "flush: a window of nothing and trailers (RFC 9113 6.9)",
			settings: []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 0}},
			script: func(c *client) {
				id := c.get("/")
				c.look(id, "before")
				c.credit(id, 100)
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "X-A")
				io.WriteString(w, "body")
				w.(http.Flusher).Flush()
				w.Header().Set("X-A", "1")
			},
		},
		{
			name:     "flush: waits for the peer's window (http.Flusher)",
			settings: []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 10}},
			script: func(c *client) {
				id := c.get("/")
				c.look(id, "full")
				c.credit(id, 5)
				c.look(id, "five more")
				c.credit(id, 1000)
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, strings.Repeat("0123456789", 3))
				n.err("flush", http.NewResponseController(w).Flush())
				io.WriteString(w, "end")
			},
		},
	}
}

// controllerRows: what a ResponseWriter can do besides, deadlines and
// timeouts.
func controllerRows() []exchange {
	has := func(name string, f func(w http.ResponseWriter) bool) exchange {
		return exchange{
			name: "writer: is " + name + " (http.ResponseWriter)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.note("is", f(w))
			},
		}
	}
	// deadline posts some of a body and looks at the answer after ten seconds.
	deadline := func(name string, handle func(n *notes, rc *http.ResponseController, w http.ResponseWriter, r *http.Request)) exchange {
		return exchange{
			name: name,
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.data(id, "some", false)
				c.release("go")
				c.advance(10 * time.Second)
				c.look(id, "ten seconds later")
			},
			handle: late(func(n *notes, w http.ResponseWriter, r *http.Request) {
				handle(n, http.NewResponseController(w), w, r)
			}),
		}
	}
	blocked := []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1000}}
	large := strings.Repeat("x", 1<<20)
	read := func(n *notes, r *http.Request, path string) {
		b, err := io.ReadAll(r.Body)
		n.wrote(path, len(b), err)
		n.elapsed(path + " after")
	}
	return []exchange{
		has("http.Flusher", func(w http.ResponseWriter) bool { _, ok := w.(http.Flusher); return ok }),
		has("http.Hijacker", func(w http.ResponseWriter) bool { _, ok := w.(http.Hijacker); return ok }),
		has("http.Pusher", func(w http.ResponseWriter) bool { _, ok := w.(http.Pusher); return ok }),
		//lint:ignore SA1019 what programs still ask for
		has("http.CloseNotifier", func(w http.ResponseWriter) bool { _, ok := w.(http.CloseNotifier); return ok }),
		has("io.StringWriter", func(w http.ResponseWriter) bool { _, ok := w.(io.StringWriter); return ok }),
		has("io.ReaderFrom", func(w http.ResponseWriter) bool { _, ok := w.(io.ReaderFrom); return ok }),
		has("FlushError", func(w http.ResponseWriter) bool { _, ok := w.(interface{ FlushError() error }); return ok }),
		has("SetReadDeadline", func(w http.ResponseWriter) bool {
			_, ok := w.(interface{ SetReadDeadline(time.Time) error })
			return ok
		}),
		has("Unwrap", func(w http.ResponseWriter) bool { _, ok := w.(interface{ Unwrap() http.ResponseWriter }); return ok }),
		{
			name: "controller: Hijack (http.ResponseController.Hijack)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				_, _, err := http.NewResponseController(w).Hijack()
				n.err("hijack", err)
			},
		},
		{
			name: "controller: EnableFullDuplex and Flush (http.ResponseController)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				n.err("duplex", rc.EnableFullDuplex())
				n.err("flush", rc.Flush())
				n.err("duplex", rc.EnableFullDuplex())
				n.err("read", rc.SetReadDeadline(time.Now().Add(time.Hour)))
				n.err("write", rc.SetWriteDeadline(time.Now().Add(time.Hour)))
			},
		},
		{
			name: "controller: through Unwrap (http.ResponseController)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(wrapped{w})
				io.WriteString(w, "x")
				n.err("flush", rc.Flush())
				n.err("duplex", rc.EnableFullDuplex())
				_, _, err := rc.Hijack()
				n.err("hijack", err)
			},
		},
		deadline("deadline: read, in the future (http.ResponseController.SetReadDeadline)", func(n *notes, rc *http.ResponseController, w http.ResponseWriter, r *http.Request) {
			n.err("set", rc.SetReadDeadline(time.Now().Add(3*time.Second)))
			read(n, r, "read")
			n.err("context", r.Context().Err())
			io.WriteString(w, "still writable")
		}),
		deadline("deadline: read, in the past (http.ResponseController.SetReadDeadline)", func(n *notes, rc *http.ResponseController, w http.ResponseWriter, r *http.Request) {
			buf := make([]byte, 4)
			k, err := io.ReadFull(r.Body, buf)
			n.wrote("first", k, err)
			n.err("set", rc.SetReadDeadline(time.Now().Add(-time.Second)))
			read(n, r, "read")
			w.WriteHeader(408)
		}),
		deadline("deadline: read, passed with data there (http.ResponseController.SetReadDeadline)", func(n *notes, rc *http.ResponseController, w http.ResponseWriter, r *http.Request) {
			n.err("set", rc.SetReadDeadline(time.Now().Add(-time.Second)))
			read(n, r, "read")
		}),
		deadline("deadline: read, moved (http.ResponseController.SetReadDeadline)", func(n *notes, rc *http.ResponseController, w http.ResponseWriter, r *http.Request) {
			n.err("set", rc.SetReadDeadline(time.Now().Add(3*time.Second)))
			n.err("set", rc.SetReadDeadline(time.Now().Add(6*time.Second)))
			read(n, r, "read")
		}),
		deadline("deadline: read, taken away (http.ResponseController.SetReadDeadline)", func(n *notes, rc *http.ResponseController, w http.ResponseWriter, r *http.Request) {
			n.err("set", rc.SetReadDeadline(time.Now().Add(3*time.Second)))
			n.err("set", rc.SetReadDeadline(time.Time{}))
			buf := make([]byte, 4)
			io.ReadFull(r.Body, buf)
			time.Sleep(5 * time.Second)
			io.WriteString(w, "fine")
		}),
		deadline("deadline: read, extended after it passed (http.ResponseController.SetReadDeadline)", func(n *notes, rc *http.ResponseController, w http.ResponseWriter, r *http.Request) {
			n.err("set", rc.SetReadDeadline(time.Now().Add(time.Second)))
			read(n, r, "read")
			n.err("set", rc.SetReadDeadline(time.Now().Add(time.Second)))
			read(n, r, "again")
		}),
		{
			name: "deadline: read, without content (http.ResponseController.SetReadDeadline)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.err("set", http.NewResponseController(w).SetReadDeadline(time.Now().Add(-time.Second)))
				read(n, r, "read")
			},
		},
		{
			name: "deadline: write, in the past (http.ResponseController.SetWriteDeadline)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				n.err("set", rc.SetWriteDeadline(time.Now().Add(-time.Second)))
				_, err := io.WriteString(w, large)
				n.err("write", err)
				<-r.Context().Done()
				n.err("context", r.Context().Err())
				n.err("flush", rc.Flush())
			},
		},
		{
			name: "deadline: write, in the past after some was sent (http.ResponseController.SetWriteDeadline)",
			// The client has it by then: no server has to keep it for a deadline
			// that has passed.
			script: func(c *client) {
				id := c.get("/")
				c.look(id, "sent")
				c.release("go")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				io.WriteString(w, "some")
				n.err("flush", rc.Flush())
				n.await("go")
				n.err("set", rc.SetWriteDeadline(time.Now().Add(-time.Second)))
				_, err := io.WriteString(w, large)
				n.err("write", err)
			},
		},
		{
			name:     "deadline: write, in the future while the peer's window is closed (http.ResponseController.SetWriteDeadline)",
			settings: blocked,
			script:   func(c *client) { c.get("/"); c.advance(8 * time.Second) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				n.err("set", rc.SetWriteDeadline(time.Now().Add(3*time.Second)))
				_, err := io.WriteString(w, large)
				n.err("write", err)
				n.elapsed("write after")
				n.note("context done", r.Context().Err() != nil)
			},
		},
		{
			name:     "deadline: write, taken away (http.ResponseController.SetWriteDeadline)",
			settings: blocked,
			script:   func(c *client) { id := c.get("/"); c.advance(8 * time.Second); c.credit(id, 1<<21) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				n.err("set", rc.SetWriteDeadline(time.Now().Add(3*time.Second)))
				n.err("set", rc.SetWriteDeadline(time.Time{}))
				_, err := io.WriteString(w, large)
				n.err("write", err)
				n.elapsed("write after")
			},
		},
		{
			name: "timeout: ReadTimeout (http.Server.ReadTimeout)", config: config{readTimeout: 3 * time.Second, idleTimeout: time.Minute},
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.data(id, "some", false)
				c.advance(5 * time.Second)
				c.look(id, "later")
				c.get("/again")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) { read(n, r, "read") },
		},
		{
			name: "timeout: IdleTimeout after a ReadTimeout (http.Server.IdleTimeout)", config: config{readTimeout: 2 * time.Second, idleTimeout: 3 * time.Second},
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.data(id, "some", false)
				for range 8 {
					c.advance(time.Second)
					c.note("closed", c.isClosed())
				}
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) { read(n, r, "read") },
		},
		{
			name: "timeout: IdleTimeout is ReadTimeout by default (http.Server.IdleTimeout)", config: config{readTimeout: 3 * time.Second},
			script: func(c *client) {
				c.advance(2 * time.Second)
				c.get("/")
				for range 5 {
					c.advance(time.Second)
					c.note("closed", c.isClosed())
				}
			},
			handle: ok,
		},
		{
			name: "timeout: a request ends when the connection would have been idle for long (http.Server.IdleTimeout)", config: config{idleTimeout: 3 * time.Second},
			script: func(c *client) {
				c.get("/")
				c.advance(4 * time.Second)
				c.note("closed after 4 s", c.isClosed())
				c.get("/again")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/" {
					time.Sleep(3 * time.Second)
				}
				io.WriteString(w, "answer")
			},
		},
		{
			name: "timeout: WriteTimeout (http.Server.WriteTimeout)", config: config{writeTimeout: 3 * time.Second}, settings: blocked,
			script: func(c *client) { c.get("/"); c.advance(5 * time.Second) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				_, err := io.WriteString(w, large)
				n.err("write", err)
				n.elapsed("write after")
			},
		},
		{
			name: "timeout: WriteTimeout of a handler that is late (http.Server.WriteTimeout)", config: config{writeTimeout: 3 * time.Second},
			script: func(c *client) {
				id := c.get("/")
				c.advance(5 * time.Second)
				c.look(id, "five seconds later")
				c.advance(5 * time.Second)
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				select {
				case <-r.Context().Done():
				case <-time.After(9 * time.Second):
				}
				n.elapsed("done after")
				n.note("done", r.Context().Err() != nil)
				_, err := io.WriteString(w, "late")
				n.note("write fails", err != nil)
			},
		},
		{
			name: "timeout: IdleTimeout (http.Server.IdleTimeout)", config: config{idleTimeout: 3 * time.Second},
			script: func(c *client) {
				c.get("/")
				c.advance(2 * time.Second)
				c.note("after 2 s", c.isClosed())
				c.advance(5 * time.Second)
				c.note("after 7 s", c.isClosed())
			},
			handle: ok,
		},
		{
			name: "timeout: IdleTimeout does not end a request (http.Server.IdleTimeout)", config: config{idleTimeout: 3 * time.Second},
			script: func(c *client) { c.get("/"); c.advance(9 * time.Second) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				time.Sleep(8 * time.Second)
				io.WriteString(w, "late")
			},
		},
		{
			name: "close notifier: the stream is reset (http.CloseNotifier)",
			script: func(c *client) {
				id := c.get("/")
				c.reset(id, http2.ErrCodeCancel)
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				//lint:ignore SA1019 what programs still use
				cn, isCN := w.(http.CloseNotifier)
				if !isCN {
					n.note("notified", errors.ErrUnsupported)
					return
				}
				n.note("notified", <-cn.CloseNotify())
			},
		},
	}
}

func (c *client) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// wrapped is a middleware's ResponseWriter.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }
