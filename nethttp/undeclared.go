package nethttp

import "net/http"

// Trailers returns the trailers of a request whose body was read to its end,
// those that it did not announce included. [http.Request] has only announced
// ones on HTTP/2, and does not say which others came. The Body must be the one
// that the server gave.
func Trailers(r *http.Request) http.Header {
	if b, ok := r.Body.(*http1Body); ok {
		return b.of.Trailer // all of them
	}
	b, ok := r.Body.(*body)
	if !ok {
		return r.Trailer
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return nil // they go with the handler
	}
	f := b.s.Trailers()
	if f.Len() == 0 {
		return nil
	}
	h := make(http.Header, f.Len())
	for i := range f.Len() {
		name := headerName(f.Token(i), f.Name(i))
		h[name] = append(h[name], string(f.Value(i)))
	}
	return h
}
