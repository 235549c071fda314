package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// Server serves an http.Handler over HTTP/2 and HTTP/1.1 on one port. Its
// fields are those of [http.Server] where the names are equal, and must not be
// changed once it serves.
type Server struct {
	// Addr is where ListenAndServe listens, "host:port". Default ":http", and
	// ":https" for ListenAndServeTLS.
	Addr string
	// Handler answers requests. Nil: http.DefaultServeMux.
	Handler http.Handler
	// TLSConfig is for ListenAndServeTLS and ServeTLS.
	TLSConfig *tls.Config

	// ReadTimeout bounds the reading of a request; on HTTP/2 that of its body,
	// from the end of its header section on.
	ReadTimeout time.Duration
	// ReadHeaderTimeout bounds the reading of a header section on HTTP/1.1. 0:
	// ReadTimeout, or Limits.Handshake where that is 0 too. On HTTP/2 see
	// Limits.Block.
	ReadHeaderTimeout time.Duration
	// WriteTimeout bounds the handling of a request. On HTTP/2 its stream is
	// then reset with INTERNAL_ERROR.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection without requests is kept. 0:
	// ReadTimeout, or Limits.Idle where that is 0 too; negative: for ever.
	IdleTimeout time.Duration
	// MaxHeaderBytes bounds a request's header section. 0: Limits.HeaderListSize
	// on HTTP/2, net/http's default on HTTP/1.1.
	MaxHeaderBytes int

	// BaseContext makes the context that the connections of a listener start
	// from.
	BaseContext func(net.Listener) context.Context
	// ConnContext makes a connection's context from that. It is called once the
	// connection has shown what it speaks, after the TLS handshake.
	ConnContext func(ctx context.Context, c net.Conn) context.Context
	// ConnState is told what connections do.
	ConnState func(net.Conn, http.ConnState)
	// ErrorLog gets handlers' panics and mistakes. Nil: Config.Logger, or where
	// that is nil too the standard logger.
	ErrorLog *log.Logger
	nonet.Config

	mu         sync.Mutex
	engine     *nonet.Server
	onShutdown []func()
}

// ListenAndServe listens on Addr and serves cleartext. It returns when the
// listener fails, or http.ErrServerClosed.
func (s *Server) ListenAndServe() error { return served(s.start().ListenAndServe()) }

// ListenAndServeTLS listens on Addr and serves TLS. The file names may be empty
// when TLSConfig has certificates.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	return served(s.start().ListenAndServeTLS(certFile, keyFile))
}

// Serve serves a listener's connections: cleartext, or TLS when they are
// *[tls.Conn] of a configuration that offers "h2".
func (s *Server) Serve(l net.Listener) error { return served(s.start().Serve(l)) }

// ServeTLS is Serve for TLS over the listener's connections.
func (s *Server) ServeTLS(l net.Listener, certFile, keyFile string) error {
	if certFile == "" && keyFile == "" {
		return served(s.start().ServeTLS(l))
	}
	cert, err := h2tls.Load(certFile, keyFile)
	if err != nil {
		l.Close()
		return err
	}
	c := s.TLSConfig.Clone()
	if c == nil {
		c = new(tls.Config)
	}
	c.Certificates = append(c.Certificates[:len(c.Certificates):len(c.Certificates)], cert)
	return served(s.start().ServeTLSConfig(l, c))
}

// Shutdown ends the server gracefully: it returns when each request that was
// sent has been answered, or with the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	e := s.start()
	s.mu.Lock()
	for _, f := range s.onShutdown {
		go f()
	}
	s.mu.Unlock()
	return e.Shutdown(ctx)
}

// Close closes listeners and connections at once.
func (s *Server) Close() error { return s.start().Close() }

// RegisterOnShutdown makes Shutdown call f on a goroutine of its own.
func (s *Server) RegisterOnShutdown(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onShutdown = append(s.onShutdown, f)
}

// served makes the end of a server the one that users of net/http expect.
func served(err error) error {
	if errors.Is(err, nonet.ErrServerClosed) {
		return http.ErrServerClosed // which programs compare with ==
	}
	return err
}

