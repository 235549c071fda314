package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// follow feeds a fresh guard and returns how far it goes along with it.
func follow(b []byte, head bool, step int) (g *guard, good int) {
	g = new(guard)
	g.begin(head, false)
	for len(b) > 0 && g.fail == nil {
		n := min(step, len(b))
		good += g.follow(b[:n])
		b = b[n:]
	}
	return g, good
}

// TestGuard: where a response ends, or why it is refused, however it is cut.
func TestGuard(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct {
		text  string
		head  bool
		state state
		fail  error
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, idle, nil},
		{"HTTP/1.1 200 OK\r\ncontent-length:\t 2 \t\r\n\r\no", false, fixed, nil},
		{"HTTP/1.1 200\r\n\r\nok", false, untilClose, nil},
		{"HTTP/1.0 200 \r\n\r\nok", false, untilClose, nil},
		{"HTTP/1.1 200 \xe9t\xe9\r\nX-A: \xe9\r\nContent-Length: 0\r\n\r\n", false, idle, nil},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, idle, nil},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, idle, nil},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, idle, nil},
		{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false, statusLine, nil},
		{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false, idle, nil},
		{chunked + "0\r\n\r\n", false, idle, nil},
		{chunked + "A\r\n0123456789\r\n0b;x=\"y\"\r\n0123456789a\r\n000\r\nX-A: 1\r\n\r\n", false, idle, nil},
		{chunked + "7fffffff\r\n", false, chunk, nil},
		{chunked + "2\r\nok\r\n", false, chunkSize, nil},
		{chunked + "0\r\nX-A: 1\r\n", false, trailer, nil},

		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", false, idle, errUnasked},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", false, headerLine, errNotUpgraded},
		{"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n", false, headerLine, errInterim},
		{strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 17), false, headerLine, errInterims},
		{"HTTP/1.1 200 OK\n", false, statusLine, errLine},
		{"HTTP/1.1 200 O\rK\r\n", false, statusLine, errLine},
		{"HTTP/1.1 200 O\x00K\r\n", false, statusLine, errStatus},
		{"HTTP/1.1 200OK\r\n", false, statusLine, errStatus},
		{"HTTP/1.1  200 OK\r\n", false, statusLine, errStatus},
		{"http/1.1 200 OK\r\n", false, statusLine, errStatus},
		{"HTTX", false, statusLine, errStatus},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n", false, headerLine, errLength},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n", false, headerLine, errCoding},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", true, headerLine, errFraming},
		{"HTTP/1.1 200 OK\r\nX-A\x01: 1\r\n", false, headerLine, errField},
		{"HTTP/1.1 200 OK\r\nX-A: \x7f\r\n", false, headerLine, errField},
		{"HTTP/1.1 200 OK\r\n\tX-A: 1\r\n", false, headerLine, errFolded},
		{"HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", headerSize), false, headerLine, errLong},
		{chunked + "\r\n", false, chunkSize, errChunk},
		{chunked + "1000000000000000\r\n", false, chunkSize, errChunk},
		{chunked + "-1\r\n", false, chunkSize, errChunk},
		{chunked + "2\r\nokx\r\n", false, chunkEnd, errChunk},
		{chunked + "1;" + strings.Repeat("x", maxChunkLine), false, chunkSize, errLong},
		{chunked + "0\r\n" + strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 33), false, trailer, errLong},
	} {
		for _, step := range []int{1, 2, 3, 7, len(tt.text)} {
			g, good := follow([]byte(tt.text), tt.head, step)
			if g.state != tt.state || !errors.Is(g.fail, tt.fail) || g.fail == nil && good != len(tt.text) {
				t.Errorf("%q by %d: state %d, %v, %d octets; want %d, %v", tt.text, step, g.state, g.fail, good, tt.state, tt.fail)
			}
		}
	}
}

// TestGuardRead: what is passed on, and that nothing works afterwards.
func TestGuardRead(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
		{"SSH-2.0", "S"}, // the response has begun: the request is not to be repeated
		{"HTTP/1.1 103 A\r\n\r\nSSH-2.0", "HTTP/1.1 103 A\r\n\r\n"},
	} {
		here, there := net.Pipe()
		g := &guard{Conn: here}
		g.begin(false, false)
		go func() {
			io.WriteString(there, tt.text)
			io.WriteString(there, "never read")
		}()
		got, err := io.ReadAll(g)
		if string(got) != tt.want || err == nil {
			t.Errorf("%q: passed on %q, %v; want %q", tt.text, got, err, tt.want)
		}
		if _, err := g.Write([]byte("GET /")); err == nil {
			t.Errorf("%q: the connection can be written to", tt.text)
		}
		if g.begin(false, false) {
			t.Errorf("%q: the connection can be used again", tt.text)
		}
		here.Close()
		there.Close()
	}
}

// FuzzGuard: however input is cut, the verdict is the same; and what the guard
// takes for a complete response, net/http takes for the same one.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2;x\r\nok\r\n0\r\nX-A: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.0 304 Not Modified\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length : 2\n\nok",
	} {
		f.Add([]byte(s), false, uint8(1))
		f.Add([]byte(s), true, uint8(5))
	}
	f.Fuzz(func(t *testing.T, b []byte, head bool, step uint8) {
		if len(b) > 4<<10 {
			t.Skip("too long")
		}
		whole, n := follow(b, head, len(b)+1)
		parts, m := follow(b, head, int(step)+1)
		if whole.state != parts.state || whole.fail != parts.fail || m > len(b) || n > len(b) {
			t.Fatalf("at once: state %d, %v; by %d: state %d, %v", whole.state, whole.fail, step+1, parts.state, parts.fail)
		}
		if whole.state != idle || whole.fail != nil && whole.fail != errUnasked || len(b) == 0 {
			return
		}
		request := &http.Request{Method: "GET"}
		if head {
			request.Method = "HEAD"
		}
		br := bufio.NewReader(bytes.NewReader(b[:n]))
		for {
			res, err := http.ReadResponse(br, request)
			if err != nil {
				if knownStricter(err) {
					return
				}
				t.Fatalf("net/http: %v", err)
			}
			if res.StatusCode < 200 {
				continue
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatalf("net/http reads the content: %v", err)
			}
			break
		}
		if rest, _ := io.ReadAll(br); len(rest) > 0 {
			t.Fatalf("net/http leaves %q", rest)
		}
	})
}

// knownStricter: net/http refuses a Trailer field with a name that no trailer
// may have, which is nothing for the guard to judge.
func knownStricter(err error) bool { return strings.HasPrefix(fmt.Sprint(err), "bad trailer key") }
