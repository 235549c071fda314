package nethttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// Trips whose other half net/http does not go, or goes another way on purpose.

func onlyHTTP2(tr *http.Transport) {
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP2(true)
}

// ownDial is a dial for TLS of the program's own.
func ownDial(tr *http.Transport) {
	dial := tr.DialContext
	tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return tls.Client(nc, &tls.Config{RootCAs: pki().roots, ServerName: "example.com", NextProtos: []string{"h2", "http/1.1"}}), nil
	}
}

// refuse answers every request with this code.
func refuse(o *origin) {
	o.hello()
	for {
		o.reset(o.whole(), http2.ErrCodeRefusedStream)
	}
}

// leave answers one request and leaves the next one out.
func leave(o *origin) {
	o.hello()
	id := o.whole()
	o.ok(id)
	o.next()
	o.goAway(id, http2.ErrCodeNo)
}

// soon lets the context of requests end.
func soon(request func(n *tripNotes) *http.Request) func(n *tripNotes) *http.Request {
	return func(n *tripNotes) *http.Request {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Millisecond)
		context.AfterFunc(ctx, cancel)
		return request(n).WithContext(ctx)
	}
}

// hangUp ends every connection at once.
func hangUp(o *origin) { o.nc.Close() }

func TestTransportRoads(t *testing.T) {
	upgrade := func(*tripNotes) *http.Request {
		r := newGet(secureURL)
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		return r
	}
	get := func(*tripNotes) *http.Request { return newGet(secureURL) }
	long := func(*tripNotes) *http.Request {
		return newRequest("POST", secureURL, strings.NewReader(pattern(100<<10)))
	}
	both := func(n *tripNotes, no int, nc net.Conn) net.Conn {
		tc := secured(n, no, "proxy tls", nc, offering("h2", "http/1.1"))
		if tc == nil || tc.ConnectionState().NegotiatedProtocol == "h2" {
			nc.Close()
			return nil
		}
		return httpProxy(n, no, tc)
	}
	behind := func(proxy func(*tripNotes, int, net.Conn) net.Conn) road {
		r := alpn("h2")
		r.proxy = proxy
		return r
	}
	type seen = map[string]string
	for _, tt := range []struct {
		trip
		want seen
	}{
		// Without HTTP1 in Protocols no request leaves in HTTP/1.1.
		{trip{name: "Protocols HTTP2, no ALPN", road: alpn(), base: onlyHTTP2, request: get}, seen{"error": "another", "http1 1.request": "", "dial 2": ""}},
		{trip{name: "Protocols HTTP2, upgrade", road: alpn("h2"), base: onlyHTTP2, request: upgrade}, seen{"error": "another", "dial 1": ""}},
		// RFC 9113 9.2.2, where the pool dials and where net/http does; the latter must
		// not keep such a connection.
		{trip{name: "TLS 1.2 with a suite that HTTP/2 prohibits", road: cbc(), act: several(time.Second, secureURL, secureURL)},
			seen{"request 1.error": "another", "request 2.error": "another", "1.field.:path": "", "dial 2": "tcp example.com:443", "dial 3": ""}},
		{trip{name: "the same, adopted", road: cbc(), base: ownDial, act: several(time.Second, secureURL, secureURL)},
			seen{"request 1.error": "another", "request 2.error": "another", "1.field.:path": "", "dial 2": "tcp example.com:443", "dial 3": ""}},
		// CONNECT is a request of HTTP/1.1, though the proxy would rather speak HTTP/2.
		{trip{name: "a proxy that prefers HTTP/2", road: behind(both), base: proxied("https://proxy.example"), act: several(time.Second, secureURL, secureURL)},
			seen{"http1 1.request": `CONNECT example.com:443 HTTP/1.1 host "example.com:443" body "" none`, "1.field.:path": "/a?b", "request 2.proto": "HTTP/2.0 2 0", "dial 2": ""}},
		// Of a header section that is too large the server is told, and the error says it.
		{trip{name: "MaxResponseHeaderBytes", road: alpn("h2"), request: get, base: func(tr *http.Transport) { tr.MaxResponseHeaderBytes = 10000 },
			serve: func(o *origin) {
				o.hello()
				o.headers(o.whole(), true, ":status", "200", "x-long", strings.Repeat("x", 20000))
			}}, seen{"error": "stream error ENHANCE_YOUR_CALM", "1.reset": "ENHANCE_YOUR_CALM"}},
		// Nobody is asked for ever.
		{trip{name: "refused for ever", road: alpn("h2"), serve: refuse, request: get},
			seen{"error": "stream error REFUSED_STREAM, stream error: stream ID 5; REFUSED_STREAM; received from peer", "dial 2": ""}},
		{trip{name: "refused for ever, a body", road: alpn("h2"), serve: refuse, request: long}, seen{"status": "", "dial 2": ""}},
		{trip{name: "refused for ever, adopted", road: alpn("h2"), serve: refuse, base: ownDial, request: get},
			seen{"error": "stream error REFUSED_STREAM, stream error: stream ID 11; REFUSED_STREAM; received from peer", "dial 2": ""}},
		{trip{name: "refused for ever, adopted, a body", road: alpn("h2"), serve: refuse, base: ownDial, request: long}, seen{"status": "", "dial 2": ""}},
		{trip{name: "closed for ever", road: alpn("h2"), serve: hangUp, request: get}, seen{"status": "", "dial 7": ""}},
		{trip{name: "closed for ever, a body", road: alpn("h2"), serve: hangUp, request: long}, seen{"status": "", "dial 19": ""}},
		{trip{name: "closed for ever, adopted", road: alpn("h2"), serve: hangUp, base: ownDial, request: get}, seen{"status": "", "dial 7": ""}},
		{trip{name: "closed for ever, adopted, a body", road: alpn("h2"), serve: hangUp, base: ownDial, request: long}, seen{"status": "", "dial 7": ""}},
		// A body that can't be had again is sent once.
		{trip{name: "refused, adopted, no GetBody", road: alpn("h2"), serve: refuse, base: ownDial, request: func(n *tripNotes) *http.Request {
			return newRequest("POST", secureURL, watched{strings.NewReader("content"), n})
		}}, seen{"error": "stream error REFUSED_STREAM, stream error: stream ID 1; REFUSED_STREAM; received from peer", "3.field.:path": "", "dial 2": "", "request body": "closed"}},
		// A connection that goes away while it is shared.
		{trip{name: "going away, adopted", road: alpn("h2"), serve: leave, base: ownDial, act: func(n *tripNotes, rt http.RoundTripper) {
			n.trip("first.", rt, newGet(secureURL))
			n.trip("second.", rt, newGet(secureURL))
			n.trip("third.", rt, newRequest("POST", secureURL, strings.NewReader(pattern(100<<10))))
			n.trip("fourth.", rt, newRequest("POST", secureURL, watched{strings.NewReader("content"), n}))
		}}, seen{"first.body": `"ok"`, "second.body": `"ok"`, "third.body": `"ok"`, "fourth.error": "stream error REFUSED_STREAM, stream error: stream ID 3; REFUSED_STREAM; received from peer", "request body": "closed",
			"connection 3.1.body": shown([]byte(pattern(100 << 10))), "dial 4": ""}},
		// The end of the context ends the tries.
		{trip{name: "refused until the context ends", road: alpn("h2"), serve: refuse, request: soon(long)}, seen{"error": "deadline, timeout"}},
		{trip{name: "refused until the context ends, adopted", road: alpn("h2"), serve: refuse, base: ownDial, request: soon(long)}, seen{"error": "deadline, timeout"}},
		// What would change the target is no URL.
		{trip{name: "a host with a path", request: func(*tripNotes) *http.Request {
			return &http.Request{URL: &url.URL{Scheme: "http", Host: "example.com/admin?", Path: "/"}, Header: make(http.Header)}
		}}, seen{"error": `http: invalid Host in request URL`, "dial 1": ""}},
		{trip{name: "a query with #", request: func(*tripNotes) *http.Request {
			return &http.Request{URL: &url.URL{Scheme: "http", Host: "example.com", Path: "/", RawQuery: "a#b"}, Header: make(http.Header)}
		}}, seen{"error": `http: invalid query in request URL`, "dial 1": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := runTrip(t, nonetTripper, tt.trip)
			for path, want := range tt.want {
				if got[path] != want {
					t.Errorf("%s is %q, want %q", path, got[path], want)
				}
			}
			if t.Failed() {
				t.Log(got)
			}
		})
	}
}

