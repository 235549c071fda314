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
	h2tls "github.com/nonet-h2/nonet/tls"
)

// drainTime bounds how long in-flight requests may take after a signal.
const drainTime = 30 * time.Second

// listening is what every command that serves is told: its flags.
type listening struct {
	command           string
	addr              string
	certFile, keyFile string
	cleartext         bool
	maxStreams        uint
	verbose           bool
}

// listenFlags adds the flags of a command that serves.
func listenFlags(fs *flag.FlagSet) *listening {
	l := &listening{command: fs.Name()}
	fs.StringVar(&l.addr, "addr", "127.0.0.1:8443", "`address` to listen on")
	fs.StringVar(&l.certFile, "cert", "", "certificate `file` (PEM); without one a development certificate is made")
	fs.StringVar(&l.keyFile, "key", "", "private key `file` (PEM)")
	fs.BoolVar(&l.cleartext, "h2c", false, "serve cleartext: HTTP/2 by prior knowledge and HTTP/1.1")
	fs.UintVar(&l.maxStreams, "max-streams", 0, "concurrent streams a connection; 0: the default, 100")
	fs.BoolVar(&l.verbose, "v", false, "print every frame, both directions")
	return l
}

// check finds flags that don't go together.
func (l *listening) check() error {
	switch {
	case l.cleartext && (l.certFile != "" || l.keyFile != ""):
		return usageError{fmt.Errorf("%s: -h2c is cleartext and takes no -cert or -key", l.command)}
	case (l.certFile == "") != (l.keyFile == ""):
		return usageError{fmt.Errorf("%s: -cert and -key go together", l.command)}
	}
	return nil
}

// config is the server's.
func (l *listening) config(stdout io.Writer, logger *slog.Logger) (c nonet.Config) {
	c.Limits.MaxConcurrentStreams = uint32(min(l.maxStreams, 1<<31-1))
	c.Logger = logger
	if l.verbose {
		c.Trace = stdout
	}
	return c
}

// server is what the servers of nonet and of its net/http package have.
type server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

// run listens, greets, and serves until the context ends; then what runs may
// finish. c is the server's TLS configuration, which gets the certificate;
// greet is given the server's URL, the fingerprint of a certificate that was
// made, and how curl is to ask.
func (l *listening) run(ctx context.Context, srv server, c *tls.Config, greet func(url, fingerprint, curl string)) error {
	err := l.listen(ctx, srv, c, greet)
	if err != nil {
		return fmt.Errorf("%s: %w", l.command, err)
	}
	return nil
}

func (l *listening) listen(ctx context.Context, srv server, c *tls.Config, greet func(url, fingerprint, curl string)) error {
	fingerprint := ""
	if !l.cleartext {
		cert, made, err := certificate(l.certFile, l.keyFile, l.addr)
		if err != nil {
			return err
		}
		c.Certificates = []tls.Certificate{cert}
		if made {
			fingerprint = h2tls.Fingerprint(cert)
		}
	}
	ln, err := net.Listen("tcp", l.addr)
	if err != nil {
		return err
	}
	if l.cleartext {
		greet("http://"+ln.Addr().String(), "", "--http2-prior-knowledge")
	} else {
		greet("https://"+ln.Addr().String(), fingerprint, "-k --http2")
	}
	done := make(chan error, 1)
	go func() {
		if l.cleartext {
			done <- srv.Serve(ln)
		} else {
			done <- serveTLS(srv, ln)
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		srv.Close()
		return fmt.Errorf("requests were still running after %v: %w", drainTime, err)
	}
	return nil
}

// serveTLS serves TLS; the methods of the two kinds of servers differ.
func serveTLS(srv server, ln net.Listener) error {
	switch s := srv.(type) {
	case interface{ ServeTLS(net.Listener) error }:
		return s.ServeTLS(ln)
	case interface {
		ServeTLS(ln net.Listener, certFile, keyFile string) error
	}:
		return s.ServeTLS(ln, "", "")
	}
	return errors.ErrUnsupported
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
