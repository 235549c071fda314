package proxy

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/nonet-h2/nonet"
)

// maxMethod bounds a method: the longest registered has 17 octets.
const maxMethod = 32

// check finds out whether a request may be forwarded, and takes its target
// apart. It returns the status of the refusal, or 0.
func (h *Handler) check(x *exchange) (status int) {
	r := x.in
	switch {
	case !isToken(r.Method) || len(r.Method) > maxMethod:
		return http.StatusBadRequest
	case r.Method == http.MethodConnect, r.Method == http.MethodTrace:
		// No tunnels (RFC 9110 9.3.6); TRACE shows what the edge adds.
		return http.StatusNotImplemented
	case strings.ToUpper(r.Method) != r.Method:
		// Methods are case-sensitive (RFC 9110 9.1). A backend to which "head"
		// is HEAD would frame its response differently.
		return http.StatusNotImplemented
	case !x.target() || !validHost(r.Host):
		return http.StatusBadRequest
	case !x.maxForwards():
		return http.StatusBadRequest
	case r.ContentLength > 1<<62:
		return http.StatusBadRequest
	case !expected(r.Header["Expect"]):
		return http.StatusExpectationFailed
	case h.hosts != nil && !h.hosts[strings.ToLower(hostname(r.Host))]:
		return http.StatusMisdirectedRequest
	}
	return 0
}

// expected: RFC 9110 10.1.1 defines one expectation.
func expected(values []string) bool {
	return len(values) == 0 || len(values) == 1 && strings.EqualFold(values[0], "100-continue")
}

// target takes the request target apart as it came: net/http's URL is decoded
// and would be encoded differently. It must be an absolute path, or the
// asterisk of OPTIONS; the absolute form, which only HTTP/1.1 has, loses its
// scheme and authority (RFC 9112 3.2.2). Only visible ASCII is forwarded.
func (x *exchange) target() bool {
	r := x.in
	t := r.RequestURI
	for i := range len(t) {
		if t[i] <= ' ' || t[i] >= 0x7f || t[i] == '#' {
			return false
		}
	}
	if t == "*" {
		x.path = t
		return r.Method == http.MethodOptions
	}
	if !strings.HasPrefix(t, "/") {
		scheme, rest, ok := strings.Cut(t, "://")
		if !ok || r.ProtoMajor != 1 || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return false
		}
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		if rest[:end] != r.Host {
			// The authority has a user (RFC 9110 4.2.4) or no host (4.2.1).
			return false
		}
		switch t = rest[end:]; {
		case t == "" && r.Method == http.MethodOptions:
			t = "*" // RFC 9112 3.2.4
		case t == "" || t[0] == '?':
			t = "/" + t
		}
	}
	x.path, x.query = t, ""
	if i := strings.IndexByte(t, '?'); i >= 0 {
		x.path, x.query = t[:i], t[i:]
	}
	return !strings.HasPrefix(x.path, "//") || x.url("").EscapedPath() == x.path
}

// url returns the URL with which net/http writes the target as it was.
func (x *exchange) url(addr string) *url.URL {
	u := &url.URL{Scheme: "http", Host: addr, Opaque: x.path}
	if strings.HasPrefix(x.path, "//") {
		// In the opaque part this would be taken for an authority. The path
		// stands here only if it is what its decoding is encoded as.
		u.Opaque, u.RawPath = "", x.path
		u.Path, _ = url.PathUnescape(x.path)
	}
	if x.query != "" {
		u.RawQuery, u.ForceQuery = x.query[1:], true
	}
	return u
}

