package proxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/proxy"
)

// TestRequest: what the application sees of a request.
func TestRequest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fields []field
		want   string // the backend's octets, with line feeds; CLIENT is the client's address
	}{
		{"get", get("/a?b=c;d&e=%zz"),
			"GET /a?b=c;d&e=%zz HTTP/1.1\nHost: example.com\nVia: 2.0 edge\n" +
				"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example.com\nX-Forwarded-Proto: http\n\n"},
		{"a target is not encoded anew", get("/a\"b|c[d]^`{}\\%41%2f?x=\"y\"&?"),
			"GET /a\"b|c[d]^`{}\\%41%2f?x=\"y\"&? HTTP/1.1\nHost: example.com\nVia: 2.0 edge\n" +
				"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example.com\nX-Forwarded-Proto: http\n\n"},
		{"an empty query", get("/a?"),
			"GET /a? HTTP/1.1\nHost: example.com\nVia: 2.0 edge\n" +
				"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example.com\nX-Forwarded-Proto: http\n\n"},
		{"fields", get("/", "user-agent=test", "accept-encoding=br", "x-a=1", "x-a=2", "x-empty=", "cookie=a=1", "cookie=b=2", "via=1.1 front"),
			"GET / HTTP/1.1\nHost: example.com\nUser-Agent: test\nAccept-Encoding: br\nCookie: a=1; b=2\nVia: 1.1 front\nVia: 2.0 edge\n" +
				"X-A: 1\nX-A: 2\nX-Empty: \nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example.com\nX-Forwarded-Proto: http\n\n"},
		{"te", get("/", "te=trailers"),
			"GET / HTTP/1.1\nHost: example.com\nConnection: TE\nTe: trailers\nVia: 2.0 edge\n" +
				"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example.com\nX-Forwarded-Proto: http\n\n"},
		{"post without content", post("/"),
			"POST / HTTP/1.1\nHost: example.com\nContent-Length: 0\nVia: 2.0 edge\n" +
				"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example.com\nX-Forwarded-Proto: http\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t)
			c := newEdge(t, b.addr, proxy.Config{Via: "edge"}).connect()
			c.headers(1, tt.fields, true)
			c.flush()
			u := b.next()
			want(t, u.raw(), strings.ReplaceAll(tt.want, "\n", "\r\n"))
			u.write(ok("hi"))
			want(t, c.untilOver(1), `HEADERS 200 content-length=2 | DATA "hi" END_STREAM`)
		})
	}
}

// TestMaxForwards: RFC 9110 7.6.2.
func TestMaxForwards(t *testing.T) {
	for _, tt := range []struct {
		method string
		values []string
		want   string // what the backend gets, or the edge's own status
	}{
		{"OPTIONS", []string{"0"}, "200"},
		{"OPTIONS", []string{"00"}, "200"},
		{"OPTIONS", []string{"7"}, `["6"]`},
		{"OPTIONS", []string{"1"}, `["0"]`},
		{"OPTIONS", []string{"99999999999999999999"}, `["2147483646"]`},
		{"OPTIONS", []string{"0", "5"}, "400"},
		{"OPTIONS", []string{"5", "5"}, "400"},
		{"OPTIONS", []string{"+1"}, "400"},
		{"OPTIONS", []string{"-1"}, "400"},
		{"OPTIONS", []string{""}, "400"},
		{"OPTIONS", nil, "[]"},
		{"GET", []string{"0"}, `["0"]`},
	} {
		addr := app(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Got", fmt.Sprintf("%q", r.Header["Max-Forwards"]))
		})
		c := newEdge(t, addr, proxy.Config{}).connect()
		fs := get("/")
		fs[0].value = tt.method
		for _, v := range tt.values {
			fs = append(fs, field{"max-forwards", v})
		}
		c.headers(1, fs, true)
		got := c.untilOver(1)
		if own := strings.HasPrefix(got, "HEADERS "+tt.want+" ") && !strings.Contains(got, " got="); !own && !strings.Contains(got, " got="+tt.want) {
			t.Errorf("%s %q: %s, want %s", tt.method, tt.values, got, tt.want)
		}
	}
}

