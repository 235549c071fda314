package nethttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing/iotest"
	"time"
)

// tripRequests are about methods and targets.
func tripRequests() (rows []trip) {
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO", "get"} {
		rows = append(rows, trip{name: "method " + m, request: func(*tripNotes) *http.Request { return newRequest(m, "http://example.com/a", nil) }})
	}
	for _, u := range []string{
		"http://example.com", "http://example.com/?", "http://example.com?q=1", "http://example.com/a?b=c&d=%20#fragment",
		"http://example.com/%2F%41/é", "http://user:secret@example.com/", "http://example.com:80/", "http://EXAMPLE.com:8080/x",
		"http://[2001:db8::1]/", "http://[fe80::1%25eth0]:81/", "http://bücher.example/", "http://example.com//double//", "http://example.com/a;b=c?x;y",
		"http://example.com:/", "http://example.com/a b", "http://example.com/*",
	} {
		rows = append(rows, trip{name: "URL " + u, request: func(*tripNotes) *http.Request { return newGet(u) }})
	}
	with := func(name string, f func(r *http.Request)) {
		rows = append(rows, trip{name: name, request: func(*tripNotes) *http.Request {
			r := newGet("http://example.com/")
			f(r)
			return r
		}})
	}
	with("no method", func(r *http.Request) { r.Method = "" })
	with("OPTIONS *", func(r *http.Request) { r.Method, r.URL.Path = "OPTIONS", "*" })
	with("CONNECT", func(r *http.Request) {
		r.Method, r.URL = "CONNECT", &url.URL{Scheme: "http", Host: "example.com:443"}
		r.Host = ""
	})
	with("opaque path", func(r *http.Request) { r.URL.Opaque = "/a%2Fb" })
	with("opaque authority", func(r *http.Request) { r.URL.Opaque = "//example.com/a" })
	with("raw path", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a/b", "/a%2fb" })
	with("Host", func(r *http.Request) { r.Host = "other.example" })
	with("Host with port", func(r *http.Request) { r.Host = "other.example:8080" })
	with("Host of another script", func(r *http.Request) { r.Host = "bücher.example" })
	with("Host with an upper-case letter", func(r *http.Request) { r.Host = "Other.example" })
	with("empty Host", func(r *http.Request) { r.Host = "" })
	return rows
}

// tripFields are about the header section of requests.
func tripFields() (rows []trip) {
	for name, values := range map[string][]string{
		"X-A": {"1", "2", ""}, "x-lower": {"1"}, "X-Space": {" a ", "\tb"}, "X-Latin": {"caf\xe9"}, "X-Tab": {"a\tb"}, "X-None": {},
		"User-Agent": {"test/1"}, "Cookie": {"a=1; b=2;c=3; ; d"}, "Te": {"trailers"},
		"Connection": {"keep-alive"}, "Transfer-Encoding": {"chunked"}, "Keep-Alive": {"5"},
		"Proxy-Connection": {"keep-alive"}, "Host": {"wrong.example"}, "Content-Length": {"7"}, "Accept-Encoding": {"br"}, "Range": {"bytes=0-1"},
		"Expect": {"100-continue"}, "Authorization": {"Basic abc"}, "Trailer": {"X-T"}, "Priority": {"u=1"}, "Referer": {"http://example.com/"},
	} {
		rows = append(rows, trip{name: "field " + name, request: func(*tripNotes) *http.Request {
			r := newGet("http://example.com/")
			r.Header[name] = values
			return r
		}})
	}
	with := func(name string, f func(r *http.Request)) {
		rows = append(rows, trip{name: name, request: func(*tripNotes) *http.Request {
			r := newGet("http://example.com/")
			f(r)
			return r
		}})
	}
	with("User-Agent empty", func(r *http.Request) { r.Header.Set("User-Agent", "") })
	with("User-Agent nil", func(r *http.Request) { r.Header["User-Agent"] = nil })
	with("User-Agent twice", func(r *http.Request) { r.Header["User-Agent"] = []string{"a", "b"} })
	with("Cookie twice", func(r *http.Request) { r.Header["Cookie"] = []string{"a=1", "b=2; c=3"} })
	with("Connection: x", func(r *http.Request) { r.Header.Set("Connection", "x") })
	with("Connection twice", func(r *http.Request) { r.Header["Connection"] = []string{"close", "close"} })
	with("Transfer-Encoding: gzip", func(r *http.Request) { r.Header.Set("Transfer-Encoding", "gzip") })
	with("Upgrade alone", func(r *http.Request) { r.Header.Set("Upgrade", "foo") })
	with("Te: trailers and more", func(r *http.Request) { r.Header.Set("Te", "deflate, trailers") })
	with("Te: deflate", func(r *http.Request) { r.Header.Set("Te", "deflate") })
	with("lower-case host", func(r *http.Request) { r.Header["host"] = []string{"wrong.example"} })
	with("lower-case connection", func(r *http.Request) { r.Header["connection"] = []string{"close"} })
	with("lower-case content-length", func(r *http.Request) { r.Header["content-length"] = []string{"7"} })
	with("Accept-Encoding empty", func(r *http.Request) { r.Header.Set("Accept-Encoding", "") })
	rows = append(rows, trip{name: "DisableCompression", base: func(tr *http.Transport) { tr.DisableCompression = true }})
	return rows
}

