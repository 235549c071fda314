package nonet

import (
	"io"
	"io/fs"
	"syscall"
)

const (
	// leastFile is from how many octets on a file is sent without being read:
	// below, one read and one write are less.
	leastFile = 64 << 10
	// mostLent is how much is queued at once; an int of 32 bits holds it.
	mostLent = 1 << 30
)

// file is an open file that the octets [at+r:at+w] of a chunk are in.
type file struct {
	fd int
	at int64
	// short: the file ended before octets that were announced.
	short bool
}

// regular is what is used of an *os.File, which may come in a type of package
// os that hides some of its methods.
type regular interface {
	io.Seeker
	syscall.Conn
	Stat() (fs.FileInfo, error)
}

// sendFile sends what is left of r, up to mostLent, if it is a file and the
// connection can send it without copying it here. It returns when the last of it
// was given to the kernel, so that the file may be closed or change. 0 and no
// error: r is to be read.
func (s Stream) sendFile(r io.Reader) (n int64, err error) {
	st, err := s.writer()
	if err != nil {
		return 0, err
	}
	if st.h1 != nil || st.c != nil || st.head || st.entry || !st.d.sendsFiles() {
		return 0, nil
	}
	limit := int64(mostLent)
	if l, ok := r.(*io.LimitedReader); ok {
		r, limit = l.R, min(limit, l.N)
		defer func() { l.N -= n }()
	}
	f, ok := r.(regular)
	if !ok {
		return 0, nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0, nil
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, nil
	}
	size := min(info.Size()-at, limit)
	if size < leastFile || st.allow(int(size)) != nil {
		return 0, nil // what is wrong is found where it begins
	}
	rc, err := f.SyscallConn()
	if err != nil {
		return 0, nil
	}
	err = s.commit(false)
	if err != nil {
		return 0, err
	}
	var e error
	err = rc.Control(func(fd uintptr) { n, e = s.lend(&chunk{file: &file{fd: int(fd), at: at}, w: int(size)}) })
	if err == nil {
		err = e
	}
	if _, e := f.Seek(n, io.SeekCurrent); err == nil {
		err = e
	}
	return n, err
}

// sendsFiles reports whether files can be sent on the connection without being
// read here. A trace shows what is sent, so with one they can't.
func (d *driver) sendsFiles() bool {
	return d.tap == nil && d.wire.plain && d.wire.raw.sendsFiles()
}
