package nethttp_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
)

// zipped is s as gzip makes it.
func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// tripResponses are about what servers answer.
func tripResponses() (rows []trip) {
	// answer adds a row in which the server answers the request so.
	answer := func(name string, f func(o *origin, id uint32)) {
		rows = append(rows, trip{name: "response: " + name, serve: func(o *origin) {
			o.hello()
			for {
				f(o, o.whole())
			}
		}})
	}
	fields := func(name string, end bool, content string, kv ...string) {
		answer(name, func(o *origin, id uint32) {
			o.headers(id, end, kv...)
			if !end {
				o.data(id, content, true)
			}
		})
	}
	for _, code := range []string{"200", "201", "204", "205", "304", "301", "404", "418", "500", "299", "599", "999", "600"} {
		fields("status "+code, true, "", ":status", code)
	}
	fields("content-length", false, "content", ":status", "200", "content-length", "7")
	fields("content-length 0", true, "", ":status", "200", "content-length", "0")
	fields("content-length 0 and DATA", false, "", ":status", "200", "content-length", "0")
	fields("no content in DATA", false, "", ":status", "200")
	fields("content-length twice", false, "content", ":status", "200", "content-length", "7", "content-length", "7")
	fields("content-length +7", false, "content", ":status", "200", "content-length", "+7")
	fields("less than content-length", false, "con", ":status", "200", "content-length", "7")
	fields("more than content-length", false, "content", ":status", "200", "content-length", "3")
	fields("content-length without content", true, "", ":status", "200", "content-length", "7")
	fields("fields", false, "content", ":status", "200", "x-a", "1", "x-b", "", "x-a", "2", "set-cookie", "a=b", "set-cookie", "c=d", "date", "today", "content-type", "text/x")
	fields("a cookie field", false, "content", ":status", "200", "cookie", "a=b", "cookie", "c=d")
	fields("20 KiB of fields", false, "content", ":status", "200", "x-long", strings.Repeat("x", 20000))
	fields("trailer field", false, "content", ":status", "200", "trailer", "x-a, X-B,,x-c", "trailer", "x-d")
	fields("connection-specific fields", false, "content", ":status", "200", "connection", "close")
	fields("no :status", false, "content", "x-a", "b")
	fields("an upper-case name", false, "content", ":status", "200", "X-A", "b")
	fields(":status after a field", false, "content", "x-a", "b", ":status", "200")
	fields("transfer-encoding", false, "content", ":status", "200", "transfer-encoding", "chunked")
	fields("alt-svc", false, "content", ":status", "200", "alt-svc", "h3=\":443\"")
	answer("long", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200")
		o.data(id, pattern(60<<10), true)
	})
	answer("padded with empty DATA", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200")
		for _, s := range []string{"", "con", "", "tent", ""} {
			o.data(id, s, false)
		}
		o.data(id, "", true)
	})
	answer("trailers announced", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200", "trailer", "x-a")
		o.data(id, "content", false)
		o.headers(id, true, "x-a", "1")
	})
	answer("trailers not announced", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200")
		o.data(id, "content", false)
		o.headers(id, true, "x-a", "1", "x-a", "2", "grpc-status", "0")
	})
	answer("trailers announced and others", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200", "trailer", "x-a, x-b")
		o.headers(id, true, "x-c", "1", "x-a", "")
	})
	answer("trailers without content", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200")
		o.headers(id, true, "x-a", "1")
	})
	answer("trailers only", func(o *origin, id uint32) { o.headers(id, true, ":status", "200", "grpc-status", "5") })
	answer("trailers with a pseudo-header field", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200")
		o.data(id, "content", false)
		o.headers(id, true, ":status", "200")
	})
	answer("interim responses", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "100")
		o.headers(id, false, ":status", "103", "link", "</a>")
		o.headers(id, false, ":status", "103", "link", "</b>")
		o.headers(id, false, ":status", "200")
		o.data(id, "content", true)
	})
	answer("101", func(o *origin, id uint32) { o.headers(id, true, ":status", "101") })
	answer("103 that ends", func(o *origin, id uint32) { o.headers(id, true, ":status", "103") })
	answer("DATA first", func(o *origin, id uint32) { o.data(id, "content", true) })

	head := func(name string, end bool, kv ...string) {
		rows = append(rows, trip{name: "HEAD: " + name,
			request: func(*tripNotes) *http.Request { return newRequest("HEAD", "http://example.com/", nil) },
			serve: func(o *origin) {
				o.hello()
				id := o.whole()
				o.headers(id, end, kv...)
				if !end {
					o.data(id, "", true)
				}
			}})
	}
	head("plain", true, ":status", "200")
	head("content-length", true, ":status", "200", "content-length", "7")
	head("gzip", true, ":status", "200", "content-encoding", "gzip")
	head("empty DATA", false, ":status", "200", "content-length", "7")

	const text = "to be or not to be, or to be or not to be"
	fields("gzip", false, zipped(text), ":status", "200", "content-encoding", "gzip")
	fields("GZIP with content-length", false, zipped(text), ":status", "200", "content-encoding", "GZIP", "content-length", "1000")
	fields("gzip of nothing", false, zipped(""), ":status", "200", "content-encoding", "gzip")
	fields("gzip, long", false, zipped(long), ":status", "200", "content-encoding", "gzip")
	fields("gzip that is none", false, text, ":status", "200", "content-encoding", "gzip")
	fields("gzip cut off", false, zipped(text)[:20], ":status", "200", "content-encoding", "gzip")
	fields("gzip without octets", false, "", ":status", "200", "content-encoding", "gzip")
	fields("gzip without content", true, "", ":status", "200", "content-encoding", "gzip")
	fields("deflate", false, text, ":status", "200", "content-encoding", "deflate")
	answer("gzip and trailers", func(o *origin, id uint32) {
		o.headers(id, false, ":status", "200", "content-encoding", "gzip", "trailer", "x-a")
		o.data(id, zipped(text), false)
		o.headers(id, true, "x-a", "1")
	})
	rows = append(rows, trip{name: "response: gzip that the request asked for",
		request: func(*tripNotes) *http.Request {
			r := newGet("http://example.com/")
			r.Header.Set("Accept-Encoding", "gzip")
			return r
		},
		serve: func(o *origin) {
			o.hello()
			id := o.whole()
			o.headers(id, false, ":status", "200", "content-encoding", "gzip")
			o.data(id, zipped(text), true)
		}})
	return rows
}
