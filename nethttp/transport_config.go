package nethttp

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/nonet-h2/nonet"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// How a Transport's settings become those of its parts.

// dialTime and handshakeTime bound, together, what a dial and its handshake
// take, where Client.DialTimeout says nothing: as long as those of
// [http.DefaultTransport]. Base.TLSHandshakeTimeout may be longer.
const (
	dialTime      = 30 * time.Second
	handshakeTime = 10 * time.Second
)

// The limits of a response's header section, where nobody has said any: servers
// that a client asks send more than clients send to a server.
const (
	headerListSize = 256 << 10
	headerFields   = 1000
)

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
		t.http1, t.http2 = p.HTTP1() || !p.HTTP2(), p.HTTP2()
		t.prior = t.prior || p.UnencryptedHTTP2() && !p.HTTP1()
	} else if base.TLSNextProto != nil && base.TLSNextProto[h2tls.ProtoHTTP2] == nil {
		t.http2 = false // as net/http documents it
	}
	//lint:ignore SA1019 it still counts
	t.customTLS = t.Client.DialTLSContext == nil && (base.DialTLSContext != nil || base.DialTLS != nil)

	t.only1 = base.Clone()
	t.only1.DialContext = t.dial
	t.only1.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	t.only1.Protocols = new(http.Protocols)
	t.only1.Protocols.SetHTTP1(true)
	t.only1.ForceAttemptHTTP2 = false
	t.only1.TLSClientConfig = t.tlsConfig()
	t.only1.TLSClientConfig.NextProtos = nil

	t.mixed = t.only1.Clone()
	t.mixed.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{h2tls.ProtoHTTP2: t.adopt}
	t.mixed.Protocols.SetHTTP2(true)
	t.mixed.TLSClientConfig = t.offer("")
	if base.Proxy != nil {
		t.mixed.Proxy = t.proxy
	}
	if !t.customTLS {
		t.mixed.DialTLSContext = t.dialMixed
	}
	t.pool = &nonet.Client{ClientConfig: t.clientConfig()}
}

// clientConfig returns what the connections of HTTP/2 are told.
func (t *Transport) clientConfig() nonet.ClientConfig {
	base, c := t.base, t.Client
	c.DialContext = t.dialHTTP2Clear
	if c.DialTLSContext == nil {
		c.DialTLSContext = t.dialHTTP2
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = dialTime + max(handshakeTime, base.TLSHandshakeTimeout)
	}
	if c.MaxConns == 0 {
		c.MaxConns = base.MaxConnsPerHost
	}
	if c.Limits.Idle == 0 {
		if c.Limits.Idle = base.IdleConnTimeout; c.Limits.Idle <= 0 {
			c.Limits.Idle = -1 // net/http: no limit
		}
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
	if h := base.HTTP2; h != nil {
		takeHTTP2(&c, h)
	}
	return c
}

// takeHTTP2 takes from net/http's settings what c leaves open. Those that are
// out of net/http's range count as not given.
func takeHTTP2(c *nonet.ClientConfig, h *http.HTTP2Config) {
	l := &c.Limits
	within := func(p *uint32, n, least, most int) {
		if *p == 0 && least <= n && n <= most {
			*p = uint32(n)
		}
	}
	within(&l.HeaderTableSize, h.MaxDecoderHeaderTableSize, 1, 4<<20)
	within(&l.MaxFrameSize, h.MaxReadFrameSize, 16<<10, 16<<20-1)
	within(&l.ConnWindow, h.MaxReceiveBufferPerConnection, 64<<10, 4<<20)
	within(&l.StreamWindow, h.MaxReceiveBufferPerStream, 1, 4<<20)
	for _, d := range []struct {
		to   *time.Duration
		from time.Duration
	}{{&l.PingIdle, h.SendPingTimeout}, {&l.PingTimeout, h.PingTimeout}, {&c.WriteStall, h.WriteByteTimeout}} {
		if *d.to == 0 && d.from > 0 {
			*d.to = d.from
		}
	}
	if h.StrictMaxConcurrentRequests && c.MaxConns == 0 {
		c.MaxConns = 1
	}
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

// offer returns a configuration that offers what the Transport speaks.
func (t *Transport) offer(host string) *tls.Config {
	config := h2tls.ClientConfig(t.tlsConfig(), host)
	if !t.http1 {
		config.NextProtos = []string{h2tls.ProtoHTTP2}
	}
	return config
}
