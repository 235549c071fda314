package nonet

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

// http1User is a server of the user's for HTTP/1.1.
type http1User struct{ hs *http.Server }

// UseHTTP1 makes hs serve the connections that turn out to speak HTTP/1.1,
// with its own handler, instead of net/http's server with Handler. It is called
// before s serves; s owns hs from then on, sets its ConnContext, and lets its
// ConnState see each connection as Server.ConnState does.
func (s *Server) UseHTTP1(hs *http.Server) { s.user1.hs = hs }

// http1Server is the HTTP/1.1 side of a Server: net/http's server, without its
// HTTP/2, on connections that were accepted elsewhere.
type http1Server struct {
	srv   *Server
	hs    *http.Server
	conns chan net.Conn
	quit  chan struct{}
	once  sync.Once

	mu   sync.Mutex
	open map[net.Conn]http1Conn
}

// http1Conn is what is known of a connection.
type http1Conn struct {
	done chan struct{} // closed when it has ended
	base context.Context
}

type netConnKey struct{}

func newHTTP1Server(s *Server) *http1Server {
	limits := s.Limits.WithDefaults()
	h := &http1Server{srv: s, conns: make(chan net.Conn), quit: make(chan struct{}), open: make(map[net.Conn]http1Conn)}
	if h.hs = s.user1.hs; h.hs == nil {
		h.hs = h.server(limits)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	h.hs.Protocols = protocols
	h.hs.ConnContext = func(_ context.Context, nc net.Conn) context.Context {
		return context.WithValue(h.base(nc), netConnKey{}, nc)
	}
	tell := h.hs.ConnState
	h.hs.ConnState = func(nc net.Conn, state http.ConnState) {
		if tell != nil && state != http.StateNew {
			tell(seen(nc), state)
		}
		if state == http.StateClosed || state == http.StateHijacked {
			h.forget(nc)
		}
	}
	background(func() { h.hs.Serve(h) })
	return h
}

// server returns the server for handlers of this package.
func (h *http1Server) server(limits conn.Limits) *http.Server {
	return &http.Server{
		Handler: h,

		DisableGeneralOptionsHandler: true,

		ReadHeaderTimeout: max(limits.Handshake, 0),
		IdleTimeout:       max(limits.Idle, 0),
		MaxHeaderBytes:    int(limits.HeaderListSize),
		ErrorLog:          slog.NewLogLogger(h.srv.logger().Handler(), slog.LevelDebug),
	}
}

// seen returns what the user sees of a connection.
func seen(nc net.Conn) net.Conn {
	if p, ok := nc.(*prefixConn); ok {
		return p.Conn
	}
	return nc
}

func (h *http1Server) base(nc net.Conn) context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open[nc].base
}

// Accept, Close and Addr make it the listener of net/http's server.
func (h *http1Server) Accept() (net.Conn, error) {
	select {
	case nc := <-h.conns:
		return nc, nil
	case <-h.quit:
		return nil, net.ErrClosed
	}
}

func (h *http1Server) Close() error {
	h.once.Do(func() { close(h.quit) })
	return nil
}

func (h *http1Server) Addr() net.Addr { return &net.TCPAddr{} }

// give hands a connection over; done is closed when it has ended.
func (h *http1Server) give(o *opening) (done <-chan struct{}, ok bool) {
	nc := o.h1
	c := make(chan struct{})
	base := o.context(seen(nc))
	h.mu.Lock()
	h.open[nc] = http1Conn{c, base}
	h.mu.Unlock()
	select {
	case h.conns <- nc:
		return c, true
	case <-h.quit:
		h.forget(nc)
		return nil, false
	}
}

func (h *http1Server) forget(nc net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c, ok := h.open[nc]; ok {
		close(c.done)
		delete(h.open, nc)
	}
}

func (h *http1Server) shutdown(ctx context.Context) error { return h.hs.Shutdown(ctx) }

func (h *http1Server) close() error {
	h.Close()
	return h.hs.Close()
}

// ServeHTTP runs the handler for an HTTP/1.1 request.
func (h *http1Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 {
		// net/http lets the HTTP/2 preface through; over TLS it means that the
		// client ignores what ALPN said.
		panic(http.ErrAbortHandler)
	}
	x := &http1Stream{w: w, r: r, rc: http.NewResponseController(w)}
	x.nc, _ = r.Context().Value(netConnKey{}).(net.Conn)
	x.whole.Store(r.ContentLength == 0)
	st := newStream()
	st.bind(&x.mu)
	st.h1, st.head = x, r.Method == http.MethodHead
	x.fields(&st.req)
	st.then = h.srv.Handler
	if h.srv.Inline != nil {
		st.then = h.srv.Inline
	}
	st.invoke(h.srv)
	x.returned = true
	abort := st.panicked && (st.sent || st.ended)
	if !abort && !st.over() {
		st.concludeHandler()
		_ = x.complete(st)
	}
	x.mu.Lock()
	abort = abort || st.over()
	st.retireLocked()
	x.mu.Unlock()
	st.free()
	if abort {
		panic(http.ErrAbortHandler) // closes the connection, and says nothing
	}
}

// http1Stream is what a stream has on HTTP/1.1 in place of a driver.
type http1Stream struct {
	w  http.ResponseWriter
	r  *http.Request
	rc *http.ResponseController
	nc net.Conn

	mu       sync.Mutex  // the stream's
	trailers []string    // declared, canonical; set when the header section is sent
	chunked  bool        // the header section that was sent leaves room for trailers
	returned bool        // the handler has returned
	whole    atomic.Bool // the request's content was read to its end
}

