package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/internal/skip"
)

// run runs a program and returns its exit status and what it printed.
func run(t *testing.T, program string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && (cmd.ProcessState == nil || ctx.Err() != nil) {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(program), strings.Join(args, " "), err, &out, &errs)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// curl exit statuses.
const (
	curlOK          = 0
	curlHTTP2Stream = 92 // a stream was reset
)

// answer is what curl got.
type answer struct {
	exit    int
	version string // "2", "1.1"
	status  string
	headers string // header and trailer lines, as curl writes them
	body    string
}

// curl asks for a path of a server.
func curl(t *testing.T, srv *server, flags []string, path string) answer {
	t.Helper()
	program := skip.NeedProgram(t, "curl")
	dir := t.TempDir()
	body, headers := filepath.Join(dir, "body"), filepath.Join(dir, "headers")
	args := append([]string{
		"--silent", "--noproxy", "*", "--cacert", rootFile(t), "--max-time", "15",
		"--output", body, "--dump-header", headers, "--write-out", "%{http_version} %{http_code}",
	}, flags...)
	exit, out, stderr := run(t, program, append(args, srv.url+path)...)
	if stderr != "" {
		t.Logf("curl: %s", stderr)
	}
	a := answer{exit: exit}
	a.version, a.status, _ = strings.Cut(out, " ")
	text, _ := os.ReadFile(headers)
	a.headers = strings.ToLower(strings.ReplaceAll(string(text), "\r\n", "\n"))
	if text, _ = os.ReadFile(body); !slices.Contains(flags, "--head") { // then it is the headers again
		a.body = string(text)
	}
	return a
}

// TestCurl asks for every route in every version, of both kinds of handler.
func TestCurl(t *testing.T) {
	skip.NeedProgram(t, "curl")
	for _, tt := range []struct {
		tr      transport
		flag    string
		version string
	}{
		{overTLS, "--http2", "2"},
		{overTLS, "--http2-prior-knowledge", "2"},
		{overTLS, "--http1.1", "1.1"},
		{overTCP, "--http2-prior-knowledge", "2"},
		{overTCP, "--http2", "1.1"}, // "Upgrade: h2c" is not honoured
		{overTCP, "--http1.1", "1.1"},
	} {
		for _, k := range kinds {
			t.Run(fmt.Sprintf("%s/%s/%s", tt.tr, tt.flag, k), func(t *testing.T) {
				t.Parallel()
				srv := startRoutes(t, tt.tr, k)
				for _, want := range curlRoutes(t, tt.version) {
					got := curl(t, srv, append(want.flags, tt.flag), want.path)
					want.check(t, tt.version, got)
				}
			})
		}
	}
}

// curlRoute is a request and what curl must get.
type curlRoute struct {
	path    string
	flags   []string
	exit    int
	status  string
	headers []string // lines, in lower case
	body    string
}

func (want curlRoute) check(t *testing.T, version string, got answer) {
	t.Helper()
	at := strings.Join(append(want.flags, want.path), " ")
	if got.exit != want.exit || got.exit == curlOK && (got.version != version || got.status != want.status) {
		t.Errorf("%s: exit %d, HTTP/%s %s; want exit %d, HTTP/%s %s",
			at, got.exit, got.version, got.status, want.exit, version, want.status)
	}
	for _, line := range want.headers {
		if !strings.Contains("\n"+got.headers, "\n"+line+"\n") {
			t.Errorf("%s: no %q in\n%s", at, line, got.headers)
		}
	}
	if want.body != got.body {
		t.Errorf("%s: body %s, want %s", at, shorten(got.body), shorten(want.body))
	}
}

func shorten(s string) string {
	if len(s) > 100 {
		return fmt.Sprintf("%q... (%d octets)", s[:100], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// curlRoutes is every route, asked for in every way that has an answer of its
// own.
func curlRoutes(t *testing.T, version string) []curlRoute {
	t.Helper()
	page, err := os.ReadFile("../internal/routes/index.html")
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("a line of the body that is sent\n", 10000) // 320 KB
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	const line = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"
	upload := []string{"--data-binary", "@" + file}
	routes := []curlRoute{
		{path: "/", status: "200", headers: []string{"content-type: text/html; charset=utf-8"}, body: string(page)},
		{path: "/?query", status: "200", body: string(page)},
		{path: "/", flags: upload, status: "200", body: string(page)},
		{path: "/hello", status: "200", headers: []string{"content-type: text/plain", "content-length: 12"}, body: "hello world\n"},
		{path: "/hello", flags: []string{"--head"}, status: "200", headers: []string{"content-length: 12"}},
		{path: "/echo", flags: []string{"--data-binary", "some"}, status: "200",
			headers: []string{"trailer: x-echo-bytes", "x-echo-bytes: 4"}, body: "some"},
		{path: "/echo", flags: upload, status: "200", headers: []string{"x-echo-bytes: 320000"}, body: big},
		{path: "/echo", flags: []string{"--header", "Expect: 100-continue", "--data-binary", "@" + file}, status: "200",
			headers: []string{"x-echo-bytes: 320000"}, body: big},
		{path: "/echo", status: "200", headers: []string{"x-echo-bytes: 0"}},
		{path: "/bytes/0", status: "200", headers: []string{"content-length: 0"}},
		{path: "/bytes/640", status: "200", headers: []string{"content-length: 640"}, body: strings.Repeat(line, 10)},
		{path: "/bytes/16384", status: "200", body: strings.Repeat(line, 256)},
		{path: "/bytes/640000", status: "200", headers: []string{"content-length: 640000"}, body: strings.Repeat(line, 10000)},
		{path: "/bytes/640000", flags: []string{"--head"}, status: "200", headers: []string{"content-length: 640000"}},
		{path: "/bytes/many", status: "400", body: "how many octets? /bytes/N takes a number\n"},
		{path: "/sink", flags: upload, status: "200", body: "320000\n"},
		{path: "/sink", flags: []string{"--request", "PUT", "--data-binary", "abc"}, status: "200", body: "3\n"},
		{path: "/sink", status: "405", headers: []string{"allow: post, put"}, body: "/sink takes a body: use POST or PUT\n"},
		{path: "/trailers", status: "200", headers: []string{
			"x-body-bytes: 31", "x-body-sha256: 20c62ba0b98b0aca729c66dbd7ed510965221f45fb17523fe16a31dcf4731d42",
		}, body: "the trailers say what this was\n"},
		{path: "/reset/nothing", status: "400", body: "which error code? /reset/CODE takes a name of RFC 9113 section 7, or a number\n"},
		{path: "/elsewhere", status: "404", body: "not found; / lists what there is\n"},
	}
	if version == "2" {
		return append(routes,
			curlRoute{path: "/protocol", status: "200", body: "HTTP/2\n"},
			curlRoute{path: "/reset/INTERNAL_ERROR", exit: curlHTTP2Stream},
			curlRoute{path: "/reset/1111", exit: curlHTTP2Stream})
	}
	return append(routes,
		curlRoute{path: "/protocol", status: "200", body: "HTTP/1.1\n"},
		curlRoute{path: "/reset/CANCEL", status: "501", body: "HTTP/1.1 has no way to reset a stream\n"})
}
