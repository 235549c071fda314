package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/skip"
)

// stdHandler is what the servers of net/http answer.
func stdHandler(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/hello":
		io.WriteString(w, "hello world\n")
	case "/echo":
		w.Header().Set("Trailer", "x-octets")
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		n, _ := io.Copy(w, r.Body)
		w.Header().Set("x-octets", fmt.Sprint(n))
		w.Header().Set(http.TrailerPrefix+"x-up", r.Trailer.Get("x-up"))
	case "/hints":
		w.Header().Set("link", "</a>")
		w.WriteHeader(103)
		io.WriteString(w, "late\n")
	case "/abort":
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	case "/head":
		w.Header().Set("content-length", "1000000")
	case "/large":
		w.Write(large)
	case "/slow":
		time.Sleep(time.Millisecond)
		io.WriteString(w, "slow\n")
	default:
		w.WriteHeader(404)
	}
}

// startStd serves with net/http's HTTP/2 until the test ends.
func startStd(t *testing.T, tr transport) (*http.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(stdHandler), Protocols: new(http.Protocols)}
	t.Cleanup(func() { s.Close() })
	if tr == overTLS {
		cert, err := certificate()
		if err != nil {
			t.Fatal(err)
		}
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		s.Protocols.SetHTTP2(true)
		go s.ServeTLS(l, "", "")
		return s, "https://" + l.Addr().String()
	}
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(l)
	return s, "http://" + l.Addr().String()
}

// newClient returns a client that trusts the development certificate.
func newClient(t *testing.T) *nonet.Client {
	c := &nonet.Client{ClientConfig: nonet.ClientConfig{TLSConfig: &tls.Config{RootCAs: roots(t)}}}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(t *testing.T, c *nonet.Client, method, url string) nonet.ClientStream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	s, err := c.Request(ctx, method, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); cancel() })
	return s
}

func wantBody(t *testing.T, s nonet.ClientStream, status int, body string) {
	t.Helper()
	got, err := s.Response()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(s)
	if got != status || err != nil || string(b) != body {
		t.Errorf("status %d, %d octets %.80q, %v; want %d, %d octets %.80q", got, len(b), b, err, status, len(body), body)
	}
}

// upload writes content from a goroutine of its own.
func upload(t *testing.T, s nonet.ClientStream, body string) {
	if err := s.Flush(); err != nil {
		t.Error(err)
		return
	}
	go func() {
		io.Copy(s, strings.NewReader(body))
		s.CloseWrite()
	}()
}

// TestClientWithNetHTTP: our client and a server of net/http.
func TestClientWithNetHTTP(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			_, url := startStd(t, tr)
			c := newClient(t)
			wantBody(t, ask(t, c, "GET", url+"/hello"), 200, "hello world\n")
			wantBody(t, ask(t, c, "GET", url+"/nothing"), 404, "")
			wantBody(t, ask(t, c, "HEAD", url+"/head"), 200, "")

			body := strings.Repeat("0123456789", 300_000)
			s := ask(t, c, "POST", url+"/echo")
			s.SetField("trailer", "x-up")
			s.AppendTrailer("x-up", "loaded")
			upload(t, s, body)
			wantBody(t, s, 200, body)
			if f := s.Trailers(); string(f.GetName("x-octets")) != "3000000" || string(f.GetName("x-up")) != "loaded" {
				t.Errorf("trailers %q, %q", f.GetName("x-octets"), f.GetName("x-up"))
			}

			s = ask(t, c, "GET", url+"/hints")
			hints := ""
			s.OnInform(func(status int, f *hpack.Fields) { hints += fmt.Sprintf("%d %s;", status, f.GetName("link")) })
			wantBody(t, s, 200, "late\n")
			if hints != "103 </a>;" {
				t.Errorf("interim responses %q", hints)
			}

			s = ask(t, c, "GET", url+"/abort")
			_, err := io.ReadAll(s)
			var reset *nonet.ResetError
			if !errors.As(err, &reset) || reset.Code != frame.InternalError || reset.Side != conn.Remote {
				t.Errorf("an aborted response ends with %v", err)
			}

			s = ask(t, c, "POST", url+"/echo")
			s.Flush()
			if err := s.Reset(1111); err != nil {
				t.Error(err)
			}
			if _, err := s.Response(); !errors.As(err, &reset) || reset.Code != 1111 || reset.Side != conn.Local {
				t.Errorf("after Reset: %v", err)
			}
			for _, snap := range c.Snapshot() {
				if snap.Draining || snap.Ended != nil || snap.Peer.MaxConcurrentStreams != 250 || snap.RTT == 0 {
					t.Errorf("%+v", snap)
				}
			}
		})
	}
}

