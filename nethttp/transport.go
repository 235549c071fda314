package nethttp

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
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
// served by net/http's own HTTP/1.1, on that connection. So are requests for
// http, unless PriorKnowledge says otherwise, those that upgrade to another
// protocol, and those that go to a proxy itself. Through a proxy, and with
// Base.DialTLSContext, net/http makes and keeps the connections, and HTTP/2 on
// them is nonet's.
//
// [httptrace] hooks are called as net/http does; those of a dial are called for
// the request that the dial is for. A request that no server has processed is
// sent again by itself, if it has no body, its body was not begun, or it has
// GetBody; no other one is.
//
// Errors of a stream are those of [Server]'s handlers: errors.As finds a
// *[nonet.ResetError], and the StreamError of golang.org/x/net/http2. When its
// context ends a request, errors.Is finds the cause as well as the context's
// error.
type Transport struct {
	// Client configures the connections of HTTP/2, and their pool. What it
	// leaves open is taken from Base.
	Client nonet.ClientConfig
	// Base gives Proxy, DialContext, TLSClientConfig, DisableCompression,
	// ExpectContinueTimeout and everything else that is not about HTTP/2; a
	// clone of it serves HTTP/1.1. Its Protocols and HTTP/2 settings count: see
	// PriorKnowledge; without HTTP2 it is never spoken, and without HTTP1 no
	// other. nil: the settings of [http.DefaultTransport].
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
// processed it.
const maxTries = 6

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
	if t.base.DisableKeepAlives || req.Close || httpguts.HeaderValuesContainsToken(req.Header["Connection"], "close") {
		once := &nonet.Client{ClientConfig: t.pool.ClientConfig}
		return t.exchange(req, once, once, true)
	}
	return t.exchange(req, t.pool, nil, true)
}

// exchange sends a request over HTTP/2, again if need be. once is closed at
// its end. outer: the trace and the retries are ours, and not net/http's.
func (t *Transport) exchange(orig *http.Request, on opener, once *nonet.Client, outer bool) (*http.Response, error) {
	req := orig
	for try := 1; ; try++ {
		x := newCall(t, orig, req, on, once, outer)
		res, err := x.roundTrip()
		if err == nil {
			return res, nil
		}
		h1 := errors.Is(err, errHTTP1)
		if !h1 && x.unprocessed && !outer {
			err = noCachedConn{err}
		}
		again := (*http.Request)(nil)
		if h1 || x.unprocessed && outer && try < maxTries {
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
			res, err := t.mixed.RoundTrip(again)
			if res != nil {
				res.Request = orig
			}
			return res, err
		}
		req = again
		if !pause(req.Context(), try) {
			closeBody(req)
			return nil, ctxError(req.Context())
		}
	}
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
	case x.req.Body == nil || x.req.Body == http.NoBody || !x.touched:
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
	switch {
	case scheme != "http" && scheme != "https":
		if t.Base != nil {
			return t.Base, nil // which may know the scheme
		}
		return nil, errors.New("nethttp: unsupported protocol scheme " + scheme)
	case !t.http2 && scheme == "https", wantsUpgrade(req):
		return t.only1, nil
	case scheme == "http" && !t.prior:
		return t.mixed, nil
	case t.customTLS && scheme == "https":
		return t.mixed, nil
	}
	if t.base.Proxy != nil {
		if u, err := t.base.Proxy(req); err != nil || u != nil {
			return t.mixed, err
		}
	}
	if scheme == "https" && t.isHTTP1(hostPort(req)) {
		return t.mixed, nil
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

// noCachedConn tells net/http, whose connection it is, that the request can be
// made on another.
type noCachedConn struct{ error }

func (e noCachedConn) Unwrap() error           { return e.error }
func (noCachedConn) IsHTTP2NoCachedConnError() {}

var _ io.Closer = (*call)(nil)
