package proxy_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// seen is a request as a parser of the backend's side saw it. What may not
// differ between parsers is in the first four fields.
type seen struct {
	method, target, host, body string
	fields                     []field // and trailers, as they were sent
}

func (s seen) String() string {
	return fmt.Sprintf("%s %s host=%s body=%q", s.method, s.target, s.host, s.body)
}

// recorder is a backend that keeps every octet and answers each request with
// 200. What it got is judged when the edge is closed.
type recorder struct {
	t      testing.TB
	answer string
	first  chan struct{} // gets one when a connection's first octets have come

	mu   sync.Mutex
	raw  []*bytes.Buffer // what came on each connection
	busy sync.WaitGroup
}

// serve records a connection until it ends.
func (r *recorder) serve(nc net.Conn) {
	var raw bytes.Buffer
	r.mu.Lock()
	r.raw = append(r.raw, &raw)
	r.mu.Unlock()
	defer nc.Close()
	buf := make([]byte, 16<<10)
	answered := 0
	for {
		n, err := nc.Read(buf)
		r.mu.Lock()
		if raw.Len() == 0 && n > 0 {
			r.first <- struct{}{}
		}
		raw.Write(buf[:n])
		reqs, _, bad := parseStrict(raw.Bytes())
		r.mu.Unlock()
		if err != nil {
			return
		}
		if bad != nil {
			return // the judgement comes at the end
		}
		for ; answered < len(reqs); answered++ {
			if _, err := io.WriteString(nc, r.answer); err != nil {
				return
			}
		}
	}
}

// listen accepts connections from the edge on a TCP port.
func (r *recorder) listen() (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			r.busy.Go(func() { r.serve(nc) })
		}
	}()
	return ln.Addr().String()
}

func newRecorder(t testing.TB) *recorder {
	return &recorder{t: t, answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", first: make(chan struct{}, 16)}
}

// judge waits for the ends of the connections and returns what was recorded,
// complete requests only; cut says that a part of another came. Three parsers
// have to see the same.
func (r *recorder) judge() (reqs []seen, cut bool) {
	r.t.Helper()
	r.busy.Wait()
	for _, raw := range r.raw {
		strict, rest, err := parseStrict(raw.Bytes())
		if err != nil {
			r.t.Errorf("the strict parser: %v in\n%q", err, raw)
			continue
		}
		cut = cut || len(rest) > 0
		for name, parse := range map[string]func([]byte) []seen{"net/http": parseNetHTTP, "the naive parser": parseNaive} {
			got := parse(raw.Bytes())
			if !slices.EqualFunc(got, strict, func(a, b seen) bool { return a.String() == b.String() }) {
				r.t.Errorf("%s sees\n%v\nwhere the strict parser sees\n%v\nin\n%q", name, got, strict, raw)
			}
		}
		reqs = append(reqs, strict...)
	}
	return reqs, cut
}

// parseStrict parses requests as RFC 9112 has them and forgives nothing. rest
// is what came of a request that is not complete.
func parseStrict(b []byte) (reqs []seen, rest []byte, err error) {
	for len(b) > 0 {
		s, n, err := strictOne(b)
		if err != nil {
			return reqs, b, err
		}
		if n == 0 {
			return reqs, b, nil
		}
		reqs, b = append(reqs, s), b[n:]
	}
	return reqs, nil, nil
}

var errStrict = errors.New("not RFC 9112")

// strictLine cuts a line off. ok is false when it is not complete.
func strictLine(b []byte) (line string, rest []byte, ok bool, err error) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return "", b, false, nil
	}
	if i == 0 || b[i-1] != '\r' || bytes.IndexByte(b[:i-1], '\r') >= 0 || bytes.IndexByte(b[:i], 0) >= 0 {
		return "", b, false, fmt.Errorf("%w: line %q", errStrict, b[:i+1])
	}
	return string(b[:i-1]), b[i+1:], true, nil
}

// strictOne parses a request and returns its length; 0: it is not complete.
func strictOne(b []byte) (s seen, n int, err error) {
	line, rest, ok, err := strictLine(b)
	if !ok {
		return s, 0, err
	}
	words := strings.Split(line, " ")
	if len(words) != 3 || words[2] != "HTTP/1.1" || !token(words[0]) || words[1] == "" ||
		words[1][0] != '/' && words[1] != "*" || !visible(words[1]) {
		return s, 0, fmt.Errorf("%w: request line %q", errStrict, line)
	}
	s.method, s.target = words[0], words[1]
	length, chunked, hosts := -1, false, 0
	for {
		if line, rest, ok, err = strictLine(rest); !ok {
			return s, 0, err
		}
		if line == "" {
			break
		}
		f, err := strictField(line)
		if err != nil {
			return s, 0, err
		}
		s.fields = append(s.fields, f)
		switch strings.ToLower(f.name) {
		case "host":
			s.host = f.value
			hosts++
		case "content-length":
			n, err := strconv.Atoi(f.value)
			if err != nil || length >= 0 || n < 0 || strconv.Itoa(n) != f.value {
				return s, 0, fmt.Errorf("%w: %q", errStrict, line)
			}
			length = n
		case "transfer-encoding":
			if chunked || f.value != "chunked" {
				return s, 0, fmt.Errorf("%w: %q", errStrict, line)
			}
			chunked = true
		}
	}
	switch {
	case hosts != 1 || s.host == "":
		return s, 0, fmt.Errorf("%w: %d hosts, %q", errStrict, hosts, s.host)
	case chunked && length >= 0:
		return s, 0, fmt.Errorf("%w: length and chunks", errStrict)
	case chunked:
		for {
			if line, rest, ok, err = strictLine(rest); !ok {
				return s, 0, err
			}
			size, err := strconv.ParseUint(line, 16, 31)
			if err != nil {
				return s, 0, fmt.Errorf("%w: chunk size %q", errStrict, line)
			}
			if size == 0 {
				break
			}
			if uint64(len(rest)) < size+2 {
				return s, 0, nil
			}
			if string(rest[size:size+2]) != "\r\n" {
				return s, 0, fmt.Errorf("%w: no CRLF after a chunk", errStrict)
			}
			s.body, rest = s.body+string(rest[:size]), rest[size+2:]
		}
		for {
			if line, rest, ok, err = strictLine(rest); !ok {
				return s, 0, err
			}
			if line == "" {
				break
			}
			f, err := strictField(line)
			if err != nil {
				return s, 0, err
			}
			s.fields = append(s.fields, f)
		}
	case length > 0:
		if len(rest) < length {
			return s, 0, nil
		}
		s.body, rest = string(rest[:length]), rest[length:]
	}
	return s, len(b) - len(rest), nil
}