// start makes the engine.
func (s *Server) start() *nonet.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine != nil {
		return s.engine
	}
	logs := logger{errorLog: s.ErrorLog, slog: s.Logger}
	hs := &http.Server{
		Addr:              s.Addr,
		ReadTimeout:       s.ReadTimeout,
		ReadHeaderTimeout: s.ReadHeaderTimeout,
		WriteTimeout:      s.WriteTimeout,
		IdleTimeout:       s.IdleTimeout,
		MaxHeaderBytes:    s.MaxHeaderBytes,
		ConnState:         s.ConnState,
		ErrorLog:          logs.std(),
	}
	limits := s.Limits.WithDefaults()
	if s.ReadTimeout == 0 {
		if s.ReadHeaderTimeout == 0 {
			hs.ReadHeaderTimeout = max(limits.Handshake, 0)
		}
		if s.IdleTimeout == 0 {
			hs.IdleTimeout = max(limits.Idle, 0)
		}
	}
	hs.Handler = &http1Handler{h: orDefault(s.Handler)}
	e := &engine{
		handler:      &general{orDefault(s.Handler)},
		logs:         logs,
		readTimeout:  s.ReadTimeout,
		writeTimeout: s.WriteTimeout,
	}
	s.engine = &nonet.Server{
		ForgetsConns: s.ConnContext == nil && s.ConnState == nil,
		Addr:         s.Addr,
		Handler:      e.serve,
		TLSConfig:    s.TLSConfig,
		Config:       s.Config,
		BaseContext: func(l net.Listener) context.Context {
			ctx := context.Background()
			if s.BaseContext != nil {
				if ctx = s.BaseContext(l); ctx == nil {
					panic("nethttp: BaseContext returned nil")
				}
			}
			return context.WithValue(ctx, http.ServerContextKey, hs)
		},
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			if s.ConnContext != nil {
				if ctx = s.ConnContext(ctx, nc); ctx == nil {
					panic("nethttp: ConnContext returned nil")
				}
			}
			return newConnection(ctx, nc, nil)
		},
	}
	if s.ConnState != nil {
		s.engine.ConnState = func(nc net.Conn, state nonet.ConnState) {
			if st, ok := connState(state); ok {
				s.ConnState(nc, st)
			}
		}
	}
	c := &s.engine.Config
	c.Logger = logs.engine()
	netHTTPLimits(&c.Limits)
	setIdle(c, s.IdleTimeout, s.ReadTimeout)
	if s.MaxHeaderBytes > 0 {
		c.Limits.HeaderListSize = uint32(min(s.MaxHeaderBytes, 1<<28))
	}
	s.engine.UseHTTP1(hs)
	return s.engine
}

// netHTTPLimits sets limits for programs that come from net/http, which knows no such
// limits, where nothing else is said.
func netHTTPLimits(l *conn.Limits) {
	// Browsers send each cookie as a field of its own, up to 180 for a site. What the
	// fields take together stays bounded by Limits.HeaderListSize.
	if l.HeaderFields == 0 {
		l.HeaderFields = 256
	}
	if l.CookieCrumbs == 0 {
		l.CookieCrumbs = 180
	}
	// A paused video and a consumer that thinks about a message stop reading for
	// minutes; 64 KiB of the response wait meanwhile.
	if l.SendStall == 0 {
		l.SendStall = 10 * time.Minute
	}
}

// setIdle sets how long a connection may be idle, as net/http chooses it.
func setIdle(c *nonet.Config, idle, read time.Duration) {
	if idle == 0 {
		idle = read
	}
	if idle != 0 {
		c.Limits.Idle = idle
	}
}

// connState returns net/http's word.
func connState(s nonet.ConnState) (http.ConnState, bool) {
	switch s {
	case nonet.ConnNew:
		return http.StateNew, true
	case nonet.ConnActive:
		return http.StateActive, true
	case nonet.ConnIdle:
		return http.StateIdle, true
	case nonet.ConnClosed:
		return http.StateClosed, true
	}
	return 0, false
}

// general is what net/http puts before a server's handler.
type general struct{ h http.Handler }

func orDefault(h http.Handler) http.Handler {
	if h == nil {
		return http.DefaultServeMux
	}
	return h
}

// ServeHTTP answers "OPTIONS *" itself: it asks about the server, not about a
// resource (RFC 9110 9.3.7).
func (g *general) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.RequestURI == "*" && r.Method == http.MethodOptions {
		w.Header().Set("Content-Length", "0")
		return
	}
	g.h.ServeHTTP(w, r)
}
