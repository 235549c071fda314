package nonet_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// A server and a handler. The same port speaks HTTP/2 and HTTP/1.1.
func Example() {
	srv := &nonet.Server{Handler: func(s nonet.Stream) {
		s.SetField("content-type", "text/plain")
		s.DeclareTrailer("x-octets")
		n, _ := fmt.Fprintf(s, "%s by %s\n", s.Path(), s.Protocol())
		s.AppendTrailer("x-octets", fmt.Sprint(n))
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go srv.Serve(l)
	defer srv.Shutdown(context.Background())

	body, trailers := get("http://" + l.Addr().String() + "/hello")
	fmt.Print(body, trailers)
	// Output:
	// /hello by HTTP/2
	// map[X-Octets:[17]]
}

// A client. Content flows in both directions at once if a goroutine writes
// while another reads.
func ExampleClient() {
	srv := &nonet.Server{Handler: func(s nonet.Stream) {
		n, _ := io.Copy(s, s)
		s.AppendTrailer("x-octets", fmt.Sprint(n))
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go srv.Serve(l)
	defer srv.Close()

	var client nonet.Client
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := client.Request(ctx, "POST", "http://"+l.Addr().String()+"/echo")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	s.SetField("content-type", "text/plain")
	s.WriteString("hello\n")
	s.CloseWrite()

	status, err := s.Response()
	if err != nil {
		log.Fatal(err)
	}
	content, err := io.ReadAll(s)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d %sx-octets: %s\n", status, content, s.Trailers().GetName("x-octets"))

	// What the connection is doing.
	for _, c := range client.Snapshot() {
		fmt.Println("requests:", c.Opened, "limit:", c.Peer.MaxConcurrentStreams)
	}
	// Output:
	// 200 hello
	// x-octets: 6
	// requests: 1 limit: 100
}

// get is a GET over cleartext HTTP/2.
func get(url string) (body string, trailers http.Header) {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	return string(b), res.Trailer
}

// The core without the driver: a connection is a value. Octets and time go in,
// events and octets come out; sockets, goroutines and clocks are the caller's.
func Example_core() {
	c := conn.New(conn.Config{Role: conn.Server}, 0)

	// What a client sends: its preface, SETTINGS, and GET / on stream 1.
	input := frame.AppendSettings([]byte(frame.Preface))
	input = frame.AppendHeaders(input, 1, []byte("\x82\x84\x86\x41\x01a"), true, frame.MinMaxFrameSize)

	var request, response hpack.Fields
	var now time.Duration
	for len(input) > 0 {
		ev, n, err := c.Next(now, input, &request)
		if err != nil {
			log.Fatal(err)
		}
		input = input[n:]
		if ev.Kind == conn.Headers {
			fmt.Printf("stream %d: %s %s\n", ev.Ref.ID, request.Get(hpack.TokenMethod), request.Get(hpack.TokenPath))
			response.AddToken(hpack.TokenStatus, "200")
			c.Headers(ev.Ref, &response, false)
			c.Queue(ev.Ref, len("hello\n"), true)
			c.Release(ev.Ref)
		}
	}

	// What goes to the client; the payload is where it always was.
	var out conn.Batch
	c.Emit(now, &out, 64<<10)
	for b := out.Buf; len(b) > 0; {
		h := frame.ParseHeader(b)
		fmt.Println(h)
		b = b[frame.HeaderLen:]
		if h.Type != frame.TypeData {
			b = b[h.Length:]
		}
	}
	// Output:
	// stream 1: GET /
	// SETTINGS stream=0 len=24
	// SETTINGS stream=0 len=0 flags=ACK
	// WINDOW_UPDATE stream=0 len=4
	// HEADERS stream=1 len=1 flags=END_HEADERS
	// DATA stream=1 len=6 flags=END_STREAM
}
