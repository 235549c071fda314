package nethttp

import (
	"io"
	"sync"
)

// copyBuffer is what goes through memory of ours at once.
type copyBuffer [16 << 10]byte

var copyBuffers = sync.Pool{New: func() any { return new(copyBuffer) }}

// ReadFrom copies from src. What can seek is taken not to wait, and is read into
// the response itself. Other sources are read into a buffer: while they wait,
// others may flush.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	buf := copyBuffers.Get().(*copyBuffer)
	defer copyBuffers.Put(buf)
	direct := seekable(src)
	for {
		if direct && w.settled() {
			k, err := w.readFrom(src)
			return n + k, err
		}
		// A content-type is found by the first octets.
		k, e := src.Read(buf[:])
		if k > 0 {
			k, err := w.Write(buf[:k])
			if n += int64(k); err != nil {
				return n, err
			}
		}
		switch {
		case e == io.EOF:
			if n == 0 {
				_, err = w.Write(nil) // fixes the header section, like any write
			}
			return n, err
		case e != nil:
			return n, e
		}
	}
}

// settled reports whether content can go to the stream as it comes.
func (w *response) settled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrote && !w.sniff && !w.head && !w.done
}

func (w *response) readFrom(src io.Reader) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.begin(); err != nil {
		return 0, err
	}
	n, err := w.s.ReadFrom(src)
	return n, w.error(err)
}

// seekable reports whether src, or what it is a part of, can seek. An *os.File has
// the method, but may be a pipe.
func seekable(src io.Reader) bool {
	if l, ok := src.(*io.LimitedReader); ok {
		src = l.R
	}
	k, ok := src.(io.Seeker)
	if !ok {
		return false
	}
	_, err := k.Seek(0, io.SeekCurrent)
	return err == nil
}
