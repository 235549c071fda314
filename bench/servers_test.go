package bench

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/nethttp"
	h2tls "github.com/nonet-h2/nonet/tls"
)

const (
	helloText  = "hello world\n"
	maxStreams = 1000 // that servers allow
)

// routes are the same for every kind of server:
//
//	/hello    12 octets
//	/bytes    as many octets as the field "n" says
//	/sink     reads the content, answers with its length
//	/echo     sends back what comes, as it comes
//	/slow     12 octets, every fifth time after a millisecond
//	/burn     12 octets after 20 µs of work

func streamHandler(s nonet.Stream) {
	s.SetField("content-type", "text/plain")
	switch path := s.Path(); string(path) {
	case "/bytes":
		n, _ := strconv.Atoi(string(s.Field("n")))
		s.SetField("content-length", strconv.Itoa(n))
		for n > 0 {
			k, err := s.Write(zeros[:min(n, len(zeros))])
			if err != nil {
				return
			}
			n -= k
		}
	case "/sink":
		n, buf := 0, make([]byte, 16<<10)
		for {
			k, err := s.Read(buf)
			if n += k; err != nil {
				break
			}
		}
		s.WriteString(strconv.Itoa(n))
	case "/echo":
		s.Flush()
		var buf [1 << 10]byte
		for {
			n, err := s.Read(buf[:])
			s.Write(buf[:n])
			s.Flush()
			if err != nil {
				return
			}
		}
	case "/slow":
		slow()
		s.WriteString(helloText)
	case "/burn":
		burn()
		s.WriteString(helloText)
	default:
		s.WriteString(helloText)
	}
}

func httpHandler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	switch r.URL.Path {
	case "/bytes":
		n, _ := strconv.Atoi(r.Header.Get("N"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		for n > 0 {
			k, err := w.Write(zeros[:min(n, len(zeros))])
			if err != nil {
				return
			}
			n -= k
		}
	case "/sink":
		n, buf := 0, make([]byte, 16<<10)
		for {
			k, err := r.Body.Read(buf)
			if n += k; err != nil {
				break
			}
		}
		io.WriteString(w, strconv.Itoa(n))
	case "/echo":
		f := w.(http.Flusher)
		f.Flush()
		var buf [1 << 10]byte
		for {
			n, err := r.Body.Read(buf[:])
			w.Write(buf[:n])
			f.Flush()
			if err != nil {
				return
			}
		}
	case "/slow":
		slow()
		io.WriteString(w, helloText)
	case "/burn":
		burn()
		io.WriteString(w, helloText)
	default:
		io.WriteString(w, helloText)
	}
}

// rounds is how many multiplications take about 20 µs.
var rounds = sync.OnceValue(func() int {
	n, start := 1<<20, time.Now()
	burnt.Store(multiply(n))
	return int(float64(n) * float64(20*time.Microsecond) / float64(time.Since(start)))
})

func multiply(n int) (x uint64) {
	x = 1
	for i := range n {
		x = x*6364136223846793005 + uint64(i)
	}
	return x
}

// burn works for about 20 µs.
func burn() { burnt.Store(multiply(rounds())) }

var burnt atomic.Uint64

// server is a kind of server on a loopback port.
type server struct {
	name  string
	serve func(net.Listener) error
	close func() error
}

func servers(secure bool) (ours []server, theirs server) {
	cert, err := h2tls.Development()
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	native := func(name string, s *nonet.Server) server {
		s.TLSConfig = config
		s.Limits = conn.Limits{MaxConcurrentStreams: maxStreams, Requests: -1}
		if secure {
			return server{name, s.ServeTLS, s.Close}
		}
		return server{name, s.Serve, s.Close}
	}
	adapted := &nethttp.Server{Handler: http.HandlerFunc(httpHandler), TLSConfig: config}
	adapted.Limits = conn.Limits{MaxConcurrentStreams: maxStreams, Requests: -1}
	ours = []server{
		native("stream", &nonet.Server{Handler: streamHandler}),
		native("inline", &nonet.Server{Inline: streamHandler}),
		{"nethttp", adapted.Serve, adapted.Close},
	}
	if secure {
		ours[2].serve = func(l net.Listener) error { return adapted.ServeTLS(l, "", "") }
	}
	h := &http.Server{
		Handler: http.HandlerFunc(httpHandler), TLSConfig: config.Clone(), Protocols: new(http.Protocols),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
	theirs = server{"net/http", h.Serve, h.Close}
	if secure {
		h.Protocols.SetHTTP2(true)
		theirs.serve = func(l net.Listener) error { return h.ServeTLS(l, "", "") }
	} else {
		h.Protocols.SetUnencryptedHTTP2(true)
	}
	return ours, theirs
}

// start runs a server until the test ends and returns its address.
func (s *server) start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.serve(l)
	t.Cleanup(func() { s.close() })
	return l.Addr().String()
}

var turn atomic.Int64

// slow takes a millisecond every fifth time.
func slow() {
	if turn.Add(1)%5 == 0 {
		time.Sleep(time.Millisecond)
	}
}
