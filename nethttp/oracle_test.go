package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/nethttp"
)

// net/http as oracle: each exchange is a scripted client and an http.Handler.
// It runs on net/http's server and on this package's, with virtual time and a
// connection in memory, and what the client saw, what the handler saw and what
// was logged must be the same, field by field. What differs on purpose stands
// in oracle_intended_test.go, each with its reason.
//
// The values of net/http are not written down anywhere: they are those of the
// Go version that runs the test. The rows and the list of differences were
// made with Go 1.26.

// exchange is one row.
type exchange struct {
	name   string // ends with the section or the documentation it follows
	config config // of the server
	// settings of the client's first SETTINGS frame. Default: windows that no
	// response of the table fills.
	settings []http2.Setting
	// script is the client's part; default: GET /. After it the client waits
	// until the server is idle, and only what arrived by then counts.
	script func(c *client)
	// methods of the requests in script, which speaks HTTP/1.1 if there are any.
	methods []string
	// handle is the handler; handler makes one instead. bare gives the server
	// no handler at all.
	handle  func(n *notes, w http.ResponseWriter, r *http.Request)
	handler func(n *notes) http.Handler
	bare    bool
	// onlyConfigured: the setting that the row is about has no counterpart in
	// Server.
	onlyConfigured bool
}

// config is what both servers have.
type config struct {
	readTimeout, readHeaderTimeout, writeTimeout, idleTimeout time.Duration
	maxHeaderBytes                                            int
	noOptions                                                 bool // http.Server.DisableGeneralOptionsHandler
}

// server is one that an exchange can run on.
type server struct {
	name string
	// serve serves l until stop is called, and returns then.
	serve func(l net.Listener, h http.Handler, c config, lg *log.Logger) (stop func())
}

var netHTTP = server{"net/http", func(l net.Listener, h http.Handler, c config, lg *log.Logger) func() {
	s := newNetHTTP(h, c, lg)
	go s.Serve(l)
	return func() { s.Close() }
}}

func newNetHTTP(h http.Handler, c config, lg *log.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: &protocols, ErrorLog: lg,
		ReadTimeout: c.readTimeout, ReadHeaderTimeout: c.readHeaderTimeout,
		WriteTimeout: c.writeTimeout, IdleTimeout: c.idleTimeout,
		MaxHeaderBytes: c.maxHeaderBytes, DisableGeneralOptionsHandler: c.noOptions,
	}
}

// nonetHTTP is this package's Server.
var nonetHTTP = server{"nethttp.Server", func(l net.Listener, h http.Handler, c config, lg *log.Logger) func() {
	s := &nethttp.Server{
		Handler: h, ErrorLog: lg,
		ReadTimeout: c.readTimeout, ReadHeaderTimeout: c.readHeaderTimeout,
		WriteTimeout: c.writeTimeout, IdleTimeout: c.idleTimeout,
		MaxHeaderBytes: c.maxHeaderBytes,
	}
	go s.Serve(l)
	return func() { s.Close() }
}}

// configured is net/http's Server with this package's HTTP/2.
var configured = server{"ConfigureServer", func(l net.Listener, h http.Handler, c config, lg *log.Logger) func() {
	s := newNetHTTP(h, c, lg)
	if err := nethttp.ConfigureServer(s); err != nil {
		panic(err)
	}
	go s.Serve(l)
	return func() { s.Close() }
}}

// TestOracle runs every exchange on net/http's server and here.
func TestOracle(t *testing.T) {
	for _, s := range []server{nonetHTTP, configured} {
		t.Run(s.name, func(t *testing.T) {
			for _, x := range table() {
				if x.onlyConfigured && s.name != configured.name {
					continue
				}
				t.Run(x.name, func(t *testing.T) {
					t.Parallel()
					check(t, netHTTP, s, x, intendedDifferences())
				})
			}
		})
	}
}

// table is every exchange.
func table() []exchange {
	return slices.Concat(
		requestRows(), responseRows(), statusRows(), headRows(), flushRows(), controllerRows(),
		bodyRows(), trailerRows(), endRows(), middlewareRows(), http1Rows(),
	)
}

// TestOracleTable keeps the table what it says it is.
func TestOracleTable(t *testing.T) {
	names := make(map[string]bool)
	h1 := 0
	for _, x := range table() {
		if names[x.name] {
			t.Errorf("two exchanges are named %q", x.name)
		}
		names[x.name] = true
		if x.methods != nil {
			h1++
		}
	}
	t.Logf("%s: %d exchanges, %d of them HTTP/1.1, %d intended differences", runtime.Version(), len(names), h1, len(intendedDifferences()))
	if len(names) < 150 {
		t.Errorf("%d exchanges", len(names))
	}
	for _, d := range intendedDifferences() {
		if !names[d.exchange] {
			t.Errorf("intended difference of %q, which is no exchange", d.exchange)
		}
	}
}

// TestOracleAlone runs net/http against itself: what isn't the same each time
// can't be compared.
func TestOracleAlone(t *testing.T) {
	for _, x := range table() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, b := run(t, netHTTP, x), run(t, netHTTP, x)
			if diff := gocmp.Diff(a, b); diff != "" {
				t.Errorf("net/http differs from itself (-first +second):\n%s", diff)
			}
		})
	}
}

