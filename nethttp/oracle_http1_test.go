package nethttp_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// http1Rows: the same port speaks HTTP/1.1, and a handler can't tell it from
// net/http's server.
func http1Rows() []exchange {
	type handle = func(n *notes, w http.ResponseWriter, r *http.Request)
	h1 := func(name string, methods, octets string, h handle) exchange {
		return exchange{
			name: "HTTP/1: " + name, methods: strings.Fields(methods), handle: h,
			script: func(c *client) { c.raw(octets); c.wait() },
		}
	}
	const host = "Host: example.com\r\n"
	return []exchange{
		h1("GET (http.Handler)", "GET", "GET /a?b=1 HTTP/1.1\r\n"+host+"X-A: 1\r\nx-a: 2\r\n\r\n", ok),
		h1("HTTP/1.0 (http.Handler)", "GET", "GET / HTTP/1.0\r\n\r\n", ok),
		h1("HTTP/1.0 keep-alive (http.Handler)", "GET", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ok),
		h1("two in a row (RFC 9112 9.3.2)", "GET GET", "GET /1 HTTP/1.1\r\n"+host+"\r\nGET /2 HTTP/1.1\r\n"+host+"\r\n", ok),
		h1("Connection: close by the client (RFC 9112 9.6)", "GET", "GET / HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n", ok),
		h1("Connection: close by the handler (RFC 9112 9.6)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			io.WriteString(w, "bye")
		}),
		h1("POST with content-length (Request.Body)", "POST", "POST / HTTP/1.1\r\n"+host+"Content-Length: 5\r\n\r\nhello", readAll),
		h1("POST in chunks with trailers (Request.Trailer)", "POST", "POST / HTTP/1.1\r\n"+host+"Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n5\r\nhello\r\n0\r\nX-A: 1\r\n\r\n", readAll),
		h1("expect (RFC 9110 10.1.1)", "POST", "POST / HTTP/1.1\r\n"+host+"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", readAll),
		h1("HEAD (RFC 9110 9.3.2)", "HEAD", "HEAD / HTTP/1.1\r\n"+host+"\r\n", ok),
		h1("OPTIONS * (http.Server.DisableGeneralOptionsHandler)", "OPTIONS", "OPTIONS * HTTP/1.1\r\n"+host+"\r\n", ok),
		h1("absolute form (RFC 9112 3.2.2)", "GET", "GET http://other.example/x HTTP/1.1\r\n"+host+"\r\n", ok),
		h1("CONNECT (RFC 9110 9.3.6)", "CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", ok),
		h1("no Host (RFC 9112 3.2)", "GET", "GET / HTTP/1.1\r\n\r\n", ok),
		h1("malformed (RFC 9112 3)", "GET", "GET / HTTP/1.1\r\nbad header\r\n\r\n", ok),
		h1("chunks by flushing (http.Flusher)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			io.WriteString(w, "b")
		}),
		h1("large body (http.ResponseWriter.Write)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, pattern(100000))
		}),
		h1("trailers: declared and by http.TrailerPrefix (http.TrailerPrefix)", "GET", "GET / HTTP/1.1\r\n"+host+"TE: trailers\r\n\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			w.Header().Set("X-A", "1")
			w.Header().Set(http.TrailerPrefix+"X-B", "2")
		}),
		h1("103 (RFC 8297 2)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a.css>")
			w.WriteHeader(103)
			io.WriteString(w, "x")
		}),
		h1("204 and a body (http.ErrBodyNotAllowed)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(204)
			k, err := io.WriteString(w, "x")
			n.wrote("write", k, err)
		}),
		h1("more than content-length (http.ErrContentLength)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "3")
			k, err := io.WriteString(w, "hello")
			n.wrote("write", k, err)
		}),
		h1("less than content-length (RFC 9112 6.3)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "30")
			io.WriteString(w, "hello")
		}),
		h1("status twice is logged (http.ResponseWriter.WriteHeader)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			w.WriteHeader(200)
		}),
		h1("invalid fields (RFC 9110 5.5)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "a\r\nX-Evil: 1")
			w.Header()["X B"] = []string{"1"}
			w.Header().Set("X-C", "good")
			io.WriteString(w, "x")
		}),
		h1("panic (http.Handler)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) { panic("boom") }),
		h1("http.ErrAbortHandler (http.ErrAbortHandler)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}),
		h1("upgrade by Hijack (http.Hijacker)", "GET", "GET / HTTP/1.1\r\n"+host+"Connection: Upgrade\r\nUpgrade: echo\r\n\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			nc, rw, err := http.NewResponseController(w).Hijack()
			n.err("hijack", err)
			if err != nil {
				return
			}
			defer nc.Close()
			n.note("buffered", rw.Reader.Buffered())
			fmt.Fprint(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhijacked")
			_, err = w.Write([]byte("x"))
			n.err("write", err)
		}),
		h1("io.ReaderFrom and the other interfaces (http.ResponseWriter)", "GET", "GET / HTTP/1.1\r\n"+host+"\r\n", func(n *notes, w http.ResponseWriter, r *http.Request) {
			_, rf := w.(io.ReaderFrom)
			_, sw := w.(io.StringWriter)
			_, fl := w.(http.Flusher)
			_, hj := w.(http.Hijacker)
			_, fe := w.(interface{ FlushError() error })
			_, ps := w.(http.Pusher)
			n.note("has", fmt.Sprint(rf, sw, fl, hj, fe, ps))
			k, err := io.Copy(w, bufio.NewReader(strings.NewReader(pattern(10000))))
			n.wrote("copy", int(k), err)
		}),
		h1("read deadline (http.ResponseController.SetReadDeadline)", "POST", "POST / HTTP/1.1\r\n"+host+"Content-Length: 5\r\n\r\nhe", func(n *notes, w http.ResponseWriter, r *http.Request) {
			n.err("set", http.NewResponseController(w).SetReadDeadline(time.Now().Add(-time.Second)))
			_, err := io.ReadAll(r.Body)
			n.err("read", err)
		}),
		h1("full duplex (http.ResponseController.EnableFullDuplex)", "POST", "POST / HTTP/1.1\r\n"+host+"Content-Length: 5\r\n\r\nhello", func(n *notes, w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			n.err("duplex", rc.EnableFullDuplex())
			io.WriteString(w, "first")
			n.err("flush", rc.Flush())
			readAll(n, w, r)
		}),
	}
}