// tripErrors are requests that are not sent.
func tripErrors() (rows []trip) {
	for name, f := range map[string]func(r *http.Request){
		"no URL":                func(r *http.Request) { r.URL = nil },
		"no Header":             func(r *http.Request) { r.Header = nil },
		"field name":            func(r *http.Request) { r.Header["X Y"] = []string{"1"} },
		"empty field name":      func(r *http.Request) { r.Header[""] = []string{"1"} },
		"field value":           func(r *http.Request) { r.Header["X-A"] = []string{"a\nb"} },
		"trailer name":          func(r *http.Request) { r.Trailer = http.Header{"X Y": nil} },
		"trailer value":         func(r *http.Request) { r.Trailer = http.Header{"X-Y": {"\x00"}} },
		"trailer not allowed":   func(r *http.Request) { r.Trailer = http.Header{"Content-Length": nil} },
		"method invalid":        func(r *http.Request) { r.Method = "G T" },
		"no host":               func(r *http.Request) { r.URL.Host = "" },
		"scheme":                func(r *http.Request) { r.URL.Scheme = "ftp" },
		"Host invalid":          func(r *http.Request) { r.Host = "a b" },
		"path invalid":          func(r *http.Request) { r.URL.Opaque = "nothing" },
		"pseudo-header field":   func(r *http.Request) { r.Header[":path"] = []string{"/x"} },
		"context already ended": nil,
	} {
		rows = append(rows, trip{name: "error: " + name, request: func(n *tripNotes) *http.Request {
			r := newRequest("POST", "http://example.com/", watched{strings.NewReader("body"), n})
			if f == nil {
				return r.WithContext(endedContext())
			}
			f(r)
			return r
		}})
	}
	return rows
}

// long is a body that no window takes at once.
var long = pattern(3 << 20)

