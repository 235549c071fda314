package nethttp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/nonet-h2/nonet"
)

// Requests for which net/http has the connections: those to servers that speak
// HTTP/1.1, through proxies, and with a dial for TLS of the program's own. When
// a server chooses HTTP/2 on such a connection, it is adopted.

// hop goes with the context of such a request, for those whom net/http calls.
// It is its goroutine's.
type hop struct {
	direct bool                   // to a server of https, with our dial
	dialed bool                   // that dial has been, and has kept its connection
	trace  *httptrace.ClientTrace // of a direct one: the request's; net/http gets less
	proxy  *url.URL               // what Base.Proxy has said
	tries  int                    // on connections that were adopted
}

// way is how a request reaches a server.
type way struct{ proxy, addr string }

func (h *hop) way(req *http.Request) way {
	w := way{addr: hostPort(req)}
	if h.proxy != nil {
		w.proxy = h.proxy.String()
	}
	return w
}

type hopKey struct{}

func hopOf(ctx context.Context) *hop {
	h, _ := ctx.Value(hopKey{}).(*hop)
	return h
}

// via is net/http's Transport for one request.
type via struct {
	t *Transport
	h *hop
}

// RoundTrip makes the request on a connection that was adopted for one before
// it, if there is any. net/http would share it, too, but not from the moment at
// which it is there.
func (v via) RoundTrip(orig *http.Request) (*http.Response, error) {
	t, req, w := v.t, orig, v.h.way(orig)
	if cc := t.sharedFor(w); cc != nil && !t.alone(orig) {
		res, x, err := t.sendOn(cc, orig, req, v.h, true)
		if err == nil {
			return res, nil
		}
		again := (*http.Request)(nil)
		if x.unprocessed && v.h.tries < maxTries {
			t.unshare(w, cc)
			var failed error
			if again, failed = x.rewound(); failed != nil {
				err = failed
			}
		}
		if again == nil {
			x.closeBody()
			return nil, err
		}
		req = again
	}
	return t.handOver(req, orig, v.h)
}

// sendOn sends a request on a connection, again if the server refuses it. x is
// the last try; if no server has processed that, another connection may help.
func (t *Transport) sendOn(cc *nonet.ClientConn, orig, req *http.Request, h *hop, outer bool) (res *http.Response, x *call, err error) {
	for {
		x = newCall(t, orig, req)
		x.on, x.outer = cc, outer
		if !t.share(h.way(orig), cc, t.alone(orig)) {
			x.last = cc
		}
		if res, err = x.roundTrip(); err == nil || !x.unprocessed {
			return res, x, err
		}
		var reset *nonet.ResetError
		if h.tries++; h.tries >= maxTries || x.last != nil || !errors.As(err, &reset) || cc.Snapshot().Draining {
			return nil, x, err
		}
		again, failed := x.rewound()
		switch {
		case again == nil:
			x.unprocessed = false
			return nil, x, cmp.Or(failed, err)
		case !pause(req.Context(), h.tries):
			x.unprocessed = false
			if again != x.req {
				closeBody(again)
			}
			return nil, x, ctxError(req.Context())
		}
		req = again
	}
}

// handOver lets net/http make the request; orig is how its user knows it.
func (t *Transport) handOver(req, orig *http.Request, h *hop) (*http.Response, error) {
	ctx := req.Context()
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && h.direct {
		h.trace = trace
		ctx = h.quiet(ctx)
	}
	res, err := t.mixed.RoundTrip(req.WithContext(context.WithValue(ctx, hopKey{}, h)))
	if res != nil {
		res.Request = orig
	}
	return res, err
}

// proxy is net/http's Proxy: Base's is asked once for a request.
func (t *Transport) proxy(req *http.Request) (*url.URL, error) {
	if h := hopOf(req.Context()); h != nil {
		return h.proxy, nil
	}
	return t.base.Proxy(req)
}

// adopt makes an HTTP/2 connection of one that net/http has made.
func (t *Transport) adopt(_ string, tc *tls.Conn) http.RoundTripper {
	config := t.pool.ClientConfig
	config.Limits.Idle = max(config.Limits.Idle, 0) // net/http may forget it without a word
	cc, err := nonet.NewClientConn(context.Background(), tc, &config)
	if err != nil {
		return failing{fmt.Errorf("nethttp: %w", err)}
	}
	t.mu.Lock()
	if t.adopted == nil {
		t.adopted = make(map[*nonet.ClientConn]bool)
	}
	t.adopted[cc] = false
	t.mu.Unlock()
	go func() {
		first := time.NewTimer(spareTime)
		defer first.Stop()
		select {
		case <-first.C:
			t.mu.Lock()
			used, live := t.adopted[cc]
			t.mu.Unlock()
			if live && !used {
				_ = cc.Shutdown(atOnce) // its request has found another
			}
			<-cc.Done()
		case <-cc.Done():
		}
		t.mu.Lock()
		delete(t.adopted, cc)
		maps.DeleteFunc(t.shared, func(_ way, c *nonet.ClientConn) bool { return c == cc })
		t.mu.Unlock()
	}()
	return adopted{t, cc}
}

// sharedFor returns the connection for requests that go this way, or nil.
func (t *Transport) sharedFor(w way) *nonet.ClientConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shared[w]
}

// share makes a connection the one for requests that go this way, and reports
// whether it is. If another is already, this one was dialed at the same time,
// and ends with its request, as one does that is for a request alone.
func (t *Transport) share(w way, cc *nonet.ClientConn, alone bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.adopted[cc]; !ok {
		return true // it has ended, and takes none
	}
	t.adopted[cc] = true
	if t.shared == nil {
		t.shared = make(map[way]*nonet.ClientConn)
	}
	if t.shared[w] == nil && !alone {
		t.shared[w] = cc
	}
	return t.shared[w] == cc
}

func (t *Transport) unshare(w way, cc *nonet.ClientConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shared[w] == cc {
		delete(t.shared, w)
	}
}

// adopted are requests on a connection that net/http has made.
type adopted struct {
	t  *Transport
	cc *nonet.ClientConn
}

// RoundTrip makes a request that net/http sends again, on another connection,
// if this one takes no more: after a pause from the second time on.
func (a adopted) RoundTrip(req *http.Request) (*http.Response, error) {
	h := hopOf(req.Context()) // handOver's: no other request has TLS that offers HTTP/2
	res, x, err := a.t.sendOn(a.cc, req, req, h, false)
	if err == nil {
		return res, nil
	}
	if x.unprocessed && h.tries < maxTries && (x.intact() || req.GetBody != nil) {
		a.t.unshare(h.way(req), a.cc)
		if h.tries == 1 || pause(req.Context(), h.tries) {
			if x.intact() {
				return nil, noCachedConn{err}
			}
			x.closeBody()
			select {
			case <-x.up.done: // net/http looks at what was read of it
				return nil, noCachedConn{err}
			case <-req.Context().Done():
			}
		}
		err = ctxError(req.Context())
	}
	x.closeBody()
	return nil, err
}

// noCachedConn tells net/http, whose connection it is, that the request can be
// made on another.
type noCachedConn struct{ error }

func (e noCachedConn) Unwrap() error           { return e.error }
func (noCachedConn) IsHTTP2NoCachedConnError() {}

// failing is a connection that could not be adopted. net/http finds the error
// by RoundTripErr, and forgets the connection.
type failing struct{ error }

func (f failing) RoundTripErr() error { return f.error }

func (f failing) RoundTrip(req *http.Request) (*http.Response, error) {
	closeBody(req)
	return nil, f.error
}