// cbc is a road to a server whose TLS is not good enough for HTTP/2.
func cbc() road {
	return road{tls: func(int) *tls.Config {
		c := offering("h2")
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		return c
	}}
}

// TestTransportSpare: a connection whose server chose HTTP/1.1 after the request
// that it was for had gone serves the next one, if that comes soon;
// CloseIdleConnections closes it.
func TestTransportSpare(t *testing.T) {
	for pause, dials := range map[time.Duration]int{time.Second: 1, 3 * time.Second: 2, time.Second / 4: 2} {
		var closed atomic.Bool
		got := runTrip(t, nonetTripper, trip{
			road: road{tls: func(int) *tls.Config {
				c := offering("http/1.1")
				c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { time.Sleep(time.Second); return nil, nil }
				return c
			}, http1: func(n *tripNotes, no int, nc net.Conn) {
				serveHTTP1(n, no, nc)
				closed.Store(true)
			}},
			act: func(n *tripNotes, rt http.RoundTripper) {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
				defer cancel()
				n.trip("gone.", rt, newGet(secureURL).WithContext(ctx))
				time.Sleep(time.Second/2 + pause)
				if pause == time.Second/4 {
					rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
					time.Sleep(time.Second / 4)
				}
				n.add("closed", fmt.Sprint(closed.Load()))
				n.trip("next.", rt, newGet(secureURL))
			}})
		for path, want := range map[string]string{
			"gone.error": "deadline, timeout", "next.body": `"ok"`, "next.proto": "HTTP/1.1 1 1", "closed": fmt.Sprint(dials == 2),
			fmt.Sprint("dial ", dials): "tcp example.com:443", fmt.Sprint("dial ", dials+1): "",
		} {
			if got[path] != want {
				t.Errorf("after %v: %s is %q, want %q", pause, path, got[path], want)
			}
		}
	}
}

