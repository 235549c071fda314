package nethttp_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// road is what lies between a client and a scripted server: TLS, a proxy, a
// dial that fails; and servers that speak HTTP/1.1. Its zero value is a
// cleartext connection to a server that speaks HTTP/2.
type road struct {
	dial  func(ctx context.Context, addr string) error     // before each connection
	proxy func(n *tripNotes, no int, nc net.Conn) net.Conn // first on each; nil: it has served it
	tls   func(no int) *tls.Config                         // the server's; nil: cleartext
	http1 func(n *tripNotes, no int, nc net.Conn)          // where HTTP/2 isn't chosen
}

func (r *road) plain() bool { return r.proxy == nil && r.tls == nil && r.http1 == nil }

func (r *road) dialed(ctx context.Context, addr string) error {
	if r.dial == nil {
		return nil
	}
	return r.dial(ctx, addr)
}

// prepare makes net/http's Transport offer what this package's does.
func (r *road) prepare(tr *http.Transport) {
	if r.plain() && r.dial == nil {
		return
	}
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP1(true)
	tr.Protocols.SetHTTP2(true)
	tr.TLSClientConfig = &tls.Config{RootCAs: pki().roots}
}

// roomy is a connection that takes whatever is written to it, as a socket
// does: over a pipe the two sides of a handshake can wait for each other.
type roomy struct {
	net.Conn
	mu     sync.Mutex
	cond   sync.Cond
	out    []byte
	closed bool
}

func newRoomy(nc net.Conn) *roomy {
	c := &roomy{Conn: nc}
	c.cond.L = &c.mu
	go c.pass()
	return c
}

func (c *roomy) pass() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.Conn.Close()
	for {
		for len(c.out) == 0 {
			if c.closed {
				return
			}
			c.cond.Wait()
		}
		b := c.out
		c.out = nil
		c.mu.Unlock()
		_, err := c.Conn.Write(b)
		c.mu.Lock()
		if err != nil {
			return
		}
	}
}

func (c *roomy) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, b...)
	c.cond.Signal()
	return len(b), nil
}

// SetWriteDeadline does nothing: crypto/tls ends with it what it wrote before
// Close, and nothing that is written here waits.
func (c *roomy) SetWriteDeadline(time.Time) error { return nil }

// Close lets what was written leave first.
func (c *roomy) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.cond.Signal()
	return nil
}

// serve serves a connection.
func (r *road) serve(n *tripNotes, no int, nc net.Conn, serve func(o *origin)) {
	if r.proxy != nil {
		if nc = r.proxy(n, no, nc); nc == nil {
			return
		}
	}
	http1 := r.http1
	if http1 == nil {
		http1 = serveHTTP1
	}
	if r.tls == nil {
		http1(n, no, nc)
		return
	}
	tc := secured(n, no, "tls", nc, r.tls(no))
	switch {
	case tc == nil:
	case tc.ConnectionState().NegotiatedProtocol == "h2":
		serveHTTP2(n, no, tc, serve)
	default:
		http1(n, no, tc)
	}
}

// secured does a server's handshake, and notes what came of it.
func secured(n *tripNotes, no int, what string, nc net.Conn, config *tls.Config) *tls.Conn {
	tc := tls.Server(nc, config)
	err := tc.Handshake()
	if err != nil {
		n.add(fmt.Sprintf("%s %d", what, no), "failed")
		tc.Close()
		return nil
	}
	cs := tc.ConnectionState()
	n.add(fmt.Sprintf("%s %d", what, no), tlsNote(&cs))
	return tc
}

// tlsNote is what is compared of a TLS connection.
func tlsNote(cs *tls.ConnectionState) string {
	if cs == nil {
		return "<nil>"
	}
	peers := make([]string, 0, len(cs.PeerCertificates))
	for _, c := range cs.PeerCertificates {
		peers = append(peers, c.Subject.CommonName)
	}
	return fmt.Sprintf("%s ALPN %q name %q resumed %v complete %v verified %d %q", tls.VersionName(cs.Version),
		cs.NegotiatedProtocol, cs.ServerName, cs.DidResume, cs.HandshakeComplete, len(cs.VerifiedChains), peers)
}