// TestRequestContent: content and trailers of a request.
func TestRequestContent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fields []field
		send   func(c *client)
		want   string // what comes after the field section
	}{
		{"length", post("/", "content-length=5"), func(c *client) {
			c.data(1, "he", false)
			c.data(1, "llo", true)
		}, "hello"},
		{"no length", post("/"), func(c *client) { c.data(1, "hello", true) }, "5\r\nhello\r\n0\r\n\r\n"},
		{"no length, nothing", post("/"), func(c *client) { c.data(1, "", true) }, "0\r\n\r\n"},
		{"length 0", post("/", "content-length=0"), func(c *client) { c.data(1, "", true) }, ""},
		{"get, ended later", get("/"), func(c *client) { c.data(1, "", true) }, "0\r\n\r\n"},
		{"announced trailers", post("/", "trailer=x-sum, x-none"), func(c *client) {
			c.data(1, "hello", false)
			c.headers(1, fields("x-sum=7"), true)
		}, "5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n"},
		{"announced trailers and length", post("/", "trailer=x-sum", "content-length=5"), func(c *client) {
			c.data(1, "hello", false)
			c.headers(1, fields("x-sum=7"), true)
		}, "5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n"},
		{"prohibited trailers and length", post("/", "trailer=authorization, x-forwarded-for", "content-length=5"), func(c *client) {
			c.data(1, "hello", false)
			c.headers(1, fields("authorization=x", "x-forwarded-for=y"), true)
		}, "hello"},
		{"trailers that were not announced", post("/"), func(c *client) {
			c.data(1, "hello", false)
			c.headers(1, fields("x-a=1", "x-a=2", "authorization=x", "connection_=x"), true)
		}, "5\r\nhello\r\n0\r\nX-A: 1\r\nX-A: 2\r\n\r\n"},
		{"some announced, some not", post("/", "trailer=x-sum"), func(c *client) {
			c.data(1, "hello", false)
			c.headers(1, fields("x-a=1", "x-sum=7"), true)
		}, "5\r\nhello\r\n0\r\nX-A: 1\r\nX-Sum: 7\r\n\r\n"},
		{"not announced, and a length", post("/", "content-length=5"), func(c *client) {
			c.data(1, "hello", false)
			c.headers(1, fields("x-a=1"), true)
		}, "hello"},
		{"trailers without content", post("/", "trailer=x-sum"), func(c *client) {
			c.headers(1, fields("x-sum=7"), true)
		}, "0\r\nX-Sum: 7\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t)
			e := newEdge(t, b.addr, proxy.Config{})
			c := e.connect()
			c.headers(1, tt.fields, false)
			tt.send(c)
			c.flush()
			u := b.next()
			head := u.raw()
			got := make([]byte, len(tt.want))
			if _, err := io.ReadFull(u.br, got); err != nil {
				t.Fatalf("the backend reads content: %v after %q", err, got)
			}
			want(t, string(got), tt.want)
			u.write(ok("hi"))
			want(t, c.untilOver(1), `HEADERS 200 content-length=2 | DATA "hi" END_STREAM`)
			c.nc.Close()
			e.close()
			if rest := u.closed(); rest != "" {
				t.Errorf("after %q and its content the backend got %q", head, rest)
			}
		})
	}
}

