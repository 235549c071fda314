package nethttp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// proxied sets a proxy.
func proxied(u string) func(tr *http.Transport) {
	to, err := url.Parse(u)
	if err != nil {
		panic(err)
	}
	return func(tr *http.Transport) { tr.Proxy = http.ProxyURL(to) }
}

// tripProxies are about proxies.
func tripProxies() (rows []trip) {
	add := func(name string, r road, base func(tr *http.Transport), urls ...string) {
		if urls == nil {
			urls = []string{secureURL, secureURL}
		}
		rows = append(rows, trip{name: "proxy: " + name, road: r, base: base, act: several(time.Second, urls...)})
	}
	behind := func(proxy func(*tripNotes, int, net.Conn) net.Conn, protos ...string) road {
		r := alpn(protos...)
		r.proxy = proxy
		return r
	}
	// A proxy that is spoken to over TLS.
	secureProxy := func(protos ...string) func(*tripNotes, int, net.Conn) net.Conn {
		return func(n *tripNotes, no int, nc net.Conn) net.Conn {
			tc := secured(n, no, "proxy tls", nc, offering(protos...))
			if tc == nil {
				return nil
			}
			return httpProxy(n, no, tc)
		}
	}
	for _, proto := range []string{"h2", "http/1.1"} {
		add("http, to "+proto, behind(httpProxy, proto), proxied("http://proxy.example:3128"))
		add("http with credentials, to "+proto, behind(httpProxy, proto), proxied("http://us%3Aer:pass%20word@proxy.example"))
		add("https, to "+proto, behind(secureProxy(), proto), proxied("https://proxy.example"))
		add("https with credentials, to "+proto, behind(secureProxy("http/1.1"), proto), proxied("https://user:secret@proxy.example:8443"))
		add("socks5, to "+proto, behind(socksProxy, proto), proxied("socks5://proxy.example:1080"))
		add("socks5 with credentials, to "+proto, behind(socksProxy, proto), proxied("socks5://user:secret@proxy.example:1080"))
		add("socks5h by address, to "+proto, behind(socksProxy, proto), proxied("socks5h://proxy.example:1080"), "https://192.0.2.1/")
	}
	add("http, for http", behind(httpProxy), proxied("http://user:secret@proxy.example"), "http://example.com/a?b", "http://example.net/")
	add("https, for http", behind(secureProxy("http/1.1")), proxied("https://proxy.example"), "http://example.com/a?b")
	add("http, which forbids it", behind(httpProxy), proxied("http://proxy.example"), "https://forbidden.example/")
	add("https, which forbids it", behind(secureProxy()), proxied("https://proxy.example"), "https://forbidden.example/")
	add("socks5, which forbids it", behind(socksProxy), proxied("socks5://proxy.example"), "https://forbidden.example/")
	add("socks5, wrong password", behind(socksProxy), proxied("socks5://user:wrong@proxy.example"), secureURL)
	add("https with a wrong certificate", behind(secureProxy()), proxied("https://proxy.test"), secureURL)
	add("https that is silent", behind(func(n *tripNotes, no int, nc net.Conn) net.Conn { io.Copy(io.Discard, nc); return nil }),
		func(tr *http.Transport) { proxied("https://proxy.example")(tr); tr.TLSHandshakeTimeout = time.Second }, secureURL)
	add("a server behind it with a wrong certificate", behind(httpProxy, "h2"), proxied("http://proxy.example"), "https://other.test2/")
	add("of an unknown scheme", behind(httpProxy), proxied("ftp://proxy.example"), secureURL)
	add("ProxyConnectHeader", behind(httpProxy, "h2"), func(tr *http.Transport) {
		proxied("http://proxy.example")(tr)
		tr.ProxyConnectHeader = http.Header{"X-For": {"proxy"}}
	})
	add("GetProxyConnectHeader", behind(httpProxy, "h2"), func(tr *http.Transport) {
		proxied("http://proxy.example")(tr)
		tr.GetProxyConnectHeader = func(_ context.Context, u *url.URL, target string) (http.Header, error) {
			return http.Header{"X-For": {u.Host, target}}, nil
		}
	})
	add("OnProxyConnectResponse", behind(httpProxy, "h2"), func(tr *http.Transport) {
		proxied("http://proxy.example")(tr)
		tr.OnProxyConnectResponse = func(context.Context, *url.URL, *http.Request, *http.Response) error { return errTest }
	}, secureURL)
	add("Proxy fails", behind(httpProxy, "h2"), func(tr *http.Transport) {
		tr.Proxy = func(*http.Request) (*url.URL, error) { return nil, errTest }
	}, secureURL, "http://example.com/")
	add("Proxy says none", alpn("h2"), func(tr *http.Transport) { tr.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil } })
	add("DialTLSContext beside a proxy", behind(httpProxy, "h2"), func(tr *http.Transport) {
		proxied("http://proxy.example")(tr)
		tr.DialTLSContext = func(context.Context, string, string) (net.Conn, error) { return nil, errTest }
	})
	add("MaxConnsPerHost", behind(httpProxy, "h2"), func(tr *http.Transport) { proxied("http://proxy.example")(tr); tr.MaxConnsPerHost = 1 })
	rows = append(rows, trip{name: "proxy: a body", road: behind(httpProxy, "h2"), base: proxied("http://proxy.example"),
		request: func(n *tripNotes) *http.Request {
			return newRequest("POST", secureURL, watched{strings.NewReader("content"), n})
		}})
	rows = append(rows, trip{name: "proxy: Request.Close", road: behind(httpProxy, "h2"), base: proxied("http://proxy.example"),
		act: func(n *tripNotes, rt http.RoundTripper) {
			for i := range 2 {
				r := newGet(secureURL)
				r.Close = true
				n.trip(fmt.Sprint("request ", i, "."), rt, r)
				time.Sleep(time.Second)
			}
		}})
	return rows
}

