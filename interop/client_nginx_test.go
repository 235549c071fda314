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
    ssl_certificate CERT;
    ssl_certificate_key KEY;
    location / { root DIR/files; dav_methods PUT; }
    location /app/ { rewrite ^/app(/.*) $1 break; grpc_pass grpc://BACKEND; }
  }
}
`

type nginx struct {
	url, dir string
	process  *os.Process
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
	port := freePort(t)
	cert, key := certFiles(t)
	url, ssl := fmt.Sprintf("http://127.0.0.1:%d", port), ""
	if tr == overTLS {
		url, ssl = fmt.Sprintf("https://127.0.0.1:%d", port), "ssl"
	}
	conf := strings.NewReplacer("DIR", dir, "PORT", fmt.Sprint(port), "TLS", ssl, "CERT", cert, "KEY", key,
		"REQUESTS", fmt.Sprint(requests), "BACKEND", backend).Replace(nginxConf)
	if os.Getuid() == 0 {
		conf = "user root;\n" + conf // whom the files belong to
	}
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return nginx{url, dir, runServer(t, port, program, "-p", dir, "-c", file, "-e", "stderr")}
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
