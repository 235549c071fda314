package nonet

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"github.com/nonet-h2/nonet/frame"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// What a server tells about its connections, and how connections come to it
// that another server has accepted.

// ConnState is what a connection does, for Server.ConnState.
type ConnState uint8

const (
	ConnNew    ConnState = iota // accepted
	ConnActive                  // a request is being handled
	ConnIdle                    // none is
	ConnHTTP1                   // given to net/http, which tells what follows
	ConnClosed                  // gone
)

// ConnOptions say what is known of a connection that another server has
// accepted.
type ConnOptions struct {
	// Context is what the contexts of its requests are made from. Nil: what
	// Server.BaseContext and Server.ConnContext make.
	Context context.Context
	// Preface: the client preface (RFC 9113 3.4) was read from it, and nothing
	// more.
	Preface bool
}

// ServeConnWith is ServeConn with options.
func (s *Server) ServeConnWith(nc net.Conn, opts ConnOptions) error {
	o := &opening{srv: s, nc: nc, base: opts.Context}
	if opts.Preface {
		o.n = copy(o.prefix[:], frame.Preface)
	}
	return s.serveOpening(o, nil, true)
}

// ServeTLSConfig is ServeTLS with another configuration than TLSConfig.
func (s *Server) ServeTLSConfig(l net.Listener, c *tls.Config) error {
	return s.serveListener(l, h2tls.ServerConfig(c))
}

// context makes the context of the connection, which is nc to the user.
func (o *opening) context(nc net.Conn) context.Context {
	if o.base != nil {
		return o.base
	}
	ctx := context.Background()
	if o.srv.BaseContext != nil && o.listener != nil {
		ctx = o.srv.BaseContext(o.listener)
	}
	if o.srv.ConnContext != nil {
		ctx = o.srv.ConnContext(ctx, nc)
	}
	return ctx
}

// own reports whether nobody else knows the socket, so that it can't be closed
// behind our back.
func (o *opening) own() bool {
	switch o.listener.(type) {
	case *net.TCPListener, *net.UnixListener:
		return o.srv.ForgetsConns || o.srv.ConnContext == nil && o.srv.ConnState == nil
	}
	return false
}

// tell calls Server.ConnState.
func (o *opening) tell(state ConnState) {
	if f := o.srv.ConnState; f != nil {
		f(o.seen, state)
	}
}

// connTeller tells Server.ConnState what an HTTP/2 connection does. Its mutex
// is taken before the driver's and keeps what it tells in order.
type connTeller struct {
	mu     sync.Mutex
	told   ConnState
	closed bool
}

// tell reports whether requests are being handled, if that is news.
func (d *driver) tell() {
	if d.srv == nil || d.srv.ConnState == nil {
		return
	}
	f, t := d.srv.ConnState, &d.teller
	t.mu.Lock()
	defer t.mu.Unlock()
	d.mu.Lock()
	state := ConnIdle
	if d.running > 0 || d.waiting.head != nil {
		state = ConnActive
	}
	d.mu.Unlock()
	if t.told == ConnNew && state == ConnIdle {
		// net/http's too are active until they have shown what they speak.
		f(d.wire.nc, ConnActive)
	}
	if state != t.told && !t.closed {
		t.told = state
		f(d.wire.nc, state)
	}
}

// tellClosed is the last that is told.
func (d *driver) tellClosed() {
	if f := d.srv.ConnState; f != nil {
		d.teller.mu.Lock()
		defer d.teller.mu.Unlock()
		d.teller.closed = true
		f(d.wire.nc, ConnClosed)
	}
}

// ConnContext returns the context of the request's connection: what
// Server.ConnContext returned for it, never nil. The request's own context,
// [Stream.Context], is made from it when that is asked for.
func (s Stream) ConnContext() context.Context {
	if st := s.held(); st != nil {
		switch {
		case st.h1 != nil:
			return st.h1.r.Context()
		case st.d.base != nil:
			return st.d.base
		}
	}
	return context.Background()
}
