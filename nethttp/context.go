package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/nonet-h2/nonet"
)

// connection is the context of a connection's requests, and what they share.
type connection struct {
	context.Context
	handler http.Handler // of this connection alone; nil: the server's
	remote  string
	tls     *tls.ConnectionState
}

func newConnection(ctx context.Context, nc net.Conn, h http.Handler) *connection {
	c := &connection{Context: context.WithValue(ctx, http.LocalAddrContextKey, nc.LocalAddr()), handler: h}
	if a := nc.RemoteAddr(); a != nil {
		c.remote = a.String()
	}
	if tc, ok := nc.(*tls.Conn); ok {
		cs := tc.ConnectionState()
		c.tls = &cs
	}
	return c
}

// requestContext is the context of a request. Most handlers never wait on it:
// the context that can be cancelled is made when it is asked for, and this one
// then answers with what that one says. So contexts made from it hang on that
// one, and need no goroutine.
type requestContext struct {
	s    nonet.Stream
	base *connection
	made atomic.Pointer[context.Context]
}

func (c *requestContext) cancellable() context.Context {
	if p := c.made.Load(); p != nil {
		return *p
	}
	ctx := c.s.Context()
	if errors.Is(context.Cause(ctx), nonet.ErrStale) {
		// Asked for after the handler returned.
		over, cancel := context.WithCancel(c.base)
		cancel()
		ctx = over
	}
	if !c.made.CompareAndSwap(nil, &ctx) {
		return *c.made.Load()
	}
	return ctx
}

func (c *requestContext) Deadline() (time.Time, bool) { return c.base.Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return c.cancellable().Done() }
func (c *requestContext) Err() error                  { return c.cancellable().Err() }

func (c *requestContext) Value(key any) any {
	if p := c.made.Load(); p != nil {
		return (*p).Value(key)
	}
	return c.base.Value(key)
}

func (c *requestContext) String() string { return "nethttp.requestContext" }
