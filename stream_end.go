package nonet

import "github.com/nonet-h2/nonet/frame"

// Close completes the response: END_STREAM, or the trailers, leave before the
// handler returns, which may go on to read.
func (s Stream) Close() error {
	st, err := s.writer()
	if err != nil {
		return err
	}
	st.conclude()
	if st.h1 != nil {
		if err := st.h1.complete(st); err != nil {
			return err
		}
		return st.h1.flush()
	}
	if st, err = s.lock(); err != nil {
		return err
	}
	d := st.d
	if err = st.err; err == nil {
		d.completeLocked(st)
		err = st.err
	}
	d.unlockAndKickFor(st)
	return err
}

// conclude prepares the end of the response outside the lock.
func (st *stream) conclude() {
	if st.ended || st.over() {
		return
	}
	if st.declared >= 0 && st.written < st.declared && !st.head && !st.bodiless() {
		st.short = true
	}
	if !st.sent {
		st.finishHead(true)
	}
}

// completeLocked ends the response after conclude: all of a short one goes in
// one step.
func (d *driver) completeLocked(st *stream) {
	if st.ended || st.over() {
		return
	}
	if st.short {
		// END_STREAM now would make a response that is malformed (RFC 9113 8.1.1).
		d.resetLocked(st, frame.InternalError)
		return
	}
	st.ended = true
	if st.lastConn {
		d.last = st.ref
	}
	n, trailers := st.uncommitted(), st.rtl.Len() > 0
	d.fresh.Add(int64(n) + headOctets)
	if !st.sent {
		st.sent = true
		end := n == 0 && !trailers
		if d.core.Headers(st.ref, &st.hdr, end) != nil || end {
			return
		}
	}
	st.queueOpenLocked()
	if !trailers {
		d.core.Queue(st.ref, n, true)
		return
	}
	if n > 0 {
		d.core.Queue(st.ref, n, false)
	}
	st.trailing = d.core.Trailers(st.ref, &st.rtl) == nil
}

// headOctets is what a header section counts for where octets to come are
// guessed.
const headOctets = 64
