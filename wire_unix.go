//go:build unix

package nonet

import (
	"io"
	"os"
	"sync"
	"syscall"
)

// socket does what package net can't: wait for input without a buffer, and
// write without waiting.
type socket struct {
	conn   syscall.RawConn
	cipher *cipherConn           // between our own TLS and it; else nil
	onRead func(fd uintptr) bool // readReady, bound once

	watch  *watch
	wait   bool // false: read does not wait
	waited bool // there was nothing to read the last time
	small  bool // the stack has not grown: look before a buffer is taken, which may have to be made
	inN    int32
	in     *bulkBuffer
	inErr  error
}

// sending is one attempt to write.
type sending struct {
	ready func(fd uintptr) bool // write, bound once
	p     []byte
	v     [][]byte // instead of p
	n     int
	err   error
}

var sendings = sync.Pool{New: func() any {
	w := new(sending)
	w.ready = w.write
	return w
}}

func (s *socket) init(c netSocket) {
	if c == nil {
		return
	}
	if rc, err := c.SyscallConn(); err == nil {
		s.conn = rc
		tune(rc)
	}
}

func (s *socket) ok() bool { return s.conn != nil }

// use sets the timer to touch by reads.
func (s *socket) use(w *watch) { s.watch = w }

func (s *socket) read(wait bool) (buf []byte, n int, err error) {
	if s.onRead == nil {
		s.onRead = s.readReady
	}
	s.wait = wait
	err = s.conn.Read(s.onRead)
	if err == nil {
		err = s.inErr
	}
	if s.in != nil {
		buf, n = s.in[:], int(s.inN)
	}
	s.in, s.inN, s.inErr = nil, 0, nil
	return buf, n, err
}

// readReady reads once. False: there is nothing, wait and call again.
//
// After a wait the scheduler's monitor may be asleep (driver_watch.go).
func (s *socket) readReady(fd uintptr) bool {
	if s.small {
		if s.small = false; s.drained() && !sysPeek(fd) {
			s.waited, s.inErr = true, errPause
			return !s.wait
		}
	}
	recv := recvNow
	if s.waited {
		if s.waited = false; s.watch.touch() {
			recv = recvAnnounced
		}
	}
	buf := getBulkBuffer()
	var n int
	if s.cipher != nil {
		n, s.inErr = s.cipher.decrypt(recv, fd, buf[:])
	} else {
		n, s.inErr = recv(fd, buf[:])
	}
	if n > 0 {
		s.in, s.inN = buf, int32(n)
		return true
	}
	putReadBuffer(buf[:])
	s.waited = s.inErr == errPause
	return !s.waited || !s.wait
}

// recvNow reads what there is: errPause when that is nothing.
func recvNow(fd uintptr, p []byte) (int, error) { return receive(sysRead, fd, p) }

// recvAnnounced is recvNow, and tells the scheduler.
func recvAnnounced(fd uintptr, p []byte) (int, error) { return receive(announcedRead, fd, p) }

func announcedRead(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }

func receive(read func(fd uintptr, p []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		n, err := read(fd, p)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return 0, errPause
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// drained reports whether to wait for the socket is enough: TLS has no whole record.
func (s *socket) drained() bool { return s.cipher == nil || s.cipher.drained }

// rested follows the reader's rest.
func (s *socket) rested() { s.small = true }

// tryWrite writes what the socket takes at once.
func (s *socket) tryWrite(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return s.try(p, nil)
}

// tryWritev is tryWrite for pieces, the first of them at least.
func (s *socket) tryWritev(v [][]byte) (int, error) { return s.try(nil, v) }

func (s *socket) try(p []byte, v [][]byte) (int, error) {
	w := sendings.Get().(*sending)
	w.p, w.v = p, v
	err := s.conn.Write(w.ready)
	if err == nil {
		err = w.err
	}
	n := w.n
	w.p, w.v, w.n, w.err = nil, nil, 0, nil
	sendings.Put(w)
	return n, err
}

func (w *sending) write(fd uintptr) bool {
	for {
		var n int
		var err error
		if w.v == nil {
			n, err = sysWrite(fd, w.p)
		} else {
			n, err = sysWritev(fd, w.v)
		}
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			w.err = os.NewSyscallError("write", err)
			return true
		}
		w.n = max(n, 0)
		return true
	}
}
