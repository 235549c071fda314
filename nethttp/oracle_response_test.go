package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// responseRows: what a response looks like to a client.
func responseRows() []exchange {
	// set sets fields and writes a body.
	set := func(name, body string, fields ...string) exchange {
		return exchange{name: name, handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(fields); i += 2 {
				w.Header().Add(fields[i], fields[i+1])
			}
			if body != "" {
				k, err := io.WriteString(w, body)
				n.wrote("write", k, err)
			}
		}}
	}
	// put stores keys as they are.
	put := func(name string, h http.Header) exchange {
		return exchange{name: name, handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
			for k, v := range h {
				w.Header()[k] = v
			}
			k, err := io.WriteString(w, "body")
			n.wrote("write", k, err)
		}}
	}
	rows := []exchange{
		set("nothing at all (http.ResponseWriter)", ""),
		set("field: order of values (http.Header.Add)", "x", "X-A", "1", "X-B", "2", "X-A", "3"),
		set("field: names that engines know, in a response (http.Header)", "x", named(knownNames)...),
		set("field: Set-Cookie several times (RFC 6265 3)", "x", "Set-Cookie", "a=1", "Set-Cookie", "b=2; Path=/"),
		set("field: empty value in a response (RFC 9110 5.5)", "x", "X-A", ""),
		set("field: value with spaces around (RFC 9110 5.5)", "x", "X-A", "  a  ", "X-B", "\tb"),
		set("field: value beyond ASCII (RFC 9110 5.5)", "x", "X-A", "caf\xc3\xa9 \xff"),
		set("field: 20 KB of values (RFC 9113 6.10)", "x", "X-A", strings.Repeat("a", 10000), "X-B", strings.Repeat("b", 10000)),
		set("invalid: LF in a value (RFC 9113 8.2.1)", "x", "X-A", "a\nb", "X-B", "good"),
		set("invalid: CR LF that would split HTTP/1.1 (RFC 9113 8.2.1)", "x", "X-A", "a\r\nX-Evil: 1", "X-A", "kept"),
		set("invalid: NUL in a value (RFC 9113 8.2.1)", "x", "X-A", "a\x00b"),
		set("invalid: DEL in a value (RFC 9110 5.5)", "x", "X-A", "a\x7fb"),
		set("content-length: right (RFC 9110 8.6)", "hello", "Content-Length", "5"),
		set("content-length: longer than the body (RFC 9113 8.1.1)", "hello", "Content-Length", "9"),
		set("content-length: shorter than the body (http.ErrContentLength)", "hello", "Content-Length", "3"),
		set("content-length: zero and a body (http.ErrContentLength)", "hello", "Content-Length", "0"),
		set("content-length: no number (RFC 9110 8.6)", "hello", "Content-Length", "five"),
		set("content-length: negative (RFC 9110 8.6)", "hello", "Content-Length", "-5"),
		set("content-length: with a plus (RFC 9110 8.6)", "hello", "Content-Length", "+5"),
		set("content-length: of nothing (RFC 9110 8.6)", "", "Content-Length", "5"),
		set("content-length: twice (RFC 9110 8.6)", "hello", "Content-Length", "5", "Content-Length", "5"),
		set("content-type: set (http.DetectContentType)", "<html>", "Content-Type", "text/plain"),
		set("content-type: none with Content-Encoding (go.dev/issue/31753)", "\x1f\x8b\x08", "Content-Encoding", "gzip"),
		set("connection: close (RFC 9113 8.2.2)", "bye", "Connection", "close"),
		set("connection: keep-alive (RFC 9113 8.2.2)", "hi", "Connection", "keep-alive"),
		set("connection: names a field (RFC 9113 8.2.2)", "hi", "Connection", "X-Hop", "X-Hop", "1"),
		set("connection: Keep-Alive (RFC 9113 8.2.2)", "hi", "Keep-Alive", "timeout=5"),
		set("connection: Upgrade (RFC 9113 8.2.2)", "hi", "Upgrade", "websocket"),
		set("connection: Proxy-Connection (RFC 9113 8.2.2)", "hi", "Proxy-Connection", "keep-alive"),
		set("transfer-encoding: chunked (RFC 9113 8.2.2)", "hi", "Transfer-Encoding", "chunked"),
		set("transfer-encoding: identity (RFC 9113 8.2.2)", "hi", "Transfer-Encoding", "identity"),
		set("date: set by the handler (RFC 9110 6.6.1)", "x", "Date", "Mon, 01 Jan 1990 00:00:00 GMT"),
		set("te in a response (RFC 9113 8.2.2)", "x", "TE", "trailers"),
		put("date: nil (http.Header)", http.Header{"Date": nil}),
		put("content-type: nil (http.Header)", http.Header{"Content-Type": nil}),
		put("content-length: nil (http.Header)", http.Header{"Content-Length": nil}),
		put("connection: nil (http.Header)", http.Header{"Connection": nil}),
		put("field: keys that are not canonical (http.Header)", http.Header{"x-lower": {"1"}, "X-UPPER": {"2"}, "etag": {"3"}}),
		put("field: one name in two cases (http.Header)", http.Header{"x-two": {"1"}, "X-Two": {"2"}}),
		put("content-type: key not canonical (http.Header)", http.Header{"content-type": {"text/x"}}),
		put("content-length: key not canonical (http.Header)", http.Header{"content-length": {"4"}}),
		put("connection: key not canonical (RFC 9113 8.2.2)", http.Header{"connection": {"close"}}),
		put("invalid: name with a space (RFC 9113 8.2.1)", http.Header{"X A": {"1"}, "X-B": {"2"}}),
		put("invalid: name with a colon (RFC 9113 8.2.1)", http.Header{":status": {"500"}, "X:A": {"1"}}),
		put("invalid: name beyond ASCII (RFC 9113 8.2.1)", http.Header{"X-\xc3\xa9": {"1"}, "X-\u212a": {"kelvin"}}),
		put("invalid: empty name (RFC 9113 8.2.1)", http.Header{"": {"1"}}),
		put("invalid: name with LF (RFC 9113 8.2.1)", http.Header{"X\nEvil": {"1"}}),
		{name: "no handler: http.DefaultServeMux (http.Server.Handler)", bare: true},
		{
			name: "field: changed after the first write (http.ResponseWriter.Header)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-A", "before")
				io.WriteString(w, "x")
				w.Header().Set("X-A", "after")
				w.Header().Set("X-B", "late")
			},
		},
		{
			name: "field: changed after WriteHeader (http.ResponseWriter.Header)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				v := []string{"before"}
				w.Header()["X-A"] = v
				w.WriteHeader(200)
				v[0] = "after"
				w.Header().Set("X-B", "late")
				w.Header().Del("Date")
			},
		},
		{
			name: "field: deleted before the response (http.Header.Del)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-A", "1")
				w.Header().Del("x-a")
				io.WriteString(w, "x")
			},
		},
		{
			name: "write: several small ones (http.ResponseWriter.Write)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				for i := range 10 {
					k, err := fmt.Fprintf(w, "line %d\n", i)
					n.wrote("write", k, err)
				}
			},
		},
		{
			name: "write: empty first (http.ResponseWriter.Write)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				k, err := w.Write(nil)
				n.wrote("write", k, err)
				k, err = w.Write([]byte{})
				n.wrote("write", k, err)
			},
		},
		{
			name: "write: WriteString (io.StringWriter)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				sw, isSW := w.(io.StringWriter)
				n.note("io.StringWriter", isSW)
				if isSW {
					k, err := sw.WriteString("<p>string")
					n.wrote("write", k, err)
				}
			},
		},
		{
			name: "write: io.Copy from a reader (io.ReaderFrom)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				k, err := io.Copy(w, struct{ io.Reader }{strings.NewReader(strings.Repeat("copied ", 20000))})
				n.wrote("copy", int(k), err)
			},
		},
		{
			name: "write: io.Copy from a reader that fails (io.ReaderFrom)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				k, err := io.Copy(w, io.MultiReader(strings.NewReader("some"), failing{}))
				n.wrote("copy", int(k), err)
			},
		},
		{
			name: "write: io.CopyN beyond the content-length (http.ErrContentLength)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "4")
				for range 3 {
					k, err := io.Copy(w, struct{ io.Reader }{strings.NewReader("abc")})
					n.wrote("copy", int(k), err)
				}
			},
		},
		{
			name: "content-length: reached in steps, then exceeded (http.ErrContentLength)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "6")
				for range 3 {
					k, err := io.WriteString(w, "abc")
					n.wrote("write", k, err)
				}
			},
		},
		{
			name: "content-length: exceeded after a flush (http.ErrContentLength)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "3")
				io.WriteString(w, "abc")
				w.(http.Flusher).Flush()
				k, err := io.WriteString(w, "def")
				n.wrote("write", k, err)
			},
		},
		{
			name: "connection: close, then another request (RFC 9113 6.8)",
			script: func(c *client) {
				c.get("/")
				c.request("GET", "/second", true)
				c.wait()
				c.advance(5e9)
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				io.WriteString(w, "bye")
			},
		},
	}
	return append(rows, sniffRows()...)
}

// sniffRows: Content-Type as net/http finds it.
func sniffRows() (rows []exchange) {
	for _, s := range []struct{ name, body string }{
		{"html", "  <!DOCTYPE HTML>..."}, {"xml", "<?xml version='1'"}, {"text", "plain"}, {"json is text", `{"a":1}`},
		{"png", "\x89PNG\x0d\x0a\x1a\x0a"}, {"gzip", "\x1f\x8b\x08"}, {"pdf", "%PDF-"}, {"binary", "\x00\x01"}, {"utf-16", "\xfe\xffa"},
		{"tag at 513", strings.Repeat(" ", 512) + "<html>"},
	} {
		rows = append(rows, exchange{
			name: "sniff: " + s.name + " (http.DetectContentType)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, s.body)
			},
		})
	}
	return append(rows,
		exchange{
			name: "sniff: all that was buffered counts (http.DetectContentType)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "<ht")
				io.WriteString(w, "ml>")
			},
		},
		exchange{
			name: "sniff: a flush ends it (http.DetectContentType)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "<ht")
				w.(http.Flusher).Flush()
				io.WriteString(w, "ml>")
			},
		},
	)
}

// failing fails.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
