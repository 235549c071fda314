package nonet

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// opening is a connection of which it is not known yet what it speaks.
type opening struct {
	srv      *Server
	nc       net.Conn
	accepted time.Time
	seen     net.Conn        // what the user sees of it: nc, or TLS over it
	listener net.Listener    // nil: it came alone
	base     context.Context // of the connection, if that was given

	prefix [len(frame.Preface)]byte // what was read to find out
	n      int

	// One of them is set in the end.
	h2         *driver
	inadequate error // the TLS under it is not good enough
	h1         net.Conn
}

var (
	errNoProtocol = errors.New("nonet: the client offers neither HTTP/2 nor HTTP/1.1")
	errNotHTTP2   = errors.New("nonet: the client does not speak HTTP/2")
	errGarbage    = errors.New("nonet: the client speaks neither HTTP/2 nor HTTP/1.1")
	errIncomplete = errors.New("nonet: connection ended before its first request")
)

// open finds out what the peer speaks: by ALPN over TLS, by the first octets
// on cleartext. A deadline for all of it is set.
func (o *opening) open(c *tls.Config) error {
	var cipher *cipherConn
	if c != nil {
		cipher = &cipherConn{Conn: o.nc}
		o.seen = tls.Server(cipher, c)
	}
	o.tell(ConnNew)
	if tc, ok := o.seen.(*tls.Conn); ok {
		return o.openTLS(tc, cipher)
	}
	http2, err := o.sniff()
	switch {
	case err != nil:
		return err
	case http2 || o.srv.DisableHTTP1:
		// The core judges what only looks like the preface.
		o.h2 = newDriver(o.srv, newWire(o.nc, nil), o.accepted)
		return nil
	}
	line, err := o.requestLine()
	if err != nil {
		return err
	}
	o.h1 = &prefixConn{Conn: o.nc, prefix: line}
	return nil
}

func (o *opening) openTLS(tc *tls.Conn, cipher *cipherConn) error {
	if err := tc.Handshake(); err != nil {
		refuseCleartext(err)
		return fmt.Errorf("nonet: TLS handshake: %w", err)
	}
	cs := tc.ConnectionState()
	switch cs.NegotiatedProtocol {
	case h2tls.ProtoHTTP2:
		if cipher != nil {
			cipher.collect()
		}
		o.inadequate = h2tls.CheckHTTP2(cs)
		o.h2 = newDriver(o.srv, newWire(tc, cipher), o.accepted)
		return nil
	case h2tls.ProtoHTTP11, "":
		if o.srv.DisableHTTP1 {
			return errNotHTTP2
		}
		o.h1 = tc
		return nil
	}
	return errNoProtocol
}

// looksLikeHTTP2 is how much of the client preface makes it one, though
// perhaps a bad one: no HTTP/1.1 request line begins like that.
const looksLikeHTTP2 = len("PRI * HTTP/2.0")

// sniff reads until it is clear whether the client preface comes (RFC 9113
// 3.4), which may be cut anywhere.
func (o *opening) sniff() (http2 bool, err error) {
	for o.n < len(o.prefix) {
		k, err := o.nc.Read(o.prefix[o.n:])
		o.n += k
		if same := common(o.prefix[:o.n], frame.Preface); same < o.n {
			return same >= looksLikeHTTP2, nil
		}
		if err != nil && o.n < len(o.prefix) {
			if err == io.EOF || o.n > 0 {
				return false, errIncomplete
			}
			return false, err
		}
	}
	return true, nil
}

// requestLine reads the first line of what is not HTTP/2, and returns what was
// read so far. Only HTTP/1 is answered: to anything else an answer would be
// garbage too.
func (o *opening) requestLine() ([]byte, error) {
	const longest = 16 << 10
	line := append([]byte(nil), o.prefix[:o.n]...)
	for {
		method, _, _ := bytes.Cut(line, []byte(" "))
		if len(method) > 0 && hpack.CheckName(string(method)) != nil {
			return nil, o.hangUp()
		}
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			first := bytes.TrimRight(line[:i], "\r")
			if at := bytes.LastIndexByte(first, ' '); !bytes.HasPrefix(first[at+1:], []byte("HTTP/1.")) {
				return nil, o.hangUp()
			}
			return line, nil
		}
		if len(line) >= longest {
			return line, nil // net/http says that it is too long
		}
		line = slices.Grow(line, 512)
		n, err := o.nc.Read(line[len(line):cap(line)])
		line = line[:len(line)+n]
		if n == 0 && err != nil {
			return nil, errIncomplete
		}
	}
}

// hangUp closes the connection so that the peer sees an end and not a reset:
// what it sent has to be read for that.
func (o *opening) hangUp() error {
	if c := asSocket(o.nc); c != nil {
		c.CloseWrite()
		c.SetReadDeadline(time.Now().Add(lingerTime))
		io.CopyN(io.Discard, c, lingerOctets)
	}
	return errGarbage
}

// refuseCleartext answers a client that speaks HTTP/1 where TLS is spoken.
func refuseCleartext(err error) {
	var re tls.RecordHeaderError
	if errors.As(err, &re) && re.Conn != nil && hpack.CheckName(string(re.RecordHeader[:3])) == nil {
		io.WriteString(re.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nThis port speaks TLS: use https.\n")
	}
}

// common returns the length of the common prefix.
func common(b []byte, s string) int {
	n := 0
	for n < len(b) && n < len(s) && b[n] == s[n] {
		n++
	}
	return n
}

// prefixConn is a connection of which something was read before.
type prefixConn struct {
	net.Conn
	prefix []byte
}

func (c *prefixConn) Read(p []byte) (int, error) {
	if len(c.prefix) > 0 {
		n := copy(p, c.prefix)
		c.prefix = c.prefix[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// CloseWrite lets net/http end a connection without resetting it.
func (c *prefixConn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}
