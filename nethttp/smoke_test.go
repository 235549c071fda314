package nethttp

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestSmoke(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-T")
		b, err := io.ReadAll(r.Body)
		io.WriteString(w, r.Proto+" "+r.Host+" "+r.URL.String()+" "+string(b))
		w.Header().Set("X-T", "v")
		t.Log(r.Header, err, r.Trailer, r.RemoteAddr, r.Context().Value(http.LocalAddrContextKey), r.Context().Value(http.ServerContextKey) != nil, SupportsTrailers(w))
	})
	s := &Server{Handler: h}
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go s.Serve(l)
	hs := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	hs.Protocols.SetHTTP1(true)
	hs.Protocols.SetUnencryptedHTTP2(true)
	ConfigureServer(hs)
	l2, _ := net.Listen("tcp", "127.0.0.1:0")
	go hs.Serve(l2)
	for _, http2 := range []bool{false, true} {
		tr := &http.Transport{Protocols: new(http.Protocols)}
		tr.Protocols.SetHTTP1(!http2)
		tr.Protocols.SetUnencryptedHTTP2(http2)
		for _, l := range []net.Listener{l, l2} {
			resp, err := (&http.Client{Transport: tr}).Post("http://"+l.Addr().String()+"/a/b?c=%20", "text/x", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			t.Log(resp.Header, string(b), err, resp.Trailer)
		}
	}
	s.Close()
	hs.Close()
}