// TestTransportAdopted: of the connections that two requests through a proxy
// dial at once one stays, all later requests share it, one that was given up
// takes it from nobody, Base.Proxy is asked once for each, and
// CloseIdleConnections closes it.
func TestTransportAdopted(t *testing.T) {
	var asked atomic.Int32
	var over atomic.Int32
	r := alpn("h2")
	r.proxy = httpProxy
	r.dial = func(context.Context, string) error { time.Sleep(time.Second); return nil } // so that there are two
	got := runTrip(t, nonetTripper, trip{road: r, base: func(tr *http.Transport) {
		proxied("http://proxy.example")(tr)
		tr.MaxIdleConnsPerHost = -1 // net/http keeps none
		to := tr.Proxy
		tr.Proxy = func(r *http.Request) (*url.URL, error) { asked.Add(1); return to(r) }
	}, serve: func(o *origin) {
		go func() { <-o.over; over.Add(1) }()
		o.serveOK()
	}, act: func(n *tripNotes, rt http.RoundTripper) {
		done := make(chan struct{})
		for i := range 2 {
			go func() { n.trip(fmt.Sprint("first ", i, "."), rt, newGet(secureURL)); done <- struct{}{} }()
		}
		<-done
		<-done
		time.Sleep(3 * time.Second) // longer than one waits for its first request
		n.add("live", fmt.Sprint(2-over.Load()))
		for i := range 3 {
			n.trip(fmt.Sprint("later ", i, "."), rt, newGet(secureURL))
			n.trip(fmt.Sprint("given up ", i, "."), rt, newGet(secureURL).WithContext(endedContext()))
		}
		n.add("asked", fmt.Sprint(asked.Load()))
		rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		time.Sleep(2 * time.Second)
		n.add("live at the end", fmt.Sprint(2-over.Load()))
		n.trip("at the end.", rt, newGet(secureURL))
	}})
	for path, want := range map[string]string{
		"first 0.body": `"ok"`, "first 1.body": `"ok"`, "later 2.body": `"ok"`, "asked": "8", "live": "1", "live at the end": "0",
		"at the end.body": `"ok"`, "dial 3": "tcp proxy.example:80", "dial 4": "",
	} {
		if got[path] != want {
			t.Errorf("%s is %q, want %q", path, got[path], want)
		}
	}
}

