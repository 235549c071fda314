package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// getting runs "nonet get" to its end.
func getting(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return start(t, append([]string{"get"}, args...)...).exit()
}

// TestGet: content on standard output, and with -i the rest.
func TestGet(t *testing.T) {
	_, addr, _ := serving(t)
	_, clear, _ := serving(t, "-h2c")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("0123456789", 30_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string // of stdout; with ... at its end only how it begins
	}{
		{"https", []string{"-k", "https://" + addr + "/hello"}, "hello world\n"},
		{"without a scheme", []string{"-k", addr + "/hello"}, "hello world\n"},
		{"http", []string{"http://" + clear + "/hello"}, "hello world\n"},
		{"-h2c", []string{"-h2c", clear + "/hello"}, "hello world\n"},
		{"two URLs", []string{"-h2c", clear + "/hello", clear + "/protocol"}, "hello world\nHTTP/2\n"},
		{"-i", []string{"-h2c", "-i", clear + "/hello"}, "HTTP/2 200\ncontent-type: text/plain\n..."},
		{"-d", []string{"-h2c", "-d", "text", clear + "/echo"}, "text"},
		{"-d and trailers", []string{"-h2c", "-i", "-d", "text", "--trailer", "a: b", clear + "/echo"}, "HTTP/2 200\n..."},
		{"-T", []string{"-h2c", "-T", file, clear + "/sink"}, "300000\n"},
		{"-X", []string{"-h2c", "-X", "HEAD", clear + "/hello"}, ""},
		{"-m", []string{"-h2c", "-m", "5", clear + "/hello", clear + "/hello", clear + "/hello"}, "hello world\nhello world\nhello world\n"},
		{"-n", []string{"-h2c", "-n", "200", "-m", "10", clear + "/hello"}, "200 requests in ..."},
		{"a status that is no success", []string{"-h2c", clear + "/nothing"}, "..."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := getting(t, tt.args...)
			want, begins := strings.CutSuffix(tt.want, "...")
			if status != 0 || stderr != "" || stdout != want && !(begins && strings.HasPrefix(stdout, want)) {
				t.Errorf("status %d, stderr %q, stdout\n%s\nwant\n%s", status, stderr, stdout, tt.want)
			}
		})
	}
}

// TestGetTrailers: what comes after the content, with -i.
func TestGetTrailers(t *testing.T) {
	_, clear, _ := serving(t, "-h2c")
	status, stdout, _ := getting(t, "-h2c", "-i", clear+"/trailers")
	head, rest, _ := strings.Cut(stdout, "\n\n")
	if status != 0 || !strings.HasPrefix(head, "HTTP/2 200\n") || !strings.Contains(rest, "\n\nx-body-bytes: 31\n") {
		t.Errorf("status %d, stdout\n%s", status, stdout)
	}
}

// TestGetVerbose: frames of both directions, with times, on standard error.
func TestGetVerbose(t *testing.T) {
	_, clear, _ := serving(t, "-h2c")
	status, stdout, stderr := getting(t, "-h2c", "-v", clear+"/hello")
	if status != 0 || stdout != "hello world\n" {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	for _, want := range []string{"[   0.0", "conn 1 send SETTINGS", "conn 1 send HEADERS stream=1", ":path: /hello", "conn 1 recv HEADERS stream=1", ":status: 200", "conn 1 recv DATA stream=1 len=12"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
}

// says serves what is no HTTP/2: it answers the first octets with this.
func says(t *testing.T, answer string) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				nc.Read(make([]byte, 1<<16))
				io.WriteString(nc, answer)
			}()
		}
	}()
	return ln.Addr().String()
}

