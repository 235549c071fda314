package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/nonet-h2/nonet"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// What http.Server.TLSNextProto calls HTTP/2 in cleartext.
const unencrypted = "unencrypted_http2"

// ConfigureServer makes an http.Server speak HTTP/2 with nonet instead of
// net/http's own implementation: over TLS where its TLS configuration chooses
// "h2", which is added to it, and in cleartext if s.Protocols has
// UnencryptedHTTP2. Call it once s.Handler is set and before s serves. s accepts and
// ends the connections, speaks HTTP/1.1 (its handler is wrapped, so that the
// functions for trailers work there too), and its Shutdown ends those of HTTP/2
// gracefully. ReadTimeout,
// WriteTimeout, IdleTimeout, MaxHeaderBytes, ErrorLog and of s.HTTP2 the stream
// limit, the receive windows, the frame size, the table size and
// WriteByteTimeout are obeyed.
func ConfigureServer(s *http.Server) error {
	if s == nil {
		return errors.New("nethttp: ConfigureServer of a nil http.Server")
	}
	s.Handler = &eitherHandler{orDefault(s.Handler)}
	if s.TLSConfig == nil {
		s.TLSConfig = new(tls.Config)
	}
	for _, p := range []string{h2tls.ProtoHTTP2, h2tls.ProtoHTTP11} {
		if !slices.Contains(s.TLSConfig.NextProtos, p) {
			s.TLSConfig.NextProtos = append(s.TLSConfig.NextProtos, p)
		}
	}
	logs := logger{errorLog: s.ErrorLog}
	e := &engine{logs: logs, readTimeout: s.ReadTimeout, writeTimeout: s.WriteTimeout}
	n := &nonet.Server{Handler: e.serve}
	n.Logger = logs.engine()
	n.DisableHTTP1 = true
	netHTTPLimits(&n.Limits)
	setIdle(&n.Config, s.IdleTimeout, s.ReadTimeout)
	if s.MaxHeaderBytes > 0 {
		n.Limits.HeaderListSize = uint32(min(s.MaxHeaderBytes, 1<<28))
	}
	if s.HTTP2 != nil {
		limit(n, s.HTTP2)
	}
	n.ConnState = func(nc net.Conn, state nonet.ConnState) {
		// s tells of the beginning and the end itself.
		if state == nonet.ConnActive || state == nonet.ConnIdle {
			if st, ok := connState(state); ok && s.ConnState != nil {
				s.ConnState(nc, st)
			}
		}
	}
	s.RegisterOnShutdown(func() { _ = n.Shutdown(context.Background()) })
	if s.TLSNextProto == nil {
		s.TLSNextProto = make(map[string]func(*http.Server, *tls.Conn, http.Handler))
	}
	s.TLSNextProto[h2tls.ProtoHTTP2] = func(_ *http.Server, tc *tls.Conn, h http.Handler) {
		serveConn(n, tc, h, false)
	}
	s.TLSNextProto[unencrypted] = func(_ *http.Server, tc *tls.Conn, h http.Handler) {
		// The *tls.Conn is only a way to hand the connection over.
		if u, ok := tc.NetConn().(interface{ UnencryptedNetConn() net.Conn }); ok {
			serveConn(n, u.UnencryptedNetConn(), h, true)
		}
	}
	return nil
}

// serveConn serves a connection of net/http's and returns when it has ended.
func serveConn(n *nonet.Server, nc net.Conn, h http.Handler, preface bool) {
	ctx := context.Background()
	if b, ok := h.(interface{ BaseContext() context.Context }); ok {
		ctx = b.BaseContext()
	}
	_ = n.ServeConnWith(nc, nonet.ConnOptions{Context: newConnection(ctx, nc, h), Preface: preface})
}

// limit takes over what of net/http's configuration means something here.
func limit(n *nonet.Server, c *http.HTTP2Config) {
	l := &n.Limits
	l.MaxConcurrentStreams = size(c.MaxConcurrentStreams)
	l.HeaderTableSize = size(min(c.MaxDecoderHeaderTableSize, 64<<10))
	l.MaxFrameSize = size(c.MaxReadFrameSize)
	l.ConnWindow = size(c.MaxReceiveBufferPerConnection)
	l.StreamWindow = size(c.MaxReceiveBufferPerStream)
	n.WriteStall = max(c.WriteByteTimeout, time.Duration(0))
}

func size(n int) uint32 { return uint32(min(max(n, 0), 1<<31-1)) }
