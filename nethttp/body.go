package nethttp

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/nonet-h2/nonet"
)

// body is the body of a request. Read and Close may be called at the same time.
type body struct {
	s      nonet.Stream
	closed atomic.Bool

	mu      sync.Mutex // held while reading
	done    bool       // the handler has returned
	err     error      // what reading ended with
	trailer http.Header
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed.Load() || b.done:
		return 0, errBodyClosed
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		b.s.Continue()
		return 0, nil
	}
	n, err := b.s.Read(p)
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		b.fillTrailer()
		b.err = err
	case err == nonet.ErrStale:
		b.err = errBodyClosed
	default:
		b.err = streamErr(b.s, err)
	}
	return n, b.err
}

// fillTrailer gives the announced trailers their values.
func (b *body) fillTrailer() {
	if b.trailer == nil {
		return
	}
	f := b.s.Trailers()
	for i := range f.Len() {
		name := headerName(f.Token(i), f.Name(i))
		if _, ok := b.trailer[name]; ok && nonet.TrailerAllowed(name) {
			b.trailer[name] = append(b.trailer[name], string(f.Value(i)))
		}
	}
}

// Close makes reads fail, those that wait too. What comes is thrown away.
func (b *body) Close() error {
	if !b.closed.Swap(true) {
		b.s.CloseRead(errBodyClosed, false)
	}
	return nil
}

// finish ends the body with the handler: no read is in it any more.
func (b *body) finish() {
	b.s.CloseRead(errBodyClosed, false)
	b.mu.Lock()
	b.done = true
	b.mu.Unlock()
}