// TestResponse: what the client sees of a response.
func TestResponse(t *testing.T) {
	head := get("/")
	head[0].value = "HEAD"
	for _, tt := range []struct {
		name   string
		fields []field
		answer string
		want   string
	}{
		{"length", get("/"), ok("hi"), `HEADERS 200 content-length=2 | DATA "hi" END_STREAM`},
		{"chunks", get("/"), "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2;x=y\nhi\n1\n!\n0\n\n", `HEADERS 200 | DATA "hi!" END_STREAM`},
		{"status without a reason", get("/"), "HTTP/1.1 299\nContent-Length: 0\n\n", `HEADERS 299 content-length=0 END_STREAM`},
		{"announced trailers", get("/"), "HTTP/1.1 200 OK\nTrailer: X-A, X-B\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-A: 1\nX-B: 2\n\n",
			`HEADERS 200 trailer=X-A, X-B | DATA "hi" | TRAILERS x-a=1 x-b=2 END_STREAM`},
		{"trailers that were not announced", get("/"), "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-A: 1\nX-A: 2\n\n",
			`HEADERS 200 | DATA "hi" | TRAILERS x-a=1 x-a=2 END_STREAM`},
		{"announced trailers that don't come", get("/"), "HTTP/1.1 200 OK\nTrailer: X-A\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n",
			`HEADERS 200 trailer=X-A | DATA "hi" END_STREAM`},
		{"trailers without content", get("/"), "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\nGrpc-Status: 0\n\n",
			`HEADERS 200 | TRAILERS grpc-status=0 END_STREAM`},
		{"a trailer with the name of a field", get("/"), "HTTP/1.1 200 OK\nX-A: head\nTrailer: X-A\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-A: 1\n\n",
			`HEADERS 200 trailer=X-A x-a=head | DATA "hi" | TRAILERS x-a=1 END_STREAM`},
		{"an announced trailer with the name of a field doesn't come", get("/"), "HTTP/1.1 200 OK\nX-A: head\nTrailer: X-A\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n",
			`HEADERS 200 trailer=X-A x-a=head | DATA "hi" END_STREAM`},
		{"large trailers", get("/"), "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-A: " + strings.Repeat("a", 20_000) + "\n\n",
			`HEADERS 200 | DATA "hi" | TRAILERS x-a=` + strings.Repeat("a", 20_000) + ` END_STREAM`},
		{"prohibited trailers", get("/"), "HTTP/1.1 200 OK\nTrailer: Set-Cookie\nTransfer-Encoding: chunked\n\n2\nhi\n0\nSet-Cookie: a\nX-A: 1\nContent-Type: x\n\n",
			`HEADERS 200 | DATA "hi" | TRAILERS x-a=1 END_STREAM`},
		{"interim", get("/"), "HTTP/1.1 103 Early Hints\nLink: </a>\nConnection: x-secret\nX-Secret: 1\n\nHTTP/1.1 103 Early Hints\nLink: </b>\n\n" + ok("hi"),
			`HEADERS 103 link=</a> | HEADERS 103 link=</b> | HEADERS 200 content-length=2 | DATA "hi" END_STREAM`},
		{"102", get("/"), "HTTP/1.1 102 Processing\n\n" + ok("hi"), `HEADERS 102 | HEADERS 200 content-length=2 | DATA "hi" END_STREAM`},
		{"100 is not for the client", get("/"), "HTTP/1.1 100 Continue\n\n" + ok("hi"), `HEADERS 200 content-length=2 | DATA "hi" END_STREAM`},
		{"fields of the connection", get("/"), "HTTP/1.1 200 OK\nConnection: keep-alive, x-hop\nKeep-Alive: timeout=5\nX-Hop: 1\nProxy-Authenticate: x\nUpgrade: h2c\nX-End: 1\nContent-Length: 2\n\nhi",
			`HEADERS 200 content-length=2 x-end=1 | DATA "hi" END_STREAM`},
		{"head", head, "HTTP/1.1 200 OK\nContent-Length: 5\n\n", `HEADERS 200 content-length=5 END_STREAM`},
		{"head, chunked", head, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", `HEADERS 200 END_STREAM`},
		{"204", get("/"), "HTTP/1.1 204 No Content\n\n", `HEADERS 204 END_STREAM`},
		{"304", get("/"), "HTTP/1.1 304 Not Modified\nContent-Length: 5\nEtag: \"a\"\n\n", `HEADERS 304 content-length=5 etag="a" END_STREAM`},
		{"several values", get("/"), "HTTP/1.1 200 OK\nSet-Cookie: a\nSet-Cookie: b\nContent-Length: 0\n\n",
			`HEADERS 200 content-length=0 set-cookie=a set-cookie=b END_STREAM`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t)
			e := newEdge(t, b.addr, proxy.Config{})
			c := e.connect()
			c.headers(1, tt.fields, true)
			c.flush()
			u := b.next()
			u.request()
			u.write(tt.answer)
			got := strings.Replace(c.untilOver(1), "trailer=X-B, X-A", "trailer=X-A, X-B", 1) // ReverseProxy has no order
			want(t, sorted(got), sorted(tt.want))
			// The connection to the backend is used again.
			c.headers(3, get("/again"), true)
			c.flush()
			want(t, u.request().RequestURI, "/again")
			u.write(ok("yes"))
			want(t, c.untilOver(3), `HEADERS 200 content-length=3 | DATA "yes" END_STREAM`)
			e.logged(0)
		})
	}
}

// sorted makes lines comparable: net/http writes fields in no order.
func sorted(line string) string {
	parts := strings.Split(line, " | ")
	for i, p := range parts {
		if strings.HasPrefix(p, "HEADERS") || strings.HasPrefix(p, "TRAILERS") {
			parts[i] = sortWords(p)
		}
	}
	return strings.Join(parts, " | ")
}

