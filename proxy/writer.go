package proxy

import (
	"bufio"
	"errors"
	"net"
	"net/http"
)

// writer is the response to the client, without what a server adds or
// ReverseProxy leaves out.
type writer struct {
	http.ResponseWriter
	x *exchange
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) WriteHeader(status int) {
	if hdr := w.Header(); status >= 200 {
		if len(hdr["Content-Type"]) == 0 {
			hdr["Content-Type"] = nil // not to be guessed
		}
		if w.x.in.ProtoMajor == 1 && !w.x.read.Load() {
			// What is left of the content, or follows its fault, must not be
			// taken for a request. With full duplex net/http doesn't see to it.
			hdr["Connection"] = []string{"close"}
		}
	}
	w.ResponseWriter.WriteHeader(status)
	if status >= 200 {
		clear(w.Header()) // what ReverseProxy puts there now are trailers
	}
}

// Hijack gives ReverseProxy, which looks at the connection only, what the
// client sent already.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return &hijacked{nc, brw.Reader}, brw, nil
}

// hijacked is a connection of which a part was read before.
type hijacked struct {
	net.Conn
	r *bufio.Reader
}

func (c *hijacked) Read(p []byte) (int, error) { return c.r.Read(p) }

// CloseWrite lets a tunnel end in one direction.
func (c *hijacked) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}