// difference is one value that differs: path names it, in one exchange.
type difference struct{ exchange, path, netHTTP, here string }

func (d difference) String() string {
	return fmt.Sprintf("{%q, %q, %q, %q}", d.exchange, d.path, d.netHTTP, d.here)
}

// absent is the value of a path that only the other side has.
const absent = "absent"

func differences(name string, a, b seen) (list []difference) {
	paths := maps.Clone(a)
	maps.Copy(paths, b)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		va, inA := a[path]
		vb, inB := b[path]
		if va == vb && inA == inB || inA != inB && told(path, a, b) {
			continue
		}
		if !inA {
			va = absent
		}
		if !inB {
			vb = absent
		}
		list = append(list, difference{name, path, va, vb})
	}
	return list
}

// told reports whether a value is missing because all it belongs to is, which
// another path tells: a request that reached one handler only, or a response
// that only one server sent.
func told(path string, a, b seen) bool {
	for _, inner := range []struct{ of, told string }{{".field.", ".status"}, {".is.", ".reached"}} {
		if owner, _, ok := strings.Cut(path, inner.of); ok {
			_, inA := a[owner+inner.told]
			_, inB := b[owner+inner.told]
			return inA != inB
		}
	}
	return false
}

// check compares an exchange on two servers and fails for each difference that
// isn't intended, and for each that is intended and isn't there.
func check(t *testing.T, a, b server, x exchange, intended []difference) {
	va, vb := run(t, a, x), run(t, b, x)
	list := faults(x.name, va, vb, intended)
	for _, f := range list {
		t.Error(f)
	}
	if list != nil {
		t.Logf("-%s +%s:\n%s", a.name, b.name, gocmp.Diff(va, vb))
	}
}

// faults are the differences that aren't intended and the intended ones that
// aren't there.
func faults(name string, a, b seen, intended []difference) (list []string) {
	found := differences(name, a, b)
	for _, d := range found {
		if !slices.Contains(intended, d) {
			list = append(list, fmt.Sprintf("differs: %v,", d))
		}
	}
	for _, d := range intended {
		if d.exchange == name && !slices.Contains(found, d) {
			list = append(list, fmt.Sprintf("listed as intended and not so: %v,", d))
		}
	}
	return list
}

// seen is everything that is compared, by path: "1.status" is the status on
// stream 1, "handler.x" what the handler noted as x.
type seen map[string]string

func (s seen) add(path, value string) {
	key := path
	for i := 2; ; i++ {
		if _, ok := s[key]; !ok {
			break
		}
		key = fmt.Sprintf("%s#%d", path, i)
	}
	s[key] = value
}

// run runs an exchange on a server.
func run(t *testing.T, s server, x exchange) (result seen) {
	defer func() {
		if e := recover(); e != nil { // a deadlock in the bubble
			t.Errorf("on %s: %v", s.name, e)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		n := newNotes()
		l := &listener{accepted: make(chan net.Conn), closed: make(chan struct{})}
		stop := s.serve(l, x.serverHandler(n), x.config, log.New(n, "", 0))
		nc, sc := net.Pipe()
		select {
		case l.accepted <- placedConn{sc}:
		case <-l.closed:
			t.Error("the server does not accept")
			return
		}
		c := newClient(t, n, nc, x)
		if x.script == nil {
			c.get("/")
		} else {
			x.script(c)
		}
		synctest.Wait()
		result = c.seen()
		c.close()
		n.openAll()
		synctest.Wait() // handlers see the client go before the server stops
		stop()
		synctest.Wait()
		maps.Copy(result, n.seen())
		time.Sleep(time.Hour) // whatever waits for the clock ends
	})
	return result
}

// serverHandler is the row's handler, with the notes that every request gets.
func (x exchange) serverHandler(n *notes) http.Handler {
	if x.bare {
		return nil
	}
	inner := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { x.handle(n, w, r) }))
	if x.handler != nil {
		inner = x.handler(n)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.request(r)
		inner.ServeHTTP(w, r)
	})
}

// listener accepts connections in memory.
type listener struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.accepted:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *listener) Addr() net.Addr { return placedConn{}.LocalAddr() }

// placedConn has addresses.
type placedConn struct{ net.Conn }

func (placedConn) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }
func (placedConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 40000} }

// notes are what a handler saw, and the server's log.
type notes struct {
	start time.Time

	mu       sync.Mutex
	lines    [][2]string
	logs     []string
	requests int
	gates    map[string]chan struct{}
	open     bool
}

func newNotes() *notes {
	return &notes{start: time.Now(), gates: make(map[string]chan struct{})}
}

// note records a value.
func (n *notes) note(path string, value any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, [2]string{path, fmt.Sprint(value)})
}

// err records an error by what callers can ask about it.
func (n *notes) err(path string, err error) { n.note(path, class(err)) }

// wrote records what a Write returned.
func (n *notes) wrote(path string, count int, err error) {
	n.note(path, fmt.Sprintf("%d, %s", count, class(err)))
}

