package nonet

import (
	"crypto/tls"
	"net"

	"github.com/nonet-h2/nonet/hpack"
)

// ID returns the stream's identifier (RFC 9113 5.1.1); 0 on HTTP/1.1.
func (s Stream) ID() uint32 {
	if st := s.held(); st != nil {
		return st.ref.ID
	}
	return 0
}

// Protocol returns "HTTP/2", "HTTP/1.1" or "HTTP/1.0".
func (s Stream) Protocol() string {
	if st := s.held(); st != nil && st.h1 != nil {
		return st.h1.protocol()
	}
	return "HTTP/2"
}

// Method returns the request's method.
func (s Stream) Method() string {
	st := s.held()
	if st == nil {
		return ""
	}
	m := st.req.Get(hpack.TokenMethod)
	switch string(m) {
	case "GET":
		return "GET"
	case "HEAD":
		return "HEAD"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "DELETE":
		return "DELETE"
	case "OPTIONS":
		return "OPTIONS"
	case "PATCH":
		return "PATCH"
	case "CONNECT":
		return "CONNECT"
	}
	return string(m)
}

// Path returns :path, the query included; nil for CONNECT. Like every slice of
// a request it is valid until the handler returns and must not be changed.
func (s Stream) Path() []byte { return s.token(hpack.TokenPath) }

// Scheme returns :scheme: what the client says it used.
func (s Stream) Scheme() []byte { return s.token(hpack.TokenScheme) }

// Authority returns the host and port that the request is for: :authority, or
// the host field where a request has no :authority.
func (s Stream) Authority() []byte {
	if a := s.token(hpack.TokenAuthority); a != nil {
		return a
	}
	return s.token(hpack.TokenHost)
}

func (s Stream) token(t hpack.Token) []byte {
	if st := s.held(); st != nil {
		return st.req.Get(t)
	}
	return nil
}

// Field returns the first value of the request's field of this name, in any
// case, or nil.
func (s Stream) Field(name string) []byte {
	if st := s.held(); st != nil {
		return st.req.GetName(name)
	}
	return nil
}

// Fields returns the request's header section, pseudo-header fields first. It
// is to be read only, until the handler returns.
func (s Stream) Fields() *hpack.Fields {
	if st := s.held(); st != nil {
		return &st.req
	}
	return new(hpack.Fields)
}

// ContentLength returns the declared length of the request's content, 0 if the
// request has none, -1 if it is not known.
func (s Stream) ContentLength() int64 {
	st := s.held()
	if st == nil {
		return -1
	}
	if v := st.req.Get(hpack.TokenContentLength); v != nil {
		if n, ok := parseLength(string(v)); ok {
			return n
		}
	}
	if st.h1 != nil {
		return st.h1.contentLength()
	}
	if st.empty {
		return 0
	}
	return -1
}

// RemoteAddr returns the peer's address.
func (s Stream) RemoteAddr() net.Addr {
	if nc := s.netConn(); nc != nil {
		return nc.RemoteAddr()
	}
	return nil
}

// LocalAddr returns the address that the peer connected to.
func (s Stream) LocalAddr() net.Addr {
	if nc := s.netConn(); nc != nil {
		return nc.LocalAddr()
	}
	return nil
}

// TLS returns the state of the connection's TLS, nil on cleartext.
func (s Stream) TLS() *tls.ConnectionState {
	if tc, ok := s.netConn().(*tls.Conn); ok {
		cs := tc.ConnectionState()
		return &cs
	}
	return nil
}

func (s Stream) netConn() net.Conn {
	st := s.held()
	switch {
	case st == nil:
		return nil
	case st.h1 != nil:
		return st.h1.nc
	}
	return st.d.wire.nc
}

// parseLength parses the value of a content-length field: at most 18 digits.
func parseLength(v string) (n int64, ok bool) {
	if len(v) == 0 || len(v) > 18 {
		return 0, false
	}
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(v[i]-'0')
	}
	return n, true
}
