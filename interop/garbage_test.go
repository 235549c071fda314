package interop

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet"
)

// TestGarbage: whatever a client sends, the server goes on, logs at most one
// line about it, and has nothing left of it in the end.
func TestGarbage(t *testing.T) {
	text := func(s string) func(t *testing.T, nc net.Conn) {
		return func(t *testing.T, nc net.Conn) { io.WriteString(nc, s) }
	}
	for name, send := range map[string]func(t *testing.T, nc net.Conn){
		"nothing":               text(""),
		"one octet":             text("P"),
		"half a preface":        text(http2.ClientPreface[:12]),
		"a preface":             text(http2.ClientPreface),
		"a wrong preface":       text(strings.Replace(http2.ClientPreface, "SM", "XX", 1)),
		"a wrong first frame":   text(http2.ClientPreface + "\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
		"zeros":                 text(strings.Repeat("\x00", 100000)),
		"text":                  text(strings.Repeat("not a protocol\r\n", 10000)),
		"half a request":        text("GET / HTTP/1.1\r\nHost: a"),
		"HTTP/1.1 without host": text("GET / HTTP/1.1\r\n\r\n"),
		"TLS": func(t *testing.T, nc net.Conn) {
			if tls.Client(nc, &tls.Config{InsecureSkipVerify: true}).Handshake() == nil {
				t.Error("the handshake succeeds within another connection's octets")
			}
		},
	} {
		for _, tr := range transports {
			t.Run(name+"/"+string(tr), func(t *testing.T) {
				t.Parallel()
				srv := start(t, tr, &nonet.Server{Handler: protocolHandler})
				nc, err := srv.dial(t, nil, "h2")
				if err != nil {
					t.Fatal(err)
				}
				send(t, nc)
				closeWrite(nc)
				nc.SetReadDeadline(time.Now().Add(patience))
				if _, err := io.Copy(io.Discard, nc); isTimeout(err) {
					t.Error("the server keeps the connection")
				}
				nc.Close()
				serverGoesOn(t, srv)
			})
		}
	}
}

// TestGarbageInsteadOfTLS: cleartext on a TLS port.
func TestGarbageInsteadOfTLS(t *testing.T) {
	for _, text := range []string{"", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", http2.ClientPreface, "\x16\x03\x01\xff\xff\x01"} {
		srv := start(t, overTLS, &nonet.Server{Handler: protocolHandler})
		nc, err := net.Dial("tcp", srv.addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(nc, text)
		closeWrite(nc)
		nc.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, nc); isTimeout(err) {
			t.Errorf("%q: the server keeps the connection", text)
		}
		nc.Close()
		serverGoesOn(t, srv)
	}
}

// TestHTTP10: an old client gets an answer.
func TestHTTP10(t *testing.T) {
	for _, tr := range transports {
		srv := start(t, tr, &nonet.Server{Handler: protocolHandler})
		nc, err := srv.dial(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(nc, "GET / HTTP/1.0\r\n\r\n")
		answer, err := io.ReadAll(nc)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.0 200") || !strings.HasSuffix(string(answer), "\r\n\r\nHTTP/1.0") {
			t.Errorf("%s: %q, %v", tr, answer, err)
		}
	}
}

// serverGoesOn proves that the server answers, then that nothing keeps it from
// ending, and that it logged one line at most.
func serverGoesOn(t *testing.T, srv *server) {
	t.Helper()
	nc, err := srv.dial(t, nil, "h2")
	if err != nil {
		t.Fatal(err)
	}
	if got := get2(t, nc); got != "HTTP/2" {
		t.Errorf("afterwards: Protocol() = %q", got)
	}
	nc.Close()
	srv.shutdown(t)
	if log := srv.log.String(); strings.Count(log, "\n") > 1 {
		t.Errorf("the server logged more than a line:\n%s", log)
	}
}

// closeWrite ends the client's side of a connection.
func closeWrite(nc net.Conn) {
	if c, ok := nc.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}
