package nonet

import (
	"strconv"
	"strings"

	"github.com/nonet-h2/nonet/hpack"
)

// TrailerAllowed reports whether a field of this name, in any case, may stand
// in a trailer section. RFC 9110 6.5.1 keeps out what is needed for message
// framing, routing, request modifiers, authentication, response control and
// for processing the content; RFC 9113 8.2.2 what is specific to a connection,
// and 8.1 pseudo-header fields. Every kind of handler uses this one list.
func TrailerAllowed(name string) bool {
	var room [32]byte
	switch {
	case strings.HasPrefix(name, ":"):
		return false
	case len(name) > len(room): // no name of the list is so long
		return true
	}
	switch string(lower(room[:0], name)) {
	case
		// Framing.
		"transfer-encoding", "content-length", "trailer",
		// Routing.
		"host",
		// Request modifiers.
		"cache-control", "expect", "max-forwards", "pragma", "range", "te",
		"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
		// Authentication and the state that stands for it.
		"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate",
		"authentication-info", "proxy-authentication-info", "cookie", "set-cookie",
		// Response control.
		"age", "date", "expires", "location", "retry-after", "vary", "warning",
		// What the content is and how to process it.
		"content-encoding", "content-type", "content-range",
		// Connection-specific.
		"connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings":
		return false
	}
	return true
}

// SupportsTrailers reports whether trailers can be sent: on HTTP/2 until the
// response is complete, on HTTP/1.1 as long as the response can be sent in
// chunks. Never on HTTP/1.0, in answer to HEAD, and with status 204 or 304.
func (s Stream) SupportsTrailers() bool {
	st, err := s.writer()
	return err == nil && st.trailersPossible()
}

func (st *stream) trailersPossible() bool {
	if st.head || st.bodiless() {
		return false
	}
	return st.h1 == nil || st.h1.trailersPossible(st)
}

// DeclareTrailer adds a name to the "trailer" field of the response's header
// section. It is optional on HTTP/2; on HTTP/1.1 it is how trailers get sent
// to a client that did not ask for them. A declared trailer may be missing in
// the end.
func (s Stream) DeclareTrailer(name string) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	if err := checkTrailer(st, name); err != nil {
		return err
	}
	st.hdr.AddToken(hpack.TokenTrailer, strings.ToLower(name))
	st.declares = true
	return nil
}

// AppendTrailer adds one trailer field for each value; none for no value. The
// name is sent in lower case.
func (s Stream) AppendTrailer(name string, values ...string) error {
	st, err := s.writer()
	if err != nil {
		return err
	}
	return st.appendTrailer(name, values)
}

func (st *stream) appendTrailer(name string, values []string) error {
	if err := checkTrailer(st, name); err != nil {
		return err
	}
	if st.h1 != nil && !st.h1.trailerWanted(st, name) {
		return ErrTrailersNotSupported
	}
	for _, v := range values {
		if err := hpack.CheckValue(v); err != nil {
			return fieldError(err, name)
		}
	}
	for _, v := range values {
		st.rtl.Add(name, v)
	}
	return nil
}

func checkTrailer(st *stream, name string) error {
	if !st.trailersPossible() {
		return ErrTrailersNotSupported
	}
	if err := hpack.CheckName(name); err != nil {
		return fieldError(err, name)
	}
	if !TrailerAllowed(name) {
		return fieldError(ErrProhibitedTrailer, name)
	}
	return nil
}

// namedError says which field an error is about.
type namedError struct {
	err  error
	name string
}

func fieldError(err error, name string) error { return &namedError{err: err, name: name} }

func (e *namedError) Error() string { return e.err.Error() + ": " + strconv.Quote(e.name) }
func (e *namedError) Unwrap() error { return e.err }
