package nonet

import (
	"os"
	"syscall"
)

// sendsFiles reports whether writeFiles works.
func (s *socket) sendsFiles() bool { return s.ok() }

// writeFiles writes a batch with files in it, and waits as long as it takes.
func (s *socket) writeFiles(b *batch) error {
	w := fileWriter{parts: b.parts()}
	s.cork(1) // so that the pieces leave in few packets
	err := s.conn.Write(w.ready)
	s.cork(0)
	if err == nil {
		err = w.err
	}
	return err
}

func (s *socket) cork(on int) {
	_ = s.conn.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, on) })
}

// fileWriter writes parts one after another.
type fileWriter struct {
	parts []part
	err   error
}

// ready writes what the socket takes. False: wait, and call it again.
func (w *fileWriter) ready(fd uintptr) bool {
	for len(w.parts) > 0 {
		p := &w.parts[0]
		n, err := 0, error(nil)
		switch {
		case len(p.b) > 0:
			n, err = sysWrite(fd, p.b)
		case p.n > 0:
			at := p.file.at + int64(p.from)
			n, err = syscall.Sendfile(int(fd), p.file.fd, &at, p.n)
			if n <= 0 && err != syscall.EAGAIN && err != syscall.EINTR {
				// The end of the file, or one that can only be read. Is it the
				// socket that is broken, writing will tell.
				p.read()
				continue
			}
		default:
			w.parts = w.parts[1:]
			continue
		}
		switch {
		case err == syscall.EAGAIN:
			return false
		case err == nil && len(p.b) > 0:
			p.b = p.b[n:]
		case n > 0: // of a file
			p.from += n
			p.n -= n
		case err != syscall.EINTR:
			w.err = os.NewSyscallError("write", err)
			return true
		}
	}
	return true
}

// read replaces octets of the file by a copy, in which zeros stand for what the
// file does not have.
func (p *part) read() {
	p.b = make([]byte, p.n)
	for got := 0; got < p.n; {
		n, err := syscall.Pread(p.file.fd, p.b[got:], p.file.at+int64(p.from+got))
		if n <= 0 && err != syscall.EINTR {
			p.short = true
			break
		}
		got += max(n, 0)
	}
	p.n = 0
}
