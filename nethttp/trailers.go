package nethttp

import (
	"errors"
	"net/http"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// ours is what is behind a ResponseWriter of this package.
type ours interface {
	supportsTrailers() bool
	declareTrailer(name string) error
	appendTrailer(name string, values []string) error
	reset(code frame.ErrCode) error
}

// find returns what is behind w, or behind what w wraps; nil: nothing of ours.
func find(w http.ResponseWriter) ours {
	for w != nil {
		if o, ok := w.(ours); ok {
			return o
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}

// SupportsTrailers reports whether trailers can be sent: on HTTP/2 until the
// response is complete, on HTTP/1.1 as long as the response can be sent in
// chunks. Never on HTTP/1.0, in answer to HEAD, and with status 204 or 304.
//
// Here and in the other functions w is the handler's, or one that leads to it
// by methods Unwrap() http.ResponseWriter.
func SupportsTrailers(w http.ResponseWriter) bool {
	o := find(w)
	return o != nil && o.supportsTrailers()
}

// DeclareTrailer adds a name to the "Trailer" field of the header section. It is
// optional on HTTP/2; on HTTP/1.1 it is how trailers get sent to a client that
// did not ask for them. A declared trailer may be missing in the end.
func DeclareTrailer(w http.ResponseWriter, name string) error {
	if o := find(w); o != nil {
		return o.declareTrailer(name)
	}
	return errors.ErrUnsupported
}

// AppendTrailer adds one trailer field for each value; none for no value. Names
// that RFC 9110 6.5.1 keeps out of trailers are an error:
// [nonet.ErrProhibitedTrailer].
func AppendTrailer(w http.ResponseWriter, name string, values ...string) error {
	if o := find(w); o != nil {
		return o.appendTrailer(name, values)
	}
	return errors.ErrUnsupported
}

// Reset ends the stream at once with RST_STREAM and this error code, whatever it
// is. What was written and not sent is dropped. It can be called from any
// goroutine. On HTTP/1.1, and for a w that is not of this package, it returns
// [errors.ErrUnsupported].
func Reset(w http.ResponseWriter, code frame.ErrCode) error {
	if o := find(w); o != nil {
		return o.reset(code)
	}
	return errors.ErrUnsupported
}

// checkTrailer checks a trailer's name.
func checkTrailer(name string) error {
	if err := hpack.CheckName(name); err != nil {
		return err
	}
	if !nonet.TrailerAllowed(name) {
		return nonet.ErrProhibitedTrailer
	}
	return nil
}

func (w *response) supportsTrailers() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.done && w.s.SupportsTrailers()
}

func (w *response) declareTrailer(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.done:
		return nonet.ErrResponseComplete
	case w.wrote:
		return nonet.ErrResponseStarted
	case !w.s.SupportsTrailers():
		return nonet.ErrTrailersNotSupported
	}
	if err := checkTrailer(name); err != nil {
		return err
	}
	w.Header().Add("Trailer", http.CanonicalHeaderKey(name))
	return nil
}

func (w *response) appendTrailer(name string, values []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return nonet.ErrResponseComplete
	}
	return streamErr(w.s, w.s.AppendTrailer(name, values...))
}

func (w *response) reset(code frame.ErrCode) error { return streamErr(w.s, w.s.Reset(code)) }