func (x *http1Stream) protocol() string {
	if x.r.ProtoAtLeast(1, 1) {
		return "HTTP/1.1"
	}
	return "HTTP/1.0"
}

func (x *http1Stream) contentLength() int64 { return x.r.ContentLength }

// fields makes the request's header section what it is on HTTP/2.
func (x *http1Stream) fields(f *hpack.Fields) {
	r := x.r
	f.AddToken(hpack.TokenMethod, r.Method)
	if r.Method != http.MethodConnect {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		f.AddToken(hpack.TokenScheme, scheme)
		target := r.RequestURI
		if !strings.HasPrefix(target, "/") && target != "*" {
			target = r.URL.RequestURI() // the absolute form
		}
		f.AddToken(hpack.TokenPath, target)
	}
	if r.Host != "" {
		f.AddToken(hpack.TokenAuthority, r.Host)
	}
	addHeader(f, r.Header)
}

func addHeader(f *hpack.Fields, h http.Header) {
	for name, values := range h {
		for _, v := range values {
			f.Add(name, v)
		}
	}
}

// abort closes the connection.
func (x *http1Stream) abort() {
	switch nc := x.nc.(type) {
	case nil:
	case *tls.Conn:
		nc.NetConn().Close()
	default:
		nc.Close()
	}
}

func (x *http1Stream) read(st *stream, p []byte) (int, error) {
	n, err := x.r.Body.Read(p)
	if err == io.EOF {
		x.whole.Store(true)
		if len(x.r.Trailer) > 0 {
			x.mu.Lock()
			if st.trl.Len() == 0 {
				addHeader(&st.trl, x.r.Trailer)
			}
			x.mu.Unlock()
		}
	}
	return n, err
}

// start sends the header section to net/http.
func (x *http1Stream) start(st *stream) {
	if st.sent {
		return
	}
	x.mu.Lock()
	st.sent = true
	x.mu.Unlock()
	h := x.w.Header()
	h["Content-Type"] = nil // not to be guessed: HTTP/2 doesn't either
	for name, value := range st.hdr.All() {
		if name[0] == ':' {
			continue
		}
		key := http.CanonicalHeaderKey(string(name))
		h[key] = append(h[key], string(value))
	}
	for _, list := range h["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			x.trailers = append(x.trailers, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	for name := range st.rtl.All() {
		// Without this net/http finds a content-length for a short response.
		if key := http.CanonicalHeaderKey(string(name)); !slices.Contains(x.trailers, key) {
			x.trailers = append(x.trailers, key)
			h["Trailer"] = append(h["Trailer"], key)
		}
	}
	if len(x.trailers) > 0 {
		delete(h, "Content-Length") // only a chunked message has trailers (RFC 9112 7.1.2)
	}
	if !x.returned && !x.whole.Load() {
		// The handler may go on to read. net/http reads what is left only when
		// it answers for a handler that has returned; else what is left, or
		// follows a fault in it, would be its next request (RFC 9112 9.3).
		_ = x.rc.EnableFullDuplex()
		st.lastConn = true
	}
	if st.lastConn {
		h.Set("Connection", "close")
	}
	x.chunked = x.r.ProtoAtLeast(1, 1) && h["Content-Length"] == nil
	x.w.WriteHeader(st.status)
}

// commit passes on what was written so far.
func (x *http1Stream) commit(st *stream) error {
	x.start(st)
	c := st.open
	if c == nil || st.fill == 0 {
		return nil
	}
	_, err := x.w.Write(c.buf[:st.fill])
	st.fill = 0
	return err
}

func (x *http1Stream) flush() error { return x.rc.Flush() }

// complete ends the response as far as net/http can before the handler
// returns.
func (x *http1Stream) complete(st *stream) error {
	if st.ended {
		return nil
	}
	err := x.commit(st)
	x.mu.Lock()
	st.ended = true
	x.mu.Unlock()
	h := x.w.Header()
	for name, value := range st.rtl.All() {
		key := http.CanonicalHeaderKey(string(name))
		if !slices.Contains(x.trailers, key) {
			key = http.TrailerPrefix + key
		}
		h[key] = append(h[key], string(value))
	}
	return err
}

// trailersPossible: in chunks, and only HTTP/1.1 has those. A content-length
// that was not sent yet gives way to them.
func (x *http1Stream) trailersPossible(st *stream) bool {
	return x.r.ProtoAtLeast(1, 1) && (!st.sent || x.chunked)
}

// trailerWanted reports whether the field may be sent: it was declared, or the
// client asked for trailers (RFC 9110 6.5.1).
func (x *http1Stream) trailerWanted(st *stream, name string) bool {
	for _, te := range x.r.Header["Te"] {
		if hasOption(te, "trailers") {
			return true
		}
	}
	for i := range st.hdr.Len() {
		if st.hdr.Token(i) == hpack.TokenTrailer && hasOption(string(st.hdr.Value(i)), name) {
			return true
		}
	}
	return false
}

// inform sends an interim response.
func (x *http1Stream) inform(status int, f *hpack.Fields) error {
	h := x.w.Header()
	for name, value := range f.All() {
		if name[0] != ':' {
			h.Add(string(name), string(value))
		}
	}
	x.w.WriteHeader(status)
	clear(h)
	return nil
}
