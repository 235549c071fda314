package nethttp

import (
	"net/http"

	"github.com/nonet-h2/nonet/hpack"
)

// canonical are the names of tokens in net/http's form: a place for every value
// of hpack.Token.
var canonical = func() (names [1 << 8]string) {
	for t := range names {
		if name := hpack.Token(t).Name(); name != "" {
			names[t] = http.CanonicalHeaderKey(name)
		}
	}
	return names
}()

// headerName returns a field's name in net/http's form.
func headerName(t hpack.Token, name []byte) string {
	if t != hpack.TokenUnknown {
		return canonical[t]
	}
	return http.CanonicalHeaderKey(string(name))
}

// appendCanonical appends a name, which is valid and lower-case, in net/http's
// form.
func appendCanonical(dst, name []byte) []byte {
	upper := true
	for _, c := range name {
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper = c == '-'
		dst = append(dst, c)
	}
	return dst
}
