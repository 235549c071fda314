package nethttp

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/nonet-h2/nonet"
)

// Transport is an [http.RoundTripper] with nonet's HTTP/2: what
// [http.Transport] is to net/http. Its zero value is ready, and it is safe for
// concurrent use. It must not be changed once it was used.
//
// Requests for https offer "h2" and "http/1.1". A server that picks HTTP/1.1 is
// served by net/http's own HTTP/1.1, on that connection, and asked again with
// the next. So are requests for http, unless PriorKnowledge says otherwise,
// those that upgrade to another protocol (the Response's Body is an
// [io.ReadWriteCloser] then), and those that go to a proxy itself. Through a
// proxy, and with Base.DialTLSContext, net/http makes the connections; HTTP/2 on
// them is nonet's, one connection for all requests that go the same way.
// Extended CONNECT (RFC 8441) is a CONNECT with ":protocol" in its Header.
//
// [httptrace] hooks are called as net/http does; those of a dial are called for
// the request that the dial is for. A request that no server has processed is
// sent again by itself, if it has no body, its body was not begun, or it has
// GetBody; no other one is. A dial that fails is not tried again.
//
// Errors of a dial are those of the dial. Errors of a stream are those of
// [Server]'s handlers: errors.As finds a *[nonet.ResetError], and the
// StreamError of golang.org/x/net/http2. When its context ends a request,
// errors.Is finds the cause as well as the context's error.
type Transport struct {
	// Client configures the connections of HTTP/2, and their pool. What it
	// leaves open is taken from Base. Its DialContext and TLSConfig are for
	// HTTP/1.1 as well.
	Client nonet.ClientConfig
	// Base gives Proxy, DialContext, TLSClientConfig, DisableCompression,
	// ExpectContinueTimeout and everything else that is not about HTTP/2; a
	// clone of it serves HTTP/1.1. nil: the settings of [http.DefaultTransport].
	//
	// HTTP/2 is spoken unless Protocols leaves it out, or TLSNextProto is there
	// without it: ForceAttemptHTTP2 is not needed. Without HTTP1 in Protocols
	// nothing but HTTP/2 is spoken over TLS.
	//
	// Of Base.HTTP2 the sizes, the times and StrictMaxConcurrentRequests (one
	// connection to a host) are taken over. A receive window begins with the
	// size given and grows to what the path carries. MaxEncoderHeaderTableSize
	// and CountError do nothing, and PermitProhibitedCipherSuites permits none:
	// TLS below 1.2, or with a suite that RFC 9113 prohibits, is an error.
	//
	// MaxIdleConns and MaxIdleConnsPerHost count connections of HTTP/1.1, as with
	// net/http. MaxConnsPerHost of 0 is Client.MaxConns, 4, and not without limit:
	// where it is reached, requests wait. A dial ends after Client.DialTimeout,
	// whatever its request would wait: after 30 s and TLSHandshakeTimeout, or 10 s
	// if that is longer, by default.
	Base *http.Transport
	// PriorKnowledge makes requests for http with HTTP/2, to servers that are
	// known to speak it (RFC 9113 3.3). Base.Protocols with UnencryptedHTTP2
	// and without HTTP1 says the same.
	PriorKnowledge bool

	once sync.Once
	routes
}

// opener is where a request gets its stream.
type opener interface {
	Request(ctx context.Context, method, url string) (nonet.ClientStream, error)
}

// maxTries is how often a request is sent at most, when no server has
// processed it, and maxLost how often it is sent again after its connection was
// lost: for each time nonet.Client may have opened several.
const (
	maxTries = 6
	maxLost  = 2
)

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.once.Do(t.prepare)
	if err := checkRequest(req); err != nil {
		closeBody(req)
		return nil, err
	}
	other, err := t.elsewhere(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	if other != nil {
		return other.RoundTrip(req)
	}
	return t.exchange(req)
}

