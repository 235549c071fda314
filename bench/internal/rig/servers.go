package rig

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/nethttp"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// MaxStreams is how many streams on a connection the servers allow.
const MaxStreams = 1000

// Server is a kind of server; it runs once.
type Server struct {
	Name  string
	Serve func(net.Listener) error
	Close func() error
}

// Transport is how names of benchmarks begin: "tls", or "h2c" for cleartext.
func Transport(secure bool) string {
	if secure {
		return "tls"
	}
	return "h2c"
}

// Start runs a server until the test ends and returns its address.
func (s Server) Start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// Streams is nonet with a stream handler, Inline with one that runs on the
// connection's reading goroutine.
func Streams(secure bool) Server {
	return native("stream", secure, &nonet.Server{Handler: StreamHandler})
}

// Inline: see Streams.
func Inline(secure bool) Server {
	return native("inline", secure, &nonet.Server{Inline: StreamHandler})
}

func native(name string, secure bool, s *nonet.Server) Server {
	s.TLSConfig, s.Limits = TLSConfig(), limits
	if secure {
		return Server{name, s.ServeTLS, s.Close}
	}
	return Server{name, s.Serve, s.Close}
}

// limits: a benchmark's connection has more requests than any other.
var limits = conn.Limits{MaxConcurrentStreams: MaxStreams, Requests: -1}

// Adapted is nonet with a handler of net/http.
func Adapted(secure bool, h http.Handler) Server {
	s := &nethttp.Server{Handler: h, TLSConfig: TLSConfig()}
	s.Limits = limits
	if secure {
		return Server{"nethttp", func(l net.Listener) error { return s.ServeTLS(l, "", "") }, s.Close}
	}
	return Server{"nethttp", s.Serve, s.Close}
}

// NetHTTP is net/http's own server.
func NetHTTP(secure bool, h http.Handler) Server {
	s := &http.Server{
		Handler: h, TLSConfig: TLSConfig(), Protocols: new(http.Protocols),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: MaxStreams},
	}
	if secure {
		s.Protocols.SetHTTP2(true)
		return Server{"net/http", func(l net.Listener) error { return s.ServeTLS(l, "", "") }, s.Close}
	}
	s.Protocols.SetUnencryptedHTTP2(true)
	return Server{"net/http", s.Serve, s.Close}
}

// TLSConfig is what servers tell TLS, all with the same certificate.
func TLSConfig() *tls.Config {
	cert, err := certificate()
	if err != nil {
		panic(err) // the system has no random numbers
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

var certificate = sync.OnceValues(func() (tls.Certificate, error) { return h2tls.Development() })
