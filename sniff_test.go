package nonet

import (
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"
)

func itoa(n int) string     { return strconv.Itoa(n) }
func quote(s string) string { return strconv.Quote(s) }

// The preface may be cut anywhere, and what follows it may come with it.
func TestSniffCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opening := []byte(http2.ClientPreface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00")
		for cut := range len(opening) {
			c, sc := net.Pipe()
			p := connect(t, &Server{Handler: hello}, c, sc)
			go p.read()
			c.Write(opening[:cut])
			synctest.Wait()
			c.Write(opening[cut:])
			p.want("SETTINGS", "SETTINGS ACK")
			p.get(1, "/")
			p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`)
			c.Close()
			<-p.ended
		}
	})
}

func TestSniffHTTP1Cut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request := "PRIVATE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
		for cut := range len(request) {
			c, sc := net.Pipe()
			p := connect(t, &Server{Handler: hello}, c, sc)
			go func() {
				io.WriteString(c, request[:cut])
				io.WriteString(c, request[cut:])
			}()
			b, err := io.ReadAll(c)
			if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200 OK\r\n") {
				t.Fatalf("cut at %d: %q, %v", cut, b, err)
			}
			<-p.ended
		}
	})
}

func TestBadPreface(t *testing.T) {
	tests := []struct{ name, sent, want string }{
		{"almost", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "GOAWAY 0 PROTOCOL_ERROR"},
		{"HTTP/1.1", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GOAWAY 0 PROTOCOL_ERROR"},
		{"no SETTINGS", http2.ClientPreface + "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678", "GOAWAY 0 PROTOCOL_ERROR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, sc := net.Pipe()
				s := &Server{Handler: hello}
				s.DisableHTTP1 = true
				p := connect(t, s, c, sc)
				go p.read()
				io.WriteString(c, tt.sent)
				p.want("SETTINGS", tt.want)
				p.wantEnd()
				<-p.ended
				if n := strings.Count(p.log.String(), "\n"); n > 1 {
					t.Errorf("log:\n%s", p.log)
				}
			})
		})
	}
}

// Garbage and TLS on a cleartext port: the server says no and forgets it.
func TestGarbage(t *testing.T) {
	for _, sent := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x55", 600) + "\r\n\r\n",
		"\x00\x00\x00\x00\r\n\r\n", strings.Repeat("a", 5000) + "\r\n\r\n", "", "PRI * HTTP",
	} {
		synctest.Test(t, func(t *testing.T) {
			c, sc := net.Pipe()
			p := connect(t, &Server{Handler: hello}, c, sc)
			go io.Copy(io.Discard, c)
			io.WriteString(c, sent)
			synctest.Wait()
			c.Close()
			<-p.ended
			if n := strings.Count(p.log.String(), "\n"); n > 1 {
				t.Errorf("log:\n%s", p.log)
			}
		})
	}
}

// connectTLS lets a client shake hands with a server that makes its own TLS.
func connectTLS(t *testing.T, s *Server, config *tls.Config) (*peer, *tls.Conn) {
	t.Helper()
	if s.TLSConfig == nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate()}}
	}
	c, l := pipeListener()
	ended := make(chan error, 1)
	go func() { ended <- s.ServeTLS(l) }()
	tc := tls.Client(c, config)
	p := &peer{t: t, nc: tc, fr: http2.NewFramer(tc, tc), ack: http2.NewFramer(tc, nil), log: new(syncBuffer),
		updates: make(map[uint32]int), body: make(map[uint32]int)}
	p.fr.ReadMetaHeaders = newDecoder()
	p.enc = newEncoder(p)
	t.Cleanup(func() {
		c.Close()
		s.Close()
		if err := <-ended; err != ErrServerClosed {
			t.Errorf("ServeTLS: %v", err)
		}
	})
	return p, tc
}

func newDecoder() *xhpack.Decoder        { return xhpack.NewDecoder(4096, nil) }
func newEncoder(p *peer) *xhpack.Encoder { return xhpack.NewEncoder(&p.ebuf) }

// listener accepts what it is given.
type listener struct {
	conns chan net.Conn
	quit  chan struct{}
}

// pipeListener returns a connection to a listener.
func pipeListener() (net.Conn, *listener) {
	c, sc := net.Pipe()
	l := &listener{conns: make(chan net.Conn, 1), quit: make(chan struct{})}
	l.conns <- sc
	return c, l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.quit:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

func TestServeTLS(t *testing.T) {
	certificate()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := clientTLS("h2", "http/1.1")
				config.MaxVersion = version
				p, tc := connectTLS(t, &Server{Handler: func(s Stream) {
					cs := s.TLS()
					if cs == nil || cs.Version != version || cs.NegotiatedProtocol != "h2" {
						t.Errorf("TLS: %v", cs)
					}
					if string(s.Path()) == "/big" {
						s.Write(make([]byte, 200_000))
						return
					}
					s.Read(make([]byte, 1))
					hello(s)
				}}, config)
				must(t, tc.Handshake())
				p.hello()
				p.get(1, "/")
				p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`)
				p.ok(p.fr.WriteWindowUpdate(0, 1<<20))
				p.get(3, "/big")
				p.want("HEADERS 3 :status=200")
				p.ok(p.fr.WriteWindowUpdate(3, 1<<20))
				p.wantContent(3, 200_000)
				p.ok(p.fr.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8)))
				p.want("GOAWAY 3 PROTOCOL_ERROR")
				p.wantEnd()
				if p.gone != io.EOF {
					t.Errorf("the end: %v, want close_notify", p.gone)
				}
			})
		})
	}
}

// ALPN decides; without it a client gets HTTP/1.1.
func TestALPN(t *testing.T) {
	certificate()
	for _, protos := range [][]string{{}, {"http/1.1"}, {"http/1.1", "h2"}} {
		synctest.Test(t, func(t *testing.T) {
			_, tc := connectTLS(t, &Server{Handler: func(s Stream) { s.WriteString(s.Protocol()) }}, clientTLS(protos...))
			must(t, tc.Handshake())
			if len(protos) == 2 {
				if p := tc.ConnectionState().NegotiatedProtocol; p != "h2" {
					t.Errorf("ALPN chose %q", p)
				}
				return
			}
			go io.WriteString(tc, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if b, err := io.ReadAll(tc); err != nil || !strings.HasSuffix(string(b), "\r\n\r\nHTTP/1.1") {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
}

// The client did not ask for HTTP/2 and speaks it all the same.
func TestPrefaceWithoutALPN(t *testing.T) {
	certificate()
	synctest.Test(t, func(t *testing.T) {
		_, tc := connectTLS(t, &Server{Handler: hello}, clientTLS("http/1.1"))
		go io.WriteString(tc, http2.ClientPreface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
		if b, _ := io.ReadAll(tc); len(b) != 0 {
			t.Errorf("%q", b)
		}
	})
}

func TestInadequateSecurity(t *testing.T) {
	certificate()
	synctest.Test(t, func(t *testing.T) {
		config := clientTLS()
		config.MaxVersion = tls.VersionTLS12
		config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		p, _ := connectTLS(t, &Server{Handler: hello}, config)
		go p.read()
		p.want("SETTINGS", "GOAWAY 0 INADEQUATE_SECURITY")
		p.wantEnd()
	})
}

func TestOldTLSRefused(t *testing.T) {
	certificate()
	synctest.Test(t, func(t *testing.T) {
		config := clientTLS()
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		_, tc := connectTLS(t, &Server{Handler: hello}, config)
		if err := tc.Handshake(); err == nil {
			t.Error("TLS 1.1 went well")
		}
	})
}
