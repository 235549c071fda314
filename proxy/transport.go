package proxy

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// transport returns the pool of connections to the backend.
func (h *Handler) transport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:              protocols,
		DialContext:            h.dial,
		DisableCompression:     true, // content is passed on as it is
		MaxIdleConnsPerHost:    h.config.MaxRequests,
		IdleConnTimeout:        idleTimeout,
		ResponseHeaderTimeout:  max(h.config.ResponseTimeout, 0),
		MaxResponseHeaderBytes: headerSize,
		ReadBufferSize:         headerSize,
	}
}

func (h *Handler) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, h.config.DialTimeout)
	defer cancel()
	nc, err := h.config.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &guard{Conn: nc}, nil
}

// roundTripper puts a guard and the rules for interim responses between
// ReverseProxy and http.Transport.
type roundTripper struct{ *Handler }

// maxStale bounds the connections in a row that turn out to be of no use
// before anything was sent on them.
const maxStale = 4

func (h roundTripper) RoundTrip(r *http.Request) (res *http.Response, err error) {
	x := exchangeOf(r.Context())
	interim := httptrace.ContextClientTrace(r.Context()).Got1xxResponse
	for range maxStale {
		var stale atomic.Bool
		// The client's context has no trace: interim responses that are for
		// it are handed to ReverseProxy here.
		trace := &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) {
				g, ok := info.Conn.(*guard)
				stale.Store(ok && !g.begin(r.Method == http.MethodHead, r.Header.Get("Upgrade") != ""))
			},
			Got1xxResponse: func(status int, hdr textproto.MIMEHeader) error {
				// "A proxy MUST forward 1xx responses unless the proxy itself
				// requested the generation" (RFC 9110 15.2), and to HTTP/1.0
				// there is none. The client's 100 is sent by the server.
				if status == http.StatusContinue || !x.in.ProtoAtLeast(1, 1) {
					return nil
				}
				removeConnection(http.Header(hdr))
				return interim(status, hdr)
			},
		}
		ctx := httptrace.WithClientTrace(withExchange(x), trace)
		out := r.WithContext(ctx)
		if r.Body != nil {
			out.Body = &requestBody{h: h.Handler, x: x, src: r.Body, dst: r.Trailer, stale: &stale}
		}
		res, err = h.base.RoundTrip(out)
		if err == nil || !stale.Load() {
			return res, err
		}
	}
	return nil, err
}

func withExchange(x *exchange) context.Context {
	return context.WithValue(x.in.Context(), exchangeKey{}, x)
}

// requestBody is the client's content on its way to the backend.
type requestBody struct {
	h     *Handler
	x     *exchange
	src   io.Reader
	dst   http.Header // the trailers that net/http sends after the content; nil: none
	stale *atomic.Bool
}

func (b *requestBody) Read(p []byte) (int, error) {
	if b.stale.Load() {
		return 0, errStale // nothing of it is used up: it can be sent again
	}
	b.x.reading.Lock()
	n, err := b.src.Read(p)
	b.x.reading.Unlock()
	switch {
	case err == io.EOF:
		b.x.read.Store(true)
		if b.dst != nil {
			maps.Copy(b.dst, b.h.trailers(nethttp.Trailers(b.x.in)))
		}
	case err != nil:
		b.x.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Close does nothing: the content is the server's, which closes it.
func (b *requestBody) Close() error { return nil }

// response makes the backend's response one for the client. ReverseProxy has
// removed the fields of the connection.
func (h *Handler) response(res *http.Response) error {
	if res.StatusCode == http.StatusSwitchingProtocols {
		// ReverseProxy compares too, but leaves the connection open then.
		if v := res.Header["Upgrade"]; len(v) != 1 || !strings.EqualFold(v[0], "websocket") {
			return errNotUpgraded
		}
		return nil
	}
	if res.StatusCode == http.StatusNoContent {
		res.Header.Del("Content-Length") // MUST NOT be there (RFC 9110 8.6)
	}
	res.Header.Del("Http2-Settings")
	keepTrailers(res.Trailer)
	res.Body = &responseBody{ReadCloser: res.Body, h: h, res: res}
	return nil
}

// responseBody is the backend's content on its way to the client.
type responseBody struct {
	io.ReadCloser
	h   *Handler
	res *http.Response
}

func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case err == io.EOF:
		keepTrailers(b.res.Trailer)
	case b.res.Request.Context().Err() == nil && exchangeOf(b.res.Request.Context()).failed.Load() == nil:
		b.h.log(b.res.Request, b.res.StatusCode, errBroken{err})
	}
	return n, err
}

// keepTrailers removes what must not stand in a trailer section.
func keepTrailers(t http.Header) {
	maps.DeleteFunc(t, func(name string, _ []string) bool { return !nonet.TrailerAllowed(name) })
}

// removeConnection removes the fields of the connection from an interim
// response (RFC 9110 7.6.1); ReverseProxy does it for final ones.
func removeConnection(hdr http.Header) {
	for _, list := range hdr["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			hdr.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range []string{
		"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Proxy-Authenticate", "Proxy-Authorization", "Http2-Settings", "Content-Length",
	} {
		hdr.Del(name)
	}
}

// errStale: the connection went bad while it waited for its next request.
var errStale = errors.New("proxy: the backend spoke without being asked")

// errBroken is the end of a response in its middle.
type errBroken struct{ err error }

func (e errBroken) Error() string { return "the response broke off: " + e.err.Error() }
func (e errBroken) Unwrap() error { return e.err }
