package nethttp

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/hpack"
)

var (
	errBodyTooLong            = errors.New("nethttp: request body larger than specified content length")
	errCanceled               = errors.New("net/http: request canceled")
	errHeaderTimeout    error = timeout("nethttp: timeout awaiting response headers")
	errHandshakeTimeout error = timeout("net/http: TLS handshake timeout")
	errStop                   = errors.New("nethttp: the server does not want the rest of the body")
)

// timeout is how net/http reports Base.ResponseHeaderTimeout and
// Base.TLSHandshakeTimeout.
type timeout string

func (e timeout) Error() string { return string(e) }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// userAgent is what net/http says of itself; servers know it.
const userAgent = "Go-http-client/2.0"

// checkRequest finds what must not be sent, before anything is.
func checkRequest(req *http.Request) error {
	switch {
	case req.URL == nil:
		return errors.New("http: nil Request.URL")
	case req.Header == nil:
		return errors.New("http: nil Request.Header")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return nil
	case req.Method != "" && hpack.CheckName(req.Method) != nil:
		return fmt.Errorf("net/http: invalid method %q", req.Method)
	case req.URL.Host == "":
		return errors.New("http: no Host in request URL")
	case req.URL.Opaque != "" && !strings.HasPrefix(opaquePath(req.URL), "/"):
		return fmt.Errorf("nethttp: invalid request path %q", req.URL.Opaque)
	}
	for k, values := range req.Header {
		if k != ":protocol" && !httpguts.ValidHeaderFieldName(k) {
			return fmt.Errorf("net/http: invalid header field name %q", k)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				// The value may be a secret.
				return fmt.Errorf("net/http: invalid header field value for %q", k)
			}
		}
	}
	for k, values := range req.Trailer {
		if !httpguts.ValidHeaderFieldName(k) {
			return fmt.Errorf("net/http: invalid trailer field name %q", k)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return fmt.Errorf("net/http: invalid trailer field value for %q", k)
			}
		}
	}
	return nil
}

// checkConnection finds fields about the connection that HTTP/2 can't obey.
func checkConnection(h http.Header) error {
	if v := h.Get("Upgrade"); v != "" {
		return fmt.Errorf("nethttp: invalid Upgrade request header: %q", h["Upgrade"])
	}
	if v := h["Transfer-Encoding"]; len(v) > 1 || len(v) == 1 && v[0] != "" && v[0] != "chunked" {
		return fmt.Errorf("nethttp: invalid Transfer-Encoding request header: %q", v)
	}
	if v := h["Connection"]; len(v) > 1 || len(v) == 1 && v[0] != "" && !strings.EqualFold(v[0], "close") && !strings.EqualFold(v[0], "keep-alive") {
		return fmt.Errorf("nethttp: invalid Connection request header: %q", v)
	}
	return nil
}

// bodyLength returns the length of the request's body, -1 if it is not known.
func bodyLength(req *http.Request) int64 {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return 0
	case req.ContentLength != 0:
		return req.ContentLength
	}
	return -1
}

// opaquePath returns the path and query of a URL with Opaque, which may be a
// whole URL without its scheme.
func opaquePath(u *url.URL) string {
	return strings.TrimPrefix(u.RequestURI(), u.Scheme+"://"+u.Host)
}

// target returns the request's URL as nonet takes it. What would end a part of
// it early, and make it another URL, is an error: no URL that was parsed has it.
func target(req *http.Request) (string, error) {
	u := req.URL
	host := u.Host
	if ascii, err := httpguts.PunycodeHostPort(host); err == nil {
		host = ascii
	}
	if strings.ContainsAny(host, "/?#") {
		return "", errors.New("http: invalid Host in request URL")
	}
	switch {
	case req.Method == http.MethodConnect && len(req.Header[":protocol"]) == 0:
		return u.Scheme + "://" + host, nil
	case req.Method == http.MethodOptions && u.Path == "*" && u.RawQuery == "":
		return u.Scheme + "://" + host, nil
	case strings.IndexByte(u.RawQuery, '#') >= 0, strings.IndexByte(u.Opaque, '#') >= 0:
		return "", errors.New("http: invalid query in request URL")
	case u.Opaque != "":
		return u.Scheme + "://" + host + opaquePath(u), nil
	}
	path, query := u.EscapedPath(), ""
	if path == "" {
		path = "/"
	}
	if u.ForceQuery || u.RawQuery != "" {
		query = "?"
	}
	return u.Scheme + "://" + host + path + query + u.RawQuery, nil
}

