package nethttp_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// TestTransportAllocations: a request and its response cost at most 20
// allocations, a GET 8, what the server does included, which is next to nothing. Over
// TLS there are a few more: crypto/tls makes a reader for each of its reads.
func TestTransportAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := &nonet.Server{TLSConfig: config{tls: true}.tlsConfig(), Handler: func(s nonet.Stream) {
		if s.Method() == "POST" {
			io.Copy(io.Discard, s)
		}
		s.SetField("content-type", "text/plain")
		s.WriteString("hello world\n")
	}}
	listen := func(serve func(net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		go serve(l)
		return l.Addr().String()
	}
	clear, secure := "http://"+listen(s.Serve)+"/hello", "https://"+listen(s.ServeTLS)+"/hello"
	defer s.Close()
	insecure := &tls.Config{InsecureSkipVerify: true}
	direct := &nethttp.Transport{PriorKnowledge: true, Base: &http.Transport{TLSClientConfig: insecure}}
	dialing := &nethttp.Transport{Base: &http.Transport{DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return tls.Dial(network, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	}}}
	defer direct.CloseIdleConnections()
	defer dialing.CloseIdleConnections()
	buf := make([]byte, 100)
	get := newGet(clear)
	getTLS := newGet(secure)
	for _, tt := range []struct {
		name string
		most float64
		run  func()
	}{
		{"GET", 8, func() { exchangeWith(t, direct, get, buf) }},
		{"GET over TLS", 12, func() { exchangeWith(t, direct, getTLS, buf) }},
		{"GET, DialTLSContext", 14, func() { exchangeWith(t, dialing, getTLS, buf) }},
		{"POST of 7 octets", 20, func() { exchangeWith(t, direct, newRequest("POST", clear, strings.NewReader("content")), buf) }},
		{"POST of 7 octets over TLS", 22, func() { exchangeWith(t, direct, newRequest("POST", secure, strings.NewReader("content")), buf) }},
		{"POST of a reader", 20, func() {
			exchangeWith(t, direct, newRequest("POST", clear, struct{ io.Reader }{strings.NewReader("content")}), buf)
		}},
	} {
		for range 100 {
			tt.run()
		}
		n := testing.AllocsPerRun(500, tt.run)
		t.Logf("%s: %.1f allocations", tt.name, n)
		if n > tt.most {
			t.Errorf("%s: %.1f allocations, want at most %v", tt.name, n, tt.most)
		}
	}
}

func exchangeWith(t *testing.T, rt http.RoundTripper, r *http.Request, buf []byte) {
	res, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = res.Body.Read(buf)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	res.Body.Close()
}
