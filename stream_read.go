package nonet

import (
	"io"

	"github.com/nonet-h2/nonet/hpack"
)

// Read reads the request's content. It waits for some, and returns io.EOF at
// the end of the request; [Stream.Trailers] are there then. The peer gets
// credit to send more for what was read. If the request asks for 100
// (Continue), waiting sends it, unless the response has started.
func (s Stream) Read(p []byte) (int, error) {
	st, err := s.live()
	if err != nil {
		return 0, err
	}
	if st.h1 != nil {
		return st.h1.read(st, p)
	}
	if st.cur == nil {
		if err := s.nextChunk(); err != nil {
			return 0, err
		}
	}
	c := st.cur
	n := copy(p, c.buf[c.r:c.w])
	if c.r += n; c.r == c.w {
		st.ate += c.w
		st.cur = nil
		c.unref()
	}
	return n, nil
}

// nextChunk takes the next chunk out of the inbox, or waits for it. Credit for
// the chunks before it is given now: a reader that does not come back for more
// needs none.
func (s Stream) nextChunk() error {
	st, err := s.lock()
	if err != nil {
		return err
	}
	d := st.d
	if st.ate > 0 {
		d.core.Consumed(st.ref, st.ate)
		st.ate = 0
	}
	for err == nil && st.inbox.empty() {
		switch {
		case s.held() == nil:
			err = ErrStale
		case st.over():
			err = st.err
		case st.stopped != nil:
			err = st.stopped
		case st.inEnd:
			err = io.EOF
		case st.entry:
			err = ErrWouldBlock
		default:
			d.continueLocked(st)
			d.kickLocked()
			st.readers++
			st.rcond.Wait()
			st.readers--
		}
	}
	if err == nil {
		st.cur = st.inbox.pop()
	}
	d.unlockAndKickFor(st)
	return err
}

// Trailers returns the request's trailer section once Read has returned
// io.EOF; before that, and without trailers, an empty list.
func (s Stream) Trailers() *hpack.Fields {
	if st, err := s.lock(); err == nil {
		defer st.mu.Load().Unlock()
		if st.h1 != nil || st.inEnd && st.inbox.empty() {
			return &st.trl
		}
	}
	return new(hpack.Fields)
}

// receiveLocked takes payload into the inbox.
func (st *stream) receiveLocked(b []byte) {
	if st.stopped != nil {
		return
	}
	for len(b) > 0 {
		c := st.inbox.tail
		if c == nil || c.w == len(c.buf) {
			c = newChunk()
			st.inbox.push(c)
		}
		n := copy(c.buf[c.w:], b)
		c.w += n
		b = b[n:]
	}
}

// continueLocked answers "expect: 100-continue" when the handler wants the
// content and has not answered (RFC 9110 10.1.1).
func (d *driver) continueLocked(st *stream) {
	if st.tookCont || st.sent {
		return
	}
	st.tookCont = true
	if !expectsContinue(&st.req) {
		return
	}
	var f hpack.Fields
	f.AddToken(hpack.TokenStatus, "100")
	d.core.Headers(st.ref, &f, false)
}

// expectsContinue reports whether a request has the expectation among others:
// a server that wants the content MUST answer it then, too (RFC 9110 10.1.1).
func expectsContinue(f *hpack.Fields) bool {
	i := f.Find(hpack.TokenExpect)
	if i < 0 {
		return false
	}
	for ; i < f.Len(); i++ {
		if f.Token(i) == hpack.TokenExpect && hasOption(string(f.Value(i)), "100-continue") {
			return true
		}
	}
	return false
}