// validHost checks host [":" port] (RFC 9110 7.2): a name of letters, digits,
// "-", "." and "_", an IPv4 address, or an IPv6 address in brackets without a
// zone. What RFC 3986 also allows in a name, no name has.
func validHost(s string) bool {
	name, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		name, port = s[:i], s[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || len(port) > 5 {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return ok && err == nil && addr.Is6() && addr.Zone() == ""
	}
	for i := range len(name) {
		c := name[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return len(name) > 0 && len(name) <= 255
}

// hostname returns a valid host without its port.
func hostname(s string) string {
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		return s[:i]
	}
	return s
}

// isToken checks RFC 9110 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return len(s) > 0
}

// maxForwards takes Max-Forwards, which is for OPTIONS here (RFC 9110 7.6.2):
// TRACE is refused. It must be one number; one that is too large is taken for
// the largest there is.
func (x *exchange) maxForwards() bool {
	v := x.in.Header["Max-Forwards"]
	if x.hops = -1; x.in.Method != http.MethodOptions || v == nil {
		return true
	}
	n, err := strconv.ParseUint(v[0], 10, 31)
	x.hops = int64(n)
	return len(v) == 1 && (err == nil || errors.Is(err, strconv.ErrRange))
}

// rewrite makes the request that the backend gets. ReverseProxy has removed
// the fields of the connection and put back TE and Upgrade.
func (h *Handler) rewrite(p *httputil.ProxyRequest) {
	in, out := p.In, p.Out
	x := exchangeOf(in.Context())
	hdr := out.Header
	for name := range hdr {
		if !h.forwards(name) {
			delete(hdr, name)
		}
	}
	if cookies := hdr["Cookie"]; len(cookies) > 1 {
		hdr["Cookie"] = []string{strings.Join(cookies, "; ")} // RFC 9113 8.2.3
	}
	if x.hops > 0 {
		hdr.Set("Max-Forwards", strconv.FormatInt(x.hops-1, 10))
	}
	p.SetXForwarded()
	via := strconv.Itoa(in.ProtoMajor) + "." + strconv.Itoa(in.ProtoMinor) + " " + h.config.Via
	hdr["Via"] = append(hdr["Via"], via)

	hdr.Del("Connection")
	if upgrades(in) {
		hdr.Set("Connection", "Upgrade")
	} else {
		hdr.Del("Upgrade")
	}
	if hdr.Get("Te") != "" {
		// "A sender of TE MUST also send a "TE" connection option" (RFC 9110
		// 10.1.4).
		hdr.Add("Connection", "TE")
	}

	out.URL, out.Host = x.url(h.addr), in.Host
	out.Trailer = nil
	if out.Body == nil {
		return
	}
	announced := h.trailers(in.Trailer)
	if out.ContentLength < 0 || len(announced) > 0 {
		// Said here, so that net/http doesn't wait whether there is content.
		out.ContentLength, out.TransferEncoding = -1, []string{"chunked"}
		out.Trailer = announced
	}
}

// upgrades reports whether a request asks for a WebSocket in HTTP/1.1. A
// request with content, or for anything else, goes on without the upgrade, as
// if the edge did not know it (RFC 9110 7.8).
func upgrades(r *http.Request) bool {
	v := r.Header["Upgrade"]
	return r.ProtoMajor == 1 && r.ProtoMinor >= 1 && r.Method == http.MethodGet && r.ContentLength == 0 &&
		len(v) == 1 && strings.EqualFold(v[0], "websocket")
}

// forwards reports whether a field of the client's is for the backend. The
// fields of the connection are gone already.
func (h *Handler) forwards(name string) bool {
	if !h.config.KeepUnderscores && strings.Contains(name, "_") {
		return false
	}
	// Applications that take "_" for "-" must not take a client's claim for
	// what the edge says.
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	switch name {
	case "expect", "forwarded", "x-real-ip", "http2-settings", "host":
		return false
	}
	return !strings.HasPrefix(name, "x-forwarded")
}

// trailers returns those of the client's trailers that the backend may get.
func (h *Handler) trailers(src http.Header) http.Header {
	dst := make(http.Header)
	for name, values := range src {
		if h.forwards(name) && nonet.TrailerAllowed(name) {
			dst[name] = values
		}
	}
	return dst
}
