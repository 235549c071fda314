package nethttp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// traced makes a request note the hooks that are about connections.
func traced(n *tripNotes, r *http.Request) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GetConn: func(hostPort string) {
			// Twice in a row is once: "trace: two requests on a connection" is about that.
			n.mu.Lock()
			defer n.mu.Unlock()
			if what := "GetConn " + hostPort + "; "; !strings.HasSuffix(n.seen["trace"], what) {
				n.seen["trace"] += what
			}
		},
		GotConn: func(i httptrace.GotConnInfo) {
			n.event("trace", fmt.Sprint("GotConn ", i.Reused, i.WasIdle, i.IdleTime.Round(time.Millisecond), i.Conn != nil))
		},
		TLSHandshakeStart: func() { n.event("trace", "TLSHandshakeStart") },
		TLSHandshakeDone: func(cs tls.ConnectionState, err error) {
			n.event("trace", "TLSHandshakeDone "+kind(err)+" "+tlsNote(&cs))
		},
		WroteRequest:         func(i httptrace.WroteRequestInfo) { n.event("trace", "WroteRequest "+kind(i.Err)) },
		GotFirstResponseByte: func() { n.event("trace", "GotFirstResponseByte") },
	}))
}

// several makes GETs to these URLs, one after another with a pause between.
func several(pause time.Duration, urls ...string) func(n *tripNotes, rt http.RoundTripper) {
	return func(n *tripNotes, rt http.RoundTripper) {
		for i, u := range urls {
			if i > 0 {
				time.Sleep(pause)
			}
			n.trip(fmt.Sprintf("request %d.", i+1), rt, traced(n, newGet(u)))
		}
	}
}

const secureURL = "https://example.com/a?b"