// TestTransportUnused: a connection whose request had gone when it was adopted is
// closed if no other comes.
func TestTransportUnused(t *testing.T) {
	var over atomic.Bool
	r := alpn("h2")
	r.proxy = func(n *tripNotes, no int, nc net.Conn) net.Conn { time.Sleep(time.Second); return httpProxy(n, no, nc) }
	got := runTrip(t, nonetTripper, trip{road: r, base: proxied("http://proxy.example"), serve: func(o *origin) {
		o.n.add("adopted", "yes")
		go func() { <-o.over; over.Store(true) }()
		o.serveOK()
	}, act: func(n *tripNotes, rt http.RoundTripper) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		n.trip("", rt, newGet(secureURL).WithContext(ctx))
		time.Sleep(2 * time.Second)
		n.add("over at first", fmt.Sprint(over.Load()))
		time.Sleep(3 * time.Second)
		n.add("over", fmt.Sprint(over.Load()))
	}})
	for path, want := range map[string]string{"error": "deadline, timeout", "adopted": "yes", "over at first": "false", "over": "true"} {
		if got[path] != want {
			t.Errorf("%s is %q, want %q", path, got[path], want)
		}
	}
}

// TestTransportClientSettings: what Client says of dials and TLS is for HTTP/1.1
// as well.
func TestTransportClientSettings(t *testing.T) {
	by := tripper{"by Client", func(base *http.Transport) http.RoundTripper {
		return &nethttp.Transport{Base: new(http.Transport), Client: nonet.ClientConfig{DialContext: base.DialContext, TLSConfig: base.TLSClientConfig}}
	}}
	for name, x := range map[string]trip{
		"HTTP/2.0": {road: alpn("h2"), act: several(0, secureURL)},
		"HTTP/1.1": {road: alpn("http/1.1"), act: several(0, secureURL)},
		"http":     {road: road{http1: serveHTTP1}, act: several(0, "http://example.com/")},
	} {
		if got := runTrip(t, by, x); got["request 1.body"] != `"ok"` || got["request 1.error"] != "none" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestTransportZero: the zero value is ready.
func TestTransportZero(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	defer s.Close()
	tr := new(nethttp.Transport)
	defer tr.CloseIdleConnections()
	res, err := tr.RoundTrip(newGet(s.URL))
	must(t, err)
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); string(b) != "HTTP/1.1" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := tr.RoundTrip(newGet("ftp://example.com/")); err == nil || err.Error() != "nethttp: unsupported protocol scheme ftp" {
		t.Error(err)
	}
}

// TestTransportHTTP2Config: what Base.HTTP2 says is in the SETTINGS.
func TestTransportHTTP2Config(t *testing.T) {
	var trace bytes.Buffer
	runTrip(t, tripper{"traced", func(base *http.Transport) http.RoundTripper {
		return &nethttp.Transport{Base: base, Client: nonet.ClientConfig{Trace: &trace}}
	}}, trip{base: func(tr *http.Transport) {
		tr.HTTP2 = &http.HTTP2Config{MaxDecoderHeaderTableSize: 8192, MaxReadFrameSize: 32768, MaxReceiveBufferPerStream: 12345,
			MaxReceiveBufferPerConnection: 1 << 20, SendPingTimeout: 7 * time.Second, PingTimeout: 3 * time.Second}
	}, serve: func(o *origin) { o.hello(); o.whole() },
		request: func(*tripNotes) *http.Request {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			context.AfterFunc(ctx, cancel)
			return newGet("http://example.com/").WithContext(ctx)
		}})
	for _, want := range []string{"HEADER_TABLE_SIZE=8192", "MAX_FRAME_SIZE=32768", "INITIAL_WINDOW_SIZE=12345", fmt.Sprint("increment=", 1<<20-65535)} {
		if !strings.Contains(trace.String(), want) {
			t.Errorf("%s is missing in\n%s", want, trace.String())
		}
	}
}
