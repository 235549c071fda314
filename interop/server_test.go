package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/internal/routes"
	"github.com/nonet-h2/nonet/nethttp"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// patience bounds every wait of these tests. Nothing that works comes near it.
const patience = 20 * time.Second

// transport is how a server is reached.
type transport string

const (
	overTCP transport = "h2c"
	overTLS transport = "TLS"
)

var transports = []transport{overTCP, overTLS}

// kind is a kind of handler.
type kind string

const (
	streamKind kind = "stream"
	inlineKind kind = "inline"
	httpKind   kind = "nethttp"
)

// kinds are those that have the routes; native are the engine's own.
var (
	native = []kind{streamKind, inlineKind}
	kinds  = append(native[:2:2], httpKind)
)

// certificate is the development certificate of all servers of this process.
var certificate = sync.OnceValues(func() (tls.Certificate, error) { return h2tls.Development() })

// host is what the servers of nonet and of its net/http package have.
type host interface {
	Shutdown(context.Context) error
	Close() error
}

// server is a running server.
type server struct {
	host
	transport transport
	addr      string // host:port
	port      int
	url       string // http://host:port, or https
	log       logBuffer
}

// start serves with s, on a free port, until the test ends.
func start(t *testing.T, tr transport, s *nonet.Server) *server {
	t.Helper()
	return launch(t, tr, s, &s.Config, &s.TLSConfig, s.Serve, s.ServeTLS)
}

func launch(t *testing.T, tr transport, h host, c *nonet.Config, tlsConfig **tls.Config, serve, serveTLS func(net.Listener) error) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &server{host: h, transport: tr, addr: ln.Addr().String(), port: ln.Addr().(*net.TCPAddr).Port}
	c.Logger = slog.New(slog.NewTextHandler(&srv.log, nil))
	srv.url = "http://" + srv.addr
	if tr == overTLS {
		srv.url = "https://" + srv.addr
		serve = serveTLS
		if *tlsConfig == nil {
			cert, err := certificate()
			if err != nil {
				t.Fatal(err)
			}
			*tlsConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		}
	}
	done := make(chan error, 1)
	go func() { done <- serve(ln) }()
	t.Cleanup(func() {
		h.Close()
		if err := <-done; !errors.Is(err, nonet.ErrServerClosed) && !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with %v, want ErrServerClosed", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", srv.log.String())
		}
	})
	return srv
}

// logBuffer holds a server's log until the test failed.
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

var prepared = nonet.Config{Prepared: routes.Prepared}

// startRoutes serves the routes of `nonet serve`.
func startRoutes(t *testing.T, tr transport, k kind) *server {
	t.Helper()
	switch k {
	case inlineKind:
		return start(t, tr, &nonet.Server{Inline: routes.Inline, Config: prepared})
	case httpKind:
		s := &nethttp.Server{Handler: routes.HTTP}
		return launch(t, tr, s, &s.Config, &s.TLSConfig, s.Serve, func(l net.Listener) error { return s.ServeTLS(l, "", "") })
	}
	return start(t, tr, &nonet.Server{Handler: routes.Stream, Config: prepared})
}

// shutdown drains the server and fails the test if that doesn't end.
func (s *server) shutdown(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// dial connects a client that offers these protocols in the handshake, on
// cleartext just a client. config adds to the TLS configuration.
func (s *server) dial(t *testing.T, config func(*tls.Config), protos ...string) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	nc.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { nc.Close() })
	if s.transport == overTCP {
		return nc, nil
	}
	c := &tls.Config{RootCAs: roots(t), ServerName: "localhost", NextProtos: protos}
	if config != nil {
		config(c)
	}
	tc := tls.Client(nc, c)
	return tc, tc.HandshakeContext(ctx)
}

// roots is a pool with the development certificate in it.
func roots(t *testing.T) *x509.CertPool {
	t.Helper()
	cert, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	return pool
}

// rootFile is a PEM file with the development certificate.
func rootFile(t testing.TB) string {
	t.Helper()
	cert, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
