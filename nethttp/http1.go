package nethttp

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// http1Handler gives a handler on HTTP/1.1 a ResponseWriter that knows about
// trailers.
type http1Handler struct{ h http.Handler }

func (h *http1Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 {
		// net/http lets the HTTP/2 preface through; over TLS it means that the
		// client ignores what ALPN said.
		panic(http.ErrAbortHandler)
	}
	serveHTTP1(h.h, w, r)
}

// eitherHandler does so for a server whose handler gets requests of HTTP/2, too.
type eitherHandler struct{ h http.Handler }

func (h *eitherHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		serveHTTP1(h.h, w, r)
		return
	}
	h.h.ServeHTTP(w, r)
}

// http1Response is net/http's ResponseWriter and what it takes to send
// trailers with it.
type http1Response struct {
	http.ResponseWriter
	r        *http.Request
	body     *http1Body // nil: the request has none
	status   int
	started  bool // the header section is fixed
	chunked  bool // and leaves room for trailers
	trailers bool // some were declared or appended
	duplex   bool // EnableFullDuplex was called
	hijacked bool
}

func (w *http1Response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *http1Response) WriteHeader(code int) {
	w.start(code)
	w.ResponseWriter.WriteHeader(code)
}

func (w *http1Response) Write(p []byte) (int, error) {
	w.start(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

func (w *http1Response) WriteString(p string) (int, error) {
	w.start(http.StatusOK)
	return io.WriteString(w.ResponseWriter, p)
}

func (w *http1Response) ReadFrom(src io.Reader) (int64, error) {
	w.start(http.StatusOK)
	return io.Copy(w.ResponseWriter, src)
}

func (w *http1Response) Flush() { _ = w.FlushError() }

func (w *http1Response) FlushError() error {
	w.start(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *http1Response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = w.hijacked || err == nil
	return nc, rw, err
}

// CloseNotify is http.CloseNotifier, which old programs ask for.
func (w *http1Response) CloseNotify() <-chan bool {
	//lint:ignore SA1019 that is what this is for
	return w.ResponseWriter.(http.CloseNotifier).CloseNotify()
}

// start notes what the header section is.
func (w *http1Response) start(code int) {
	if w.started || code < 200 && code != http.StatusSwitchingProtocols {
		return
	}
	h := w.Header()
	if w.trailers {
		delete(h, "Content-Length") // only a chunked message has trailers (RFC 9112 7.1.2)
	}
	if w.duplex && w.body != nil && !w.body.whole.Load() && code != http.StatusSwitchingProtocols {
		h.Set("Connection", "close")
	}
	w.started, w.status, w.chunked = true, code, h["Content-Length"] == nil
}

func (w *http1Response) supportsTrailers() bool {
	switch {
	case !w.r.ProtoAtLeast(1, 1), w.r.Method == http.MethodHead:
		return false
	case w.started:
		return w.chunked && bodyAllowed(w.status)
	}
	return true
}

func (w *http1Response) declareTrailer(name string) error {
	switch {
	case w.started:
		return nonet.ErrResponseStarted
	case !w.supportsTrailers():
		return nonet.ErrTrailersNotSupported
	}
	if err := checkTrailer(name); err != nil {
		return err
	}
	w.trailers = true
	w.Header().Add("Trailer", http.CanonicalHeaderKey(name))
	return nil
}

func (w *http1Response) appendTrailer(name string, values []string) error {
	if !w.supportsTrailers() {
		return nonet.ErrTrailersNotSupported
	}
	if err := checkTrailer(name); err != nil {
		return err
	}
	for _, v := range values {
		if err := hpack.CheckValue(v); err != nil {
			return err
		}
	}
	if !w.wanted(name) {
		return nonet.ErrTrailersNotSupported
	}
	if len(values) == 0 {
		return nil
	}
	h := w.Header()
	if w.started && !w.trailers && len(h["Trailer"]) == 0 {
		// Else net/http finds a content-length for a short response.
		if err := w.FlushError(); err != nil {
			return err
		}
	}
	w.trailers = true
	key := http.TrailerPrefix + http.CanonicalHeaderKey(name)
	h[key] = append(h[key], values...)
	return nil
}

// wanted reports whether the field may be sent: it was declared, or the client
// asked for trailers (RFC 9110 6.5.1).
func (w *http1Response) wanted(name string) bool {
	return hasToken(w.r.Header["Te"], "trailers") || slices.ContainsFunc(w.Header()["Trailer"], func(list string) bool {
		return hasToken([]string{list}, strings.ToLower(name))
	})
}

func (w *http1Response) reset(frame.ErrCode) error { return errors.ErrUnsupported }
