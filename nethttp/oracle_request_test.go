package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ok answers with a short body.
func ok(n *notes, w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok\n") }

// readAll reads the body, notes what it was, and the trailers.
func readAll(n *notes, w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	n.note("body", brief(b))
	n.err("readAll", err)
	n.note("trailerAtEnd", fields(r.Trailer))
	io.WriteString(w, "read\n")
}

// requestRows: what a request looks like to a handler; notes.request records
// it in every row.
func requestRows() []exchange {
	// with is a GET with more fields.
	with := func(name string, fields ...string) exchange {
		return exchange{name: name, handle: ok, script: func(c *client) { c.get("/", fields...) }}
	}
	// path is a GET of a target.
	path := func(name, target string) exchange {
		return exchange{name: name, handle: ok, script: func(c *client) { c.get(target) }}
	}
	// exact is a request of exactly these fields.
	exact := func(name string, fields ...string) exchange {
		return exchange{name: name, handle: ok, script: func(c *client) { c.headers(true, fields...); c.wait() }}
	}
	// posted has a body that is read.
	posted := func(name, body string, fields ...string) exchange {
		return exchange{name: name, handle: readAll, script: func(c *client) { c.post("/", body, fields...) }}
	}
	rows := []exchange{
		path("path: query (Request.URL)", "/a/b?x=1&y=%20z"),
		path("path: question mark without query (URL.ForceQuery)", "/a?"),
		path("path: escapes are decoded in Path and kept in RawPath (url.URL)", "/a%2Fb/%41%20c"),
		path("path: dot segments stay (Request.URL)", "/a/../b/./c"),
		path("path: two slashes at the start (Request.RequestURI)", "//host/path"),
		path("path: fragment is no part of it (Request.URL)", "/a#b"),
		path("path: semicolon in query (Request.URL)", "/?a=1;b=2"),
		path("path: octets beyond ASCII (Request.URL)", "/caf\xc3\xa9"),
		path("path: bad escape (url.ParseRequestURI)", "/%zz"),
		path("path: without slash (RFC 9113 8.3.1)", "a"),
		path("path: absolute form (RFC 9113 8.3.1)", "http://other.example/x"),
		path("path: 8000 octets (Request.RequestURI)", "/"+strings.Repeat("x", 8000)),
		path("path: colon in the first segment (url.ParseRequestURI)", "/a:b"),

		with("cookie: crumbs are joined (RFC 9113 8.2.3)", "cookie", "a=1", "cookie", "b=2", "x", "1", "cookie", "c=3"),
		with("cookie: one (RFC 9113 8.2.3)", "cookie", "a=1; b=2"),
		with("field: repeated ones keep their order (RFC 9110 5.3)", "x-a", "1", "x-b", "2", "x-a", "3", "x-a", ""),
		with("field: keys are canonical (http.Header)", "x-forwarded-for", "1", "etag", "2", "www-authenticate", "3", "x-1a-b_c", "4", "dnt", "5"),
		with("field: names that canonicalisation leaves (textproto)", "a.b", "1", "x!y", "2", "~", "3"),
		with("field: values keep inner spaces and octets (RFC 9110 5.5)", "x-a", "a  b\tc", "x-b", "caf\xc3\xa9 \xff"),
		with("field: empty value (RFC 9110 5.5)", "x-a", ""),
		with("field: names that engines know (http.Header)", named(knownNames)...),
		with("field: 40 of them (http.Header)", many(40)...),
		with("field: 150 of them (http.Header)", many(150)...),
		with("field: 80 cookies (RFC 9113 8.2.3)", crumbs(80)...),
		with("field: 300 of them (http.Header)", many(300)...),
		with("field: 190 cookies (RFC 9113 8.2.3)", crumbs(190)...),
		with("field: 50 KB in all (RFC 9113 10.5.1)", "x-a", strings.Repeat("a", 25000), "x-b", strings.Repeat("b", 25000)),
		with("field: a long value (http.Header)", "x-long", strings.Repeat("v", 6000)),
		with("host: equal to :authority (RFC 9113 8.3.1)", "host", "example.com"),
		with("te: trailers (RFC 9113 8.2.2)", "te", "trailers"),
		with("expect: without content (Request.Body)", "expect", "100-continue"),
		with("content-length: 0 with END_STREAM (Request.ContentLength)", "content-length", "0"),
		with("user-agent and referer (Request.UserAgent)", "user-agent", "oracle/1", "referer", "http://example.com/"),
		with("range and conditions stay fields (http.Header)", "range", "bytes=0-1", "if-none-match", "*", "if-modified-since", "x"),
		with("trailer: declared without content (Request.Trailer)", "trailer", "x-a"),
		with("priority is a field (RFC 9218 5)", "priority", "u=1, i"),
		with("authorization (http.Header)", "authorization", "Basic YTpi"),

		exact("host: only the field (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":path", "/", "host", "field.example"),
		exact("host: none at all (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":path", "/"),
		exact("host: differs from :authority (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/", "host", "b.example"),
		exact("host: port and upper case (Request.Host)", ":method", "GET", ":scheme", "http", ":authority", "EXAMPLE.com:8080", ":path", "/"),
		exact("host: IPv6 (Request.Host)", ":method", "GET", ":scheme", "http", ":authority", "[::1]:80", ":path", "/"),
		exact("host: empty :authority (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":authority", "", ":path", "/"),
		exact("host: userinfo (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":authority", "u:p@example.com", ":path", "/"),
		exact("scheme: https on cleartext (Request.TLS)", ":method", "GET", ":scheme", "https", ":authority", "example.com", ":path", "/"),
		exact("scheme: upper case (RFC 9110 4.2.3)", ":method", "GET", ":scheme", "HTTP", ":authority", "example.com", ":path", "/"),
		exact("scheme: neither (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "ftp", ":authority", "example.com", ":path", "/"),
		exact("OPTIONS * (http.Server.DisableGeneralOptionsHandler)", ":method", "OPTIONS", ":scheme", "http", ":authority", "example.com", ":path", "*"),
		exact("GET * (RFC 9112 3.2.4)", ":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "*"),
		exact("CONNECT (RFC 9113 8.5)", ":method", "CONNECT", ":authority", "example.com:443"),
		exact("CONNECT with :path (RFC 9113 8.5)", ":method", "CONNECT", ":scheme", "http", ":authority", "example.com:443", ":path", "/"),
		exact("method: invented (RFC 9110 9.1)", ":method", "FROB-1!", ":scheme", "http", ":authority", "example.com", ":path", "/"),
		exact("method: lower case (RFC 9110 9.1)", ":method", "get", ":scheme", "http", ":authority", "example.com", ":path", "/"),
		exact("method: empty (RFC 9110 9.1)", ":method", "", ":scheme", "http", ":authority", "example.com", ":path", "/"),
		exact("method: with a space (RFC 9110 9.1)", ":method", "GET /x", ":scheme", "http", ":authority", "example.com", ":path", "/"),
		exact("path: empty (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", ""),
		exact("path: missing (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":authority", "example.com"),
		exact("path: with a space (RFC 9113 8.3.1)", ":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "/a b"),
		exact("path: twice (RFC 9113 8.3)", ":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "/", ":path", "/b"),
		exact("CONNECT with :protocol, which is off (RFC 8441 4)", ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "example.com", ":path", "/"),
		exact("pseudo-header field after another (RFC 9113 8.3)", ":method", "GET", ":scheme", "http", "x-a", "1", ":authority", "example.com", ":path", "/"),
		exact("pseudo-header field that is invented (RFC 9113 8.3)", ":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "/", ":x", "1"),
		with("field: upper case name (RFC 9113 8.2.1)", "X-A", "1"),
		with("field: name with a space (RFC 9113 8.2.1)", "x a", "1"),
		with("field: LF in a value (RFC 9113 8.2.1)", "x-a", "a\nb"),
		with("field: space before a value (RFC 9113 8.2.1)", "x-a", " a"),
		with("te: gzip (RFC 9113 8.2.2)", "te", "gzip"),
		with("te: trailers and more (RFC 9113 8.2.2)", "te", "trailers, deflate"),
		with("connection: a field of the request (RFC 9113 8.2.2)", "connection", "keep-alive"),
		with("transfer-encoding: a field of the request (RFC 9113 8.2.2)", "transfer-encoding", "chunked"),
		with("upgrade: a field of the request (RFC 9113 8.2.2)", "upgrade", "h2c"),
		with("content-length: 5 with END_STREAM (RFC 9113 8.1.1)", "content-length", "5"),

		posted("content-length: twice the same (RFC 9110 8.6)", "hello", "content-length", "5", "content-length", "5"),
		posted("content-length: twice, not the same (RFC 9110 8.6)", "hello", "content-length", "5", "content-length", "6"),
		posted("content-length: a list (RFC 9110 8.6)", "hello", "content-length", "5, 5"),
		posted("content-length: no number, in a request (RFC 9110 8.6)", "hello", "content-length", "five"),
		posted("content-length: with a plus, in a request (RFC 9110 8.6)", "hello", "content-length", "+5"),
		posted("content-length: beyond 63 bits (RFC 9110 8.6)", "hello", "content-length", "9223372036854775808"),
		posted("content-length: leading zeros (RFC 9110 8.6)", "hello", "content-length", "005"),
		posted("body: content-length (Request.ContentLength)", "hello", "content-length", "5"),
		posted("body: no content-length (Request.ContentLength)", "hello"),
		posted("body: empty DATA frame (Request.ContentLength)", ""),
		posted("body: content-length 0 and an empty DATA frame (RFC 9113 8.1.1)", "", "content-length", "0"),
		posted("body: form fields (Request.ParseForm)", "a=1&b=2", "content-type", "application/x-www-form-urlencoded"),
		posted("expect: 100-continue is sent by Read (RFC 9110 10.1.1)", "hello", "expect", "100-continue", "content-length", "5"),
		posted("expect: upper case (RFC 9110 10.1.1)", "hello", "expect", "100-Continue"),
		posted("expect: something else (RFC 9110 10.1.1)", "hello", "expect", "200-ok"),
		posted("content-encoding is left alone (http.Header)", "hello", "content-encoding", "gzip"),
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"} {
		rows = append(rows, exchange{
			name: "method: " + method + " without content (Request.Method)", handle: readAll,
			script: func(c *client) { c.request(method, "/m", true); c.wait() },
		})
	}
	return append(rows,
		exchange{
			name: "GET with content (RFC 9110 9.3.1)", handle: readAll,
			script: func(c *client) {
				id := c.request("GET", "/", false)
				c.data(id, "unusual", true)
				c.wait()
			},
		},
		exchange{
			name: "OPTIONS * reaches the handler (http.Server.DisableGeneralOptionsHandler)", handle: ok,
			config: config{noOptions: true}, onlyConfigured: true,
			script: func(c *client) {
				c.headers(true, ":method", "OPTIONS", ":scheme", "http", ":authority", "example.com", ":path", "*")
				c.wait()
			},
		},
		exchange{
			name: "field: more than MaxHeaderBytes (http.Server.MaxHeaderBytes)", handle: ok,
			config: config{maxHeaderBytes: 4096},
			script: func(c *client) { c.get("/", "x-a", strings.Repeat("a", 9000)); c.get("/next") },
		},
		exchange{
			name: "field: less than MaxHeaderBytes (http.Server.MaxHeaderBytes)", handle: ok,
			config: config{maxHeaderBytes: 60000},
			script: func(c *client) { c.get("/", "x-a", strings.Repeat("a", 50000)) },
		},
		exchange{
			name: "CONNECT with a body in both directions (RFC 9113 8.5)",
			script: func(c *client) {
				id := c.headers(false, ":method", "CONNECT", ":authority", "example.com:443")
				c.data(id, "ping", false)
				c.look(id, "pinged")
				c.data(id, "", true)
				c.wait()
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				buf := make([]byte, 100)
				k, err := r.Body.Read(buf)
				n.wrote("read", k, err)
				w.Write([]byte("pong"))
				w.(http.Flusher).Flush()
				_, err = r.Body.Read(buf)
				n.err("end", err)
			},
		},
		exchange{
			name: "two requests on one connection (http.Handler)", handle: ok,
			script: func(c *client) { c.get("/1", "x-a", "1"); c.get("/2") },
		},
		exchange{
			name: "form: FormValue of query and body (Request.FormValue)",
			script: func(c *client) {
				c.post("/?a=query&c=3", "a=body&b=2", "content-type", "application/x-www-form-urlencoded")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				fmt.Fprintln(w, r.FormValue("a"), r.PostFormValue("a"), r.FormValue("b"), r.FormValue("c"))
			},
		},
		exchange{
			name: "form: multipart (Request.MultipartReader)",
			script: func(c *client) {
				c.post("/", "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\n\r\ncontent\r\n--b--\r\n", "content-type", "multipart/form-data; boundary=b")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				f, h, err := r.FormFile("f")
				n.err("formFile", err)
				if err == nil {
					b, err := io.ReadAll(f)
					n.err("read", err)
					fmt.Fprintf(w, "%s %d %q", h.Filename, h.Size, b)
				}
			},
		},
		exchange{
			name: "context: the server is in it (http.ServerContextKey)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				s, isServer := r.Context().Value(http.ServerContextKey).(*http.Server)
				n.note("server", isServer && s != nil)
				_, deadline := r.Context().Deadline()
				n.note("deadline", deadline)
			},
		},
		exchange{
			name: "context: cancelled when the handler has returned (Request.Context)",
			script: func(c *client) {
				c.get("/")
				c.release("look")
			},
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				go func() {
					n.await("look")
					n.err("err", ctx.Err())
				}()
			},
		},
		exchange{
			name: "clone and copies of a request (Request.Clone)",
			handle: func(n *notes, w http.ResponseWriter, r *http.Request) {
				r2 := r.Clone(r.Context())
				r3 := r.WithContext(r.Context())
				r2.Header.Set("X", "1")
				n.note("original", fields(r.Header))
				n.note("copies", r2.Host+r3.Host+r2.URL.String()+r3.URL.String())
				n.note("proto", r.ProtoAtLeast(2, 0))
			},
		},
	)
}

// knownNames are the field names that HPACK's static table and this engine
// know, without those that mean something to the server itself.
var knownNames = strings.Fields(`accept accept-charset accept-encoding accept-language
	accept-ranges access-control-allow-origin age allow authorization cache-control
	content-disposition content-encoding content-language content-location content-range
	content-type cookie etag expires from if-match if-modified-since if-none-match
	if-range if-unmodified-since last-modified link location max-forwards
	proxy-authenticate proxy-authorization range referer refresh retry-after server
	set-cookie strict-transport-security user-agent vary via www-authenticate priority
	grpc-status grpc-message grpc-timeout grpc-encoding grpc-accept-encoding
	grpc-status-details-bin traceparent tracestate x-request-id forwarded
	x-forwarded-for x-forwarded-host x-forwarded-proto origin alt-svc
	sec-websocket-key sec-websocket-version sec-websocket-protocol
	sec-websocket-extensions early-data proxy-authentication-info authentication-info`)

func named(names []string) (fields []string) {
	for _, name := range names {
		fields = append(fields, name, "value of "+name)
	}
	return fields
}

// many makes n fields.
func many(n int) (fields []string) {
	for i := range n {
		fields = append(fields, fmt.Sprintf("x-%d", i), fmt.Sprint(i))
	}
	return fields
}

// crumbs makes n cookie fields.
func crumbs(n int) (fields []string) {
	for i := range n {
		fields = append(fields, "cookie", fmt.Sprintf("c%d=%d", i, i))
	}
	return fields
}
