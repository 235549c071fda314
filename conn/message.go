package conn

import (
	"bytes"

	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/stream"
)

// requestFacts is what the engine itself needs to know of a request.
type requestFacts struct {
	length   int64 // content-length; -1: none declared
	head     bool
	priority Priority
}

// request checks what RFC 9113 8.3.1, 8.5 and 8.1.1 ask of a request's header
// section beyond single fields, which hpack checked. A request that is not ok
// is malformed.
func request(f *hpack.Fields, connect bool) (r requestFacts, ok bool) {
	r.length, r.priority = stream.NoContentLength, defaultPriority
	method, path, scheme, authority, host := -1, -1, -1, -1, -1 // places
	protocol := false
	for i := range f.Len() {
		switch f.Token(i) {
		case hpack.TokenMethod:
			method = i
		case hpack.TokenPath:
			path = i
		case hpack.TokenScheme:
			scheme = i
		case hpack.TokenAuthority:
			authority = i
		case hpack.TokenProtocol:
			protocol = true
		case hpack.TokenHost:
			if host >= 0 {
				return r, false
			}
			host = i
		case hpack.TokenContentLength:
			n, good := contentLength(f.Value(i))
			if !good || r.length >= 0 {
				return r, false
			}
			r.length = n
		case hpack.TokenPriority:
			r.priority = parsePriority(f.Value(i))
		}
	}
	if method < 0 {
		return r, false
	}
	switch m := f.Value(method); {
	case string(m) == "GET":
	case !isToken(m):
		return r, false
	case string(m) == "CONNECT":
		if !protocol {
			// RFC 9113 8.5: :scheme and :path MUST be omitted; :authority is the
			// host and port to connect to.
			r.length = stream.NoContentLength
			return r, scheme < 0 && path < 0 && authority >= 0 && goodTunnel(f.Value(authority))
		}
		if !connect {
			return r, false // RFC 8441 4: only after we allowed it
		}
		protocol = false
	case string(m) == "HEAD":
		r.head = true
	}
	if protocol || scheme < 0 || path < 0 {
		return r, false // RFC 8441 4: :protocol only with CONNECT
	}
	return r, goodScheme(f.Value(scheme)) && goodPath(f.Value(path), f.Value(method)) && goodTarget(f, authority, host)
}

// goodTunnel checks the :authority of CONNECT: host and port.
func goodTunnel(a []byte) bool { return goodAuthority(a) && bytes.IndexByte(a, ':') > 0 }

// goodTarget checks :authority and Host: one of them at least, neither of them
// empty or with userinfo, and both the same (RFC 9113 8.3.1).
func goodTarget(f *hpack.Fields, authority, host int) bool {
	if authority >= 0 && !goodAuthority(f.Value(authority)) {
		return false
	}
	if host < 0 {
		return authority >= 0
	}
	h := f.Value(host)
	return goodAuthority(h) && (authority < 0 || bytes.EqualFold(f.Value(authority), h))
}

// goodAuthority checks the form host[:port] of RFC 3986 3.2 loosely: what
// could be taken for something else is refused.
func goodAuthority(a []byte) bool {
	return len(a) > 0 && all(a, ofAuthority)
}

// goodScheme checks RFC 3986 3.1.
func goodScheme(s []byte) bool {
	return string(s) == "https" || string(s) == "http" || len(s) > 0 && octets[s[0]]&alpha != 0 && all(s, ofScheme)
}

// goodPath checks :path: an absolute path, or the asterisk of OPTIONS, with
// nothing in it that ends a request target elsewhere (RFC 9113 8.3.1).
func goodPath(p, method []byte) bool {
	if len(p) == 0 {
		return false
	}
	if p[0] != '/' {
		return string(p) == "*" && string(method) == "OPTIONS"
	}
	return all(p, ofPath)
}

// maxMethod bounds the length of a method: the longest registered has 17 octets.
const maxMethod = 32

// isToken checks RFC 9110 5.6.2.
func isToken(s []byte) bool {
	return len(s) > 0 && len(s) <= maxMethod && all(s, ofToken)
}

// contentLength parses 1*DIGIT (RFC 9110 8.6), at most 18 digits.
func contentLength(v []byte) (n int64, ok bool) {
	if len(v) == 0 || len(v) > 18 {
		return 0, false
	}
	for _, b := range v {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = n*10 + int64(b-'0')
	}
	return n, true
}

// response checks a response's header section: exactly three digits of
// :status, not 101 (RFC 9113 8.3.2, 8.6), at most one content-length.
func response(f *hpack.Fields) (status int, length int64, ok bool) {
	length = stream.NoContentLength
	v := f.Get(hpack.TokenStatus)
	if len(v) != 3 {
		return 0, 0, false
	}
	for _, b := range v {
		if b < '0' || b > '9' {
			return 0, 0, false
		}
		status = status*10 + int(b-'0')
	}
	for i := range f.Len() {
		if f.Token(i) != hpack.TokenContentLength {
			continue
		}
		n, good := contentLength(f.Value(i))
		if !good || length >= 0 {
			return 0, 0, false
		}
		length = n
	}
	return status, length, status >= 100 && status != 101
}