// TestClientManyWithNetHTTP: more requests at once than one connection takes.
func TestClientManyWithNetHTTP(t *testing.T) {
	_, url := startStd(t, overTCP)
	c := newClient(t)
	var wg sync.WaitGroup
	for range 1000 {
		s := ask(t, c, "GET", url+"/slow")
		wg.Go(func() { wantBody(t, s, 200, "slow\n"); s.Close() })
	}
	wg.Wait()
	if n := len(c.Snapshot()); n < 1 || n > 4 {
		t.Errorf("%d connections", n)
	}
}

// TestClientGoAwayUnderLoad: servers come and go under load; no request is
// lost, for what a server leaves out of its GOAWAY is sent to the next.
func TestClientGoAwayUnderLoad(t *testing.T) {
	for _, kind := range []string{"net/http", "nonet"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var addr atomic.Value
			begin := func() (stop func()) {
				if kind == "nonet" {
					srv := start(t, overTCP, &nonet.Server{Handler: func(s nonet.Stream) {
						time.Sleep(time.Millisecond)
						s.WriteString("slow\n")
					}})
					addr.Store(srv.addr)
					return func() { srv.shutdown(t) }
				}
				srv, url := startStd(t, overTCP)
				addr.Store(strings.TrimPrefix(url, "http://"))
				return func() { srv.Shutdown(t.Context()) }
			}
			stop := begin()
			c := &nonet.Client{ClientConfig: nonet.ClientConfig{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr.Load().(string))
			}}}
			defer c.Close()
			var wg sync.WaitGroup
			var done atomic.Int64
			ended := make(chan struct{})
			for range 50 {
				wg.Go(func() {
					for {
						select {
						case <-ended:
							return
						default:
						}
						s := ask(t, c, "GET", "http://server.example/slow")
						status, err := s.Response()
						b, err2 := io.ReadAll(s)
						if status != 200 || err != nil || err2 != nil || string(b) != "slow\n" {
							t.Errorf("%d %q %v %v", status, b, err, err2)
						}
						s.Close()
						done.Add(1)
					}
				})
			}
			for range 10 {
				for n := done.Load() + 500; done.Load() < n && !t.Failed(); {
					time.Sleep(time.Millisecond)
				}
				old := stop
				stop = begin()
				old()
			}
			close(ended)
			wg.Wait()
			t.Logf("%d requests over 11 servers", done.Load())
		})
	}
}

// startNghttpd runs nghttpd on a free port.
func startNghttpd(t testing.TB, tr transport, args ...string) (url string) {
	t.Helper()
	nghttpd := skip.NeedProgram(t, "nghttpd")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello"), []byte("hello world\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "large"), bytes.Repeat([]byte("0123456789"), 500_000), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	args = append(args, "-d", dir, "-a", "127.0.0.1", fmt.Sprint(port))
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	if tr == overTCP {
		args = append([]string{"--no-tls"}, args...)
	} else {
		cert, key := certFiles(t)
		args = append(args, key, cert)
		url = fmt.Sprintf("https://127.0.0.1:%d", port)
	}
	runServer(t, port, nghttpd, args...)
	return url
}

// freePort returns a port that nobody listens on, below those that the kernel
// gives to whoever asks for any: other tests ask for such all the time.
func freePort(t testing.TB) int {
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// runServer runs a program until the test ends, and waits until it listens.
func runServer(t testing.TB, port int, name string, args ...string) *os.Process {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out logBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		terminate(t, cmd, ended)
		if t.Failed() {
			t.Logf("%s: %s", name, out.String())
		}
	})
	for range 1000 {
		nc, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			nc.Close()
			return cmd.Process
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s does not listen: %s", name, out.String())
	return nil
}

