package nonet

import (
	"io"

	"github.com/nonet-h2/nonet/frame"
)

// leastLent is from how many octets on Write lends those that it would wait for.
const leastLent = 64 << 10

// writeLent sends p without the last octets, which may wait in a copy, from where
// it is. It returns when that was given to the kernel. 0 and no error: p is to be
// copied.
func (s Stream) writeLent(p []byte) (int64, error) {
	st, err := s.writer()
	if err != nil {
		return 0, err
	}
	if st.h1 != nil || st.c != nil || st.head || st.entry || st.allow(len(p)) != nil {
		return 0, nil
	}
	if err := s.commit(false); err != nil {
		return 0, err
	}
	return s.lend(&chunk{buf: p, w: min(len(p)-maxUnsent, mostLent)})
}

// lend puts a chunk into the outbox whose payload is the caller's, and waits until
// nobody needs it: it is sent or, when the stream is over, dropped. It returns how
// many octets were taken to be sent.
//
// A file that turns out shorter leaves a frame that was announced: what is
// missing of it is zeros, and the stream is reset with INTERNAL_ERROR.
func (s Stream) lend(c *chunk) (int64, error) {
	if _, err := s.lock(); err != nil {
		return 0, err
	}
	st := s.st
	d := st.d
	if st.over() {
		err := st.err
		st.mu.Load().Unlock()
		return 0, err
	}
	if err := d.core.Queue(st.ref, c.w, false); err != nil {
		st.mu.Load().Unlock()
		return 0, err
	}
	c.idle, c.refs = &st.wcond, 2 // the outbox's and ours
	st.outbox.push(c)
	st.unsent += c.w
	st.written += int64(c.w)
	d.fresh.Add(int64(c.w))
	if c.file != nil {
		d.files++
	}
	for c.refs > 1 {
		if c.short() {
			d.resetLocked(st, frame.InternalError)
			if c.refs == 1 {
				break
			}
		}
		st.waitLocked()
	}
	if c.file != nil {
		d.files--
	}
	var err error
	switch {
	case c.short():
		d.resetLocked(st, frame.InternalError)
		err = io.ErrUnexpectedEOF
	case s.held() == nil:
		err = ErrStale
	case st.over():
		err = st.err
	}
	d.unlockAndKick()
	return int64(c.r), err
}
