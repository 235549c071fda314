package nonet

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	h2tls "github.com/nonet-h2/nonet/tls"
)

// listenFor serves each connection of a socket with f.
func listenFor(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer nc.Close(); f(nc) }()
		}
	}()
	return l.Addr().String()
}

// TestClientOddServers: what is no HTTP/2 server is named in one line, by a
// request over a pool.
func TestClientOddServers(t *testing.T) {
	trusted := func(c tls.Certificate) *tls.Config {
		pool := x509.NewCertPool()
		pool.AddCert(c.Leaf)
		return &tls.Config{RootCAs: pool}
	}
	cert := certificate()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	cert.Leaf = leaf
	tlsWith := func(protos ...string) func(net.Conn) {
		return func(nc net.Conn) {
			tc := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protos})
			tc.Handshake()
			io.Copy(io.Discard, tc)
		}
	}
	lines := func(answer string) func(net.Conn) {
		return func(nc net.Conn) {
			bufio.NewReader(nc).ReadString('\n')
			io.WriteString(nc, answer)
		}
	}
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	for _, c := range []struct {
		name, scheme string
		addr         string
		config       *tls.Config
		want         string // in the text; with * before it the error is an ErrNotHTTP2
	}{
		{"refused", "http", refused.Addr().String(), nil, "connection refused"},
		{"HTTP/1.1 on cleartext", "http", listenFor(t, lines("HTTP/1.1 400 Bad Request\r\n\r\n")), nil, "*the server speaks HTTP/1.1, not HTTP/2"},
		{"HTTP/1.1 that expects TLS", "http", listenFor(t, lines("HTTP/1.0 400 Bad Request\r\n\r\nThis is an HTTPS port.\n")), nil, "*the server speaks TLS; use https"},
		{"TLS where cleartext is expected", "http", listenFor(t, tlsWith("h2")), nil, "*perhaps it expects TLS"},
		{"a TLS alert", "http", listenFor(t, lines("\x15\x03\x01\x00\x02\x02\x0a")), nil, "*the server speaks TLS; use https"},
		{"another protocol", "http", listenFor(t, lines("SSH-2.0-OpenSSH_9.2\r\n")), nil, "*the server does not speak HTTP/2"},
		{"garbage", "http", listenFor(t, lines(strings.Repeat("x", 100))), nil, "*does not speak HTTP/2: it does not begin with SETTINGS"},
		{"nothing", "http", listenFor(t, func(nc net.Conn) {}), nil, "*before it said anything"},
		{"cleartext where TLS is expected", "https", listenFor(t, lines("HTTP/1.1 400 Bad Request\r\n\r\n")), nil, "*does not speak TLS; if it is a cleartext port, use http"},
		{"one that hangs up where TLS is expected", "https", listenFor(t, lines("")), nil, "*ended the TLS handshake; if it is a cleartext port, use http"},
		{"HTTP/1.1 only over TLS", "https", listenFor(t, tlsWith("http/1.1")), trusted(cert), "*does not speak HTTP/2: its TLS chose http/1.1"},
		{"no ALPN", "https", listenFor(t, tlsWith()), trusted(cert), "*does not speak HTTP/2: its TLS chose no protocol"},
		{"a certificate that nobody knows", "https", listenFor(t, tlsWith("h2")), nil, "failed to verify certificate"},
		{"a certificate of another name", "https", listenFor(t, tlsWith("h2")), &tls.Config{RootCAs: trusted(cert).RootCAs, ServerName: "other.example"}, "not other.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cl := &Client{ClientConfig: ClientConfig{TLSConfig: c.config}}
			defer cl.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			s, err := cl.Request(ctx, "GET", c.scheme+"://"+c.addr+"/")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			want, other := strings.CutPrefix(c.want, "*")
			if _, err = s.Response(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || errors.Is(err, ErrNotHTTP2) != other {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestClientUnknownHost: everybody who waits for a host without an address is
// told so, in one line, and the request may be made again.
func TestClientUnknownHost(t *testing.T) {
	asked := errors.New("no name server can be asked")
	names := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, asked }}
	cl := &Client{ClientConfig: ClientConfig{DialContext: (&net.Dialer{Resolver: names}).DialContext}}
	defer cl.Close()
	for _, scheme := range []string{"http", "https"} {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				s, err := cl.Request(t.Context(), "GET", scheme+"://nowhere.invalid/")
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				_, err = s.Response()
				var unknown *net.DNSError
				if !errors.As(err, &unknown) || unknown.Name != "nowhere.invalid" || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "nonet: dial tcp: lookup nowhere.invalid") {
					t.Errorf("%s: %v", scheme, err)
				}
				if !s.Unprocessed() {
					t.Error("no server has seen the request")
				}
			})
		}
		wg.Wait()
	}
}

// TestClientTLS: a client and a server over sockets, by ALPN.
func TestClientTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &Server{Handler: echo, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate()}}}
	go srv.ServeTLS(l)
	defer srv.Close()
	cl := &Client{ClientConfig: ClientConfig{TLSConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer cl.Close()
	for i := range 20 {
		s, err := cl.Request(t.Context(), "POST", fmt.Sprintf("https://%s/%d", l.Addr(), i))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat(fmt.Sprint(i), 50_000)
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		go func() {
			io.WriteString(s, text)
			s.CloseWrite()
		}()
		if status, body, err := fetch(s); status != 200 || body != text || err != nil {
			t.Errorf("%d, %d octets, %v", status, len(body), err)
		}
	}
	if n := len(cl.Snapshot()); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestE18_NoRenegotiation: what a server may ask for after the handshake is
// refused by crypto/tls, as configured.
func TestE18_NoRenegotiation(t *testing.T) {
	if c := h2tls.ClientConfig(nil, "a"); c.Renegotiation != tls.RenegotiateNever {
		t.Error(c.Renegotiation)
	}
	if c := h2tls.ClientConfig(&tls.Config{Renegotiation: tls.RenegotiateFreelyAsClient}, "a"); c.Renegotiation != tls.RenegotiateNever {
		t.Error("RFC 9113 9.2.1: a deployment of HTTP/2 over TLS 1.2 MUST disable renegotiation")
	}
}

// TestClientOddServerEarly: the same when the request comes after the end of
// HTTP/2 and before that of the connection.
func TestClientOddServerEarly(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n": "the server speaks HTTP/1.1, not HTTP/2",
		strings.Repeat("x", 100):           "it does not begin with SETTINGS",
	} {
		inBubble(t, func(t *testing.T) {
			nc, sc := net.Pipe()
			cc, err := NewClientConn(t.Context(), nc, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer cc.Close()
			go io.WriteString(sc, answer)
			synctest.Wait() // nobody reads what the client says
			s, err := cc.Request(t.Context(), "GET", exampleURL)
			if err == nil {
				_, err = s.Response()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", answer, err, want)
			}
			sc.Close()
		})
	}
}
