package host

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/nonet-h2/nonet/nethttp"
)

// Kind is what serves a handler.
type Kind string

const (
	Nonet      Kind = "nonet"      // nethttp.Server
	Configured Kind = "configured" // http.Server after nethttp.ConfigureServer
	NetHTTP    Kind = "net/http"   // http.Server as it is
)

// Server is what all of them have in common.
type Server interface {
	Serve(net.Listener) error
	ServeTLS(l net.Listener, certFile, keyFile string) error
	Shutdown(context.Context) error
	Close() error
}

// New returns a server that is not running yet. It speaks HTTP/1.1 and HTTP/2:
// by ALPN when it serves TLS, by prior knowledge on cleartext. config may be
// nil. logger gets what net/http's ErrorLog gets.
func New(k Kind, h http.Handler, config *tls.Config, logger *log.Logger) (Server, error) {
	switch k {
	case Nonet:
		return &nethttp.Server{Handler: h, TLSConfig: config, ErrorLog: logger}, nil
	case Configured:
		s := httpServer(h, config, logger)
		return s, nethttp.ConfigureServer(s)
	case NetHTTP:
		return httpServer(h, config, logger), nil
	}
	return nil, fmt.Errorf("unknown host %q; it is %s, %s or %s", k, Nonet, Configured, NetHTTP)
}

// httpServer is net/http's server with all its protocols.
func httpServer(h http.Handler, config *tls.Config, logger *log.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Handler: h, TLSConfig: config, ErrorLog: logger, Protocols: protocols}
}
