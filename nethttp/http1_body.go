package nethttp

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/nonet-h2/nonet"
)

// serveHTTP1 calls the handler for a request of HTTP/1.1.
//
// After EnableFullDuplex net/http lets a request's content alone when the
// response begins, and goes on with the connection though content is left or had
// a fault: what comes then would be its next request (RFC 9112 9.3). So it is seen
// here how far the content was read.
func serveHTTP1(h http.Handler, w http.ResponseWriter, r *http.Request) {
	x := &http1Response{ResponseWriter: w, r: r}
	if r.Body != nil && r.Body != http.NoBody {
		x.r = r.WithContext(r.Context()) // net/http looks at the Body of its own
		x.body = &http1Body{ReadCloser: r.Body, of: r, shown: x.r}
		x.r.Body = x.body
	}
	h.ServeHTTP(x, x.r)
	r.MultipartForm = x.r.MultipartForm // net/http removes its files
	if !x.hijacked {
		x.start(http.StatusOK)
	}
}

// http1Body is the body of a request that has one.
type http1Body struct {
	io.ReadCloser
	of, shown *http.Request // net/http's, and the handler's
	whole     atomic.Bool   // all of it was read
}

func (b *http1Body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && !b.whole.Swap(true) {
		b.shown.Trailer = b.of.Trailer // those that were not announced are only there
	}
	return n, err
}

// EnableFullDuplex lets the handler read on when the response has begun. If content
// is left then, the connection ends with the response.
func (w *http1Response) EnableFullDuplex() error {
	if w.started {
		return nonet.ErrResponseStarted
	}
	w.duplex = true
	return http.NewResponseController(w.ResponseWriter).EnableFullDuplex()
}