// TestUntilClose: content that ends with the backend's connection.
func TestUntilClose(t *testing.T) {
	for _, version := range []string{"HTTP/1.0", "HTTP/1.1"} {
		b := newBackend(t)
		e := newEdge(t, b.addr, proxy.Config{})
		c := e.connect()
		c.headers(1, get("/"), true)
		c.flush()
		u := b.next()
		u.request()
		u.write(version + " 200 OK\n\nhi\nthere")
		u.nc.Close()
		want(t, c.untilOver(1), `HEADERS 200 | DATA "hi\r\nthere" END_STREAM`)
		e.logged(0)
	}
}

// TestStreaming: what one side sends reaches the other at once, both ways.
func TestStreaming(t *testing.T) {
	b := newBackend(t)
	e := newEdge(t, b.addr, proxy.Config{})
	c := e.connect()
	c.headers(1, post("/chat"), false)
	c.flush()
	u := b.next()
	u.raw()
	u.write("HTTP/1.1 200 OK\nContent-Type: text/event-stream\nTransfer-Encoding: chunked\n\n")
	c.untilLine(1, "HEADERS 200")
	said := ""
	for _, word := range []string{"one", "two", "three"} {
		c.data(1, word, false)
		c.flush()
		chunk := word2chunk(word)
		got := make([]byte, len(chunk))
		if _, err := io.ReadFull(u.br, got); err != nil || string(got) != chunk {
			t.Fatalf("the backend got %q, %v", got, err)
		}
		u.write(strings.ReplaceAll(chunk, "\r", ""))
		said += word
		c.untilLine(1, `DATA "`+said+`"`)
	}
	c.data(1, "", true)
	c.flush()
	u.write("0\n\n")
	want(t, c.untilOver(1), `HEADERS 200 content-type=text/event-stream | DATA "onetwothree" END_STREAM`)
	e.logged(0)
}

// TestFlushWithLength: content of a declared length is passed on as it comes,
// too.
func TestFlushWithLength(t *testing.T) {
	b := newBackend(t)
	c := newEdge(t, b.addr, proxy.Config{}).connect()
	c.headers(1, get("/"), true)
	c.flush()
	u := b.next()
	u.raw()
	u.write("HTTP/1.1 200 OK\nContent-Length: 4\n\n")
	c.untilLine(1, "HEADERS 200")
	u.write("ab")
	c.untilLine(1, `DATA "ab"`)
	u.write("cd")
	want(t, c.untilOver(1), `HEADERS 200 content-length=4 | DATA "abcd" END_STREAM`)
}

// TestExpect: the edge answers 100 (Continue), and the backend never sees the
// expectation.
func TestExpect(t *testing.T) {
	b := newBackend(t)
	c := newEdge(t, b.addr, proxy.Config{}).connect()
	c.headers(1, post("/", "expect=100-continue", "content-length=5"), false)
	c.untilLine(1, "HEADERS 100")
	u := b.next()
	if head := u.raw(); strings.Contains(strings.ToLower(head), "expect") {
		t.Errorf("the backend got %q", head)
	}
	c.data(1, "hello", true)
	c.flush()
	body := make([]byte, 5)
	io.ReadFull(u.br, body)
	want(t, string(body), "hello")
	u.write(ok("hi"))
	want(t, c.untilOver(1), `HEADERS 100 | HEADERS 200 content-length=2 | DATA "hi" END_STREAM`)
}

// TestLargeBodies: many times the windows and buffers, both ways.
func TestLargeBodies(t *testing.T) {
	const size = 8 << 20
	addr := app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/1.1" {
			t.Errorf("the application sees %s", r.Proto)
		}
		http.NewResponseController(w).EnableFullDuplex() // net/http would throw content away
		n, err := io.Copy(w, r.Body)
		if n != size || err != nil {
			t.Errorf("the application read %d octets, %v", n, err)
		}
	})
	e := newEdge(t, addr, proxy.Config{})
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	for _, length := range []int64{size, -1} {
		r, err := http.NewRequest("PUT", "http://"+e.addr+"/", io.LimitReader(zeros{}, size))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		if n != size || err != nil || res.ProtoMajor != 2 {
			t.Errorf("%s: %d octets, %v", res.Proto, n, err)
		}
	}
	e.logged(0)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestClientGivesUp: a reset stream, or a lost client, closes the connection
