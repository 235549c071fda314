//go:build unix

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nonet-h2/nonet/internal/skip"
)

// The configuration of HAProxy: HTTP/2 on both sides. The listeners go from
// one process to the next at a reload, so that no connection is refused.
const haproxyConf = `
global
  stats socket DIR/sock mode 600 level admin expose-fd listeners
  tune.h2.max-concurrent-streams 20
  maxconn 500
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend edge
  bind 127.0.0.1:PORT BIND
  default_backend application
backend application
  server s BACKEND proto h2
`

type haproxy struct {
	url     string
	process *os.Process
}

// startHAProxy runs HAProxy in front of an application of net/http.
func startHAProxy(t *testing.T, tr transport) haproxy {
	t.Helper()
	program := skip.NeedProgram(t, "haproxy")
	dir := t.TempDir()
	_, backend := startStd(t, overTCP)
	port := freePort(t)
	url, bind := fmt.Sprintf("http://127.0.0.1:%d", port), "proto h2"
	if tr == overTLS {
		pem := filepath.Join(dir, "pem")
		certFile, keyFile := certFiles(t)
		var both []byte
		for _, name := range []string{certFile, keyFile} {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, b...)
		}
		if err := os.WriteFile(pem, both, 0o600); err != nil {
			t.Fatal(err)
		}
		url, bind = fmt.Sprintf("https://127.0.0.1:%d", port), "ssl crt "+pem+" alpn h2"
	}
	conf := strings.NewReplacer("DIR", dir, "PORT", fmt.Sprint(port), "BIND", bind,
		"BACKEND", strings.TrimPrefix(backend, "http://")).Replace(haproxyConf)
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return haproxy{url, runServer(t, port, program, "-W", "-f", file)}
}

// TestClientWithHAProxy: our client and HAProxy, with trailers both ways.
func TestClientWithHAProxy(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			h := startHAProxy(t, tr)
			c := newClient(t)
			wantBody(t, ask(t, c, "GET", h.url+"/hello"), 200, "hello world\n")
			wantBody(t, ask(t, c, "HEAD", h.url+"/head"), 200, "")
			wantBody(t, ask(t, c, "GET", h.url+"/large"), 200, string(large))
			body := strings.Repeat("abcdefghij", 200_000)
			s := ask(t, c, "POST", h.url+"/echo")
			s.SetField("trailer", "x-up")
			s.AppendTrailer("x-up", "loaded")
			upload(t, s, body)
			wantBody(t, s, 200, body)
			if f := s.Trailers(); string(f.GetName("x-octets")) != fmt.Sprint(len(body)) || string(f.GetName("x-up")) != "loaded" {
				t.Errorf("trailers %q, %q", f.GetName("x-octets"), f.GetName("x-up"))
			}
			abandoned(t, h.url+"/large")
			for _, snap := range c.Snapshot() {
				if snap.Peer.MaxConcurrentStreams != 20 || snap.Draining || snap.Ended != nil {
					t.Errorf("%+v", snap)
				}
			}
		})
	}
}

// TestClientHAProxyGoAway: HAProxy reloads under load.
func TestClientHAProxyGoAway(t *testing.T) {
	for _, tr := range transports {
		for _, r := range runners {
			t.Run(string(tr)+"/"+r, func(t *testing.T) {
				t.Parallel()
				h := startHAProxy(t, tr)
				long := strings.Repeat("long ", 1000)
				load(t, newRunner(t, r), []errand{
					{"GET", h.url + "/hello", "", "hello world\n"},
					{"POST", h.url + "/echo", "short", "short"},
					{"GET", h.url + "/slow", "", "slow\n"},
					{"POST", h.url + "/echo", long, long},
				}, func() {
					if err := h.process.Signal(syscall.SIGUSR2); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
