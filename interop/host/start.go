package host

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	h2tls "github.com/nonet-h2/nonet/tls"

	"github.com/nonet-h2/nonet/nethttp"
)

// Patience bounds every wait of the tests. Nothing that works comes near it.
const Patience = 60 * time.Second

// certificate is the development certificate of all servers of this process.
var certificate = sync.OnceValues(func() (tls.Certificate, error) { return h2tls.Development() })

// Running is a server that serves on a free port of 127.0.0.1 until its test
// has ended.
type Running struct {
	Server
	Kind  Kind
	Addr  string      // host:port
	URL   string      // http://host:port, or https
	Roots *tls.Config // trusts the server; nil on cleartext
}

// Start serves h.
func Start(t testing.TB, k Kind, overTLS bool, h http.Handler) *Running {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Running{Kind: k, Addr: ln.Addr().String(), URL: "http://" + ln.Addr().String()}
	var config *tls.Config
	if overTLS {
		cert, err := certificate()
		if err != nil {
			t.Fatal(err)
		}
		config = &tls.Config{Certificates: []tls.Certificate{cert}}
		roots := x509.NewCertPool()
		roots.AddCert(cert.Leaf)
		r.Roots = &tls.Config{RootCAs: roots, ServerName: "localhost"}
		r.URL = "https://" + r.Addr
	}
	var text logBuffer
	if r.Server, err = New(k, h, config, log.New(&text, "", 0)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		if overTLS {
			done <- r.ServeTLS(ln, "", "")
		} else {
			done <- r.Serve(ln)
		}
	}()
	t.Cleanup(func() {
		r.Close()
		select {
		case err := <-done:
			if !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("the server ended with %v, want http.ErrServerClosed", err)
			}
		case <-time.After(Patience):
			t.Error("Serve has not returned after Close")
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", text.String())
		}
	})
	return r
}

// Each runs f as a subtest for each way to serve that nonet has, on cleartext
// and on TLS. NONET_HOST=net/http in the environment names another host to run
// it on instead.
func Each(t *testing.T, f func(t *testing.T, k Kind, overTLS bool)) {
	kinds := []Kind{Nonet, Configured}
	if k := os.Getenv("NONET_HOST"); k != "" {
		kinds = []Kind{Kind(k)}
	}
	for _, k := range kinds {
		for _, overTLS := range []bool{false, true} {
			name := "h2c"
			if overTLS {
				name = "TLS"
			}
			t.Run(string(k)+"/"+name, func(t *testing.T) {
				t.Parallel()
				f(t, k, overTLS)
			})
		}
	}
}

// Clients are the round trippers that programs are tried with.
var Clients = []struct {
	Name string
	Of   func(r *Running, t testing.TB, proto string) *http.Client
}{
	{"net http", (*Running).Client},
	{"nonet", (*Running).NonetClient},
}

// NonetClient is Client with this project's round tripper.
func (r *Running) NonetClient(t testing.TB, proto string) *http.Client {
	t.Helper()
	c := r.Client(t, proto)
	tr := &nethttp.Transport{Base: c.Transport.(*http.Transport)}
	t.Cleanup(tr.CloseIdleConnections)
	c.Transport = tr
	return c
}

// Client is a client of net/http that speaks only the given version, "HTTP/2.0"
// or "HTTP/1.1".
func (r *Running) Client(t testing.TB, proto string) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	switch {
	case proto == "HTTP/1.1":
		protocols.SetHTTP1(true)
	case proto != "HTTP/2.0":
		t.Fatalf("unknown protocol %q", proto)
	case r.Roots != nil:
		protocols.SetHTTP2(true)
	default:
		protocols.SetUnencryptedHTTP2(true)
	}
	tr := &http.Transport{Protocols: protocols}
	if r.Roots != nil {
		tr.TLSClientConfig = r.Roots.Clone()
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: Patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// Protocols are the versions that a client may speak.
var Protocols = []string{"HTTP/2.0", "HTTP/1.1"}

// logBuffer keeps a server's log until the test failed.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
