package nonet

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// cipherConn stands between TLS and the socket. crypto/tls writes a record at
// a time; once collecting, Write only keeps the records, and flush writes all
// of them at once. So no write of TLS waits for the peer, not even those of
// its read path (alerts, key updates). Nor does a read, where the reader does
// without waiting.
type cipherConn struct {
	net.Conn
	over io.Reader              // TLS
	d    atomic.Pointer[driver] // whose connection it is; nil: not yet HTTP/2

	// The reader's, for decrypt.
	drained bool   // TLS has no more than the beginning of a record
	trying  bool   // Read does not wait
	in      []byte // what TLS is to read,
	inErr   error  // and what it gets behind that

	mu   sync.Mutex
	keep bool
	buf  *[]byte // collected; nil: nothing

	left *[]byte // being flushed, from off on; the owner's of writing
	off  int
}

// headway is more than a record takes: by so much what TLS returns can be more than
// what it was given, as it may have had the most part of a record.
const headway = 18 << 10

// portion is how much of what the socket has is decrypted before what reads it is
// told: a handler on another processor goes on meanwhile.
const portion = 32 << 10

// decrypt returns in p, a bulkBuffer, what TLS makes of what the socket has, which
// recv reads. errPause: nothing yet. When it returns neither, it was a part of a
// record, and there may be more: the end of the connection, too, that nobody will
// tell us of, as it came before we could wait for it.
func (c *cipherConn) decrypt(recv func(fd uintptr, p []byte) (int, error), fd uintptr, p []byte) (n int, err error) {
	c.trying = true
	if err = c.fill(recv, fd, p[headway:][:portion]); err == nil {
		n, err = c.drain(p)
	}
	c.trying, c.in = false, nil
	return n, err
}

// fill reads what TLS is to read. errPause: nothing.
func (c *cipherConn) fill(recv func(fd uintptr, p []byte) (int, error), fd uintptr, p []byte) error {
	c.inErr = errPause
	if !c.drained {
		return nil
	}
	n, err := recv(fd, p)
	if err == errPause {
		return err
	}
	if err != nil {
		c.inErr = err
	}
	c.in = p[:n]
	return nil
}

// drain returns what TLS makes of it, all of that unless p is too small for what
// TLS had read with the handshake.
func (c *cipherConn) drain(p []byte) (n int, err error) {
	for k := 0; err == nil && n < len(p); n += k {
		k, err = c.over.Read(p[n:])
	}
	if c.drained = err == errPause; c.drained {
		err = nil
	}
	return n, err
}

// Read is for TLS.
func (c *cipherConn) Read(p []byte) (int, error) {
	switch {
	case !c.trying:
		return c.Conn.Read(p)
	case len(c.in) == 0:
		return 0, c.inErr
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

// Close is for callbacks of the TLS configuration, which know the connection
// (tls.ClientHelloInfo.Conn).
func (c *cipherConn) Close() error {
	err := c.Conn.Close()
	if d := c.d.Load(); d != nil {
		d.unpark()
	}
	return err
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
