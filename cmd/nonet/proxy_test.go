//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/internal/skip"
)

// proxying starts "nonet proxy" in front of an application and reads its
// greeting.
func proxying(t *testing.T, to string, args ...string) (p *program, url string, greeting []string) {
	t.Helper()
	p = start(t, append([]string{"proxy", "-addr", "127.0.0.1:0", "-to", to}, args...)...)
	for !slices.Contains(greeting, "try:") {
		greeting = append(greeting, p.line())
	}
	greeting = append(greeting, p.line())
	url, ok := strings.CutPrefix(greeting[0], "serving ")
	if !ok {
		t.Fatalf("the greeting is %q", greeting)
	}
	return p, url, greeting
}

// http2Client accepts the development certificate, and speaks HTTP/2 only.
func http2Client(t *testing.T) *http.Client {
	tr := &http.Transport{TLSClientConfig: clientTLS(), Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP2(true)
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: patience}
}

// TestProxy: the client speaks HTTP/2, the application sees HTTP/1.1, and what
// it needs to know of the client.
func TestProxy(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto+" "+r.Host+" "+r.Header.Get("X-Forwarded-Proto")+" "+r.Header.Get("X-Forwarded-For")+" "+r.Header.Get("Via"))
	}))
	defer app.Close()
	for _, tt := range []struct{ args, scheme, curl string }{
		{"", "https", "-k --http2"},
		{"-h2c", "http", "--http2-prior-knowledge"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			nonet, url, greeting := proxying(t, app.URL, strings.Fields(tt.args)...)
			want := []string{"serving " + url, "forwarding to " + app.URL + " in HTTP/1.1"}
			if tt.scheme == "https" {
				want = append(want, "development certificate, SHA-256 "+fingerprint(certificateOf(t, strings.TrimPrefix(url, "https://"))))
			}
			want = append(want, "try:", "  curl -i "+tt.curl+" "+url+"/")
			if !slices.Equal(greeting, want) || !strings.HasPrefix(url, tt.scheme+"://127.0.0.1:") {
				t.Errorf("the greeting is\n%s\nwant\n%s", strings.Join(greeting, "\n"), strings.Join(want, "\n"))
			}
			res, err := http2Client(t).Get(url + "/")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			host := strings.TrimPrefix(url, tt.scheme+"://")
			if want := "HTTP/1.1 " + host + " " + tt.scheme + " 127.0.0.1 2.0 nonet"; string(body) != want || err != nil || res.Proto != "HTTP/2.0" {
				t.Errorf("%s %q, %v; want HTTP/2.0 %q", res.Proto, body, err, want)
			}
			nonet.signal(os.Interrupt)
			nonet.wantExit()
		})
	}
}

// TestProxyDrain: a request that runs when the signal comes is finished.
func TestProxyDrain(t *testing.T) {
	running, goOn := make(chan bool), make(chan bool)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		running <- true
		<-goOn
		io.WriteString(w, "done")
	}))
	defer app.Close()
	nonet, url, _ := proxying(t, app.URL)
	c := http2Client(t)
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	<-running
	nonet.signal(os.Interrupt)
	goOn <- true
	body, err := io.ReadAll(res.Body)
	if string(body) != "done" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	c.CloseIdleConnections()
	nonet.wantExit()
}

// TestProxyFailures: an answer, and one line on stderr for each that the
// application is to blame for.
func TestProxyFailures(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, tt := range []struct {
		name, to, args string
		status         int
		log            string
	}{
		{"down", gone.Addr().String(), "", 502, "refused"},
		{"silent", silent.Addr().String(), "-timeout 10ms", 504, "timeout"},
		{"another host", silent.Addr().String(), "-host a.example,b.example", 421, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nonet, url, _ := proxying(t, "http://"+tt.to, strings.Fields(tt.args)...)
			c := http2Client(t)
			res, err := c.Get(url + "/x")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			c.CloseIdleConnections()
			nonet.signal(os.Interrupt)
			status, _, stderr := nonet.exit()
			lines := strings.Count(stderr, "\n")
			if status != 0 || tt.log == "" && lines != 0 || tt.log != "" && (lines != 1 || !strings.Contains(stderr, tt.log) || !strings.Contains(stderr, tt.to)) {
				t.Errorf("status %d, stderr %q; want a line with %q", status, stderr, tt.log)
			}
		})
	}
}

// TestProxyCurl: curl sees HTTP/2 and trailers, the application HTTP/1.1.
func TestProxyCurl(t *testing.T) {
	curl := skip.NeedProgram(t, "curl")
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Declared")
		io.WriteString(w, r.Proto+"\n")
		w.Header().Set("X-Declared", "1")
		w.Header().Set(http.TrailerPrefix+"X-Late", "2")
	}))
	defer app.Close()
	_, url, _ := proxying(t, app.URL)
	out, err := exec.CommandContext(t.Context(), curl, "--silent", "--noproxy", "*", "-k", "--http2", "--dump-header", "-",
		"--write-out", "%{http_version}", url+"/").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(out), "\r\n", "\n")
	if !strings.HasPrefix(text, "HTTP/2 200 \n") || !strings.Contains(text, "\n\nHTTP/1.1\n") || !strings.HasSuffix(text, "\n2") {
		t.Errorf("curl prints\n%s\nwant HTTP/2, and HTTP/1.1 as what the application saw", text)
	}
	for _, line := range []string{"trailer: X-Declared\n", "x-declared: 1\n", "x-late: 2\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}
