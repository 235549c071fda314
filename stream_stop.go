package nonet

import "github.com/nonet-h2/nonet/hpack"

// What adapters to other interfaces need beside a Stream's own verbs.

// CloseRead makes reads fail with err, from now on (those that wait, too) or,
// with keep, once what has arrived was read; what is left of the piece that the
// last Read was from is still read. Nothing more is taken in: the peer can send
// what its window allows, which is thrown away. A request that is complete is
// read to its end in spite of keep. On HTTP/1.1 it does nothing.
func (s Stream) CloseRead(err error, keep bool) {
	st, e := s.lock()
	if e != nil {
		return
	}
	defer st.mu.Load().Unlock()
	if st.h1 != nil || st.stopped != nil || keep && st.inEnd {
		return
	}
	st.stopped = err
	if !keep {
		st.inbox.drop()
	}
	st.rcond.Broadcast()
}

// Fail gives the response up as a panic of the handler does: when the handler
// has returned, the peer gets a 500 if nothing has left, else
// RST_STREAM(INTERNAL_ERROR).
func (s Stream) Fail() {
	if st := s.held(); st != nil {
		st.panicked = true
	}
}

// Buffered returns the content that was written and not committed yet. It is
// valid until the next call that writes.
func (s Stream) Buffered() []byte {
	st := s.held()
	if st == nil || st.open == nil {
		return nil
	}
	return st.open.buf[st.open.w:st.fill]
}

// Omit keeps the response from getting a field of itself: TokenDate or
// TokenContentLength. What the handler adds is sent.
func (s Stream) Omit(t hpack.Token) {
	st := s.held()
	if st == nil {
		return
	}
	switch t {
	case hpack.TokenDate:
		st.dateless = true
	case hpack.TokenContentLength:
		st.lengthless = true
	}
}

// AwaitSent waits until everything that was flushed is on its way: a reset no
// longer drops it. It returns what keeps it from that.
func (s Stream) AwaitSent() error {
	st, err := s.lock()
	if err != nil {
		return err
	}
	if st.h1 != nil {
		st.mu.Load().Unlock()
		return nil
	}
	d := st.d
	for err == nil && st.unsent > 0 {
		switch {
		case s.held() == nil:
			err = ErrStale
		case st.over():
			err = st.err
		case st.entry:
			err = ErrWouldBlock
		default:
			st.waitLocked()
		}
	}
	d.unlockAndKickFor(st)
	return err
}

// Complete reports whether the whole request was there when its handler
// started: it has no content then.
func (s Stream) Complete() bool {
	st := s.held()
	return st != nil && st.empty
}

// Continue sends 100 (Continue) if the request asks for it, nothing of its
// content has come, and the response has not started. [Stream.Read] does so
// itself when it waits.
func (s Stream) Continue() {
	st, err := s.lock()
	if err != nil {
		return
	}
	if st.h1 != nil {
		st.mu.Load().Unlock()
		return
	}
	d := st.d
	if !st.over() && !st.inEnd && st.inbox.empty() {
		d.continueLocked(st)
	}
	d.unlockAndKickFor(st)
}
