package nonet

import (
	"strings"

	"github.com/nonet-h2/nonet/hpack"
)

// target makes the pseudo-header fields of a request (RFC 9113 8.3.1).
func (st *stream) target(method, url string) error {
	if hpack.CheckName(method) != nil || len(method) > 32 {
		return fieldError(errMethod, method)
	}
	secure, authority, path, err := splitURL(url)
	if err != nil {
		return fieldError(err, url)
	}
	st.c.secure, st.c.authority = secure, authority
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "DELETE":
		st.c.plain = true
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	st.hdr.AddToken(hpack.TokenMethod, method)
	if method == "CONNECT" {
		// RFC 9113 8.5: :scheme and :path MUST be omitted.
		st.c.path = path
		st.hdr.AddToken(hpack.TokenAuthority, withPort(authority, secure))
		return nil
	}
	switch {
	case path == "" && method == "OPTIONS":
		path = "*"
	case path == "":
		path = "/"
	case path[0] == '?':
		path = "/" + path
	}
	st.hdr.AddToken(hpack.TokenScheme, scheme)
	st.hdr.AddToken(hpack.TokenAuthority, authority)
	st.hdr.AddToken(hpack.TokenPath, path)
	return nil
}

// splitURL takes an http or https URL apart. The fragment is dropped; all else
// stays as it is, so what may not stand in a URL is refused.
func splitURL(url string) (secure bool, authority, path string, err error) {
	scheme, rest, ok := strings.Cut(url, "://")
	switch {
	case !ok:
		return false, "", "", errURL
	case strings.EqualFold(scheme, "https"):
		secure = true
	case !strings.EqualFold(scheme, "http"):
		return false, "", "", errURL
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path = rest[:end], rest[end:]
	if i := strings.IndexByte(path, '#'); i >= 0 {
		path = path[:i]
	}
	if authority == "" || authority[0] == ':' {
		return false, "", "", errURL
	}
	for i := range len(authority) {
		switch c := authority[i]; {
		case c == '@':
			return false, "", "", errUserinfo
		case c <= ' ' || c >= 0x7f, c == '\\', c == '"', c == ',', c == '<', c == '>', c == '^', c == '`', c >= '{':
			return false, "", "", errURL
		}
	}
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c == 0x7f {
			return false, "", "", errURL
		}
	}
	return secure, authority, path, nil
}

// withPort returns an authority with a port.
func withPort(authority string, secure bool) string {
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		if i < len(authority)-1 {
			return authority
		}
		authority = authority[:i]
	}
	if secure {
		return authority + ":443"
	}
	return authority + ":80"
}

// withoutPort returns an authority without a port that says nothing, as one and
// the same server has it in a pool.
func withoutPort(authority string, secure bool) string {
	port := ":80"
	if secure {
		port = ":443"
	}
	if s, ok := strings.CutSuffix(authority, port); ok {
		return s
	}
	return strings.TrimSuffix(authority, ":")
}

// header returns the stream if the request's header section may be changed.
func (s ClientStream) header() (*stream, error) {
	st, err := s.s.writer()
	if err == nil && st.sent {
		return nil, ErrRequestStarted
	}
	return st, err
}

// SetAuthority sets :authority, when it is not that of the URL: the URL still
// says where the request goes. It is not for CONNECT.
func (s ClientStream) SetAuthority(authority string) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	_, same, rest, err := splitURL("http://" + authority)
	if err != nil || same != authority || rest != "" || st.hdr.Find(hpack.TokenPath) < 0 {
		return fieldError(errAuthority, authority)
	}
	st.hdr.SetToken(hpack.TokenAuthority, authority)
	return nil
}

// SetField sets a field of the request's header section to one value.
func (s ClientStream) SetField(name, value string) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	return st.field(name, value, true)
}

// AddField adds a field to the request's header section, beside those of the
// same name.
func (s ClientStream) AddField(name, value string) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	return st.field(name, value, false)
}

// AddPrepared adds a field of ClientConfig.Prepared: the cheapest way for one
// that is in many requests.
func (s ClientStream) AddPrepared(p hpack.Prepared) error {
	st, err := s.header()
	if err == nil {
		st.hdr.AddPrepared(p)
	}
	return err
}

// AddSensitive adds a field, such as a credential, that no hop may keep in its
// compression state (RFC 7541 7.1.3).
func (s ClientStream) AddSensitive(name, value string) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	var room [64]byte
	t := hpack.TokenOf(lower(room[:0], name))
	switch {
	case hpack.CheckName(name) != nil, t.IsPseudo():
		return fieldError(errPseudo, name)
	case checkRequestField(t, value) != nil:
		return fieldError(checkRequestField(t, value), name)
	case hpack.CheckValue(value) != nil:
		return fieldError(hpack.CheckValue(value), name)
	}
	st.hdr.AddSensitive(name, value)
	return nil
}

// SetProtocol makes the request, whose method is CONNECT and whose URL may
// have a path, one of extended CONNECT (RFC 8441): "websocket", for example.
// It waits for the server's SETTINGS, and fails if they do not offer it.
func (s ClientStream) SetProtocol(protocol string) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	if hpack.CheckName(protocol) != nil {
		return fieldError(errProtocol, protocol)
	}
	if string(st.hdr.Get(hpack.TokenMethod)) != "CONNECT" || st.hdr.Find(hpack.TokenProtocol) >= 0 {
		return fieldError(errProtocol, protocol)
	}
	// RFC 8441 4: :scheme and :path MUST be included.
	var f hpack.Fields
	f.AddToken(hpack.TokenMethod, "CONNECT")
	f.AddToken(hpack.TokenProtocol, protocol)
	scheme, path := "http", st.c.path
	if st.c.secure {
		scheme = "https"
	}
	if path == "" || path[0] == '?' {
		path = "/" + path
	}
	f.AddToken(hpack.TokenScheme, scheme)
	f.AddToken(hpack.TokenAuthority, st.c.authority)
	f.AddToken(hpack.TokenPath, path)
	for i := range st.hdr.Len() {
		if v := st.hdr.Field(i); !v.Token.IsPseudo() {
			f.AddField(v)
		}
	}
	st.hdr.CopyFrom(&f)
	st.c.path = ""
	return nil
}

// checkRequestField finds fields that a request must not have, or has in
// another way.
func checkRequestField(t hpack.Token, value string) error {
	switch t {
	case hpack.TokenConnection, hpack.TokenKeepAlive, hpack.TokenProxyConnection, hpack.TokenTransferEncoding, hpack.TokenUpgrade, hpack.TokenHTTP2Settings:
		return ErrConnectionField
	case hpack.TokenTE:
		if value != "trailers" {
			return errTE // RFC 9113 8.2.2: MUST NOT contain any value other than "trailers"
		}
	case hpack.TokenHost:
		return errHost
	}
	return nil
}
