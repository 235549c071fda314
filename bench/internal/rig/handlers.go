package rig

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nonet-h2/nonet"
)

// routes are the same for every kind of server:
//
//	/hello    12 octets
//	/bytes/N  N octets
//	/sink     reads the content, answers with its length
//	/echo     sends back what comes, as it comes
//	/slow     12 octets, every fifth time after a millisecond
//	/burn     12 octets after 20 µs of work

// route splits a path, and allocates nothing.
func route(path string) (string, int) {
	if count, ok := strings.CutPrefix(path, "/bytes/"); ok {
		n, _ := strconv.Atoi(count)
		return "/bytes", n
	}
	return path, 0
}

// StreamHandler answers with package nonet's streams.
func StreamHandler(s nonet.Stream) {
	s.SetField("content-type", "text/plain")
	path, n := route(string(s.Path()))
	switch path {
	case "/bytes":
		s.SetField("content-length", strconv.Itoa(n))
		for n > 0 {
			k, err := s.Write(zeros[:min(n, len(zeros))])
			if err != nil {
				return
			}
			n -= k
		}
	case "/sink":
		buf := make([]byte, 16<<10)
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
		s.WriteString(HelloText)
	case "/burn":
		burn()
		s.WriteString(HelloText)
	default:
		s.WriteString(HelloText)
	}
}

// HTTPHandler answers as a handler of net/http.
func HTTPHandler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	path, n := route(r.URL.Path)
	switch path {
	case "/bytes":
		w.Header().Set("Content-Length", strconv.Itoa(n))
		for n > 0 {
			k, err := w.Write(zeros[:min(n, len(zeros))])
			if err != nil {
				return
			}
			n -= k
		}
	case "/sink":
		buf := make([]byte, 16<<10)
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
		io.WriteString(w, HelloText)
	case "/burn":
		burn()
		io.WriteString(w, HelloText)
	default:
		io.WriteString(w, HelloText)
	}
}

func multiply(n int) (x uint64) {
	x = 1
	for i := range n {
		x = x*6364136223846793005 + uint64(i)
	}
	return x
}

var burnt atomic.Uint64

var turn atomic.Int64

// slow takes a millisecond every fifth time.
func slow() {
	if turn.Add(1)%5 == 0 {
		time.Sleep(time.Millisecond)
	}
}
