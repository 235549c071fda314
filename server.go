package nonet

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	h2tls "github.com/nonet-h2/nonet/tls"
)

// Server serves HTTP/2, and HTTP/1.1 on the same port, with one handler for
// both. Its fields must not be changed once it serves.
type Server struct {
	// Addr is where ListenAndServe listens, "host:port". Default ":http", and
	// ":https" for ListenAndServeTLS.
	Addr string
	// Handler answers requests, each on a goroutine that runs no other handler
	// meanwhile, but perhaps before and after: what is bound to a goroutine (a
	// locked thread, labels of a profile) must not outlast the call.
	Handler Handler
	// Inline, when set, is called for every request instead, on the goroutine
	// that reads the connection, as soon as the header section is there. It
	// must not wait for anything: what would block returns ErrWouldBlock, and
	// [Stream.Go] continues on a goroutine.
	Inline Handler
	// TLSConfig is for ListenAndServeTLS and ServeTLS; package tls says what
	// is added to it.
	TLSConfig *tls.Config
	// BaseContext makes the context that the connections of a listener start
	// from. Nil: context.Background.
	BaseContext func(net.Listener) context.Context
	// ConnContext makes a connection's context from that, once it is known
	// what the connection speaks. The connection is a *[tls.Conn] over TLS.
	ConnContext func(context.Context, net.Conn) context.Context
	// ConnState is told what connections do. What it does with a connection
	// must not wait for that connection's requests.
	ConnState func(net.Conn, ConnState)
	// ForgetsConns says that ConnContext and ConnState keep no connection that
	// they see: nobody but the server closes it or sets its deadlines. Then no
	// goroutine has to wait on an idle connection of a listener of package net
	// (on Linux), which takes 2.5 KB less. It is so without them.
	ForgetsConns bool
	Config

	number  atomic.Uint64 // of connections
	dates   dates
	tracer  traceLog
	windows atomic.Int64 // octets by which receive windows have grown
	limits  sharedLimits
	watch   watch
	parking parking // has its own mutex

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*opening]struct{} // of which it is not known yet what they speak
	drivers   map[*driver]struct{}  // of HTTP/2
	closing   bool
	gone      chan struct{} // closed when closing and no connection is left
	h1        *http1Server
	user1     http1User
}

// ListenAndServe listens on Addr and serves cleartext: HTTP/2 by prior
// knowledge, and HTTP/1.1.
func (s *Server) ListenAndServe() error {
	l, err := s.listen(":http")
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS listens on Addr and serves HTTP/2 and HTTP/1.1 over TLS.
// The files may be empty when TLSConfig has certificates.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	c := s.TLSConfig.Clone()
	if certFile != "" || keyFile != "" {
		cert, err := h2tls.Load(certFile, keyFile)
		if err != nil {
			return err
		}
		if c == nil {
			c = new(tls.Config)
		}
		c.Certificates = append(c.Certificates[:len(c.Certificates):len(c.Certificates)], cert)
	}
	l, err := s.listen(":https")
	if err != nil {
		return err
	}
	return s.serveListener(l, h2tls.ServerConfig(c))
}

func (s *Server) listen(addr string) (net.Listener, error) {
	if s.Addr != "" {
		addr = s.Addr
	}
	return net.Listen("tcp", addr)
}

// Serve accepts connections until the listener fails or the server ends: then
// it returns [ErrServerClosed]. It closes the listener. A connection may be
// cleartext, or a *[tls.Conn] of a listener of crypto/tls whose configuration
// offers "h2".
func (s *Server) Serve(l net.Listener) error { return s.serveListener(l, nil) }

// ServeTLS is Serve for TLS over the listener's connections, with TLSConfig.
func (s *Server) ServeTLS(l net.Listener) error {
	return s.serveListener(l, h2tls.ServerConfig(s.TLSConfig))
}

func (s *Server) serveListener(l net.Listener, c *tls.Config) error {
	defer l.Close()
	if err := s.check(); err != nil {
		return err
	}
	if c != nil && len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
		return errNoCertificate
	}
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return ErrServerClosed
	}
	if s.listeners == nil {
		s.listeners = make(map[net.Listener]struct{})
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	pause := time.Duration(0)
	for {
		nc, err := l.Accept()
		if err == nil {
			pause = 0
			background(func() { s.serveOpening(&opening{srv: s, nc: nc, listener: l}, c, false) })
			continue
		}
		if s.isClosing() {
			return ErrServerClosed
		}
		var ne net.Error
		//lint:ignore SA1019 temporary is what some errors of accept are
		if !errors.As(err, &ne) || !ne.Temporary() {
			return err
		}
		// Such as too many open files: some will be closed.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.logger().Warn("nonet: accept failed, trying again", "error", err, "pause", pause)
		time.Sleep(pause)
	}
}

// ServeConn serves one connection, cleartext or a *[tls.Conn], and returns
// when it has ended: nil unless by an error.
func (s *Server) ServeConn(nc net.Conn) error { return s.ServeConnWith(nc, ConnOptions{}) }

// Shutdown ends the server gracefully: no connection is accepted any more,
// each HTTP/2 connection is told by GOAWAY in two steps, so that no request on
// the wire is lost, and goes when its requests are done; HTTP/1.1 likewise. It
// returns when all are gone, or with the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closeListenersLocked()
	drivers := slices.Collect(maps.Keys(s.drivers))
	var others []net.Conn // have not asked for anything yet
	for o := range s.conns {
		others = append(others, o.nc)
	}
	if s.gone == nil {
		s.gone = make(chan struct{})
	}
	gone, h1 := s.gone, s.h1
	s.goneLocked()
	s.mu.Unlock()
	for _, nc := range others {
		nc.Close()
	}
	for _, d := range drivers {
		d.shutdown()
	}
	var err error
	if h1 != nil {
		err = h1.shutdown(ctx)
	}
	select {
	case <-gone:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the server at once: listeners and connections are closed.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closeListenersLocked()
	var conns []net.Conn
	for o := range s.conns {
		conns = append(conns, o.nc)
	}
	drivers := slices.Collect(maps.Keys(s.drivers))
	h1 := s.h1
	s.mu.Unlock()
	for _, nc := range conns {
		nc.Close()
	}
	for _, d := range drivers {
		d.hangUp()
	}
	if h1 != nil {
		return h1.close()
	}
	return nil
}

func (s *Server) closeListenersLocked() {
	s.closing = true
	for l := range s.listeners {
		l.Close()
	}
}

// http1 returns the HTTP/1.1 side, which is made for its first connection.
func (s *Server) http1() *http1Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.h1 == nil {
		s.h1 = newHTTP1Server(s)
		if s.closing {
			s.h1.close()
		}
	}
	return s.h1
}

func (s *Server) traceLog() *traceLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracer.w = s.Trace
	return &s.tracer
}
