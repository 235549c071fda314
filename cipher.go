package nonet

import (
	"net"
	"sync"
)

// cipherConn stands between TLS and the socket. crypto/tls writes a record at
// a time; once collecting, Write only keeps the records, and flush writes all
// of them at once. So no write of TLS waits for the peer, not even those of
// its read path (alerts, key updates).
type cipherConn struct {
	net.Conn

	mu   sync.Mutex
	keep bool
	buf  *[]byte // collected; nil: nothing

	left *[]byte // being flushed, from off on; the owner's of writing
	off  int
}

var cipherBuffers = sync.Pool{New: func() any { return new([]byte) }}

// collect makes Write keep what it gets. It is called after the handshake.
func (c *cipherConn) collect() { c.keep = true }

func (c *cipherConn) Write(p []byte) (int, error) {
	if !c.keep {
		return c.Conn.Write(p)
	}
	c.mu.Lock()
	if c.buf == nil {
		c.buf = cipherBuffers.Get().(*[]byte)
	}
	*c.buf = append(*c.buf, p...)
	c.mu.Unlock()
	return len(p), nil
}

// pending returns how many octets are collected and not being flushed.
func (c *cipherConn) pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		return 0
	}
	return len(*c.buf)
}

// next makes left what is to be written next, if anything.
func (c *cipherConn) next() bool {
	if c.left != nil {
		return true
	}
	c.mu.Lock()
	c.left, c.buf = c.buf, nil
	c.mu.Unlock()
	return c.left != nil
}

// wrote notes that n octets of left are written.
func (c *cipherConn) wrote(n int) {
	if c.off += n; c.off < len(*c.left) {
		return
	}
	if cap(*c.left) <= keepBatch {
		*c.left = (*c.left)[:0]
		cipherBuffers.Put(c.left)
	}
	c.left, c.off = nil, 0
}

// flush writes everything that is collected.
func (c *cipherConn) flush() error {
	for c.next() {
		n, err := c.Conn.Write((*c.left)[c.off:])
		c.wrote(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// tryFlush writes what the socket takes at once.
func (c *cipherConn) tryFlush(s *socket) (done bool, err error) {
	for c.next() {
		p := (*c.left)[c.off:]
		n, err := s.tryWrite(p)
		c.wrote(n)
		if err != nil {
			return false, err
		}
		if n < len(p) {
			return false, nil
		}
	}
	return true, nil
}
