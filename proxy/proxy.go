package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Handler is told. The zero value of each field but Backend
// is its default.
type Config struct {
	// Backend is where requests go: "http://HOST:PORT", or "http://HOST" for
	// port 80. It has no path, query or user.
	Backend string
	// Hosts are the names this edge answers for, without ports. A request for
	// another host is answered with 421 (Misdirected Request). Name those that
	// the certificate covers. Default: any host.
	Hosts []string
	// Via is the name of this edge in the Via field (RFC 9110 7.6.3), a token.
	// Default "nonet".
	Via string
	// KeepUnderscores forwards fields whose names have "_". By default they
	// are dropped: some applications (CGI, WSGI) take "content_length" for
	// "content-length". What is dropped in any case is dropped with "_" too.
	KeepUnderscores bool
	// MaxRequests bounds the requests in flight, each of which has a
	// connection to the backend; more are answered with 503. Default 1024:
	// what a process may have of open files, less than enough for clients.
	MaxRequests int
	// DialTimeout bounds connecting to the backend. Default 10 s.
	DialTimeout time.Duration
	// ResponseTimeout bounds the time from a sent request to the header
	// section of its response; then the answer is 504. Default 60 s;
	// negative: none. Content may pause for ever, in both directions.
	ResponseTimeout time.Duration
	// Logger gets a line for each failure of the backend. Default
	// [slog.Default].
	Logger *slog.Logger
	// Dial connects to the backend. Default: TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	defaultMaxRequests     = 1024
	defaultDialTimeout     = 10 * time.Second
	defaultResponseTimeout = 60 * time.Second
	// idleTimeout is how long a connection to the backend waits for its next
	// request; many applications close theirs after a minute.
	idleTimeout = 30 * time.Second
	// linger is how long a connection of HTTP/1.1 may still bring content that
	// nobody wants; then it is closed.
	linger = time.Second
	// headerSize bounds a header section of the backend, and by the size of
	// net/http's buffer a trailer section too. It is what a client is
	// accepted with.
	headerSize = 32 << 10
	// copySize is what is read of a response and flushed at once.
	copySize = 32 << 10
)

// Handler is an edge to one backend.
type Handler struct {
	config  Config
	addr    string // the backend's, HOST:PORT
	hosts   map[string]bool
	proxy   *httputil.ReverseProxy
	base    *http.Transport
	running atomic.Int64
}