// tripBodies are about bodies and trailers of requests.
func tripBodies() (rows []trip) {
	with := func(name string, f func(n *tripNotes) *http.Request) {
		rows = append(rows, trip{name: "body: " + name, request: f})
	}
	post := func(n *tripNotes, body io.Reader) *http.Request {
		return newRequest("POST", "http://example.com/", watched{body, n})
	}
	with("in memory", func(n *tripNotes) *http.Request {
		return newRequest("POST", "http://example.com/", strings.NewReader("content"))
	})
	with("in memory, empty", func(n *tripNotes) *http.Request {
		return newRequest("POST", "http://example.com/", strings.NewReader(""))
	})
	with("of unknown length", func(n *tripNotes) *http.Request { return post(n, strings.NewReader("content")) })
	with("of unknown length, empty", func(n *tripNotes) *http.Request { return post(n, strings.NewReader("")) })
	with("of known length", func(n *tripNotes) *http.Request {
		r := post(n, strings.NewReader("content"))
		r.ContentLength = 7
		return r
	})
	with("NoBody", func(n *tripNotes) *http.Request { return newRequest("POST", "http://example.com/", http.NoBody) })
	with("of a GET", func(n *tripNotes) *http.Request {
		return newRequest("GET", "http://example.com/", strings.NewReader("content"))
	})
	with("100 KiB", func(n *tripNotes) *http.Request {
		return newRequest("POST", "http://example.com/", strings.NewReader(pattern(100<<10)))
	})
	with("100 KiB of unknown length", func(n *tripNotes) *http.Request { return post(n, strings.NewReader(pattern(100<<10))) })
	with("an octet at a time", func(n *tripNotes) *http.Request { return post(n, iotest.OneByteReader(strings.NewReader("content"))) })
	with("EOF with the last octets", func(n *tripNotes) *http.Request {
		r := post(n, iotest.DataErrReader(strings.NewReader("content")))
		r.ContentLength = 7
		return r
	})
	with("Transfer-Encoding of the request", func(n *tripNotes) *http.Request {
		r := post(n, strings.NewReader("content"))
		r.TransferEncoding = []string{"chunked"}
		return r
	})
	for _, kind := range []string{"in memory", "a reader"} {
		for name, length := range map[string]int64{"too long": 3, "too short": 10} {
			with(kind+", "+name, func(n *tripNotes) *http.Request {
				r := post(n, strings.NewReader("content"))
				if kind == "in memory" {
					r = newRequest("POST", "http://example.com/", strings.NewReader("content"))
				}
				r.ContentLength = length
				return r
			})
		}
	}
	with("fails at once", func(n *tripNotes) *http.Request { return post(n, iotest.ErrReader(errTest)) })
	with("fails later", func(n *tripNotes) *http.Request {
		return post(n, io.MultiReader(strings.NewReader("content"), iotest.ErrReader(errTest)))
	})
	with("fails with context.Canceled", func(n *tripNotes) *http.Request {
		return post(n, iotest.ErrReader(errors.Join(errTest)))
	})
	with("trailers", func(n *tripNotes) *http.Request {
		r := post(n, strings.NewReader("content"))
		r.Trailer = http.Header{"X-B": {"1", "2"}, "X-A": {"3"}, "X-C": nil}
		return r
	})
	with("trailers that are set late", func(n *tripNotes) *http.Request {
		r := post(n, nil)
		r.Trailer = http.Header{"X-A": nil}
		r.Body = watched{io.MultiReader(strings.NewReader("content"), readerFunc(func([]byte) (int, error) {
			r.Trailer.Set("X-A", "late")
			return 0, io.EOF
		})), n}
		return r
	})
	with("trailers in memory", func(n *tripNotes) *http.Request {
		r := newRequest("POST", "http://example.com/", strings.NewReader("content"))
		r.Trailer = http.Header{"X-A": {"3"}}
		return r
	})
	with("trailers without values", func(n *tripNotes) *http.Request {
		r := post(n, strings.NewReader("content"))
		r.Trailer = http.Header{"X-A": nil}
		return r
	})

	expect := func(name string, timeout time.Duration, serve func(o *origin)) {
		rows = append(rows, trip{name: "expect: " + name, base: func(tr *http.Transport) { tr.ExpectContinueTimeout = timeout },
			request: func(n *tripNotes) *http.Request {
				r := post(n, strings.NewReader("content"))
				r.Header.Set("Expect", "100-continue")
				return r
			}, serve: serve})
	}
	expect("100", time.Minute, func(o *origin) {
		o.hello()
		id := o.next()
		o.headers(id, false, ":status", "100")
		o.ended(id)
		o.ok(id)
	})
	expect("nothing, until the timeout", 50*time.Millisecond, nil)
	expect("no timeout", 0, nil)
	expect("417", time.Minute, func(o *origin) {
		o.hello()
		o.headers(o.next(), true, ":status", "417")
	})
	expect("reset", time.Minute, func(o *origin) {
		o.hello()
		o.reset(o.next(), 8)
	})
	return rows
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