// to the backend, and content that was cut is not ended.
func TestClientGivesUp(t *testing.T) {
	giveUp := []struct {
		name string
		do   func(c *client)
	}{
		{"RST_STREAM", func(c *client) {
			c.fr.WriteRSTStream(1, 8)
			c.flush()
		}},
		{"lost", func(c *client) { c.nc.Close() }},
	}
	for _, how := range giveUp {
		t.Run("waiting for the response/"+how.name, func(t *testing.T) {
			b := newBackend(t)
			e := newEdge(t, b.addr, proxy.Config{})
			c := e.connect()
			c.headers(1, get("/"), true)
			c.flush()
			u := b.next()
			u.raw()
			how.do(c)
			want(t, u.closed(), "")
			c.nc.Close()
			e.close()
			e.logged(0)
		})
		t.Run("in the response/"+how.name, func(t *testing.T) {
			b := newBackend(t)
			e := newEdge(t, b.addr, proxy.Config{})
			c := e.connect()
			c.headers(1, get("/"), true)
			c.flush()
			u := b.next()
			u.raw()
			u.write("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n")
			c.untilLine(1, `DATA "hi"`)
			how.do(c)
			want(t, u.closed(), "")
			c.nc.Close()
			e.close()
			e.logged(0)
		})
		t.Run("in the content/"+how.name, func(t *testing.T) {
			b := newBackend(t)
			e := newEdge(t, b.addr, proxy.Config{})
			c := e.connect()
			c.headers(1, post("/"), false)
			c.data(1, "half", false)
			c.flush()
			u := b.next()
			u.raw()
			got := make([]byte, len("4\r\nhalf\r\n"))
			io.ReadFull(u.br, got)
			how.do(c)
			want(t, string(got)+u.closed(), "4\r\nhalf\r\n")
			c.nc.Close()
			e.close()
			e.logged(0)
		})
	}
}

// TestBackendFails: each failure is one line in the log, and never looks like
// a complete response.
func TestBackendFails(t *testing.T) {
	const bad = `HEADERS 502 content-length=16 content-type=text/plain; charset=utf-8 | DATA "502 Bad Gateway\n" END_STREAM`
	for _, tt := range []struct {
		name   string
		answer string // then the connection is closed
		want   string
	}{
		{"nothing", "", bad},
		{"half a header section", "HTTP/1.1 200 OK\nContent-", bad},
		{"garbage", "\x16\x03\x01\x02\x00\x01\x00", bad},
		{"another protocol", "SSH-2.0-OpenSSH\n", bad},
		{"only an interim response", "HTTP/1.1 103 Early Hints\nLink: </a>\n\n", "HEADERS 103 link=</a> | " + bad},
		{"less than its length", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhi",
			`HEADERS 200 content-length=5 | DATA "hi" | RST_STREAM INTERNAL_ERROR`},
		{"no last chunk", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n", `HEADERS 200 | DATA "hi" | RST_STREAM INTERNAL_ERROR`},
		{"half a chunk", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhi", `HEADERS 200 | RST_STREAM INTERNAL_ERROR`},
		{"half a trailer section", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-A: 1\n", `HEADERS 200 | RST_STREAM INTERNAL_ERROR`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t)
			e := newEdge(t, b.addr, proxy.Config{})
			c := e.connect()
			c.headers(1, get("/x"), true)
			c.flush()
			u := b.next()
			u.raw()
			u.write(tt.answer)
			if strings.Contains(tt.want, "DATA \"hi\"") {
				c.untilLine(1, "DATA") // else the content may be dropped with the reset
			}
			u.nc.Close()
			got := c.untilOver(1)
			if !strings.Contains(tt.want, "DATA") {
				// net/http holds it back until it knows what follows.
				got = strings.Replace(got, ` | DATA "hi"`, "", 1)
			}
			want(t, sorted(got), sorted(tt.want))
			c.ping()
			e.logged(1, "the backend failed", "backend="+b.addr, "target=/x")
		})
	}
	t.Run("down", func(t *testing.T) {
		b := newBackend(t)
		b.ln.Close()
		e := newEdge(t, b.addr, proxy.Config{})
		c := e.connect()
		c.headers(1, get("/x"), true)
		want(t, sorted(c.untilOver(1)), sorted(bad))
		e.logged(1, "status=502", "refused")
	})
	t.Run("silent", func(t *testing.T) {
		b := newBackend(t)
		e := newEdge(t, b.addr, proxy.Config{ResponseTimeout: 10 * time.Millisecond})
		c := e.connect()
		c.headers(1, get("/x"), true)
		want(t, sorted(c.untilOver(1)), sorted(`HEADERS 504 content-length=20 content-type=text/plain; charset=utf-8 | DATA "504 Gateway Timeout\n" END_STREAM`))
		b.next().raw()
		e.logged(1, "status=504", "timeout")
	})
}

// TestEarlyResponse: a response while the content is still coming is passed
// on, the rest is not wanted, and the connection is not used again.
func TestEarlyResponse(t *testing.T) {
	b := newBackend(t)
	e := newEdge(t, b.addr, proxy.Config{})
	c := e.connect()
	c.headers(1, post("/"), false)
	c.data(1, "half", false)
	c.flush()
	u := b.next()
	u.raw()
	u.write("HTTP/1.1 413 Content Too Large\nContent-Length: 0\n\n")
	c.untilLine(1, "RST_STREAM")
	want(t, c.untilOver(1), "HEADERS 413 content-length=0 END_STREAM | RST_STREAM NO_ERROR")
	want(t, u.closed(), "4\r\nhalf\r\n")
	e.logged(0)
}

// TestHTTP1EarlyResponse: the connection that the edge says it closes is closed
// when the client sends no more of its content and waits.
func TestHTTP1EarlyResponse(t *testing.T) {
	for _, request := range []string{"Content-Length: 100\n\nhalf", "Transfer-Encoding: chunked\n\n4\nhalf\n"} {
		b := newBackend(t)
		e := newEdge(t, b.addr, proxy.Config{})
		nc, err := net.Dial("tcp", e.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		c := &upstream{t, nc, reader(nc)}
		c.write("POST / HTTP/1.1\nHost: h\n" + request)
		u := b.next()
		u.raw()
		u.write("HTTP/1.1 413 Content Too Large\nContent-Length: 2\n\nhi")
		text, err := io.ReadAll(c.br)
		if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 413 ") || !strings.Contains(string(text), "\r\nConnection: close\r\n") || !strings.HasSuffix(string(text), "\r\n\r\nhi") {
			t.Errorf("the client got %q, %v", text, err)
		}
		e.logged(0)
	}
}

// TestHTTP1Expect: the edge's 100 (Continue), and interim responses of the
// backend before it has the content.
func TestHTTP1Expect(t *testing.T) {
	addr := app(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		io.Copy(w, r.Body)
	})
	e := newEdge(t, addr, proxy.Config{})
	nc, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	c := &upstream{t, nc, reader(nc)}
	for range 20 {
		c.write("POST / HTTP/1.1\nHost: h\nExpect: 100-continue\nContent-Length: 2\n\n")
		want(t, c.raw(), "HTTP/1.1 100 Continue\r\n\r\n")
		want(t, c.raw(), "HTTP/1.1 103 Early Hints\r\n\r\n")
		c.write("hi")
		if head := c.raw(); !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || strings.Contains(head, "Connection") {
			t.Fatalf("the client got %q", head)
		}
		body := make([]byte, 2)
		io.ReadFull(c.br, body)
		want(t, string(body), "hi")
	}
	e.logged(0)
}