// elapsed records the virtual time since the exchange began.
func (n *notes) elapsed(path string) { n.note(path, time.Since(n.start)) }

// try records the panic of f, or that there is none.
func (n *notes) try(path string, f func()) {
	defer func() {
		if e := recover(); e != nil {
			n.note(path, fmt.Sprintf("panic: %v", e))
		}
	}()
	f()
	n.note(path, "no panic")
}

// gate is a channel that client.release closes.
func (n *notes) gate(name string) chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	g := n.gates[name]
	if g == nil {
		g = make(chan struct{})
		n.gates[name] = g
		if n.open {
			close(g)
		}
	}
	return g
}

// await waits for client.release, or for the end of the exchange.
func (n *notes) await(name string) { <-n.gate(name) }

func (n *notes) release(name string) { close(n.gate(name)) }

func (n *notes) openAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = true
	for _, g := range n.gates {
		select {
		case <-g:
		default:
			close(g)
		}
	}
}

// Write takes a line of the server's log: its class, without the stack of a
// panic and the place of a call, and without the name of the package.
func (n *notes) Write(p []byte) (int, error) {
	line, _, _ := strings.Cut(string(p), "\n")
	line, _, _ = strings.Cut(line, " from ")
	for _, prefix := range []string{"http: ", "http2: ", "nethttp: ", "nonet: "} {
		line = strings.TrimPrefix(line, prefix)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.logs = append(n.logs, line)
	return len(p), nil
}

func (n *notes) seen() seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := make(seen)
	for _, l := range n.lines {
		path := l[0]
		if !strings.HasPrefix(path, "request ") {
			path = "handler." + path
		}
		s.add(path, l[1])
	}
	slices.Sort(n.logs)
	for _, l := range n.logs {
		s.add("log", l)
	}
	return s
}

// request records everything a request says about itself.
func (n *notes) request(r *http.Request) {
	n.mu.Lock()
	n.requests++
	p := fmt.Sprintf("request %d", n.requests)
	n.mu.Unlock()
	n.note(p+".reached", "the handler")
	p += ".is."
	n.note(p+"method", r.Method)
	n.note(p+"url", fmt.Sprintf("%+v", *r.URL))
	n.note(p+"requestURI", r.RequestURI)
	n.note(p+"proto", fmt.Sprintf("%s %d %d", r.Proto, r.ProtoMajor, r.ProtoMinor))
	n.note(p+"host", fmt.Sprintf("%q", r.Host))
	n.note(p+"header", fields(r.Header))
	n.note(p+"contentLength", r.ContentLength)
	n.note(p+"transferEncoding", fmt.Sprintf("%q", r.TransferEncoding))
	n.note(p+"trailer", fields(r.Trailer))
	n.note(p+"remoteAddr", r.RemoteAddr)
	n.note(p+"rest", fmt.Sprintf("TLS %t, Close %t, Body %t, GetBody %t, Cancel %t, Response %t, Form %t, Pattern %q",
		r.TLS != nil, r.Close, r.Body != nil, r.GetBody != nil,
		r.Cancel != nil, r.Response != nil, r.Form != nil || r.PostForm != nil || r.MultipartForm != nil, r.Pattern))
	n.note(p+"context", class(r.Context().Err()))
	n.note(p+"localAddr", fmt.Sprint(r.Context().Value(http.LocalAddrContextKey)))
}

// fields prints a Header: nil values and empty lists are told apart.
func fields(h http.Header) string {
	if h == nil {
		return "nil"
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(h)) {
		if h[k] == nil {
			fmt.Fprintf(&b, "%s=nil ", k)
		} else {
			fmt.Fprintf(&b, "%s=%q ", k, h[k])
		}
	}
	return "{" + strings.TrimSpace(b.String()) + "}"
}

// classes are the errors that callers ask for with errors.Is.
var classes = []struct {
	err  error
	name string
}{
	{io.EOF, "io.EOF"},
	{io.ErrUnexpectedEOF, "io.ErrUnexpectedEOF"},
	{io.ErrShortWrite, "io.ErrShortWrite"},
	{context.Canceled, "context.Canceled"},
	{context.DeadlineExceeded, "context.DeadlineExceeded"},
	{http.ErrBodyNotAllowed, "http.ErrBodyNotAllowed"},
	{http.ErrContentLength, "http.ErrContentLength"},
	{http.ErrBodyReadAfterClose, "http.ErrBodyReadAfterClose"},
	{http.ErrHandlerTimeout, "http.ErrHandlerTimeout"},
	{http.ErrAbortHandler, "http.ErrAbortHandler"},
	{http.ErrHijacked, "http.ErrHijacked"},
	{http.ErrLineTooLong, "http.ErrLineTooLong"},
	{http.ErrNotMultipart, "http.ErrNotMultipart"},
	{errors.ErrUnsupported, "errors.ErrUnsupported"},
}

// class says what an error is: its class, else its text.
func class(err error) string {
	if err == nil {
		return "nil"
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fmt.Sprintf("http.MaxBytesError %d", tooLarge.Limit)
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	return err.Error()
}