// tripDials are about dials of the program's own.
func tripDials() (rows []trip) {
	add := func(name string, r road, base func(tr *http.Transport), urls ...string) {
		if urls == nil {
			urls = []string{secureURL, secureURL}
		}
		rows = append(rows, trip{name: "dial: " + name, road: r, base: base, act: several(time.Second, urls...)})
	}
	failing := road{dial: func(context.Context, string) error { return errTest }}
	add("DialContext fails", failing, nil)
	add("DialContext fails, http", failing, nil, "http://example.com/")
	timeout := road{dial: func(context.Context, string) error { return &net.OpError{Op: "dial", Net: "tcp", Err: errTimeout{}} }}
	add("DialContext times out", timeout, nil, secureURL)
	rows = append(rows, trip{name: "dial: DialContext fails, prior knowledge", road: failing, base: func(tr *http.Transport) {
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetUnencryptedHTTP2(true)
	}, act: several(0, "http://example.com/")})
	add("DialContext of 20 s", road{tls: alpn("h2").tls, dial: func(ctx context.Context, _ string) error {
		select {
		case <-time.After(20 * time.Second):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}, nil)
	rows = append(rows, trip{name: "dial: fails for a request with a body", road: failing, request: func(n *tripNotes) *http.Request {
		return newRequest("POST", secureURL, watched{strings.NewReader("content"), n})
	}})
	// A dial for TLS; how far says what it does itself.
	dialTLS := func(config func(c *tls.Config), how string) func(tr *http.Transport) {
		return func(tr *http.Transport) {
			dial := tr.DialContext
			tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				nc, err := dial(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				c := &tls.Config{RootCAs: pki().roots, ServerName: "a.example", NextProtos: []string{"h2", "http/1.1"}}
				if config != nil {
					config(c)
				}
				tc := tls.Client(nc, c)
				switch how {
				case "not done":
					return tc, nil
				case "wrapped":
					return struct{ net.Conn }{tc}, tc.HandshakeContext(ctx)
				}
				return tc, tc.HandshakeContext(ctx)
			}
		}
	}
	for _, how := range []string{"done", "not done"} {
		add("DialTLSContext, handshake "+how+", h2", alpn("h2"), dialTLS(nil, how))
		add("DialTLSContext, handshake "+how+", http/1.1", alpn("http/1.1"), dialTLS(nil, how))
		add("DialTLSContext, handshake "+how+", no ALPN", alpn(), dialTLS(func(c *tls.Config) { c.NextProtos = nil }, how))
	}
	add("DialTLSContext, another net.Conn", alpn("http/1.1"), dialTLS(nil, "wrapped"))
	add("DialTLSContext fails", alpn("h2"), func(tr *http.Transport) {
		tr.DialTLSContext = func(context.Context, string, string) (net.Conn, error) { return nil, errTest }
	}, secureURL)
	add("DialTLSContext, handshake fails", alpn("h2"), dialTLS(func(c *tls.Config) { c.ServerName = "wrong" }, "not done"), secureURL)
	add("DialTLS", alpn("h2"), func(tr *http.Transport) {
		dialTLS(nil, "done")(tr)
		dial := tr.DialTLSContext
		tr.DialTLSContext = nil
		//lint:ignore SA1019 it is what the row is about
		tr.DialTLS = func(network, addr string) (net.Conn, error) { return dial(context.Background(), network, addr) }
	})
	add("DialTLSContext and http", road{http1: serveHTTP1}, dialTLS(nil, "done"), "http://example.com/")

	// Servers that refuse to serve, on connections that net/http has made.
	refusing := func(times int) func(o *origin) {
		return func(o *origin) {
			o.hello()
			for i := 0; ; i++ {
				id := o.whole()
				if i < times && o.no == 1 {
					o.reset(id, http2.ErrCodeRefusedStream)
				} else {
					o.ok(id)
				}
			}
		}
	}
	for name, body := range map[string]func(n *tripNotes) io.Reader{
		"no body": nil, "in memory": func(*tripNotes) io.Reader { return strings.NewReader("content") },
	} {
		rows = append(rows, trip{name: "dial: DialTLSContext, refused once, " + name, road: alpn("h2"), base: dialTLS(nil, "done"), serve: refusing(1),
			request: func(n *tripNotes) *http.Request {
				if body == nil {
					return newGet(secureURL)
				}
				return newRequest("POST", secureURL, body(n))
			}})
	}
	return rows
}

type errTimeout struct{}

func (errTimeout) Error() string   { return "too late" }
func (errTimeout) Timeout() bool   { return true }
func (errTimeout) Temporary() bool { return true }

// tripUpgrades are about requests that leave HTTP (RFC 9110 7.8), and those
// that use its streams for another protocol (RFC 8441).
func tripUpgrades() (rows []trip) {
	switching := func(answer string) func(n *tripNotes, no int, nc net.Conn) {
		return func(n *tripNotes, no int, nc net.Conn) {
			br := bufio.NewReader(nc)
			for r := readHTTP1(n, no, br); r != nil; r = readHTTP1(n, no, br) {
				io.WriteString(nc, answer)
				if strings.Contains(answer, " 101 ") {
					b, _ := br.ReadBytes('\n')
					nc.Write(append([]byte("echo "), b...))
					nc.Close()
					return
				}
			}
		}
	}
	const yes = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	const no = "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno"
	act := func(u string) func(n *tripNotes, rt http.RoundTripper) {
		return func(n *tripNotes, rt http.RoundTripper) {
			r := traced(n, newGet(u))
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
			res, err := rt.RoundTrip(r)
			if !n.response("", r, res, err) {
				return
			}
			rw, ok := res.Body.(io.ReadWriteCloser)
			n.add("can write", fmt.Sprint(ok))
			if res.StatusCode == http.StatusSwitchingProtocols && ok {
				_, err := io.WriteString(rw, "hello\n")
				n.add("write", kind(err))
			}
			n.body("", res)
		}
	}
	add := func(name string, r road, base func(tr *http.Transport), u string) {
		rows = append(rows, trip{name: "upgrade: " + name, road: r, base: base, act: act(u)})
	}
	for answer, name := range map[string]string{yes: "yes", no: "no"} {
		add("http, "+name, road{http1: switching(answer)}, nil, "http://example.com/chat")
		add("https, server of HTTP/1.1, "+name, road{tls: alpn("http/1.1").tls, http1: switching(answer)}, nil, "https://example.com/chat")
		add("https, server of both, "+name, road{tls: alpn("h2", "http/1.1").tls, http1: switching(answer)}, nil, "https://example.com/chat")
		add("through a proxy, "+name, road{tls: alpn("h2", "http/1.1").tls, proxy: httpProxy, http1: switching(answer)}, proxied("http://proxy.example"), "https://example.com/chat")
	}
	rows = append(rows, trip{name: "upgrade: beside HTTP/2", road: road{tls: alpn("h2", "http/1.1").tls, http1: switching(yes)}, act: func(n *tripNotes, rt http.RoundTripper) {
		several(0, secureURL)(n, rt)
		time.Sleep(time.Second)
		act("https://example.com/chat")(n, rt)
		time.Sleep(time.Second)
		n.trip("after.", rt, newGet(secureURL))
	}})

	// RFC 8441 3: the server's SETTINGS allow extended CONNECT.
	extended := func(name string, settings []http2.Setting, status string) {
		rows = append(rows, trip{name: "extended CONNECT: " + name, act: func(n *tripNotes, rt http.RoundTripper) {
			pr, pw := io.Pipe()
			r := newRequest("CONNECT", "http://example.com/chat?room=1", pr)
			r.Header.Set(":protocol", "websocket")
			r.Header.Set("Origin", "http://example.com")
			res, err := rt.RoundTrip(r)
			if !n.response("", r, res, err) {
				return
			}
			n.pings(2, pw, res)
		}, serve: func(o *origin) {
			o.hello(settings...)
			id := o.next()
			o.headers(id, status != "200", ":status", status)
			for i := range 2 {
				o.has(id, 6*(i+1))
				o.data(id, fmt.Sprint("pong ", i), false)
			}
			o.ended(id)
			o.data(id, "", true)
		}})
	}
	allowed := []http2.Setting{{ID: http2.SettingEnableConnectProtocol, Val: 1}}
	extended("allowed", allowed, "200")
	extended("not allowed", nil, "200")
	return rows
}

// tripKept are about connections that are kept, and how long things may take.
func tripKept() (rows []trip) {
	add := func(name string, r road, base func(tr *http.Transport), act func(n *tripNotes, rt http.RoundTripper)) {
		rows = append(rows, trip{name: "kept: " + name, road: r, base: base, act: act})
	}
	for _, proto := range []string{"h2", "http/1.1"} {
		add("IdleConnTimeout, in time, "+proto, alpn(proto), func(tr *http.Transport) { tr.IdleConnTimeout = 10 * time.Second }, several(9*time.Second, secureURL, secureURL))
		add("IdleConnTimeout, too late, "+proto, alpn(proto), func(tr *http.Transport) { tr.IdleConnTimeout = 10 * time.Second }, several(11*time.Second, secureURL, secureURL))
		add("no IdleConnTimeout, "+proto, alpn(proto), nil, several(time.Hour, secureURL, secureURL))
		add("DisableKeepAlives, "+proto, alpn(proto), func(tr *http.Transport) { tr.DisableKeepAlives = true }, several(time.Second, secureURL, secureURL))
		add("MaxIdleConns, "+proto, alpn(proto), func(tr *http.Transport) { tr.MaxIdleConns = 1 },
			several(time.Second, "https://a.example/", "https://b.example/", "https://a.example/", "https://b.example/"))
		add("MaxIdleConnsPerHost of -1, "+proto, alpn(proto), func(tr *http.Transport) { tr.MaxIdleConnsPerHost = -1 }, several(time.Second, secureURL, secureURL))
		add("CloseIdleConnections, "+proto, alpn(proto), nil, func(n *tripNotes, rt http.RoundTripper) {
			several(0, secureURL)(n, rt)
			time.Sleep(time.Second)
			rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
			time.Sleep(time.Second)
			n.trip("second.", rt, newGet(secureURL))
		})
		add("Request.Close, "+proto, alpn(proto), nil, func(n *tripNotes, rt http.RoundTripper) {
			for i := range 2 {
				r := newGet(secureURL)
				r.Close = true
				n.trip(fmt.Sprint("request ", i, "."), rt, r)
				time.Sleep(time.Second)
			}
		})
		// As wide as this they make 20 000 octets of a header section.
		wide := func(n int64) func(tr *http.Transport) {
			return func(tr *http.Transport) { tr.MaxResponseHeaderBytes = n }
		}
		for name, base := range map[string]func(tr *http.Transport){"of 10000": wide(10000), "of 100000": wide(100000)} {
			if name == "of 10000" && proto == "h2" {
				continue // see TestTransportRoads
			}
			rows = append(rows, trip{name: "kept: MaxResponseHeaderBytes " + name + ", " + proto, base: base, road: road{tls: alpn(proto).tls,
				http1: func(n *tripNotes, no int, nc net.Conn) {
					readHTTP1(n, no, bufio.NewReader(nc))
					io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: "+strings.Repeat("x", 20000)+"\r\n\r\nok")
				}},
				serve: func(o *origin) {
					o.hello()
					id := o.whole()
					o.headers(id, false, ":status", "200", "x-long", strings.Repeat("x", 20000))
					o.data(id, "ok", true)
				}, request: func(*tripNotes) *http.Request { return newGet(secureURL) }})
		}
		late := road{tls: alpn(proto).tls, http1: func(n *tripNotes, no int, nc net.Conn) { readHTTP1(n, no, bufio.NewReader(nc)) }}
		rows = append(rows, trip{name: "kept: ResponseHeaderTimeout, " + proto, road: late, base: func(tr *http.Transport) { tr.ResponseHeaderTimeout = time.Second },
			serve: func(o *origin) { o.hello(); o.whole() }, request: func(*tripNotes) *http.Request { return newGet(secureURL) }})
		rows = append(rows, trip{name: "kept: http.Client.Timeout, " + proto, road: late, serve: func(o *origin) { o.hello(); o.whole() },
			act: func(n *tripNotes, rt http.RoundTripper) {
				res, err := (&http.Client{Transport: rt, Timeout: time.Second}).Get(secureURL)
				n.response("", nil, res, err)
			}})
		rows = append(rows, trip{name: "kept: http.Client.Timeout in the content, " + proto, road: road{tls: alpn(proto).tls, http1: func(n *tripNotes, no int, nc net.Conn) {
			readHTTP1(n, no, bufio.NewReader(nc))
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncon")
		}}, serve: func(o *origin) {
			o.hello()
			id := o.whole()
			o.headers(id, false, ":status", "200", "content-length", "7")
			o.data(id, "con", false)
		}, act: func(n *tripNotes, rt http.RoundTripper) {
			res, err := (&http.Client{Transport: rt, Timeout: time.Second}).Get(secureURL)
			if err != nil {
				n.add("error", kind(err))
				return
			}
			_, err = io.ReadAll(res.Body)
			n.add("body.error", fmt.Sprint(errors.Is(err, context.DeadlineExceeded), err.(net.Error).Timeout()))
			n.add("close", kind(res.Body.Close()))
		}})
	}
	// Refused, on a connection of its own.
	rows = append(rows, trip{name: "kept: Request.Close, refused once, GetBody", serve: func(o *origin) {
		o.hello()
		if id := o.whole(); o.no == 1 {
			o.reset(id, http2.ErrCodeRefusedStream)
		} else {
			o.ok(id)
		}
		for {
			o.ok(o.whole())
		}
	}, request: func(n *tripNotes) *http.Request {
		r := newRequest("POST", "http://example.com/", strings.NewReader(pattern(20<<10)))
		r.Close = true
		return r
	}})
	return rows
}