// TestHTTP1Targets: an absolute target whose authority is not just a host is
// refused.
func TestHTTP1Targets(t *testing.T) {
	addr := app(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.Host, r.RequestURI) })
	e := newEdge(t, addr, proxy.Config{})
	for target, want := range map[string]string{
		"http://a.example:81/b?c": "a.example:81 /b?c", "HTTPS://a?b": "a /?b", "http://a": "a /", "http://a//b": "a //b",
		"http://user@a/": "", "http://user:pass@a/": "", "http://@a/": "", "http:///b": "", "http://?b": "", "http://%61/": "", "ws://a/": "", "http:/a": "",
	} {
		nc, err := net.Dial("tcp", e.addr)
		if err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(patience))
		io.WriteString(nc, "GET "+target+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		text, _ := io.ReadAll(nc)
		nc.Close()
		_, body, _ := strings.Cut(string(text), "\r\n\r\n")
		if refused := strings.HasPrefix(string(text), "HTTP/1.1 400 "); refused != (want == "") || !refused && body != want {
			t.Errorf("%s: %q, want %q", target, text, want)
		}
	}
}

// TestTooManyRequests: Config.MaxRequests.
func TestTooManyRequests(t *testing.T) {
	b := newBackend(t)
	e := newEdge(t, b.addr, proxy.Config{MaxRequests: 1})
	c := e.connect()
	c.headers(1, get("/"), true)
	c.flush()
	u := b.next()
	u.raw()
	c.headers(3, get("/"), true)
	if got := c.untilOver(3); !strings.HasPrefix(got, "HEADERS 503 ") {
		t.Errorf("the second request: %s", got)
	}
	u.write(ok("hi"))
	c.untilOver(1)
	c.headers(5, get("/"), true)
	c.flush()
	u.raw()
	u.write(ok("hi"))
	want(t, c.untilOver(5), `HEADERS 200 content-length=2 | DATA "hi" END_STREAM`)
}

