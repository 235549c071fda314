package interop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/internal/skip"
)

// The configuration of nginx: files that can be read and uploaded, and
// requests that it
// passes on as HTTP/2, with trailers in the response.
const nginxConf = `
daemon off;
worker_processes 2;
pid DIR/pid;
error_log stderr info;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  client_max_body_size 0;
  keepalive_requests REQUESTS;
  http2_max_concurrent_streams 20;
  server {
    listen 127.0.0.1:PORT TLS http2;
    listen 127.0.0.1:OLD TLS;
    ssl_certificate CERT;
    ssl_certificate_key KEY;
    location / { root DIR/files; dav_methods PUT; }
    location /app/ { rewrite ^/app(/.*) $1 break; grpc_pass grpc://BACKEND; }
  }
}
`

type nginx struct {
	url, old, dir string // old: HTTP/1.1 only
	process       *os.Process
}

// startNginx runs nginx in front of an application of net/http.
func startNginx(t *testing.T, tr transport, requests int) nginx {
	t.Helper()
	program := skip.NeedProgram(t, "nginx")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"hello": "hello world\n", "large": string(large)} {
		if err := os.WriteFile(filepath.Join(dir, "files", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, backend := startStd(t, overTCP)
	backend = strings.TrimPrefix(backend, "http://")
	port, old := freePort(t), freePort(t)
	cert, key := certFiles(t)
	scheme, ssl := "http", ""
	if tr == overTLS {
		scheme, ssl = "https", "ssl"
	}
	conf := strings.NewReplacer("DIR", dir, "PORT", fmt.Sprint(port), "OLD", fmt.Sprint(old), "TLS", ssl, "CERT", cert, "KEY", key,
		"REQUESTS", fmt.Sprint(requests), "BACKEND", backend).Replace(nginxConf)
	if os.Getuid() == 0 {
		conf = "user root;\n" + conf // whom the files belong to
	}
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	url := scheme + "://127.0.0.1:"
	return nginx{url + fmt.Sprint(port), url + fmt.Sprint(old), dir, runServer(t, port, program, "-p", dir, "-c", file, "-e", "stderr")}
}

// TestClientWithNginx: our client and nginx, with files of its own and as a
// proxy.
func TestClientWithNginx(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			n := startNginx(t, tr, 100_000)
			c := newClient(t)
			wantBody(t, ask(t, c, "GET", n.url+"/hello"), 200, "hello world\n")
			wantBody(t, ask(t, c, "HEAD", n.url+"/hello"), 200, "")
			wantBody(t, ask(t, c, "GET", n.url+"/large"), 200, string(large))

			s := ask(t, c, "PUT", n.url+"/up") // known to be long: nginx wants a length or an end
			body := strings.Repeat("abcdefghij", 200_000)
			upload(t, s, body)
			wantBody(t, s, 201, "")
			if b, err := os.ReadFile(filepath.Join(n.dir, "files", "up")); err != nil || string(b) != body {
				t.Errorf("%d octets were uploaded, %v", len(b), err)
			}

			s = ask(t, c, "POST", n.url+"/app/echo")
			upload(t, s, body)
			wantBody(t, s, 200, body)
			if got := s.Trailers().GetName("x-octets"); string(got) != fmt.Sprint(len(body)) {
				t.Errorf("trailer %q", got)
			}
			abandoned(t, n.url+"/large")
			for _, snap := range c.Snapshot() {
				if snap.Peer.MaxConcurrentStreams != 20 || snap.Draining || snap.Ended != nil {
					t.Errorf("%+v", snap)
				}
			}
		})
	}
}

// TestClientNginxNotHTTP2: what our client says when nginx was asked in the
// wrong way.
func TestClientNginxNotHTTP2(t *testing.T) {
	clear, secure := startNginx(t, overTCP, 1000), startNginx(t, overTLS, 1000)
	for url, want := range map[string]string{
		clear.old:  "nonet: the server speaks HTTP/1.1, not HTTP/2",
		secure.old: "nonet: " + strings.TrimPrefix(secure.old, "https://") + " does not speak HTTP/2: its TLS chose ",
		// nginx would say that it expects TLS, had it understood the preface.
		strings.Replace(secure.url, "https", "http", 1): "nonet: the server speaks HTTP/1.1, not HTTP/2",
		strings.Replace(secure.old, "https", "http", 1): "nonet: the server speaks HTTP/1.1, not HTTP/2",
		strings.Replace(clear.url, "http", "https", 1):  "nonet: " + strings.TrimPrefix(clear.url, "http://") + " does not speak TLS; if it is a cleartext port, use http",
		strings.Replace(clear.old, "http", "https", 1):  "nonet: " + strings.TrimPrefix(clear.old, "http://") + " does not speak TLS; if it is a cleartext port, use http",
	} {
		_, err := ask(t, newClient(t), "GET", url+"/hello").Response()
		if !errors.Is(err, nonet.ErrNotHTTP2) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
}

func (n nginx) errands() []errand {
	return []errand{
		{"GET", n.url + "/hello", "", "hello world\n"},
		{"POST", n.url + "/app/echo", "short", "short"},
		{"GET", n.url + "/app/hello", "", "hello world\n"},
		{"POST", n.url + "/app/echo", strings.Repeat("long ", 1000), strings.Repeat("long ", 1000)},
	}
}

// TestClientNginxGoAway: nginx ends each connection after a number of requests,
// in the middle of others, and all of them when it is told to reload.
func TestClientNginxGoAway(t *testing.T) {
	for _, tr := range transports {
		for _, r := range runners {
			t.Run(string(tr)+"/keepalive_requests/"+r, func(t *testing.T) {
				t.Parallel()
				load(t, newRunner(t, r), startNginx(t, tr, 50).errands(), func() {})
			})
			t.Run(string(tr)+"/reload/"+r, func(t *testing.T) {
				t.Parallel()
				n := startNginx(t, tr, 100_000)
				load(t, newRunner(t, r), n.errands(), func() {
					if err := n.process.Signal(syscall.SIGHUP); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
