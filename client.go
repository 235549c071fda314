package nonet

import (
	"context"
	"crypto/tls"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

// ClientConfig is what connections of a client are told. The zero value of
// each field is its default. It must not be changed once it is in use.
type ClientConfig struct {
	// Limits bound what servers can make a connection hold or do. Some
	// defaults differ from those of package conn: windows of 1 MiB a stream
	// and 4 MiB a connection, for a client decides itself how much it asks
	// for; and no SendStall, for an upload may pause as long as its context
	// lets it.
	Limits conn.Limits
	// TLSConfig is for https and [DialTLS]; package tls says what is added.
	TLSConfig *tls.Config
	// DialContext opens connections. Default: a [net.Dialer]. A [Client]'s ctx
	// has the values of the request that the connection is for, and the time
	// limit of DialTimeout: other requests may get the connection too.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// DialTLSContext opens connections for https, in place of DialContext and
	// TLSConfig. A *[tls.Conn], best one of [TLSClient], whose handshake is left
	// to be done or chose "h2", is what it usually returns; with another
	// [net.Conn] the server is taken to speak HTTP/2.
	DialTLSContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// DialTimeout bounds the time of a [Client]'s dial and TLS handshake.
	// Default 10 s; negative: for ever.
	DialTimeout time.Duration
	// MaxConns is how many connections a [Client] has to one host at most, besides
	// those that take no more requests and end with the last that they have. A
	// second one is opened only when the streams that the server allows on the
	// first are about to run out. Default 4.
	MaxConns int
	// WriteStall is how long a write may wait for a server that takes no
	// octets before the connection is closed. Default 10 s; negative: for ever.
	WriteStall time.Duration
	// Prepared is the set of the fields that requests add with
	// [ClientStream.AddPrepared]; nil: none.
	Prepared *hpack.Set
	// Trace gets one line for each frame in either direction, and one for each
	// field. Writes to it are not concurrent. Default: none, at no cost.
	Trace io.Writer
}

const (
	defaultDialTimeout = 10 * time.Second
	defaultMaxConns    = 4
	clientStreamWindow = 1 << 20
	clientConnWindow   = 4 << 20
)

func (c *ClientConfig) limits() conn.Limits {
	l := c.Limits
	if l.StreamWindow == 0 {
		l.StreamWindow = clientStreamWindow
	}
	if l.ConnWindow == 0 {
		l.ConnWindow = clientConnWindow
	}
	if l.SendStall == 0 {
		l.SendStall = -1
	}
	return l
}

func (c *ClientConfig) writeStall() time.Duration {
	return (&Config{WriteStall: c.WriteStall}).writeStall()
}

func (c *ClientConfig) dialTimeout() time.Duration {
	switch {
	case c.DialTimeout == 0:
		return defaultDialTimeout
	case c.DialTimeout < 0:
		return math.MaxInt64
	}
	return c.DialTimeout
}

func (c *ClientConfig) maxConns() int {
	if c.MaxConns <= 0 {
		return defaultMaxConns
	}
	return c.MaxConns
}

// Client sends requests over HTTP/2, on connections that it keeps for each
// host: https by ALPN, http by prior knowledge. Its zero value is ready, and
// it is safe for concurrent use.
//
// A request gets the connection with the fewest streams. When three quarters
// of the streams that the servers allow are in use, another connection is
// opened ahead of need, up to MaxConns; when all are in use requests wait, and
// each stream that becomes free goes to the one that waits longest. A
// connection on which anything fails, or that is going away, gets no request
// any more; one that rests is closed after Limits.Idle.
type Client struct {
	ClientConfig

	number atomic.Uint64 // of connections
	tracer traceLog
	watch  watch

	mu      sync.Mutex // taken after that of a connection, never the reverse
	hosts   map[hostKey]*clientHost
	conns   map[*ClientConn]struct{} // all that live, those that are going away too
	closing bool
}

// Request makes a request for an http or https URL. Nothing is sent yet, and
// no connection is chosen; see [ClientStream]. The end of ctx ends the request.
//
// A request that no server has processed is sent again by itself, on another
// connection if need be: when it was refused with REFUSED_STREAM (at most
// twice, after a pause), when the server's GOAWAY left it out, or when it never
// left (at most five times). This happens while nothing waits for it but
// [ClientStream.Response], and only if all of it is still there: it is
// complete, and its content at most 1 KiB. A larger one fails, and
// [ClientStream.Unprocessed] says that it may be tried again.
func (c *Client) Request(ctx context.Context, method, url string) (ClientStream, error) {
	return newRequest(ctx, c, nil, method, url)
}

// Shutdown ends the client gracefully: requests that have not begun fail with
// [ErrClientClosed], those that have may go on. It returns when every
// connection has ended, or with the context's error.
func (c *Client) Shutdown(ctx context.Context) error {
	list := c.shut()
	for _, cc := range list {
		cc.d.shutdown()
	}
	for _, cc := range list {
		select {
		case <-cc.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close ends the client and its connections at once.
func (c *Client) Close() error {
	for _, cc := range c.shut() {
		cc.Close()
	}
	return nil
}

// CloseIdle ends the connections that have no requests.
func (c *Client) CloseIdle() {
	for _, cc := range c.list(func(cc *ClientConn) bool { return cc.taken == 0 }) {
		cc.d.shutdown()
	}
}

// Snapshot returns what each connection looks like now.
func (c *Client) Snapshot() []ConnSnapshot {
	var all []ConnSnapshot
	for _, cc := range c.list(func(*ClientConn) bool { return true }) {
		all = append(all, cc.Snapshot())
	}
	return all
}

func (c *Client) list(want func(*ClientConn) bool) (list []*ClientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for cc := range c.conns {
		if want(cc) {
			list = append(list, cc)
		}
	}
	return list
}

// shut lets no request begin any more.
func (c *Client) shut() (list []*ClientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	for _, h := range c.hosts {
		h.failLocked(ErrClientClosed)
		if h.stop != nil {
			h.stop()
		}
	}
	for cc := range c.conns {
		list = append(list, cc)
	}
	return list
}

// backoff is how long to wait before a refused request is sent again: at
// random, so that those that were refused together do not come together.
func backoff(n int) time.Duration {
	return rand.N(50*time.Millisecond<<n) + time.Millisecond
}
