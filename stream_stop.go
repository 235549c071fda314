package nonet

// What adapters to other interfaces need beside a Stream's own verbs.

// CloseRead makes reads fail with err, from now on (those that wait, too) or,
// with keep, once what has arrived was read. Nothing more is taken in: the
// peer can send what its window allows, which is thrown away. A request that
// is complete is read to its end in spite of keep. On HTTP/1.1 it does
// nothing.
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

// OmitDate leaves the date field out of a response that has none of the
// handler's.
func (s Stream) OmitDate() {
	if st := s.held(); st != nil {
		st.dateless = true
	}
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