// TestGetStatus: one line and an exit status for each kind of failure.
func TestGetStatus(t *testing.T) {
	_, addr, _ := serving(t)
	_, clear, _ := serving(t, "-h2c")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	odd := says(t, "HTTP/1.1 400 Bad Request\r\n\r\n")
	page := says(t, "<!DOCTYPE html><title>505</title>")
	old := httptest.NewTLSServer(http.NotFoundHandler()) // HTTP/1.1 only
	t.Cleanup(old.Close)
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	url := "http://" + clear
	for _, tt := range []struct {
		name   string
		args   string
		status int
		want   string
	}{
		{"no URL", "", 2, `nonet: get: no URL; "nonet get -h" shows how`},
		{"an unknown flag", "-z " + url, 2, `nonet: get: flag provided but not defined: -z; "nonet get -h" lists the flags`},
		{"-d and -T", "-d a -T b " + url, 2, "nonet: get: -d and -T exclude each other"},
		{"-n 0", "-n 0 " + url, 2, "nonet: get: -n is at least 1"},
		{"-m 0", "-m 0 " + url, 2, "nonet: get: -m is at least 1"},
		{"-T - -n 2", "-T - -n 2 " + url, 2, "nonet: get: standard input can be sent once: -T - and -n exclude each other"},
		{"no field", "-H a " + url, 2, `nonet: get: "a" is no field; write 'name: value'`},
		{"no http", "ftp://a/", 1, `nonet: get ftp://a/: nonet: not a URL of http or https: "ftp://a/"`},
		{"a field that may not be", "-H connection:close " + url, 1, "nonet: get " + url + `: nonet: connection-specific field: "connection"`},
		{"a flag after the URL", url + " -i", 2, `nonet: get: "-i" is no URL; flags come before the URLs`},
		{"a trailer that may not be", "-d x -trailer host:a " + url + "/echo", 1, "nonet: get " + url + `/echo: nonet: field is not allowed in trailers: "host"`},
		{"a directory", "-T / " + url + "/echo", 1, "nonet: get " + url + "/echo: read /: is a directory"},
		{"no file", "-T /nonexistent " + url, 1, "nonet: get " + url + ": open /nonexistent: no such file or directory"},
		{"refused", "http://" + closed.Addr().String() + "/", 3, "nonet: get http://" + closed.Addr().String() + "/: nonet: dial tcp " + closed.Addr().String() + ": connect: connection refused"},
		{"a certificate that nobody knows", "https://" + addr + "/hello", 3, "nonet: get https://" + addr + "/hello: nonet: TLS with " + addr + ": tls: failed to verify certificate: x509: certificate signed by unknown authority; -k accepts it"},
		{"unknown host", "https://nowhere.invalid/", 3, "nonet: get https://nowhere.invalid/: nonet: dial tcp: lookup nowhere.invalid...: no such host"},
		{"unknown host, -h2c", "-h2c nowhere.invalid", 3, "nonet: get http://nowhere.invalid: nonet: dial tcp: lookup nowhere.invalid...: no such host"},
		{"no such port", "http://127.0.0.1:70000/", 3, "nonet: get http://127.0.0.1:70000/: nonet: dial tcp: address 70000: invalid port"},
		{"HTTP/1.1", "http://" + odd + "/", 4, "nonet: get http://" + odd + "/: nonet: the server speaks HTTP/1.1, not HTTP/2"},
		{"a page at once", "http://" + page + "/", 4, "nonet: get http://" + page + "/: nonet: the server does not speak HTTP/2: it does not begin with SETTINGS"},
		{"HTTP/1.1 over TLS", "-k " + old.URL, 4, "nonet: get " + old.URL + ": nonet: " + old.Listener.Addr().String() + " does not speak HTTP/2: its TLS chose http/1.1"},
		{"cleartext to a TLS port", "http://" + addr + "/", 4, "nonet: get http://" + addr + "/: nonet: the server speaks TLS; use https"},
		{"TLS to an HTTP/1.1 port", "https://" + odd + "/", 4, "nonet: get https://" + odd + "/: nonet: " + odd + " does not speak TLS; if it is a cleartext port, use http"},
		{"TLS to a cleartext port", "https://" + clear + "/", 4, "nonet: get https://" + clear + "/: nonet: " + clear + " ended the TLS handshake; if it is a cleartext port, use http"},
		{"reset", url + "/reset/CANCEL", 5, "nonet: get " + url + "/reset/CANCEL: nonet: stream reset by the peer: CANCEL"},
		{"reset with a number", url + "/reset/1111", 5, "nonet: get " + url + "/reset/1111: nonet: stream reset by the peer: 0x457"},
		{"timeout", "-timeout 1ms " + url + "/bytes/100000000000", 6, "nonet: get " + url + "/bytes/100000000000: timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, _, stderr := getting(t, strings.Fields(tt.args)...)
			begin, end, cut := strings.Cut(tt.want, "...")
			if status != tt.status || stderr != tt.want+"\n" && !(cut && strings.HasPrefix(stderr, begin) && strings.HasSuffix(stderr, end+"\n") && strings.Count(stderr, "\n") == 1) {
				t.Errorf("status %d, stderr\n%swant %d\n%s", status, stderr, tt.status, tt.want)
			}
		})
	}
}

// TestGetContent: content and trailers with methods that seldom have any.
func TestGetContent(t *testing.T) {
	_, clear, _ := serving(t, "-h2c")
	for args, want := range map[string]string{
		"-X GET -d hello": "hello\nx-echo-bytes: 5\n", "-X DELETE -d hello": "hello\nx-echo-bytes: 5\n",
		"-trailer x-a:b": "\nx-echo-bytes: 0\n", "-d hello": "hello\nx-echo-bytes: 5\n",
	} {
		status, stdout, stderr := getting(t, append(strings.Fields("-h2c -i "+args), clear+"/echo")...)
		if status != 0 || !strings.HasSuffix(stdout, "\n\n"+want) || stderr != "" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// TestGetStdin: content from standard input, of unknown length.
func TestGetStdin(t *testing.T) {
	_, clear, _ := serving(t, "-h2c")
	p := startWith(t, strings.NewReader("from a pipe"), "get", "-h2c", "-X", "POST", "-T", "-", clear+"/echo")
	if status, stdout, stderr := p.exit(); status != 0 || stdout != "from a pipe" || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		n, size int64
		want    string
	}{
		{5 << 20, -1, "sent 5120 KiB, 2560 KiB/s"},
		{25 << 20, 100 << 20, "sent [=======                       ] 25% of 100.0 MiB, 12.5 MiB/s"},
		{200, 100, "sent [==============================] 100% of 100 octets, 100 octets/s"},
		{0, 0, "sent 0 octets, 0 octets/s"},
	} {
		if got := progressLine("sent", tt.n, tt.size, 2*time.Second); got != tt.want {
			t.Errorf("%d of %d: %q, want %q", tt.n, tt.size, got, tt.want)
		}
	}
}