// tripTLS are about TLS: what is offered and chosen, certificates, names.
func tripTLS() (rows []trip) {
	add := func(name string, r road, base func(tr *http.Transport), act func(n *tripNotes, rt http.RoundTripper)) {
		if act == nil {
			act = several(time.Second, secureURL, secureURL)
		}
		rows = append(rows, trip{name: "TLS: " + name, road: r, base: base, act: act})
	}
	config := func(f func(c *tls.Config)) func(tr *http.Transport) {
		return func(tr *http.Transport) { f(tr.TLSClientConfig) }
	}
	server := func(f func(c *tls.Config), protos ...string) road {
		return road{tls: func(int) *tls.Config {
			c := offering(protos...)
			f(c)
			return c
		}}
	}

	// ALPN (RFC 7301).
	add("h2 and http/1.1", alpn("h2", "http/1.1"), nil, nil)
	add("h2 alone", alpn("h2"), nil, nil)
	add("http/1.1 alone", alpn("http/1.1"), nil, nil)
	add("no ALPN", alpn(), nil, nil)
	add("another protocol alone", alpn("foo"), nil, several(0, secureURL))
	protocols := func(set ...func(p *http.Protocols, on bool)) func(tr *http.Transport) {
		return func(tr *http.Transport) {
			tr.Protocols = new(http.Protocols)
			for _, f := range set {
				f(tr.Protocols, true)
			}
		}
	}
	h1, h2, h2c := (*http.Protocols).SetHTTP1, (*http.Protocols).SetHTTP2, (*http.Protocols).SetUnencryptedHTTP2
	for name, offer := range map[string][]string{"h2 and http/1.1": {"h2", "http/1.1"}, "http/1.1": {"http/1.1"}, "none": nil} {
		add("Protocols HTTP1, server offers "+name, alpn(offer...), protocols(h1), nil)
		if offer != nil { // see TestTransportOnlyHTTP2
			add("Protocols HTTP2, server offers "+name, alpn(offer...), protocols(h2), several(0, secureURL))
		}
		add("Protocols UnencryptedHTTP2, server offers "+name, alpn(offer...), protocols(h2c), several(0, secureURL))
		add("TLSNextProto empty, server offers "+name, alpn(offer...), func(tr *http.Transport) {
			tr.Protocols, tr.TLSNextProto = nil, map[string]func(string, *tls.Conn) http.RoundTripper{}
		}, nil)
	}
	add("ForceAttemptHTTP2", alpn("h2", "http/1.1"), func(tr *http.Transport) { tr.Protocols, tr.ForceAttemptHTTP2 = nil, true }, nil)
	add("NextProtos of the program", alpn("foo", "http/1.1"), config(func(c *tls.Config) { c.NextProtos = []string{"foo"} }), several(0, secureURL))
	rows = append(rows, trip{name: "cleartext: Protocols HTTP2", road: road{http1: serveHTTP1}, base: protocols(h2)})

	// A server that changes its mind between connections.
	changing := func(list ...string) road {
		return road{tls: func(no int) *tls.Config { return offering(list[min(no, len(list))-1]) },
			http1: func(n *tripNotes, no int, nc net.Conn) {
				br := bufio.NewReader(nc)
				if readHTTP1(n, no, br) != nil {
					io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
					nc.Close()
				}
			}}
	}
	closing := func(o *origin) { // after one request, like serveHTTP1 there
		o.hello()
		id := o.whole()
		o.goAway(id, http2.ErrCodeNo)
		o.ok(id)
		o.close()
	}
	for name, r := range map[string]road{"HTTP/1.1, then h2": changing("http/1.1", "h2"), "h2, then HTTP/1.1": changing("h2", "http/1.1"),
		"HTTP/1.1, h2, HTTP/1.1": changing("http/1.1", "h2", "http/1.1"), "h2, HTTP/1.1, h2": changing("h2", "http/1.1", "h2")} {
		rows = append(rows, trip{name: "TLS: a server that speaks " + name, road: r, serve: closing,
			act: several(time.Second, secureURL, secureURL, secureURL, secureURL)})
	}
	add("h2, two names of a server", alpn("h2"), nil, several(time.Second, "https://a.example/", "https://b.example/", "https://a.example/"))
	add("h2, one name written in several ways", alpn("h2"), nil, several(time.Second, "https://example.com/", "https://example.com:443/", "https://EXAMPLE.com/"))
	add("HTTP/1.1, one name written in several ways", alpn("http/1.1"), nil, several(time.Second, "https://example.com/", "https://example.com:443/", "https://example.com:/"))
	add("HTTP/1.1, a name of another script", alpn("http/1.1"), nil, several(time.Second, "https://bücher.example/", "https://bücher.example/", "https://bücher.example/"))

	// Certificates.
	with := func(c func() tls.Certificate) road {
		return server(func(s *tls.Config) { s.Certificates = []tls.Certificate{c()} }, "h2", "http/1.1")
	}
	for name, r := range map[string]road{
		"of another name":         with(func() tls.Certificate { return pki().other }),
		"expired":                 with(func() tls.Certificate { return pki().expired }),
		"of an unknown authority": with(func() tls.Certificate { return pki().stranger }),
	} {
		add("certificate "+name, r, nil, several(0, secureURL))
		add("certificate "+name+", InsecureSkipVerify", r, config(func(c *tls.Config) { c.InsecureSkipVerify = true }), several(0, secureURL))
	}
	add("VerifyConnection refuses", alpn("h2"), config(func(c *tls.Config) {
		c.VerifyConnection = func(tls.ConnectionState) error { return errTest }
	}), several(0, secureURL))
	add("VerifyPeerCertificate refuses", alpn("h2"), config(func(c *tls.Config) {
		c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errTest }
	}), several(0, secureURL))
	for _, proto := range []string{"h2", "http/1.1"} {
		asks := server(func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, pki().roots }, proto)
		add("client certificate, "+proto, asks, config(func(c *tls.Config) { c.Certificates = []tls.Certificate{pki().client} }), nil)
		add("GetClientCertificate, "+proto, asks, config(func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { c := pki().client; return &c, nil }
		}), nil)
		add("client certificate that is missing, TLS 1.2, "+proto, server(func(c *tls.Config) {
			c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
		}, proto), nil, several(0, secureURL))
		add("resumption, "+proto, alpn(proto), func(tr *http.Transport) {
			tr.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(10)
			tr.DisableKeepAlives = true
		}, nil)
	}

	// Names (RFC 6066 3), versions and suites.
	for _, u := range []string{"https://192.0.2.1/", "https://[2001:db8::1]:8443/", "https://EXAMPLE.com:8443/", "https://example.com./"} {
		add("URL "+u, alpn("h2"), nil, several(0, u))
	}
	add("ServerName", alpn("h2"), config(func(c *tls.Config) { c.ServerName = "a.example" }), nil)
	rows = append(rows, trip{name: "TLS: Host is not the URL's", road: alpn("h2"), request: func(*tripNotes) *http.Request {
		r := newGet(secureURL)
		r.Host = "other.example"
		return r
	}})
	for v := uint16(tls.VersionTLS10); v <= tls.VersionTLS13; v++ {
		add(tls.VersionName(v), server(func(c *tls.Config) { c.MinVersion, c.MaxVersion = v, v }, "h2", "http/1.1"), nil, several(0, secureURL))
	}

	// Where there is no TLS.
	answer := func(s string) road {
		return road{http1: func(n *tripNotes, no int, nc net.Conn) {
			nc.Read(make([]byte, 1<<14))
			io.WriteString(nc, s)
			nc.Close()
		}}
	}
	client := func(n *tripNotes, rt http.RoundTripper) {
		res, err := (&http.Client{Transport: rt}).Get(secureURL)
		n.response("", nil, res, err)
	}
	add("a server of HTTP/1.1 in cleartext", answer("HTTP/1.1 400 Bad Request\r\n\r\n"), nil, several(0, secureURL))
	add("a server of HTTP/1.1 in cleartext, http.Client", answer("HTTP/1.1 400 Bad Request\r\n\r\n"), nil, client)
	add("a server of another protocol", answer("220 mail\r\n"), nil, client)
	add("closed in the handshake", answer(""), nil, client)
	silent := road{http1: func(n *tripNotes, no int, nc net.Conn) { io.Copy(io.Discard, nc) }}
	add("TLSHandshakeTimeout", silent, func(tr *http.Transport) { tr.TLSHandshakeTimeout = 3 * time.Second }, several(0, secureURL))
	add("TLSHandshakeTimeout of 15 s", road{tls: func(no int) *tls.Config {
		c := offering("h2")
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { time.Sleep(14 * time.Second); return nil, nil }
		return c
	}}, func(tr *http.Transport) { tr.TLSHandshakeTimeout = 15 * time.Second }, several(0, secureURL))
	add("http.Client.Timeout in the handshake", silent, nil, func(n *tripNotes, rt http.RoundTripper) {
		res, err := (&http.Client{Transport: rt, Timeout: time.Second}).Get(secureURL)
		n.response("", nil, res, err)
	})
	add("context ends in the handshake", silent, nil, func(n *tripNotes, rt http.RoundTripper) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n.trip("", rt, traced(n, newGet(secureURL)).WithContext(ctx))
	})

	// A body goes over as it would in cleartext.
	for _, proto := range []string{"h2", "http/1.1"} {
		for name, body := range map[string]func() io.Reader{
			"in memory": func() io.Reader { return strings.NewReader("content") },
			"a reader":  func() io.Reader { return struct{ io.Reader }{strings.NewReader("content")} },
			"long":      func() io.Reader { return strings.NewReader(pattern(100 << 10)) },
		} {
			add("POST, "+proto+", "+name, alpn(proto), nil, func(n *tripNotes, rt http.RoundTripper) {
				n.trip("", rt, newRequest("POST", secureURL, body()))
			})
		}
	}
	return rows
}
