package nonet

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestHTTP1Content: what is left of a request's content, or follows a fault in
// it, is no request (RFC 9112 9.3), and a connection whose content was read to
// its end goes on.
func TestHTTP1Content(t *testing.T) {
	read := func(s Stream) { io.Copy(io.Discard, s) }
	flush := func(s Stream) { s.Flush() }
	long := strings.Repeat("a", 5000)
	for _, tt := range []struct {
		name, content string
		steps         []func(Stream)
		alive         bool
	}{
		{"good, read", "2\nhi\n0\n\n", []func(Stream){read}, true},
		{"good, read, then a response in pieces", "2\nhi\n0\n\n", []func(Stream){read, flush}, true},
		{"good, not read", "2\nhi\n0\n\n", nil, true},
		{"good, the response comes first", "2\nhi\n0\n\n", []func(Stream){flush, read}, false},
		{"bad, read", "2\nhi\nxyz\n", []func(Stream){read}, false},
		{"bad, read, then a response in pieces", "2\nhi\nxyz\n", []func(Stream){read, flush}, false},
		{"bad, not read", "2\nhi\nxyz\n", nil, false},
		{"bad, the response comes first", "2\nhi\nxyz\n", []func(Stream){flush, read}, false},
		{"bad, not read, in pieces", "2\nhi\nxyz\n", []func(Stream){flush, flush}, false},
		{"bad, after the end of the response", "2\nhi\nxyz\n", []func(Stream){func(s Stream) { s.Close() }, read}, false},
		{"trailers too long", "2\nhi\n0\nGET /evil HTTP/1.1\nHost: h\nX: " + long + "\n\n", []func(Stream){flush, read}, false},
		{"trailers too long, read first", "2\nhi\n0\nGET /evil HTTP/1.1\nHost: h\nX: " + long + "\n\n", []func(Stream){read, flush}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, sc := net.Pipe()
				p := connect(t, &Server{Handler: func(s Stream) {
					if s.Method() == "GET" {
						s.SetField("x-path", string(s.Path()))
						return
					}
					for _, step := range tt.steps {
						step(s)
					}
				}}, c, sc)
				go io.WriteString(c, strings.ReplaceAll("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n"+
					tt.content+"GET /next HTTP/1.1\nHost: h\nConnection: close\n\n", "\n", "\r\n"))
				r := bufio.NewReader(c)
				res, err := http.ReadResponse(r, nil)
				must(t, err)
				if _, err := io.ReadAll(res.Body); err != nil || res.Close == tt.alive {
					t.Errorf("Connection: close %t, %v", res.Close, err)
				}
				rest, err := io.ReadAll(r)
				if err != nil || strings.Contains(string(rest), "/next") != tt.alive || strings.Contains(string(rest), "/evil") {
					t.Errorf("then came %q, %v", rest, err)
				}
				c.Close()
				<-p.ended
			})
		})
	}
}

// TestHTTP1Close: a response is complete for the client before the handler
// returns.
func TestHTTP1Close(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c, sc := net.Pipe()
		p := connect(t, &Server{Handler: func(s Stream) {
			s.WriteString("done")
			must(t, s.Close())
			time.Sleep(time.Hour)
		}}, c, sc)
		began := time.Now()
		go io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		must(t, err)
		if b, err := io.ReadAll(res.Body); string(b) != "done" || err != nil || time.Since(began) > time.Minute {
			t.Errorf("%q, %v after %v", b, err, time.Since(began))
		}
		c.Close()
		<-p.ended
		time.Sleep(2 * time.Hour)
	})
}
