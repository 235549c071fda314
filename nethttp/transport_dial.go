package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
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

	mu     sync.Mutex
	http1s map[string]struct{}  // hosts whose TLS chose HTTP/1.1
	spare  map[string]*tls.Conn // connections to them that nobody has used yet
}

// maxHTTP1 bounds the hosts that are remembered to speak HTTP/1.1, and spareTime
// how long a connection to one waits for its first request.
const (
	maxHTTP1  = 1024
	spareTime = 30 * time.Second
)

// The limits of a response's header section, where nobody has said any: servers
// that a client asks send more than clients send to a server.
const (
	headerListSize = 256 << 10
	headerFields   = 1000
)

// errHTTP1: the server has chosen HTTP/1.1, and its connection is spare.
var errHTTP1 = errors.New("nethttp: the server speaks HTTP/1.1")

// prepare makes the routes.
func (t *Transport) prepare() {
	base := t.Base
	if base == nil {
		base = &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: t.Client.DialContext, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
		}
	}
	t.base = base
	t.http1, t.http2, t.prior = true, true, t.PriorKnowledge
	if p := base.Protocols; p != nil {
		t.http1, t.http2 = p.HTTP1(), p.HTTP2()
		t.prior = t.prior || p.UnencryptedHTTP2() && !p.HTTP1()
	}
	//lint:ignore SA1019 it still counts
	t.customTLS = t.Client.DialTLSContext == nil && (base.DialTLSContext != nil || base.DialTLS != nil)

	t.only1 = base.Clone()
	t.only1.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	t.only1.Protocols = new(http.Protocols)
	t.only1.Protocols.SetHTTP1(true)
	t.only1.ForceAttemptHTTP2 = false
	t.only1.TLSClientConfig = t.tlsConfig()
	t.only1.TLSClientConfig.NextProtos = []string{h2tls.ProtoHTTP11}

	t.mixed = t.only1.Clone()
	t.mixed.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{h2tls.ProtoHTTP2: t.adopt}
	t.mixed.Protocols.SetHTTP2(true)
	t.mixed.TLSClientConfig = h2tls.ClientConfig(t.tlsConfig(), "")
	if !t.customTLS {
		t.mixed.DialTLSContext = t.dialMixed
	}

	c := t.Client
	if c.DialContext == nil {
		c.DialContext = t.dial
	}
	if c.DialTLSContext == nil {
		c.DialTLSContext = t.dialHTTP2
	}
	if c.MaxConns == 0 {
		c.MaxConns = base.MaxConnsPerHost
	}
	if c.Limits.Idle == 0 {
		c.Limits.Idle = base.IdleConnTimeout
	}
	if c.Limits.HeaderListSize == 0 {
		c.Limits.HeaderListSize = headerListSize
		if n := base.MaxResponseHeaderBytes; n > 0 {
			c.Limits.HeaderListSize = uint32(min(n, 1<<24))
		}
	}
	if c.Limits.HeaderFields == 0 {
		c.Limits.HeaderFields = headerFields
	}
	if c.Limits.Continuations == 0 {
		c.Limits.Continuations = 2 + int(c.Limits.HeaderListSize>>13)
	}
	t.pool = &nonet.Client{ClientConfig: c}
}

// tlsConfig returns a clone of the TLS settings.
func (t *Transport) tlsConfig() *tls.Config {
	switch {
	case t.Client.TLSConfig != nil:
		return t.Client.TLSConfig.Clone()
	case t.base.TLSClientConfig != nil:
		return t.base.TLSClientConfig.Clone()
	}
	return new(tls.Config)
}

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

// dialTLS opens a connection over TLS.
func (t *Transport) dialTLS(ctx context.Context, network, addr string) (*tls.Conn, error) {
	nc, err := t.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	config := h2tls.ClientConfig(t.tlsConfig(), host)
	if !t.http1 {
		config.NextProtos = []string{h2tls.ProtoHTTP2}
	}
	if d := t.base.TLSHandshakeTimeout; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	tc := nonet.TLSClient(nc, config)
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	err = tc.HandshakeContext(ctx)
	if trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(tc.ConnectionState(), err)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return tc, nil
}

// dialHTTP2 is the pool's dial for https.
func (t *Transport) dialHTTP2(ctx context.Context, network, addr string) (net.Conn, error) {
	tc, err := t.dialTLS(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if p := tc.ConnectionState().NegotiatedProtocol; t.http1 && (p == "" || p == h2tls.ProtoHTTP11) {
		t.keep(addr, tc)
		return nil, errHTTP1
	}
	return tc, nil
}

// dialMixed is net/http's dial for https: of a server that is known to speak
// HTTP/1.1, or through whatever the user has for it.
func (t *Transport) dialMixed(ctx context.Context, network, addr string) (net.Conn, error) {
	t.mu.Lock()
	tc := t.spare[addr]
	delete(t.spare, addr)
	t.mu.Unlock()
	if tc != nil {
		return tc, nil
	}
	tc, err := t.dialTLS(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if tc.ConnectionState().NegotiatedProtocol == h2tls.ProtoHTTP2 {
		t.mu.Lock()
		delete(t.http1s, addr) // it has learned
		t.mu.Unlock()
	}
	return tc, nil
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

func (t *Transport) isHTTP1(addr string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.http1s[addr]
	return ok
}

// forget closes the spare connections, and forgets who spoke HTTP/1.1.
func (t *Transport) forget() {
	t.mu.Lock()
	spare := t.spare
	t.spare, t.http1s = nil, nil
	t.mu.Unlock()
	for _, tc := range spare {
		tc.Close()
	}
}

// adopt makes an HTTP/2 connection of one that net/http has made.
func (t *Transport) adopt(_ string, tc *tls.Conn) http.RoundTripper {
	cc, err := nonet.NewClientConn(context.Background(), tc, &t.pool.ClientConfig)
	if err != nil {
		return failing{fmt.Errorf("nethttp: %w", err)}
	}
	return adopted{t, cc}
}

// adopted are requests on a connection that net/http has made.
type adopted struct {
	t  *Transport
	cc *nonet.ClientConn
}

func (a adopted) RoundTrip(req *http.Request) (*http.Response, error) {
	return a.t.exchange(req, a.cc, nil, false)
}

type failing struct{ error }

func (f failing) RoundTrip(req *http.Request) (*http.Response, error) {
	closeBody(req)
	return nil, f.error
}
