package nethttp_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// TestTransportAllocations: a GET and its response cost at most 8
// allocations, what the server does included, which is nothing.
func TestTransportAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := &nonet.Server{Handler: func(s nonet.Stream) {
		s.SetField("content-type", "text/plain")
		s.WriteString("hello world\n")
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go s.Serve(l)
	defer s.Close()
	tr := &nethttp.Transport{PriorKnowledge: true}
	defer tr.CloseIdleConnections()
	buf := make([]byte, 100)
	get := newGet("http://" + l.Addr().String() + "/hello")
	for name, run := range map[string]func(){
		"GET": func() { exchangeWith(t, tr, get, buf) },
		"POST of 7 octets": func() {
			exchangeWith(t, tr, newRequest("POST", "http://"+l.Addr().String()+"/hello", strings.NewReader("content")), buf)
		},
	} {
		for range 100 {
			run()
		}
		n := testing.AllocsPerRun(500, run)
		t.Logf("%s: %.1f allocations", name, n)
		if limit := map[string]float64{"GET": 8}[name]; limit > 0 && n > limit {
			t.Errorf("%s: %.1f allocations, want at most %v", name, n, limit)
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