// New returns a Handler, or an error that says in one line what is wrong with
// the configuration.
func New(c Config) (*Handler, error) {
	addr, err := backendAddr(c.Backend)
	if err != nil {
		return nil, err
	}
	if c.Via == "" {
		c.Via = "nonet"
	}
	if !isToken(c.Via) {
		return nil, fmt.Errorf("proxy: the name %q for Via is not a token", c.Via)
	}
	if c.MaxRequests < 0 || c.DialTimeout < 0 {
		return nil, errors.New("proxy: MaxRequests and DialTimeout are not negative; 0 is the default")
	}
	def(&c.MaxRequests, defaultMaxRequests)
	def(&c.DialTimeout, defaultDialTimeout)
	def(&c.ResponseTimeout, defaultResponseTimeout)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	h := &Handler{config: c, addr: addr}
	for _, name := range c.Hosts {
		if !validHost(name) || hostname(name) != name {
			return nil, fmt.Errorf("proxy: %q is not the name of a host", name)
		}
		if h.hosts == nil {
			h.hosts = make(map[string]bool)
		}
		h.hosts[strings.ToLower(name)] = true
	}
	h.base = h.transport()
	h.proxy = &httputil.ReverseProxy{
		Rewrite:        h.rewrite,
		Transport:      roundTripper{h},
		FlushInterval:  -1,
		ModifyResponse: h.response,
		ErrorHandler:   h.fail,
		ErrorLog:       log.New(io.Discard, "", 0), // what it says is logged here, with the request
		BufferPool:     new(buffers),
	}
	return h, nil
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// backendAddr returns HOST:PORT of a backend's URL.
func backendAddr(backend string) (string, error) {
	bad := func(why string) error {
		return fmt.Errorf("proxy: backend %q %s; it is http://HOST:PORT", backend, why)
	}
	u, err := url.Parse(backend)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return "", bad("is not a URL: " + err.Error())
	}
	switch {
	case backend == "":
		return "", errors.New("proxy: no backend; it is http://HOST:PORT")
	case u.Scheme == "https":
		return "", bad("is https, and the hop to the application is cleartext HTTP/1.1")
	case u.Scheme != "http":
		return "", bad("does not begin with http://")
	case u.User != nil:
		return "", bad("has a user")
	case u.Path != "" && u.Path != "/":
		return "", bad("has a path, and targets are passed on as they are")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(backend, "#"):
		return "", bad("has a query or a fragment")
	case u.Hostname() == "":
		return "", bad("has no host")
	case !validHost(u.Host):
		return "", bad("has no valid host and port")
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// CloseIdleConnections closes the connections to the backend that wait for
// their next request.
func (h *Handler) CloseIdleConnections() { h.base.CloseIdleConnections() }

// exchange is what belongs to one request: it goes with the context.
type exchange struct {
	in     *http.Request         // the client's, of which only the server knows the trailers
	path   string                // target's, as it was sent
	query  string                // with its question mark, if there is one
	hops   int64                 // how often it may be forwarded; -1: as often as need be
	failed atomic.Pointer[error] // what reading the content ended with
	read   atomic.Bool           // all of the content was read

	reading sync.Mutex // held while the content is read
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// ServeHTTP forwards a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{in: r}
	if status := h.check(x); status != 0 {
		answer(w, status)
		return
	}
	if x.hops == 0 { // it MUST NOT be forwarded (RFC 9110 7.6.2)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
		return
	}
	defer h.running.Add(-1)
	if h.running.Add(1) > int64(h.config.MaxRequests) {
		answer(w, http.StatusServiceUnavailable)
		return
	}
	ctx := context.WithValue(r.Context(), exchangeKey{}, x)
	if ctx.Value(http.ServerContextKey) == nil {
		// ReverseProxy ends a broken response by a panic, which a server makes
		// a reset of, only when it sees that there is a server.
		ctx = context.WithValue(ctx, http.ServerContextKey, new(http.Server))
	}
	r = r.WithContext(ctx)
	if r.Body == http.NoBody {
		r.ContentLength = 0 // and not unknown
		x.read.Store(true)
	} else {
		// On HTTP/1.1 net/http would else throw content away once the response
		// begins. On HTTP/2 there is nothing to enable.
		_ = http.NewResponseController(w).EnableFullDuplex()
	}
	if r.ProtoMajor == 1 && r.ProtoMinor >= 1 && r.Header["Expect"] != nil && r.Body != http.NoBody {
		// net/http would send it from a read of the content, which may be at
		// the same time as an interim response of the backend.
		w.WriteHeader(http.StatusContinue)
	}
	h.proxy.ServeHTTP(&writer{w, x}, r)
	if r.ProtoMajor == 1 && !x.read.Load() {
		x.leave(http.NewResponseController(w))
	}
}

// leave bounds how long net/http looks for the end of the content, which it
// does without a bound. While a read waits a deadline would not last, so that
// one is ended first.
func (x *exchange) leave(rc *http.ResponseController) {
	_ = rc.SetReadDeadline(time.Unix(1, 0))
	x.reading.Lock()
	defer x.reading.Unlock()
	_ = rc.SetReadDeadline(time.Now().Add(linger))
}

// answer is the edge's own response.
func answer(w http.ResponseWriter, status int) {
	text := strconv.Itoa(status) + " " + http.StatusText(status) + "\n"
	hdr := w.Header()
	hdr.Set("Content-Type", "text/plain; charset=utf-8")
	hdr.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// fail answers for a request that got no response.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // nobody waits for an answer
	}
	clear(w.Header()) // what an interim response had
	if p := exchangeOf(r.Context()).failed.Load(); p != nil {
		// The request's content broke off: the client's fault, which the
		// server answers by itself where the stream was reset.
		status := http.StatusBadRequest
		var tooLarge *http.MaxBytesError
		if errors.As(*p, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		answer(w, status)
		return
	}
	status := http.StatusBadGateway
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		status = http.StatusGatewayTimeout
	}
	h.log(r, status, err)
	answer(w, status)
}

func (h *Handler) log(r *http.Request, status int, err error) {
	in := exchangeOf(r.Context()).in
	target := in.RequestURI
	if len(target) > loggedTarget {
		target = target[:loggedTarget] + "..."
	}
	h.config.Logger.Error("proxy: the backend failed", "backend", h.addr, "status", status,
		"method", in.Method, "host", in.Host, "target", target, "error", err)
}

// loggedTarget bounds what of a target goes into the log: clients choose it.
const loggedTarget = 256

// buffers are for copying content to clients.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, copySize)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
