package nethttp_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
)

// tlsRows: the same over TLS, where it could differ: what a request says about
// it, and bodies that end at the edges of records and frames.
func tlsRows() (rows []exchange) {
	secure := config{tls: true}
	state := func(n *notes, w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			n.note("tls", fmt.Sprint(tls.VersionName(r.TLS.Version), r.TLS.NegotiatedProtocol, r.TLS.ServerName, r.TLS.HandshakeComplete, r.TLS.DidResume))
		}
		io.WriteString(w, "secure")
	}
	https := func(c *client, method, path string, end bool) uint32 {
		return c.headers(end, ":method", method, ":scheme", "https", ":authority", "localhost", ":path", path)
	}
	rows = []exchange{
		{
			name: "TLS: GET (Request.TLS)", config: secure, handle: state,
			script: func(c *client) { https(c, "GET", "/a?b", true); c.wait() },
		},
		{
			name: "TLS: scheme http (Request.TLS)", config: secure, handle: state,
			script: func(c *client) { c.get("/") },
		},
		{
			name: "TLS: HTTP/1.1 by ALPN (RFC 7301)", config: secure, handle: state, methods: []string{"GET"},
			script: func(c *client) { c.raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); c.wait() },
		},
		{
			name: "TLS: panic (http.Handler)", config: secure,
			script: func(c *client) { https(c, "GET", "/", true); c.wait() },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "partial")
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			},
		},
		{
			name: "TLS: trailers (http.TrailerPrefix)", config: secure,
			script: func(c *client) { https(c, "GET", "/", true); c.wait() },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "body")
				w.(http.Flusher).Flush()
				w.Header().Set(http.TrailerPrefix+"X-A", "1")
			},
		},
		{
			name: "TLS: Connection: close (RFC 9113 6.8)", config: secure,
			script: func(c *client) { https(c, "GET", "/", true); c.wait(); c.advance(10e9) },
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				io.WriteString(w, "bye")
			},
		},
	}
	for _, size := range []int{0, 1, 16383, 16384, 16385, 32768, 65536, 300000} {
		rows = append(rows, exchange{
			name: fmt.Sprintf("TLS: echo of %d octets (Request.Body)", size), config: secure,
			script: func(c *client) {
				id := https(c, "POST", "/", false)
				c.wait()
				c.data(id, pattern(size), true)
				c.wait()
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				n.wrote("read", len(b), err)
				w.Write(b)
			},
		})
	}
	return rows
}