// terminate asks a program to end, and with it the processes that it has started.
// It asks again: HAProxy that is just reloading forgets that it was asked.
func terminate(t testing.TB, cmd *exec.Cmd, ended <-chan struct{}) {
	for range 20 {
		if cmd.Process.Signal(syscall.SIGTERM) != nil {
			cmd.Process.Kill()
		}
		select {
		case <-ended:
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
	t.Errorf("%s does not end", cmd)
	cmd.Process.Kill()
	<-ended
}

// TestClientWithNghttpd: our client and nghttpd.
func TestClientWithNghttpd(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			url := startNghttpd(t, tr, "--echo-upload", "--trailer", "x-end: yes", "-m", "10")
			c := newClient(t)
			s := ask(t, c, "GET", url+"/hello")
			wantBody(t, s, 200, "hello world\n")
			if string(s.Trailers().GetName("x-end")) != "yes" {
				t.Error("no trailer")
			}
			wantBody(t, ask(t, c, "GET", url+"/large"), 200, strings.Repeat("0123456789", 500_000))
			body := strings.Repeat("abcdefghij", 50_000)
			s = ask(t, c, "POST", url+"/hello")
			s.AppendTrailer("x-up", "loaded")
			upload(t, s, body)
			wantBody(t, s, 200, body)
			var wg sync.WaitGroup
			for range 300 {
				s := ask(t, c, "GET", url+"/hello")
				wg.Go(func() { wantBody(t, s, 200, "hello world\n"); s.Close() })
			}
			wg.Wait()
			for _, snap := range c.Snapshot() {
				if snap.PeerSeen && snap.Peer.MaxConcurrentStreams != 10 || len(snap.Streams) > 3 || snap.Ended != nil {
					t.Errorf("%+v", snap)
				}
			}
		})
	}
}

const nodeServer = `
const http2 = require('http2');
const s = http2.createServer();
s.on('stream', (st, h) => {
  st.on('error', () => {});
  const path = h[':path'];
  if (path === '/reset') { st.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM); return; }
  if (path === '/goaway') { st.respond({':status': 200}); st.end('last'); st.session.goaway(); return; }
  if (path === '/hints') { st.additionalHeaders({':status': 103, link: '</a>'}); }
  st.respond({':status': 200, 'x-method': h[':method']}, {waitForTrailers: true});
  st.on('wantTrailers', () => st.sendTrailers({'x-end': 'yes'}));
  st.pipe(st);
});
s.listen(Number(process.argv[2]), '127.0.0.1');
`

// TestClientWithNode: our client and the server of Node.js.
func TestClientWithNode(t *testing.T) {
	node := skip.NeedProgram(t, "node")
	port := freePort(t)
	file := filepath.Join(t.TempDir(), "server.js")
	if err := os.WriteFile(file, []byte(nodeServer), 0o600); err != nil {
		t.Fatal(err)
	}
	runServer(t, port, node, file, fmt.Sprint(port))
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	c := newClient(t)
	for range 3 {
		body := strings.Repeat("abcdefghij", 100_000)
		s := ask(t, c, "POST", url+"/echo")
		s.AppendTrailer("x-up", "loaded")
		upload(t, s, body)
		wantBody(t, s, 200, body)
		if string(s.Trailers().GetName("x-end")) != "yes" || string(s.Field("x-method")) != "POST" {
			t.Error("no trailer")
		}
		s = ask(t, c, "GET", url+"/hints")
		hints := 0
		s.OnInform(func(status int, _ *hpack.Fields) { hints = status })
		wantBody(t, s, 200, "")
		if hints != 103 {
			t.Errorf("interim response %d", hints)
		}
		var reset *nonet.ResetError
		if _, err := ask(t, c, "GET", url+"/reset").Response(); !errors.As(err, &reset) || reset.Code != frame.EnhanceYourCalm {
			t.Error(err)
		}
		wantBody(t, ask(t, c, "GET", url+"/goaway"), 200, "last")
	}
}