// TestHTTP1Client: the same for a client of HTTP/1.1.
func TestHTTP1Client(t *testing.T) {
	b := newBackend(t)
	e := newEdge(t, b.addr, proxy.Config{})
	nc, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := &upstream{t, nc, nil}
	c.br = reader(nc)
	c.write("POST http://other.example/a?b HTTP/1.1\nHost: example.com\nConnection: close, x-hop\nX-Hop: 1\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n" +
		"Transfer-Encoding: chunked\nTrailer: X-Sum\n\n2\nhi\n0\nX-Sum: 7\n\n")
	u := b.next()
	want(t, u.raw(), strings.ReplaceAll("POST /a?b HTTP/1.1\nHost: other.example\nTransfer-Encoding: chunked\nTrailer: X-Sum\nVia: 1.1 nonet\n"+
		"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: other.example\nX-Forwarded-Proto: http\n\n", "\n", "\r\n"))
	body := make([]byte, len("2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n"))
	io.ReadFull(u.br, body)
	want(t, string(body), "2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n")
	u.write("HTTP/1.1 200 OK\nTrailer: X-A\nTransfer-Encoding: chunked\n\n2\nyo\n0\nX-A: 1\n\n")
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if string(text) != "yo" || err != nil || res.Trailer.Get("X-A") != "1" || res.Proto != "HTTP/1.1" {
		t.Errorf("%s %q %v, trailers %v", res.Proto, text, err, res.Trailer)
	}
	e.logged(0)
}

// TestHTTP1BadContent: content that is not what HTTP/1.1 has is the client's
// fault, and never looks complete to the backend.
func TestHTTP1BadContent(t *testing.T) {
	for _, begun := range []bool{false, true} {
		b := newBackend(t)
		e := newEdge(t, b.addr, proxy.Config{})
		nc, err := net.Dial("tcp", e.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		c := &upstream{t, nc, reader(nc)}
		c.write("POST / HTTP/1.1\nHost: h\nCookie: a=1\nCookie: b=2\nTransfer-Encoding: chunked\n\n2\nhi\n")
		u := b.next()
		if head := u.raw(); !strings.Contains(head, "\r\nCookie: a=1; b=2\r\n") {
			t.Errorf("the backend got %q", head)
		}
		if begun {
			u.write("HTTP/1.1 200 OK\nContent-Length: 10\n\n")
			c.raw()
		}
		c.write("xyz\n\nGET /evil HTTP/1.1\nHost: evil\n\n") // no request
		want(t, u.closed(), "2\r\nhi\r\n")
		rest, err := io.ReadAll(c.br)
		if err != nil {
			t.Errorf("the client's connection goes on: %v", err)
		}
		if n := len(b.conns); n > 0 {
			t.Error("what followed the bad content was taken for a request")
		}
		if strings.Count(string(rest), "HTTP/1.1 ") > 1 || !begun && !strings.HasPrefix(string(rest), "HTTP/1.1 400 ") || begun && len(rest) > 0 {
			t.Errorf("the client got %q", rest)
		}
		e.logged(0)
	}
}

// TestHTTP10Client: interim responses are not for HTTP/1.0, nor chunks.
func TestHTTP10Client(t *testing.T) {
	b := newBackend(t)
	e := newEdge(t, b.addr, proxy.Config{})
	nc, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := &upstream{t, nc, reader(nc)}
	c.write("POST / HTTP/1.0\nHost: h\nExpect: 100-continue\nContent-Length: 2\n\nhi")
	u := b.next()
	if head := u.raw(); !strings.HasPrefix(head, "POST / HTTP/1.1\r\n") || !strings.Contains(head, "\r\nVia: 1.0 nonet\r\n") {
		t.Errorf("the backend got %q", head)
	}
	u.write("HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-A: 1\n\n")
	text, err := io.ReadAll(c.br)
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.0 200 OK\r\n") || !strings.HasSuffix(string(text), "\r\n\r\nhi") {
		t.Errorf("the client got %q, %v", text, err)
	}
}

