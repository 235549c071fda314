package nethttp

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/hpack"
)

// scratches hold the octets of a request before they become one string.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// joined returns the octets that become strings, in the order in which fill takes
// them, and how many fields are not pseudo-header fields.
func joined(f *hpack.Fields) (text string, regular int) {
	scratch := scratches.Get().(*[]byte)
	buf := (*scratch)[:0]
	for i := range f.Len() {
		t := f.Token(i)
		switch {
		case t == hpack.TokenMethod || t == hpack.TokenScheme || t == hpack.TokenHost:
			continue
		case t == hpack.TokenUnknown:
			buf = appendCanonical(buf, f.Name(i))
		}
		if !t.IsPseudo() {
			regular++
		}
		buf = append(buf, f.Value(i)...)
	}
	text = string(buf)
	*scratch = buf
	scratches.Put(scratch)
	return text, regular
}

// fill makes r the request of the stream, as net/http's HTTP/2 server does:
// r.Body, r.Trailer and the context are left to the caller. It reports whether
// the path can be parsed.
func (x *exchange) fill(r *http.Request, s nonet.Stream) bool {
	f := s.Fields()
	text, regular := joined(f)
	values := x.few[:0:len(x.few)]
	if regular > len(x.few) {
		values = make([]string, 0, regular)
	}
	h := make(http.Header, regular)
	var seen [2]uint64 // tokens
	var room [8]string
	crumbs := room[:0]
	protocol := ""
	for i := range f.Len() {
		t := f.Token(i)
		value := f.Value(i)
		if t == hpack.TokenMethod || t == hpack.TokenScheme || t == hpack.TokenHost {
			continue
		}
		name := ""
		if t == hpack.TokenUnknown {
			n := len(f.Name(i))
			name, text = text[:n], text[n:]
		}
		v := text[:len(value)]
		text = text[len(value):]
		switch t {
		case hpack.TokenPath:
			r.RequestURI = v
			continue
		case hpack.TokenAuthority:
			r.Host = v
			continue
		case hpack.TokenProtocol:
			protocol = v
			continue
		case hpack.TokenCookie:
			crumbs = append(crumbs, v)
			continue
		case hpack.TokenUnknown:
			if old, ok := h[name]; ok {
				h[name] = append(old, v)
				continue
			}
		default:
			name = canonical[t]
			if bit := uint64(1) << (t & 63); seen[t>>6]&bit != 0 {
				h[name] = append(h[name], v)
				continue
			} else {
				seen[t>>6] |= bit
			}
		}
		values = append(values, v)
		n := len(values)
		h[name] = values[n-1 : n : n]
	}
	if len(crumbs) > 0 {
		// RFC 9113 8.2.3: crumbs "MUST be concatenated into a single octet string
		// using the two-octet delimiter of 0x3b, 0x20".
		values = append(values, strings.Join(crumbs, "; "))
		n := len(values)
		h["Cookie"] = values[n-1 : n : n]
	}
	if r.Host == "" {
		r.Host = string(f.Get(hpack.TokenHost))
	}
	r.Method = s.Method()
	r.Header = h
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
	r.URL = &x.url
	if seen[0]&(1<<hpack.TokenExpect) != 0 && hasToken(h["Expect"], "100-continue") {
		delete(h, "Expect") // the engine answers it
	}
	if protocol != "" {
		h[":protocol"] = []string{protocol}
	}
	if r.Method == http.MethodConnect && protocol == "" {
		x.url.Host, r.RequestURI = r.Host, r.Host
		return true
	}
	return x.parse(r.RequestURI)
}

// parse parses the value of :path as url.ParseRequestURI does, and for those that
// stand for themselves without it.
func (x *exchange) parse(path string) bool {
	end := 0
	for end < len(path) && plain[path[end]] {
		end++
	}
	query := end
	for query < len(path) && path[query] > ' ' && path[query] != 0x7f {
		query++
	}
	if end == 0 || path[0] != '/' || query < len(path) || end < len(path) && path[end] != '?' {
		u, err := url.ParseRequestURI(path)
		if err == nil {
			x.url = *u
		}
		return err == nil
	}
	x.url.Path = path[:end]
	if end < len(path) {
		x.url.RawQuery = path[end+1:]
		x.url.ForceQuery = end+1 == len(path)
	}
	return true
}

// plain are the octets of a path that stand for themselves in every form of it.
var plain = func() (set [256]bool) {
	for c := range set {
		set[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("/-._~", byte(c)) >= 0
	}
	return set
}()

// hasToken reports whether a list field has the token.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for o := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.Trim(o, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// maxAnnounced bounds the names of r.Trailer: a field that HPACK's table holds
// could cost its sender an octet and us a map of thousands.
const maxAnnounced = 128

// announced returns the trailers that a request announces, the first 128 of them,
// and removes the field that did.
func announced(h http.Header) http.Header {
	list, ok := h["Trailer"]
	if !ok {
		return nil
	}
	var trailer http.Header
	for _, v := range list {
		for name := range strings.SplitSeq(v, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			switch name {
			case "", "Transfer-Encoding", "Trailer", "Content-Length":
				continue
			}
			if trailer == nil {
				trailer = make(http.Header)
			}
			if len(trailer) >= maxAnnounced {
				break
			}
			trailer[name] = nil
		}
	}
	delete(h, "Trailer")
	return trailer
}
