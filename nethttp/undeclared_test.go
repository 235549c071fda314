package nethttp

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
)

// TestTrailersOfRequest: r.Trailer has what was announced, Trailers all; after
// the handler they are gone.
func TestTrailersOfRequest(t *testing.T) {
	var kept *http.Request
	got := make(chan string, 1)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		kept = r
		got <- fmt.Sprint(r.Trailer, Trailers(r))
	})}
	go s.Serve(ln)
	defer s.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	io.WriteString(nc, http2.ClientPreface)
	fr := http2.NewFramer(nc, nc)
	fr.WriteSettings()
	// POST / with "trailer: x-a", and as trailers x-a: 1, x-b: 2, x-b: 3.
	head := "\x83\x86\x84\x41\x01h\x00\x07trailer\x03x-a"
	end := "\x00\x03x-a\x011\x00\x03x-b\x012\x00\x03x-b\x013"
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(head), EndHeaders: true})
	fr.WriteData(1, false, []byte("content"))
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(end), EndHeaders: true, EndStream: true})
	if text, want := <-got, "map[X-A:[1]] map[X-A:[1] X-B:[2 3]]"; text != want {
		t.Errorf("the handler sees %s, want %s", text, want)
	}
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := f.(*http2.HeadersFrame); ok && h.StreamEnded() {
			break
		}
	}
	s.Close()
	if h := Trailers(kept); h != nil {
		t.Errorf("after the handler: %v", h)
	}
	r := &http.Request{Body: http.NoBody, Trailer: http.Header{"X": {"1"}}}
	if h := Trailers(r); h.Get("X") != "1" {
		t.Errorf("of another server's request: %v", h)
	}
}
