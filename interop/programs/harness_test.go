package programs

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/interop/host"
)

// each runs f for each way to serve and each protocol of the client.
func each(t *testing.T, h func(t *testing.T) http.Handler, f func(t *testing.T, c *client)) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		r := host.Start(t, k, overTLS, h(t))
		for _, proto := range host.Protocols {
			t.Run(strings.ReplaceAll(proto, "/", " "), func(t *testing.T) {
				f(t, &client{t: t, r: r, proto: proto, Client: r.Client(t, proto)})
			})
		}
	})
}

// always is a handler that needs no test to be made.
func always(h http.Handler) func(*testing.T) http.Handler {
	return func(*testing.T) http.Handler { return h }
}

// client asks a server in one version of HTTP.
type client struct {
	*http.Client
	t     *testing.T
	r     *host.Running
	proto string
}

// answer is a response whose content was read.
type answer struct {
	*http.Response
	body string
}

// do sends a request; header fields are "name: value".
func (c *client) do(method, path, body string, fields ...string) answer {
	c.t.Helper()
	resp := c.open(method, path, body, fields...)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("%s %s: reading the content: %v", method, path, err)
	}
	return answer{resp, string(b)}
}

func (c *client) get(path string, fields ...string) answer {
	c.t.Helper()
	return c.do("GET", path, "", fields...)
}

// open is do without reading the content.
func (c *client) open(method, path, body string, fields ...string) *http.Response {
	c.t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.r.URL+path, rd)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Add(name, value)
	}
	resp, err := c.Do(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if resp.Proto != c.proto {
		c.t.Fatalf("%s %s: answered in %s, want %s", method, path, resp.Proto, c.proto)
	}
	return resp
}

// want fails the test if the answer isn't this one; header fields are
// "name: value", or "name:" for one that must be absent.
func (c *client) want(a answer, status int, body string, fields ...string) {
	c.t.Helper()
	where := a.Request.Method + " " + a.Request.URL.RequestURI()
	if a.StatusCode != status || a.body != body {
		c.t.Errorf("%s: %d %s, want %d %s", where, a.StatusCode, short(a.body), status, short(body))
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ":")
		if got := strings.Join(a.Header.Values(name), ", "); got != strings.TrimSpace(value) {
			c.t.Errorf("%s: %s is %q, want %q", where, name, got, strings.TrimSpace(value))
		}
	}
}

// short is a text as a test's message shows it.
func short(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return strings.ReplaceAll("\""+s+"\"", "\n", `\n`)
}