func strictField(line string) (field, error) {
	name, value, ok := strings.Cut(line, ":")
	value, blank := strings.CutPrefix(value, " ") // net/http always writes one
	if !ok || !blank || !token(name) || value != strings.Trim(value, " \t") {
		return field{}, fmt.Errorf("%w: field %q", errStrict, line)
	}
	for i := range len(value) {
		if value[i] < ' ' && value[i] != '\t' || value[i] == 0x7f {
			return field{}, fmt.Errorf("%w: field %q", errStrict, line)
		}
	}
	return field{name, value}, nil
}

func token(s string) bool {
	const special = "!#$%&'*+-.^_`|~"
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(special, c) >= 0) {
			return false
		}
	}
	return s != ""
}

func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// parseNetHTTP parses with net/http.
func parseNetHTTP(b []byte) (reqs []seen) {
	br := bufio.NewReader(bytes.NewReader(b))
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return reqs
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return reqs
		}
		reqs = append(reqs, seen{method: r.Method, target: r.RequestURI, host: r.Host, body: string(body)})
	}
}

// parseNaive parses as a careless program does: it ends lines at LF, trims
// everything, takes "_" for "-", the last of several fields, the length before
// the chunks, and any value that mentions them.
func parseNaive(b []byte) (reqs []seen) {
	text := string(b)
	for {
		head, rest, ok := cutHead(text)
		if !ok {
			return reqs
		}
		lines := strings.Split(head, "\n")
		words := strings.Fields(lines[0])
		if len(words) < 2 {
			return reqs
		}
		s := seen{method: words[0], target: words[1]}
		length, chunked := 0, false
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-") {
			case "host":
				s.host = value
			case "content-length":
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			case "transfer-encoding":
				chunked = strings.Contains(strings.ToLower(value), "chunked")
			}
		}
		switch {
		case length > 0:
			if len(rest) < length {
				return reqs
			}
			s.body, rest = rest[:length], rest[length:]
		case chunked:
			for {
				line, after, ok := strings.Cut(rest, "\n")
				if !ok {
					return reqs
				}
				size, _ := strconv.ParseUint(strings.TrimSpace(line), 16, 31)
				if size == 0 {
					if strings.HasPrefix(after, "\r\n") {
						rest = after[2:]
					} else if _, rest, ok = cutHead(after); !ok {
						return reqs
					}
					break
				}
				if len(after) < int(size)+2 {
					return reqs
				}
				s.body, rest = s.body+after[:size], after[size+2:]
			}
		}
		reqs, text = append(reqs, s), rest
	}
}

// cutHead cuts at the first empty line, however it is written.
func cutHead(text string) (head, rest string, ok bool) {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return "", "", false
		}
		if strings.TrimRight(text[at:at+i], "\r") == "" && at > 0 {
			return strings.TrimRight(text[:at], "\n"), text[at+i+1:], true
		}
		at += i + 1
	}
}

// TestParsers: the three parsers agree on what is plain, and differ where
// there is something to find.
func TestParsers(t *testing.T) {
	plain := "GET /a HTTP/1.1\r\nHost: h\r\n\r\n" +
		"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
		"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-A: 1\r\n\r\n" +
		"PUT /d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	want := `[GET /a host=h body="" POST /b host=h body="abc" POST /c host=h body="abc" PUT /d host=h body=""]`
	strict, rest, err := parseStrict([]byte(plain))
	if fmt.Sprint(strict) != want || len(rest) > 0 || err != nil {
		t.Errorf("strict: %v, rest %q, %v", strict, rest, err)
	}
	if got := fmt.Sprint(parseNetHTTP([]byte(plain))); got != want {
		t.Errorf("net/http: %s", got)
	}
	if got := fmt.Sprint(parseNaive([]byte(plain))); got != want {
		t.Errorf("naive: %s", got)
	}
	for at := range len(plain) {
		if _, _, err := parseStrict([]byte(plain[:at])); err != nil {
			t.Errorf("cut at %d: %v", at, err)
		}
	}
	for _, odd := range []string{
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\r\n\r\n",
		"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://x/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
	} {
		if reqs, _, err := parseStrict([]byte(odd)); err == nil {
			t.Errorf("strict takes %q for %v", odd, reqs)
		}
	}
}
