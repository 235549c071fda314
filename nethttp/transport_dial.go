package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/nonet-h2/nonet"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// routes are what a Transport sends requests with.
type routes struct {
	base  *http.Transport // the settings
	pool  *nonet.Client
	mixed *http.Transport // HTTP/1.1, and nonet's HTTP/2 where net/http dials
	only1 *http.Transport // HTTP/1.1 alone

	http2, http1, prior, customTLS bool

	mu      sync.Mutex
	http1s  map[string]struct{}        // hosts whose TLS chose HTTP/1.1
	spare   map[string]*tls.Conn       // connections to them that nobody has used yet
	adopted map[*nonet.ClientConn]bool // true: a request has come
	shared  map[way]*nonet.ClientConn  // those of them that requests find
}

// maxHTTP1 bounds the hosts that are remembered to speak HTTP/1.1, and spareTime
// how long a connection to one waits for its first request: that is on its way,
// and one that comes later must not get a connection that its server has given
// up, for net/http takes it for a new one and does not try again. So long does a
// connection that was adopted wait, too.
const (
	maxHTTP1  = 1024
	spareTime = 2 * time.Second
)

// errHTTP1: the server has chosen HTTP/1.1, and its connection is spare.
var errHTTP1 = errors.New("nethttp: the server speaks HTTP/1.1")

// dial opens a connection to a server.
func (t *Transport) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	switch {
	case t.Client.DialContext != nil:
		return t.Client.DialContext(ctx, network, addr)
	case t.base.DialContext != nil:
		return t.base.DialContext(ctx, network, addr)
	}
	//lint:ignore SA1019 it still counts
	if dial := t.base.Dial; dial != nil {
		return dial(network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// dialTLS opens a connection over TLS. The trace may be nil. told: net/http tells
// it of a handshake that succeeds.
func (t *Transport) dialTLS(ctx context.Context, network, addr string, config *tls.Config, trace *httptrace.ClientTrace, told bool) (*tls.Conn, error) {
	nc, err := t.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if d := t.base.TLSHandshakeTimeout; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, errHandshakeTimeout)
		defer cancel()
	}
	tc := nonet.TLSClient(nc, config)
	if trace == nil {
		trace = new(httptrace.ClientTrace)
	}
	if trace.TLSHandshakeStart != nil && !told {
		trace.TLSHandshakeStart()
	}
	var cs tls.ConnectionState
	if err = tc.HandshakeContext(ctx); err == nil {
		cs = tc.ConnectionState()
	} else if ctx.Err() != nil && context.Cause(ctx) == errHandshakeTimeout {
		err = errHandshakeTimeout
	}
	if trace.TLSHandshakeStart != nil && told && err != nil {
		trace.TLSHandshakeStart()
	}
	if trace.TLSHandshakeDone != nil && (!told || err != nil) {
		trace.TLSHandshakeDone(cs, err)
	}
	if err != nil {
		nc.Close()
		return nil, handshakeError(err, addr)
	}
	return tc, nil
}

// handshakeError says in the user's words why there is no TLS, where net/http
// does not: http.Client knows the error about a server of HTTP/1.1.
func handshakeError(err error, addr string) error {
	var re tls.RecordHeaderError
	switch {
	case errors.As(err, &re) && string(re.RecordHeader[:]) != "HTTP/":
		return fmt.Errorf("nethttp: %s does not speak TLS; if it is a cleartext port, use http: %w", addr, err)
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("nethttp: %s ended the TLS handshake; if it is a cleartext port, use http: %w", addr, err)
	}
	return err
}

// dialError is why no connection was opened, as [call.explain] finds it: its
// user gets it as it is. It has no Unwrap, for nonet would look into it.
type dialError struct{ error }

// dialHTTP2Clear is the pool's dial for http.
func (t *Transport) dialHTTP2Clear(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := t.dial(ctx, network, addr)
	if err != nil {
		return nil, dialError{err}
	}
	return nc, nil
}

// dialHTTP2 is the pool's dial for https.
func (t *Transport) dialHTTP2(ctx context.Context, network, addr string) (net.Conn, error) {
	tc, err := t.dialTLS(ctx, network, addr, t.offer(hostOf(addr)), httptrace.ContextClientTrace(ctx), false)
	if err != nil {
		return nil, dialError{err}
	}
	if p := tc.ConnectionState().NegotiatedProtocol; t.http1 && p != h2tls.ProtoHTTP2 {
		t.keep(addr, tc)
		return nil, errHTTP1
	}
	return tc, nil
}

// dialMixed is net/http's dial for https: of a server that is known to speak
// HTTP/1.1, or of a proxy, for which HTTP/2 would be no use.
func (t *Transport) dialMixed(ctx context.Context, network, addr string) (net.Conn, error) {
	h := hopOf(ctx)
	if h == nil || !h.direct {
		config := h2tls.ClientConfig(t.tlsConfig(), hostOf(addr))
		config.NextProtos = []string{h2tls.ProtoHTTP11}
		return unlessNil(t.dialTLS(ctx, network, addr, config, httptrace.ContextClientTrace(ctx), true))
	}
	t.mu.Lock()
	tc := t.spare[addr]
	delete(t.spare, addr)
	t.mu.Unlock()
	if tc != nil {
		return tc, nil
	}
	tc, err := t.dialTLS(ctx, network, addr, t.offer(hostOf(addr)), h.trace, false)
	if err == nil && tc.ConnectionState().NegotiatedProtocol == h2tls.ProtoHTTP2 {
		t.mu.Lock()
		delete(t.http1s, addr) // it has learned
		t.mu.Unlock()
	}
	return unlessNil(tc, err)
}

func unlessNil(tc *tls.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return tc, nil
}

// hostOf returns the host of an address with a port.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// keep remembers that the server speaks HTTP/1.1, and keeps its connection for
// the first request that comes for it.
func (t *Transport) keep(addr string, tc *tls.Conn) {
	t.mu.Lock()
	if t.http1s == nil || len(t.http1s) >= maxHTTP1 {
		t.http1s = make(map[string]struct{})
	}
	t.http1s[addr] = struct{}{}
	old := t.spare[addr]
	if t.spare == nil {
		t.spare = make(map[string]*tls.Conn)
	}
	t.spare[addr] = tc
	t.mu.Unlock()
	if old != nil {
		old.Close()
	}
	time.AfterFunc(spareTime, func() {
		t.mu.Lock()
		unused := t.spare[addr] == tc
		if unused {
			delete(t.spare, addr)
		}
		t.mu.Unlock()
		if unused {
			tc.Close()
		}
	})
}

func (t *Transport) isHTTP1(req *http.Request) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.http1s) == 0 {
		return false
	}
	_, ok := t.http1s[hostPort(req)]
	return ok
}

// forget closes the spare connections, lets those that were adopted end with
// their last request, for net/http has forgotten them, and forgets who spoke
// HTTP/1.1.
func (t *Transport) forget() {
	t.mu.Lock()
	spare, adopted := t.spare, slices.Collect(maps.Keys(t.adopted))
	t.spare, t.http1s, t.shared = nil, nil, nil
	t.mu.Unlock()
	for _, tc := range spare {
		tc.Close()
	}
	for _, cc := range adopted {
		_ = cc.Shutdown(atOnce)
	}
}
