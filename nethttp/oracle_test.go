package nethttp_test

import (
	"crypto/tls"
	"fmt"
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
	h2tls "github.com/nonet-h2/nonet/tls"
)

// net/http as oracle: each exchange is a scripted client and an http.Handler.
// It runs on net/http's server and on this package's, with virtual time and a
// connection in memory, and what the client saw, what the handler saw and what
// was logged must be the same, field by field. What differs on purpose stands
// in oracle_intended_test.go, each with its reason.
//
// net/http is that of the Go version that runs the test. Where another version
// behaves otherwise, the list has to follow.
const listedWith = "go1.26.8"

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
	tls                                                       bool
}

// server is one that an exchange can run on.
type server struct {
	name string
	// serve serves l, with TLS when c says so, until stop is called.
	serve func(l net.Listener, h http.Handler, c config, lg *log.Logger) (stop func())
}

var netHTTP = server{"net/http", func(l net.Listener, h http.Handler, c config, lg *log.Logger) func() {
	s := newNetHTTP(h, c, lg)
	serve(s, l, c)
	return func() { s.Close() }
}}

// serve begins to serve.
func serve(s interface {
	Serve(net.Listener) error
	ServeTLS(l net.Listener, certFile, keyFile string) error
}, l net.Listener, c config) {
	if c.tls {
		go s.ServeTLS(l, "", "")
	} else {
		go s.Serve(l)
	}
}

func newNetHTTP(h http.Handler, c config, lg *log.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: &protocols, ErrorLog: lg,
		ReadTimeout: c.readTimeout, ReadHeaderTimeout: c.readHeaderTimeout,
		WriteTimeout: c.writeTimeout, IdleTimeout: c.idleTimeout,
		MaxHeaderBytes: c.maxHeaderBytes, DisableGeneralOptionsHandler: c.noOptions,
		TLSConfig: c.tlsConfig(),
	}
}

// nonetHTTP is this package's Server.
var nonetHTTP = server{"nethttp.Server", func(l net.Listener, h http.Handler, c config, lg *log.Logger) func() {
	s := &nethttp.Server{
		Handler: h, ErrorLog: lg,
		ReadTimeout: c.readTimeout, ReadHeaderTimeout: c.readHeaderTimeout,
		WriteTimeout: c.writeTimeout, IdleTimeout: c.idleTimeout,
		MaxHeaderBytes: c.maxHeaderBytes, TLSConfig: c.tlsConfig(),
	}
	serve(s, l, c)
	return func() { s.Close() }
}}

// configured is net/http's Server with this package's HTTP/2.
var configured = server{"ConfigureServer", func(l net.Listener, h http.Handler, c config, lg *log.Logger) func() {
	s := newNetHTTP(h, c, lg)
	if err := nethttp.ConfigureServer(s); err != nil {
		panic(err)
	}
	serve(s, l, c)
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

// certificate is made once, outside the bubbles.
var certificate = sync.OnceValue(func() tls.Certificate {
	cert, err := h2tls.Development()
	if err != nil {
		panic(err)
	}
	return cert
})

func (c config) tlsConfig() *tls.Config {
	if !c.tls {
		return nil
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate()}}
}

func clientTLS(http1 bool) *tls.Config {
	protos := []string{"h2"}
	if http1 {
		protos = []string{"http/1.1"}
	}
	// Full records: where one ends is then known.
	return &tls.Config{InsecureSkipVerify: true, ServerName: "localhost", NextProtos: protos, DynamicRecordSizingDisabled: true}
}

// table is every exchange.
func table() []exchange {
	return slices.Concat(
		requestRows(), responseRows(), statusRows(), headRows(), flushRows(), controllerRows(),
		bodyRows(), trailerRows(), endRows(), middlewareRows(), http1Rows(), tlsRows(),
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
	if strings.HasPrefix(path, "handler.") {
		path = "request 1.is." // as if it were part of the first request
	}
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
		t.Logf("%s, the list was made with %s; -%s +%s:\n%s", runtime.Version(), listedWith, a.name, b.name, gocmp.Diff(va, vb))
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
	certificate()
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
		if x.config.tls {
			nc = tls.Client(nc, clientTLS(x.methods != nil))
		}
		c := newClient(t, n, nc, x, false)
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
		n.handlers.Add(1)
		defer n.handlers.Done()
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
