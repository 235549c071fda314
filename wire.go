package nonet

import (
	"crypto/tls"
	"net"
	"syscall"

	"github.com/nonet-h2/nonet/frame"
)

// wire moves octets of one connection. Reading is the reader's, writing the
// owner's of writing.
type wire struct {
	nc    net.Conn // what frames go through
	raw   socket   // nc, or what is under our own TLS, as a socket; see wire_unix.go
	nine  [frame.HeaderLen]byte
	plain bool // nc is the socket
}

// stream sockets of package net.
type netSocket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

func asSocket(nc net.Conn) netSocket {
	switch c := nc.(type) {
	case *net.TCPConn:
		return c
	case *net.UnixConn:
		return c
	}
	return nil
}

// newWire returns the wire of a connection; cipher is not nil when nc is TLS
// over it.
func newWire(nc net.Conn, cipher *cipherConn) wire {
	w := wire{nc: nc}
	w.raw.cipher = cipher
	sock := w.sock()
	w.plain = nc == sock
	w.raw.init(asSocket(sock))
	if cipher != nil {
		cipher.over = nc
	}
	return w
}

// sock returns the socket under nc, to close.
func (w *wire) sock() net.Conn {
	if w.raw.cipher != nil {
		return w.raw.cipher.Conn
	}
	if tc, ok := w.nc.(*tls.Conn); ok {
		return tc.NetConn()
	}
	return w.nc
}

// read waits for input and returns it in a pooled buffer, which the caller
// gives back when n > 0. While it waits it holds no buffer, unless it stopped
// within a frame. Where canTry, and wait is false, it does not wait: errPause.
func (w *wire) read(within, wait bool) (buf []byte, n int, err error) {
	if w.canTry() {
		return w.raw.read(wait)
	}
	if within {
		buf = getReadBuffer()
		if n, err = w.nc.Read(buf); n == 0 {
			putReadBuffer(buf)
		}
		return buf, n, err
	}
	n, err = w.nc.Read(w.nine[:])
	if n == 0 {
		return nil, 0, err
	}
	buf = getReadBuffer()
	copy(buf, w.nine[:n])
	if err != nil || n < len(w.nine) || frame.ParseHeader(w.nine[:]).Length == 0 {
		return buf, n, err
	}
	// More of a frame is to come, so waiting with a buffer is short.
	k, err := w.nc.Read(buf[n:])
	return buf, n + k, err
}

// write writes a batch, and waits as long as it takes.
func (w *wire) write(b *batch) error {
	if w.plain && w.raw.ok() && len(b.segs) > 0 && !b.files {
		return w.after(b, w.writePieces(b.pieces()))
	}
	if w.canTry() {
		if done, err := w.try(b); done || err != nil {
			return err
		}
	} else {
		b.left = b.join()
	}
	return w.finish(b)
}

// writePieces is write for a list of pieces, as much as it can without waiting
// first.
func (w *wire) writePieces(p *net.Buffers) error {
	n, err := w.raw.tryWritev(*p)
	if err != nil {
		return err
	}
	for len(*p) > 0 && n >= len((*p)[0]) {
		n -= len((*p)[0])
		*p = (*p)[1:]
	}
	if len(*p) == 0 {
		return nil
	}
	(*p)[0] = (*p)[0][n:]
	_, err = p.WriteTo(w.nc)
	return err
}

// after flushes what TLS made of it, and shuts our side if that is due.
func (w *wire) after(b *batch, err error) error {
	if err == nil && w.raw.cipher != nil {
		err = w.raw.cipher.flush()
	}
	if err == nil && b.shut {
		w.closeWrite()
	}
	return err
}

// canTry reports whether read and try can do without waiting.
func (w *wire) canTry() bool { return w.raw.ok() && (w.plain || w.raw.cipher != nil) }

// try writes as much of a batch as it can without waiting. done is false when
// finish has to follow.
func (w *wire) try(b *batch) (done bool, err error) {
	if b.files {
		return false, nil // the disk may have to be waited for
	}
	p := b.join()
	if b.shut {
		b.left = p
		return false, nil
	}
	if w.raw.cipher != nil {
		if len(p) > 0 {
			if _, err := w.nc.Write(p); err != nil {
				return false, err
			}
		}
		return w.raw.cipher.tryFlush(&w.raw)
	}
	n, err := w.raw.tryWrite(p)
	b.left = p[n:]
	return len(b.left) == 0, err
}

// finish writes what try has left.
func (w *wire) finish(b *batch) error {
	var err error
	switch {
	case b.files:
		err = w.raw.writeFiles(b)
	case len(b.left) > 0:
		_, err = w.nc.Write(b.left)
	}
	return w.after(b, err)
}

// pending reports whether TLS has made octets that were not written.
func (w *wire) pending() bool { return w.raw.cipher != nil && w.raw.cipher.pending() > 0 }

// backlog reports whether there are too many of them.
func (w *wire) backlog() bool { return w.raw.cipher != nil && w.raw.cipher.pending() > maxBatch }

// closeWrite tells the peer that nothing more will come. Where that can't be
// said the connection is closed.
func (w *wire) closeWrite() {
	if tc, ok := w.nc.(*tls.Conn); ok {
		tc.CloseWrite()
		if w.raw.cipher != nil {
			w.raw.cipher.flush()
		}
	}
	if c, ok := w.sock().(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
		return
	}
	w.sock().Close()
}

// close closes the socket at once.
func (w *wire) close() { w.sock().Close() }
