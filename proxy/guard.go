package proxy

import (
	"bytes"
	"errors"
	"net"
	"sync"
)

// guard is a connection to the backend. It follows the responses octet by
// octet and lets through to net/http's parser, which forgives much, only what
// can be read in one way: from the first octet that can't, reads fail, and so
// does every later use of the connection. Octets that come when no response is
// awaited are never passed on, so that they can't answer the next request.
type guard struct {
	net.Conn

	mu   sync.Mutex
	fail error // the connection is of no use any more
	want response

	state state
	given bool  // something of this response was passed on
	left  int64 // octets of content, or of a chunk
	line  []byte
	head  header
	size  int // octets of this response that are not content
}

// response is what has been asked for.
type response struct {
	toHEAD  bool // has no content
	upgrade bool // may be 101
	interim int  // so many 1xx have come
}

// state is what the next octet from the backend belongs to.
type state uint8

const (
	idle       state = iota // nothing: no response is awaited
	statusLine              // a response begins
	headerLine              // a field, or the end of the header section
	fixed                   // left octets of content
	chunkSize               // the line before a chunk
	chunk                   // left octets of a chunk
	chunkEnd                // CRLF after a chunk
	trailer                 // a field, or the end of the trailer section
	untilClose              // content that ends with the connection
	tunnel                  // another protocol, after 101
)

// maxInterim bounds the 1xx responses to a request: more are a flood.
const maxInterim = 16

// maxChunkLine bounds the line before a chunk, with its extensions.
const maxChunkLine = 256

var (
	errUnasked     = errors.New("proxy: the backend sent more than its response")
	errLine        = errors.New("proxy: a line of the response does not end with CRLF")
	errLong        = errors.New("proxy: the response has too many octets besides its content")
	errStatus      = errors.New("proxy: the response does not begin with a status line of HTTP/1.1")
	errField       = errors.New("proxy: the response has a malformed field")
	errFolded      = errors.New("proxy: the response has a folded field")
	errLength      = errors.New("proxy: the response has a bad content-length, or two of them")
	errCoding      = errors.New("proxy: the response has a transfer-encoding other than chunked")
	errFraming     = errors.New("proxy: the response has both content-length and transfer-encoding")
	errChunk       = errors.New("proxy: the response has a malformed chunk")
	errInterims    = errors.New("proxy: the backend sent too many interim responses")
	errInterim     = errors.New("proxy: the response is interim and has content")
	errNotUpgraded = errors.New("proxy: the backend switched protocols without being asked")
)

// begin is called before a request is written. False: the connection went bad
// meanwhile, and nothing will be written.
func (g *guard) begin(head, upgrade bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		return false
	}
	g.want = response{toHEAD: head, upgrade: upgrade}
	g.next()
	return true
}

// next awaits a response.
func (g *guard) next() {
	g.state, g.given, g.head, g.size = statusLine, false, header{}, 0
	g.line = g.line[:0]
}

func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	err := g.fail
	g.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return g.Conn.Write(p)
}

// CloseWrite lets a tunnel end in one direction.
func (g *guard) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (g *guard) Read(p []byte) (int, error) {
	g.mu.Lock()
	err := g.fail
	g.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := g.Conn.Read(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	good := g.follow(p[:n])
	if g.fail == nil {
		g.given = g.given || n > 0
		return n, err
	}
	if good == 0 && n > 0 && g.state == statusLine && !g.given {
		// net/http repeats a request when its connection failed before the
		// response began. This one has begun.
		good = 1
	}
	if good == 0 {
		return 0, g.fail
	}
	return good, nil
}

// follow moves the state along b. When it finds a fault it sets g.fail and
// returns how many octets before it may be passed on.
func (g *guard) follow(b []byte) (good int) {
	for at := 0; at < len(b); {
		rest := b[at:]
		switch g.state {
		case tunnel, untilClose:
			return len(b)
		case idle:
			g.fail = errUnasked
		case fixed, chunk:
			n := min(g.left, int64(len(rest)))
			g.left -= n
			at += int(n)
			if g.left == 0 {
				g.contentEnded()
			}
			continue
		default:
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				g.collect(rest)
				if g.fail == nil {
					return len(b)
				}
				break
			}
			if g.collect(rest[:end+1]); g.fail == nil {
				g.apply(g.line)
				g.line = g.line[:0]
			}
			if g.fail == nil {
				at += end + 1
				continue
			}
		}
		return at
	}
	return len(b)
}

// collect takes a part of a line.
func (g *guard) collect(part []byte) {
	g.size += len(part)
	if g.size > headerSize || g.state == chunkSize && len(g.line)+len(part) > maxChunkLine {
		g.fail = errLong
		return
	}
	g.line = append(g.line, part...)
	if n := min(len(g.line), len(version)); g.state == statusLine && string(g.line[:n]) != version[:n] {
		g.fail = errStatus // there may be no end of the line to wait for
	}
}

// contentEnded is after the last octet of the content, or of a chunk.
func (g *guard) contentEnded() {
	if g.state == fixed {
		g.state = idle
		return
	}
	g.state = chunkEnd
}

// apply takes a whole line, with its end.
func (g *guard) apply(line []byte) {
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(line, '\r') >= 0 {
		g.fail = errLine
		return
	}
	switch g.state {
	case statusLine:
		if g.head, g.fail = parseStatus(line); g.fail == nil {
			g.state = headerLine
		}
	case headerLine:
		if len(line) == 0 {
			g.headerEnded()
			return
		}
		g.fail = g.head.field(line)
	case chunkSize:
		n, ok := parseChunk(line)
		switch {
		case !ok:
			g.fail = errChunk
		case n == 0:
			g.state, g.size = trailer, 0
		default:
			// Sizes don't add up to a limit of their own: chunks are content.
			g.state, g.left, g.size = chunk, n, 0
		}
	case chunkEnd:
		if len(line) > 0 {
			g.fail = errChunk
			return
		}
		g.state = chunkSize
	case trailer:
		if len(line) == 0 {
			g.state = idle
			return
		}
		_, _, g.fail = parseField(line)
	}
}

// headerEnded decides where the content ends (RFC 9112 6.3).
func (g *guard) headerEnded() {
	h := &g.head
	switch {
	case h.status == 101:
		if !g.want.upgrade || h.framed() {
			g.fail = errNotUpgraded
			return
		}
		g.state = tunnel
	case h.status < 200:
		g.want.interim++
		switch {
		case h.framed():
			g.fail = errInterim
		case g.want.interim > maxInterim:
			g.fail = errInterims
		default:
			g.next()
			g.given = true
		}
	case h.chunked && h.length >= 0:
		g.fail = errFraming
	case g.want.toHEAD || h.status == 204 || h.status == 304:
		g.state = idle
	case h.chunked:
		g.state = chunkSize
	case h.length > 0:
		g.state, g.left = fixed, h.length
	case h.length == 0:
		g.state = idle
	default:
		g.state = untilClose
	}
}
