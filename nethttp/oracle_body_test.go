package nethttp_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/net/http2"
)

// pattern is n octets that tell their place.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%07d\n", i)
	}
	return b.String()[:n]
}

// late is a handler that begins when the client says so.
func late(h func(n *notes, w http.ResponseWriter, r *http.Request)) func(n *notes, w http.ResponseWriter, r *http.Request) {
	return func(n *notes, w http.ResponseWriter, r *http.Request) {
		n.await("go")
		h(n, w, r)
	}
}

// bodyRows: content in both directions.
func bodyRows() (rows []exchange) {
	for _, size := range []int{0, 1, 511, 512, 513, 1024, 2047, 2048, 2049, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537, 1 << 20} {
		body := pattern(size)
		rows = append(rows,
			exchange{
				name: fmt.Sprintf("body: response of %d octets in one write (http.ResponseWriter.Write)", size),
				handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
					k, err := w.Write([]byte(body))
					n.wrote("write", k, err)
				},
			},
			exchange{
				name:   fmt.Sprintf("body: echo of %d octets (Request.Body)", size),
				script: func(c *client) { c.post("/", body) },
				handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
					b, err := io.ReadAll(r.Body)
					n.wrote("read", len(b), err)
					n.note("equal", string(b) == body)
					w.Write(b)
				},
			},
		)
	}
	return append(rows,
		exchange{
			name: "body: response in writes of 1000 octets (http.ResponseWriter.Write)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				for b := []byte(pattern(100000)); len(b) > 0; b = b[1000:] {
					w.Write(b[:1000])
				}
			},
		},
		exchange{
			name: "body: two writes below the buffer (http.ResponseWriter.Write)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, pattern(2000))
				io.WriteString(w, pattern(2000))
			},
		},
		exchange{
			name: "body: two writes above the buffer (http.ResponseWriter.Write)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, pattern(3000))
				io.WriteString(w, pattern(3000))
			},
		},
		exchange{
			name:   "body: read in small pieces (Request.Body)",
			script: func(c *client) { c.post("/", pattern(1000)) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				var all bytes.Buffer
				_, err := io.CopyBuffer(&all, struct{ io.Reader }{r.Body}, make([]byte, 7))
				n.wrote("read", all.Len(), err)
				n.note("equal", all.String() == pattern(1000))
			},
		},
		exchange{
			name: "body: a DATA frame in two pieces, the second of nine octets (RFC 9113 4.1)",
			script: func(c *client) {
				c.request("POST", "/", false)
				c.wait()
				c.raw("\x00\x00\x1d\x00\x01\x00\x00\x00\x01" + pattern(20))
				c.wait()
				c.raw("nineocts!")
				c.wait()
			},
			handle: readAll,
		},
		exchange{
			name: "body: DATA frames octet by octet (RFC 9113 4.1)",
			script: func(c *client) {
				c.request("POST", "/", false)
				c.wait()
				for _, b := range []byte("\x00\x00\x05\x00\x00\x00\x00\x00\x01first\x00\x00\x06\x00\x01\x00\x00\x00\x01second") {
					c.raw(string([]byte{b}))
					c.wait()
				}
			},
			handle: readAll,
		},
		exchange{
			name:   "body: read with an empty slice (io.Reader)",
			script: func(c *client) { c.post("/", "abc") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				k, err := r.Body.Read(nil)
				n.wrote("read", k, err)
				readAll(n, w, r)
			},
		},
		exchange{
			name:   "body: io.EOF is said again (io.Reader)",
			script: func(c *client) { c.post("/", "abc") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				readAll(n, w, r)
				for range 2 {
					k, err := r.Body.Read(make([]byte, 10))
					n.wrote("read", k, err)
				}
			},
		},
		exchange{
			name: "body: is http.NoBody without content (http.NoBody)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.note("NoBody", r.Body == http.NoBody)
			},
		},
		exchange{
			name: "body: read without content (http.NoBody)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				k, err := r.Body.Read(make([]byte, 10))
				n.wrote("read", k, err)
				n.err("close", r.Body.Close())
				k, err = r.Body.Read(make([]byte, 10))
				n.wrote("read", k, err)
			},
		},
		exchange{
			name:   "body: read after Close (http.ErrBodyReadAfterClose)",
			script: func(c *client) { c.post("/", "abc"); c.release("go") },
			handle: late(func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.err("close", r.Body.Close())
				n.err("close", r.Body.Close())
				k, err := r.Body.Read(make([]byte, 10))
				n.wrote("read", k, err)
			}),
		},
		exchange{
			name:   "body: read after io.EOF and Close (http.ErrBodyReadAfterClose)",
			script: func(c *client) { c.post("/", "abc") },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				readAll(n, w, r)
				n.err("close", r.Body.Close())
				k, err := r.Body.Read(make([]byte, 10))
				n.wrote("read", k, err)
			},
		},
		exchange{
			name: "body: Close wakes a read (http.ErrBodyReadAfterClose)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.release("close")
				c.look(id, "closed")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				var wg sync.WaitGroup
				wg.Go(func() {
					k, err := r.Body.Read(make([]byte, 10))
					n.wrote("read", k, err)
				})
				n.await("close")
				r.Body.Close()
				wg.Wait()
			},
		},
		exchange{
			name: "body: closed, then more data comes (RFC 9113 6.9)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.data(id, "abc", false)
				c.release("close")
				c.data(id, pattern(30000), true)
				c.release("go")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.await("close")
				r.Body.Close()
				n.await("go")
				io.WriteString(w, "closed")
			},
		},
		exchange{
			name: "body: partly read (Request.Body)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.data(id, pattern(30000), false)
				c.release("go")
				c.look(id, "answered")
				c.data(id, "more", true)
				c.look(id, "late data")
				c.get("/next")
			},
			handle: late(func(n *notes, w http.ResponseWriter, r *http.Request) {
				k, err := io.ReadFull(r.Body, make([]byte, 100))
				n.wrote("read", k, err)
				io.WriteString(w, "enough")
			}),
		},
		exchange{
			name:   "body: unread and complete (RFC 9113 8.1)",
			script: func(c *client) { c.post("/", pattern(30000)); c.release("go"); c.get("/next") },
			handle: late(ok),
		},
		exchange{
			name: "body: unread, still coming when the handler has returned (RFC 9113 8.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.look(id, "answered")
				for i := range 3 {
					c.data(id, pattern(10000), i == 2)
					c.wait()
				}
				c.look(id, "late data")
				c.get("/next")
			},
			handle: ok,
		},
		exchange{
			name: "body: unread, large response (RFC 9113 8.1)",
			script: func(c *client) {
				c.request("POST", "/", false)
				c.wait()
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) { io.WriteString(w, pattern(100000)) },
		},
		exchange{
			name: "body: read by another goroutine while the handler writes (http.ResponseController.EnableFullDuplex)",
			script: func(c *client) {
				c.post("/", pattern(200000))
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				var wg sync.WaitGroup
				wg.Go(func() {
					k, err := io.Copy(io.Discard, r.Body)
					n.wrote("read", int(k), err)
				})
				_, err := io.WriteString(w, pattern(200000))
				n.err("write", err)
				wg.Wait()
			},
		},
		exchange{
			name: "body: full duplex, line by line (RFC 9113 8.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				for i := range 3 {
					c.data(id, fmt.Sprintf("line %d\n", i), false)
					c.look(id, fmt.Sprint("after ", i))
				}
				c.data(id, "", true)
				c.wait()
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				buf := make([]byte, 100)
				for {
					k, err := r.Body.Read(buf)
					w.Write(buf[:k])
					w.(http.Flusher).Flush()
					if err != nil {
						n.err("read", err)
						return
					}
				}
			},
		},
		exchange{
			name: "body: io.Copy from the request to the response (io.Copy)",
			script: func(c *client) {
				c.post("/", pattern(300000))
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				k, err := io.Copy(w, r.Body)
				n.wrote("copy", int(k), err)
			},
		},
		exchange{
			name: "body: shorter than content-length (RFC 9113 8.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "content-length", "10")
				c.wait()
				c.data(id, "short", true)
				c.wait()
			},
			handle: readAll,
		},
		exchange{
			name: "body: shorter than content-length, found while reading (RFC 9113 8.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "content-length", "10")
				c.data(id, "sho", false)
				c.wait()
				c.data(id, "rt", true)
				c.wait()
			},
			handle: readAll,
		},
		exchange{
			name: "body: longer than content-length (RFC 9113 8.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "content-length", "3")
				c.wait()
				c.data(id, "too long", true)
				c.wait()
			},
			handle: readAll,
		},
		exchange{
			name: "body: http.MaxBytesReader within the limit (http.MaxBytesReader)",
			script: func(c *client) {
				c.post("/", "hello")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				r.Body = http.MaxBytesReader(w, r.Body, 5)
				readAll(n, w, r)
			},
		},
		exchange{
			name: "body: http.MaxBytesReader beyond the limit (http.MaxBytesReader)",
			script: func(c *client) {
				c.post("/", "hello!")
				c.get("/next")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				r.Body = http.MaxBytesReader(w, r.Body, 5)
				if _, err := io.ReadAll(r.Body); err != nil {
					n.err("read", err)
					http.Error(w, "large", http.StatusRequestEntityTooLarge)
				}
			},
		},
		exchange{
			name: "body: kept after the handler returned (Request.Body)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.data(id, "abc", false)
				c.release("go")
				c.release("read")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.await("go")
				body := r.Body
				go func() {
					n.await("read")
					n.try("read", func() {
						_, err := body.Read(make([]byte, 10))
						n.note("fails", err != nil)
					})
					n.err("close", body.Close())
				}()
			},
		},
		exchange{
			name: "body: a read waits when the stream is reset (RFC 9113 5.4.2)",
			script: func(c *client) {
				id := c.request("POST", "/", false)
				c.data(id, "abc", false)
				c.wait()
				c.reset(id, http2.ErrCodeCancel)
			},
			handle: readAll,
		},
	)
}