// exchange sends a request over HTTP/2, again if need be.
func (t *Transport) exchange(orig *http.Request) (*http.Response, error) {
	alone := t.alone(orig)
	req := orig
	lost := 0
	for try := 1; ; try++ {
		x := newCall(t, orig, req)
		x.outer, x.on = true, t.pool
		if alone {
			x.once = &nonet.Client{ClientConfig: t.pool.ClientConfig}
			x.on = x.once
		}
		res, err := x.roundTrip()
		if err == nil {
			return res, nil
		}
		h1 := errors.Is(err, errHTTP1)
		again := (*http.Request)(nil)
		if reset := (*nonet.ResetError)(nil); !errors.As(err, &reset) {
			lost++
		}
		if h1 || x.unprocessed && !x.tried && try < maxTries && lost <= maxLost {
			var failed error
			if again, failed = x.rewound(); failed != nil {
				err = failed
			}
		}
		switch {
		case again == nil:
			x.closeBody()
			return nil, err
		case h1:
			return t.handOver(again, orig, &hop{direct: true, dialed: true})
		}
		req = again
		if !pause(req.Context(), try) {
			closeBody(req)
			return nil, ctxError(req.Context())
		}
	}
}

// alone reports whether a connection is for this request only.
func (t *Transport) alone(req *http.Request) bool {
	return t.base.DisableKeepAlives || req.Close || httpguts.HeaderValuesContainsToken(req.Header["Connection"], "close")
}

// pause waits before a request is sent again, each time longer; false: the
// context has ended.
func pause(ctx context.Context, try int) bool {
	timer := time.NewTimer(rand.N(10*time.Millisecond<<try) + 1)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// rewound returns the request as it is to be sent again; nil: its body has
// been read, and there is no other.
func (x *call) rewound() (*http.Request, error) {
	switch {
	case x.intact():
		return x.req, nil
	case x.req.GetBody == nil:
		return nil, nil
	}
	body, err := x.req.GetBody()
	if err != nil {
		return nil, err
	}
	again := x.req.WithContext(x.req.Context())
	again.Body = body
	return again, nil
}

// intact reports whether nothing of the request's body was read.
func (x *call) intact() bool {
	return x.req.Body == nil || x.req.Body == http.NoBody || !x.touched
}

// CloseIdleConnections closes the connections that have no requests.
func (t *Transport) CloseIdleConnections() {
	t.once.Do(t.prepare)
	t.pool.CloseIdle()
	t.mixed.CloseIdleConnections()
	t.only1.CloseIdleConnections()
	t.forget()
}

// elsewhere returns who serves the request, if it is not for our pool.
func (t *Transport) elsewhere(req *http.Request) (http.RoundTripper, error) {
	scheme := req.URL.Scheme
	secure := scheme == "https"
	switch {
	case scheme != "http" && !secure:
		if t.Base != nil {
			return t.Base, nil // which may know the scheme
		}
		return nil, errors.New("nethttp: unsupported protocol scheme " + scheme)
	case !t.http2 && secure, t.http1 && wantsUpgrade(req):
		return t.only1, nil
	case !secure && !t.prior:
		return t.mixed, nil
	}
	var to *url.URL
	if t.base.Proxy != nil {
		var err error
		if to, err = t.base.Proxy(req); err != nil {
			return nil, err
		}
	}
	switch {
	case to != nil, t.customTLS && secure:
		return via{t, &hop{proxy: to}}, nil
	case secure && t.isHTTP1(req):
		return via{t, &hop{direct: true}}, nil
	}
	return nil, nil
}

// wantsUpgrade reports whether the request asks to leave HTTP, which only
// HTTP/1.1 can do this way.
func wantsUpgrade(req *http.Request) bool {
	return len(req.Header["Upgrade"]) > 0 && httpguts.HeaderValuesContainsToken(req.Header["Connection"], "upgrade")
}

// hostPort returns where a request goes.
func hostPort(req *http.Request) string {
	host, port := req.URL.Hostname(), req.URL.Port()
	if port == "" {
		port = "80"
		if req.URL.Scheme == "https" {
			port = "443"
		}
	}
	if ascii, err := httpguts.PunycodeHostPort(host); err == nil {
		host = ascii
	}
	if strings.IndexByte(host, ':') >= 0 {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

var _ io.Closer = (*call)(nil)