// TestHTTP1Duplex: content and response of HTTP/1.1 at once, and more of it
// than any buffer holds.
func TestHTTP1Duplex(t *testing.T) {
	addr := app(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		http.NewResponseController(w).Flush()
		io.Copy(w, r.Body)
	})
	e := newEdge(t, addr, proxy.Config{})
	for _, tt := range []struct{ size, length int64 }{{4 << 20, 4 << 20}, {4 << 20, -1}, {320_000, 320_000}, {320_000, -1}, {200_000, -1}} {
		size, length := tt.size, tt.length
		r, err := http.NewRequest("PUT", "http://"+e.addr+"/", io.LimitReader(zeros{}, size))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.Close = true
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		if n != size || err != nil || res.ProtoMajor != 1 {
			t.Errorf("%s: %d octets, %v", res.Proto, n, err)
		}
	}
	e.logged(0)
}

// TestWebSocket: an upgrade of HTTP/1.1 crosses the hop, and then octets both
// ways.
func TestWebSocket(t *testing.T) {
	b := newBackend(t)
	e := newEdge(t, b.addr, proxy.Config{})
	nc, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := &upstream{t, nc, reader(nc)}
	// "early" comes before the backend has agreed.
	c.write("GET /chat HTTP/1.1\nHost: example.com\nConnection: keep-alive, Upgrade\nUpgrade: WebSocket\nSec-WebSocket-Key: eA==\n\nearly")
	u := b.next()
	want(t, u.raw(), strings.ReplaceAll("GET /chat HTTP/1.1\nHost: example.com\nConnection: Upgrade\nSec-Websocket-Key: eA==\nUpgrade: WebSocket\nVia: 1.1 nonet\n"+
		"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example.com\nX-Forwarded-Proto: http\n\n", "\n", "\r\n"))
	if n := u.br.Buffered(); n > 0 {
		t.Errorf("%d octets came before the backend agreed", n)
	}
	u.write("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\nhello")
	head := c.raw()
	for _, line := range []string{"HTTP/1.1 101 Switching Protocols\r\n", "Connection: Upgrade\r\n", "Upgrade: websocket\r\n"} {
		if !strings.Contains(head, line) {
			t.Errorf("no %q in %q", line, head)
		}
	}
	expect := func(from *upstream, text string) {
		t.Helper()
		got := make([]byte, len(text))
		if _, err := io.ReadFull(from.br, got); err != nil || string(got) != text {
			t.Fatalf("got %q, %v; want %q", got, err, text)
		}
	}
	expect(c, "hello")
	expect(u, "early")
	c.write("ping")
	expect(u, "ping")
	u.write("pong")
	expect(c, "pong")
	nc.Close()
	want(t, u.closed(), "")
	e.logged(0)
}

// TestWebSocketRefused: what is not an upgrade to WebSocket goes on without
// it; an answer that switches anyway is a failure.
func TestWebSocketRefused(t *testing.T) {
	for _, tt := range []struct{ name, request, answer, want string }{
		{"h2c", "GET / HTTP/1.1\nHost: h\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n\n", ok("hi"), "HTTP/1.1 200 OK"},
		{"two protocols", "GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket, h2c\n\n", ok("hi"), "HTTP/1.1 200 OK"},
		{"post", "POST / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: 0\n\n", ok("hi"), "HTTP/1.1 200 OK"},
		{"with content", "GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: 2\n\nab", ok("hi"), "HTTP/1.1 200 OK"},
		{"101 to h2c", "GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: h2c\n\n",
			"HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: h2c\n\n", "HTTP/1.1 502 Bad Gateway"},
		{"101 to another protocol", "GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\n\n",
			"HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: h2c\n\n", "HTTP/1.1 502 Bad Gateway"},
		{"101 to nothing", "GET / HTTP/1.1\nHost: h\n\n", "HTTP/1.1 101 Switching Protocols\n\n", "HTTP/1.1 502 Bad Gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t)
			e := newEdge(t, b.addr, proxy.Config{})
			nc, err := net.Dial("tcp", e.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			c := &upstream{t, nc, reader(nc)}
			c.write(tt.request)
			u := b.next()
			head := u.raw()
			for _, name := range []string{"Upgrade:", "Http2-Settings:", "Connection:"} {
				if strings.Contains(head, name) && tt.name != "101 to another protocol" {
					t.Errorf("the backend got %s in %q", name, head)
				}
			}
			u.write(tt.answer)
			line, err := c.br.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			want(t, strings.TrimSpace(line), tt.want)
			if strings.HasPrefix(tt.answer, "HTTP/1.1 101") {
				want(t, u.closed(), "")
				e.logged(1)
			}
		})
	}
}
