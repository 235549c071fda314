package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// statusRows: final and interim responses.
func statusRows() (rows []exchange) {
	for _, code := range []int{200, 201, 204, 205, 206, 301, 304, 400, 404, 418, 500, 503, 599, 600, 999} {
		rows = append(rows, exchange{
			name: fmt.Sprintf("status: %d and a body (http.ResponseWriter.WriteHeader)", code),
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(code)
				k, err := io.WriteString(w, "body")
				n.wrote("write", k, err)
			},
		})
	}
	for _, code := range []int{200, 204, 304, 404} {
		rows = append(rows, exchange{
			name: fmt.Sprintf("status: %d without body (http.ResponseWriter.WriteHeader)", code),
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"x"`)
				w.WriteHeader(code)
			},
		})
	}
	for _, code := range []int{-1, 0, 1, 99, 1000} {
		rows = append(rows, exchange{
			name: fmt.Sprintf("status: %d panics (http.ResponseWriter.WriteHeader)", code),
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.try("writeHeader", func() { w.WriteHeader(code) })
				io.WriteString(w, "after")
			},
		})
	}
	for _, code := range []int{204, 304} {
		rows = append(rows, exchange{
			name: fmt.Sprintf("status: %d with content-length and content-type (RFC 9110 8.6)", code),
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "10")
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(code)
			},
		})
	}
	hint := func(w http.ResponseWriter, link string) {
		w.Header().Set("Link", link)
		w.WriteHeader(http.StatusEarlyHints)
	}
	return append(rows,
		exchange{
			name: "status: set twice (http.ResponseWriter.WriteHeader)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(404)
				w.WriteHeader(200)
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "status: set after a write (http.ResponseWriter.WriteHeader)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "x")
				w.WriteHeader(500)
			},
		},
		exchange{
			name: "status: invalid after a write (http.ResponseWriter.WriteHeader)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "x")
				n.try("writeHeader", func() { w.WriteHeader(7) })
			},
		},
		exchange{
			name: "1xx: 103 (RFC 8297 2)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				hint(w, "</a.css>; rel=preload")
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "1xx: 103 several times, with fields in between (RFC 8297 2)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				hint(w, "</a.css>")
				w.Header().Add("Link", "</b.css>")
				w.WriteHeader(103)
				w.Header().Del("Link")
				w.Header().Set("X-Final", "1")
				w.WriteHeader(201)
			},
		},
		exchange{
			name: "1xx: arrives before the handler goes on (http.ResponseWriter.WriteHeader)",
			script: func(c *client) {
				id := c.get("/")
				c.look(id, "early")
				c.release("go")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				hint(w, "</a.css>")
				n.await("go")
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "1xx: content-length and transfer-encoding are not in it (RFC 9110 8.6)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "1")
				w.Header().Set("Transfer-Encoding", "chunked")
				w.WriteHeader(103)
				w.Header().Del("Transfer-Encoding")
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "1xx: 100 by the handler (http.ResponseWriter.WriteHeader)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "expect", "100-continue")
				c.look(id, "before data")
				c.data(id, "hello", true)
				c.wait()
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(100)
				readAll(n, w, r)
			},
		},
		exchange{
			name: "1xx: 100 without Expect (http.ResponseWriter.WriteHeader)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(100)
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "1xx: 102 and 199 (http.ResponseWriter.WriteHeader)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(102)
				w.WriteHeader(199)
			},
		},
		exchange{
			name: "1xx: 101 is no status of HTTP/2 (RFC 9113 8.6)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.try("writeHeader", func() { w.WriteHeader(101) })
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "1xx: after the final status (http.ResponseWriter.WriteHeader)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.WriteHeader(103)
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "1xx: and nothing more (http.ResponseWriter.WriteHeader)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(103)
			},
		},
		exchange{
			name: "1xx: Trailer and Connection fields in it (RFC 9113 8.2.2)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "X-T")
				w.Header().Set("Connection", "keep-alive")
				w.Header().Set("X-Bad", "a\nb")
				w.WriteHeader(103)
				w.Header().Del("Connection")
				io.WriteString(w, "x")
				w.Header().Set("X-T", "1")
			},
		},
		exchange{
			name: "1xx: for HEAD (RFC 9110 15.2)",
			script: func(c *client) {
				c.request("HEAD", "/", true)
				c.wait()
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				hint(w, "</a.css>")
				io.WriteString(w, "x")
			},
		},
		exchange{
			name: "expect: the handler answers without reading (RFC 9110 10.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "expect", "100-continue", "content-length", "5")
				c.look(id, "answered")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(417)
			},
		},
		exchange{
			name: "expect: read after the response began (RFC 9110 10.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "expect", "100-continue", "content-length", "5")
				c.look(id, "begun")
				c.data(id, "hello", true)
				c.wait()
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				io.WriteString(w, strings.Repeat("x", 10))
				w.(http.Flusher).Flush()
				readAll(n, w, r)
			},
		},
		exchange{
			name: "expect: one of a list (RFC 9110 10.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "expect", "x, 100-continue", "content-length", "5")
				c.look(id, "before data")
				c.data(id, "hello", true)
				c.wait()
			},
			handle: readAll,
		},
		exchange{
			name: "expect: one of two fields (RFC 9110 10.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "expect", "x", "expect", "100-continue", "content-length", "5")
				c.look(id, "before data")
				c.data(id, "hello", true)
				c.wait()
			},
			handle: readAll,
		},
		exchange{
			name: "expect: the body is there already (RFC 9110 10.1.1)",
			script: func(c *client) {
				id := c.request("POST", "/", false, "expect", "100-continue", "content-length", "5")
				c.data(id, "hello", true)
				c.release("read")
				c.look(id, "read")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				n.await("read")
				readAll(n, w, r)
			},
		},
	)
}

// headRows: HEAD in all forms (RFC 9110 9.3.2).
func headRows() (rows []exchange) {
	for _, x := range []struct {
		name   string
		handle func(n *notes, w http.ResponseWriter, r *http.Request)
	}{
		{"nothing", func(n *notes, w http.ResponseWriter, r *http.Request) {}},
		{"short body", ok},
		{"body above the buffer", func(n *notes, w http.ResponseWriter, r *http.Request) {
			k, err := io.WriteString(w, strings.Repeat("x", 100000))
			n.wrote("write", k, err)
			k, err = io.WriteString(w, "more")
			n.wrote("write", k, err)
		}},
		{"content-length and no body", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1234")
		}},
		{"content-length and a body", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "3")
			k, err := io.WriteString(w, "abc")
			n.wrote("write", k, err)
		}},
		{"content-length and too long a body", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			k, err := io.WriteString(w, "abcd")
			n.wrote("write", k, err)
		}},
		{"flush between writes", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			k, err := io.WriteString(w, "b")
			n.wrote("write", k, err)
			n.err("flush", http.NewResponseController(w).Flush())
		}},
		{"flush only", func(n *notes, w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() }},
		{"404 with a body", func(n *notes, w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 404) }},
		{"204", func(n *notes, w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }},
		{"304", func(n *notes, w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) }},
		{"status without body", func(n *notes, w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) }},
		{"content-type set", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/x")
			io.WriteString(w, "<html>")
		}},
		{"trailers declared and set", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-T")
			io.WriteString(w, "x")
			w.Header().Set("X-T", "1")
		}},
		{"http.TrailerPrefix", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			w.Header().Set(http.TrailerPrefix+"X-T", "1")
		}},
		{"panic after headers", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			panic("late")
		}},
	} {
		rows = append(rows, exchange{
			name: "HEAD: " + x.name + " (RFC 9110 9.3.2)", handle: x.handle,
			script: func(c *client) { c.request("HEAD", "/", true); c.wait() },
		})
	}
	return rows
}