// serveHTTP1 answers every request with 200 and "ok".
func serveHTTP1(n *tripNotes, no int, nc net.Conn) {
	br := bufio.NewReader(nc)
	for {
		if r := readHTTP1(n, no, br); r == nil {
			return
		}
		if _, err := io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

// readHTTP1 reads a request and notes it.
func readHTTP1(n *tripNotes, no int, br *bufio.Reader) *http.Request {
	r, err := http.ReadRequest(br)
	if err != nil {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	at := fmt.Sprintf("http1 %d.", no)
	n.add(at+"request", fmt.Sprintf("%s %s %s host %q body %q %s", r.Method, r.RequestURI, r.Proto, r.Host, b, kind(err)))
	for k, v := range r.Header {
		n.add(at+"header."+k, fmt.Sprintf("%q", v))
	}
	return r
}

// pki is an authority and what it has signed. A bubble's time begins in the
// year 2000.
var pki = sync.OnceValue(func() (p struct {
	roots                                    *x509.CertPool
	server, expired, other, client, stranger tls.Certificate
}) {
	ca, key := sign("authority", nil, nil, 2100)
	p.roots = x509.NewCertPool()
	p.roots.AddCert(ca)
	pair := func(name string, parent *x509.Certificate, by *ecdsa.PrivateKey, until int, hosts ...string) tls.Certificate {
		c, k := sign(name, parent, by, until, hosts...)
		return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: k, Leaf: c}
	}
	p.server = pair("server", ca, key, 2100, "example.com", "*.example", "xn--bcher-kva.example", "192.0.2.1", "2001:db8::1")
	p.expired = pair("expired", ca, key, 1999, "example.com")
	p.other = pair("other", ca, key, 2100, "other.test")
	p.client = pair("client", ca, key, 2100)
	p.stranger = pair("stranger", nil, nil, 2100, "example.com")
	return p
})

// sign makes a certificate, signed by itself without a parent.
func sign(name string, parent *x509.Certificate, by *ecdsa.PrivateKey, until int, hosts ...string) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(until, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true, IsCA: parent == nil, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		panic(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	return c, key
}

// offering returns a server's configuration with these protocols.
func offering(protos ...string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{pki().server}, NextProtos: protos}
}

// alpn is a road of TLS whose servers offer these protocols.
func alpn(protos ...string) road {
	return road{tls: func(int) *tls.Config { return offering(protos...) }}
}

// httpProxy is a proxy for HTTP: it answers requests, and makes tunnels.
func httpProxy(n *tripNotes, no int, nc net.Conn) net.Conn {
	br := bufio.NewReader(nc)
	for {
		r := readHTTP1(n, no, br)
		if r == nil {
			return nil
		}
		answer := "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nproxied"
		switch {
		case strings.Contains(r.Host, "forbidden"):
			answer = "HTTP/1.1 403 Not Here\r\nContent-Length: 0\r\n\r\n"
		case r.Method == http.MethodConnect:
			answer = "HTTP/1.1 200 Connected\r\n\r\n"
		}
		if _, err := io.WriteString(nc, answer); err != nil {
			return nil
		}
		if r.Method == http.MethodConnect {
			return nc
		}
	}
}

// socksProxy is a SOCKS5 proxy (RFC 1928, 1929).
func socksProxy(n *tripNotes, no int, nc net.Conn) net.Conn {
	fail := func(err error) net.Conn {
		n.add(fmt.Sprintf("socks %d.error", no), kind(err))
		nc.Close()
		return nil
	}
	take := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(nc, b); err != nil {
			panic(err)
		}
		return b
	}
	at := fmt.Sprintf("socks %d.", no)
	methods := take(int(take(2)[1]))
	n.add(at+"methods", fmt.Sprint(methods))
	if len(methods) > 1 {
		nc.Write([]byte{5, 2})
		user := string(take(int(take(2)[1])))
		password := string(take(int(take(1)[0])))
		n.add(at+"user", user+" "+password)
		if password == "wrong" {
			nc.Write([]byte{1, 1})
			return fail(errors.New("password"))
		}
		nc.Write([]byte{1, 0})
	} else {
		nc.Write([]byte{5, 0})
	}
	head := take(4)
	var host string
	switch head[3] {
	case 1:
		host = net.IP(take(4)).String()
	case 3:
		host = string(take(int(take(1)[0])))
	}
	port := take(2)
	n.add(at+"to", fmt.Sprint(head, " ", host, " ", int(port[0])<<8|int(port[1])))
	if strings.Contains(host, "forbidden") {
		nc.Write([]byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0})
		return fail(errors.New("forbidden"))
	}
	nc.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return nc
}