// field adds a field to the header section.
func (x *call) field(name, value string) error {
	if err := x.s.AddField(name, value); err != nil {
		return err
	}
	if x.trace != nil && x.trace.WroteHeaderField != nil {
		x.trace.WroteHeaderField(strings.ToLower(name), []string{value})
	}
	return nil
}

// wrotePseudo tells the trace of the pseudo-header fields.
func (x *call) wrotePseudo() {
	host := x.req.Host
	if host == "" {
		host = x.req.URL.Host
	}
	tell := x.trace.WroteHeaderField
	tell(":authority", []string{host})
	tell(":method", []string{cmp.Or(x.req.Method, http.MethodGet)})
	if x.req.Method != http.MethodConnect {
		tell(":path", []string{x.req.URL.RequestURI()})
		tell(":scheme", []string{x.req.URL.Scheme})
	}
}

// header makes the header section.
func (x *call) header() error {
	req := x.req
	if err := checkConnection(req.Header); err != nil {
		return err
	}
	if p := req.Header[":protocol"]; len(p) > 0 {
		if err := x.s.SetProtocol(p[0]); err != nil {
			return err
		}
	}
	if host := req.Host; host != "" && host != req.URL.Host && req.Method != http.MethodConnect {
		host, err := httpguts.PunycodeHostPort(host)
		if err != nil {
			return err
		}
		if err := x.s.SetAuthority(withoutZone(host)); err != nil {
			return err
		}
	} else if strings.IndexByte(req.URL.Host, '%') >= 0 {
		if err := x.s.SetAuthority(withoutZone(req.URL.Host)); err != nil {
			return err
		}
	}
	if x.trace != nil && x.trace.WroteHeaderField != nil {
		x.wrotePseudo()
	}
	for name, values := range req.Header {
		if err := x.fields(name, values); err != nil {
			return err
		}
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		if err := x.field("user-agent", userAgent); err != nil {
			return err
		}
	}
	if !x.t.base.DisableCompression && len(req.Header[":protocol"]) == 0 && req.Method != http.MethodHead && len(req.Header["Accept-Encoding"]) == 0 && len(req.Header["Range"]) == 0 {
		x.gzip = true
		if err := x.field("accept-encoding", "gzip"); err != nil {
			return err
		}
	}
	if n := bodyLength(req); n > 0 {
		if err := x.field("content-length", strconv.FormatInt(n, 10)); err != nil {
			return err
		}
	}
	return x.announce()
}

// fields adds the values of one field.
func (x *call) fields(name string, values []string) error {
	switch name {
	case ":protocol", "Host", "Content-Length", "Connection", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Keep-Alive", "Http2-Settings":
		return nil
	case "User-Agent":
		if len(values) == 0 || values[0] == "" {
			return nil
		}
		values = values[:1]
	case "Te":
		if !httpguts.HeaderValuesContainsToken(values, "trailers") {
			return nil
		}
		return x.field("te", "trailers")
	case "Cookie":
		// RFC 9113 8.2.3: crumbs compress better.
		for _, v := range values {
			for crumb := range strings.SplitSeq(v, ";") {
				if crumb = strings.Trim(crumb, " "); crumb == "" {
					continue
				}
				if err := x.field("cookie", crumb); err != nil {
					return err
				}
			}
		}
		return nil
	}
	switch {
	case name != http.CanonicalHeaderKey(name):
		if c := http.CanonicalHeaderKey(name); c != name && !sendable(c) || strings.EqualFold(c, "Host") || strings.EqualFold(c, "Content-Length") {
			return nil
		}
	}
	for _, v := range values {
		if err := x.field(name, trim(v)); err != nil {
			return err
		}
	}
	return nil
}

// announce adds the field that names the trailers.
func (x *call) announce() error {
	if len(x.req.Trailer) == 0 {
		return nil
	}
	names := make([]string, 0, len(x.req.Trailer))
	for name := range x.req.Trailer {
		if !nonet.TrailerAllowed(name) {
			return fmt.Errorf("nethttp: invalid Trailer key %q", name)
		}
		names = append(names, http.CanonicalHeaderKey(name))
	}
	slices.Sort(names)
	return x.field("trailer", strings.Join(names, ","))
}

// trailers adds the trailer section.
func (x *call) trailers() error {
	for name, values := range x.req.Trailer {
		if err := x.s.AppendTrailer(name, values...); err != nil {
			return err
		}
	}
	return nil
}

// withoutZone takes the zone out of an IPv6 address, which means nothing to
// the server (RFC 6874 4).
func withoutZone(host string) string {
	i, j := strings.IndexByte(host, '%'), strings.LastIndexByte(host, ']')
	if !strings.HasPrefix(host, "[") || i < 0 || j < i {
		return host
	}
	return host[:i] + host[j:]
}
