package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/internal/routes"
	"github.com/nonet-h2/nonet/nethttp"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// drainTime bounds how long in-flight requests may take after a signal.
const drainTime = 30 * time.Second

// serve runs "nonet serve".
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	addr := fs.String("addr", "127.0.0.1:8443", "`address` to listen on")
	certFile := fs.String("cert", "", "certificate `file` (PEM); without one a development certificate is made")
	keyFile := fs.String("key", "", "private key `file` (PEM)")
	h2c := fs.Bool("h2c", false, "serve cleartext: HTTP/2 by prior knowledge and HTTP/1.1")
	kind := fs.String("handler", "stream", "`kind` of handler: stream, inline or nethttp")
	maxStreams := fs.Uint("max-streams", 0, "concurrent streams a connection; 0: the default, 100")
	verbose := fs.Bool("v", false, "print every frame, both directions")
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	switch {
	case *h2c && (*certFile != "" || *keyFile != ""):
		return usageError{errors.New("serve: -h2c is cleartext and takes no -cert or -key")}
	case (*certFile == "") != (*keyFile == ""):
		return usageError{errors.New("serve: -cert and -key go together")}
	}
	var config nonet.Config
	config.Limits.MaxConcurrentStreams = uint32(min(*maxStreams, 1<<31-1))
	config.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	if *verbose {
		config.Trace = stdout
	}
	tlsConfig := new(tls.Config)
	srv, err := newServer(*kind, config, tlsConfig)
	if err != nil {
		return usageError{err}
	}
	fingerprint := ""
	if !*h2c {
		cert, made, err := certificate(*certFile, *keyFile, *addr)
		if err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		tlsConfig.Certificates = []tls.Certificate{cert}
		if made {
			fingerprint = h2tls.Fingerprint(cert)
		}
	}
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	greet(stdout, ln.Addr().String(), *h2c, fingerprint)
	return serveUntil(ctx, srv, ln, *h2c)
}

// server is what the servers of nonet and of its net/http package have.
type server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

// newServer returns a server of the routes by a kind of handler.
func newServer(kind string, config nonet.Config, c *tls.Config) (server, error) {
	switch kind {
	case "stream":
		return &nonet.Server{Handler: routes.Stream, TLSConfig: c, Config: config}, nil
	case "inline":
		return &nonet.Server{Inline: routes.Inline, TLSConfig: c, Config: config}, nil
	case "nethttp":
		return &nethttp.Server{Handler: routes.HTTP, TLSConfig: c, Config: config}, nil
	}
	return nil, fmt.Errorf("serve: unknown handler %q; it is stream, inline or nethttp", kind)
}

// serveTLS serves TLS; the methods of the two servers differ.
func serveTLS(srv server, ln net.Listener) error {
	if s, ok := srv.(*nethttp.Server); ok {
		return s.ServeTLS(ln, "", "")
	}
	return srv.(*nonet.Server).ServeTLS(ln)
}

// certificate loads the certificate, or makes one for development.
func certificate(certFile, keyFile, addr string) (cert tls.Certificate, made bool, err error) {
	if certFile == "" && keyFile == "" {
		hosts := []string{"localhost", "127.0.0.1", "::1"}
		if host, _, err := net.SplitHostPort(addr); err == nil && host != "" && host != hosts[1] {
			hosts = append(hosts, host)
		}
		cert, err = h2tls.Development(hosts...)
		return cert, true, err
	}
	cert, err = h2tls.Load(certFile, keyFile)
	return cert, false, err
}

// greet says where the server listens and what to try.
func greet(w io.Writer, addr string, h2c bool, fingerprint string) {
	url, flags := "https://"+addr, "-k --http2"
	if h2c {
		url, flags = "http://"+addr, "--http2-prior-knowledge"
	}
	fmt.Fprintf(w, "serving %s\n", url)
	if fingerprint != "" {
		fmt.Fprintf(w, "development certificate, SHA-256 %s\n", fingerprint)
	}
	fmt.Fprintf(w, "try:\n")
	fmt.Fprintf(w, "  curl -i %s %s/hello\n", flags, url)
	fmt.Fprintf(w, "  curl -v %s %s/trailers\n", flags, url)
	fmt.Fprintf(w, "  curl -v %s %s/reset/CANCEL\n", flags, url)
}

// serveUntil serves until the context ends, then lets what runs finish.
func serveUntil(ctx context.Context, srv server, ln net.Listener, cleartext bool) error {
	done := make(chan error, 1)
	go func() {
		if cleartext {
			done <- srv.Serve(ln)
		} else {
			done <- serveTLS(srv, ln)
		}
	}()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		srv.Close()
		return fmt.Errorf("serve: requests were still running after %v: %w", drainTime, err)
	}
	return nil
}
