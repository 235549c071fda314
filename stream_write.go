package nonet

import "io"

// maxUnsent is how many octets of a stream may wait to be sent before Write
// waits; it goes on below half of it.
const maxUnsent = 64 << 10

// Write writes content of the response. It copies p and returns; it waits only
// when 64 KiB of the stream are unsent. What was written leaves when 16 KiB are
// together, at [Stream.Flush], and at the end of the response, whose header
// section and content leave together if they are that short. Of 128 KiB and more,
// on HTTP/2, all but the last 64 KiB are not copied but sent from where they are.
//
// In answer to HEAD the octets are counted and dropped.
func (s Stream) Write(p []byte) (n int, err error) {
	for len(p)-n >= maxUnsent+leastLent {
		lent, err := s.writeLent(p[n:])
		if n += int(lent); err != nil {
			return n, err
		}
		if lent == 0 {
			break
		}
	}
	k, err := write(s, p[n:])
	return n + k, err
}

// WriteString is Write for a string.
func (s Stream) WriteString(p string) (int, error) { return write(s, p) }

func write[T string | []byte](s Stream, p T) (n int, err error) {
	st, err := s.writer()
	if err != nil {
		return 0, err
	}
	if err := st.allow(len(p)); err != nil {
		return 0, err
	}
	if st.head {
		return len(p), s.discard(len(p))
	}
	for n < len(p) {
		room, err := s.room(len(p) - n)
		if err != nil {
			return n, err
		}
		k := copy(room, p[n:])
		st.fill += k
		st.written += int64(k)
		n += k
	}
	return n, nil
}

// allow checks that n more octets of content may follow.
func (st *stream) allow(n int) error {
	switch {
	case n == 0:
		return nil
	case st.bodiless():
		return ErrBodyNotAllowed
	case st.declared >= 0 && st.written+int64(n) > st.declared:
		return ErrContentLength
	}
	return nil
}

// discard counts content that the response to HEAD does not have. The header
// section leaves when that of GET would have.
func (s Stream) discard(n int) error {
	st := s.st
	st.written += int64(n)
	if !st.sent && st.written > chunkSize {
		return s.commit(false)
	}
	return nil
}

// room returns space for more content, at least one octet, at best for want.
func (s Stream) room(want int) ([]byte, error) {
	st := s.st
	c := st.open
	switch {
	case c == nil && want > smallBody:
		c = newChunk()
	case c == nil:
		st.first = chunk{buf: st.small[:], refs: 1}
		c = &st.first
	case st.fill < len(c.buf) && (c != &st.first || st.fill+want <= len(c.buf) || c.w > 0):
		return c.buf[st.fill:], nil
	case c == &st.first && c.w == 0:
		// It outgrew the stream's own room before any of it was committed.
		c = newChunk()
		copy(c.buf, st.first.buf[:st.fill])
	default:
		if err := s.commit(true); err != nil {
			return nil, err
		}
		c = st.open
	}
	st.open = c
	return c.buf[st.fill:], nil
}

// commit hands over what was written. more: the open chunk is full; wait until
// the stream may hold another, and open it.
func (s Stream) commit(more bool) error {
	st := s.st
	if st.c != nil {
		return s.commitRequest(more)
	}
	if !st.sent {
		st.finishHead(false)
	}
	if st.h1 != nil {
		return st.h1.commit(st)
	}
	if _, err := s.lock(); err != nil {
		return err
	}
	d := st.d
	err := d.commitLocked(st)
	for more && err == nil && st.unsent > maxUnsent {
		if st.entry {
			err = ErrWouldBlock
			break
		}
		st.waitLocked()
		switch {
		case s.held() == nil:
			err = ErrStale
		case st.over():
			err = st.err
		}
	}
	if more && err == nil {
		st.reopenLocked()
	}
	d.unlockAndKickFor(st)
	return err
}

// waitLocked waits until less is unsent, or the stream is over.
func (st *stream) waitLocked() {
	st.d.kickLocked()
	st.d.watchLocked()
	st.writers++
	st.wcond.Wait()
	st.writers--
}

// commitLocked passes the header section and the uncommitted octets on.
func (d *driver) commitLocked(st *stream) error {
	if st.over() {
		return st.err
	}
	if !st.sent {
		st.sent = true
		if err := d.core.Headers(st.ref, &st.hdr, false); err != nil {
			return err
		}
	}
	if n := st.uncommitted(); n > 0 {
		st.queueOpenLocked()
		d.fresh.Add(int64(n))
		return d.core.Queue(st.ref, n, false)
	}
	return nil
}

// uncommitted returns how many octets were written and not committed.
func (st *stream) uncommitted() int {
	if st.open == nil {
		return 0
	}
	return st.fill - st.open.w
}

// queueOpenLocked puts the uncommitted octets into the outbox.
func (st *stream) queueOpenLocked() {
	n := st.uncommitted()
	if n == 0 {
		return
	}
	c := st.open
	if st.outbox.tail != c {
		c.refs++
		st.outbox.push(c)
	}
	c.w = st.fill
	st.unsent += n
}

// reopenLocked makes room in the open chunk if it was sent, else it opens
// another.
func (st *stream) reopenLocked() {
	c := st.open
	st.fill = 0
	if c.refs == 1 {
		c.r, c.w = 0, 0
		return
	}
	c.unref()
	st.open = newChunk()
}

// takeLocked hands n octets of the outbox to a batch, and wakes the writer of
// the stream when it may go on.
func (st *stream) takeLocked(b *batch, n int) {
	st.unsent -= n
	for n > 0 {
		c := st.outbox.head
		k := min(n, c.w-c.r)
		if c.file != nil {
			b.addFile(c, k)
		} else {
			b.add(c, c.buf[c.r:c.r+k])
		}
		c.r += k
		n -= k
		if c.r == c.w {
			st.outbox.pop().unref()
		}
	}
	if st.writers > 0 && st.unsent <= maxUnsent/2 {
		st.wcond.Signal()
	}
}

// Reserve returns room for content, to be filled from its start and handed
// over with [Stream.Commit]: Write without the copy. It waits as Write does,
// and returns nil when nothing can be written; Commit says why.
func (s Stream) Reserve() []byte {
	if _, err := s.writer(); err != nil {
		return nil
	}
	room, err := s.room(chunkSize)
	if err != nil {
		return nil
	}
	return room
}

// Commit says that the first n octets of what Reserve returned are content.
func (s Stream) Commit(n int) error {
	st, err := s.writer()
	if err != nil {
		return err
	}
	if err := st.allow(n); err != nil {
		return err
	}
	switch {
	case st.head:
		return s.discard(n)
	case st.open == nil || n < 0 || n > len(st.open.buf)-st.fill:
		if n == 0 {
			return nil
		}
		return io.ErrShortBuffer
	}
	st.fill += n
	st.written += int64(n)
	return nil
}

// ReadFrom writes everything that it reads from r ([io.ReaderFrom]).
//
// Where the connection is cleartext, on Linux, and r is an *os.File or an
// *io.LimitedReader of one, the kernel sends what there is of the file, from 64
// KiB on, without copying it here. ReadFrom returns when all of it was given to
// the kernel; after a reset it waits for the write that goes on. If the file
// becomes shorter meanwhile, the stream is reset with INTERNAL_ERROR, and
// ReadFrom returns [io.ErrUnexpectedEOF].
func (s Stream) ReadFrom(r io.Reader) (total int64, err error) {
	for {
		n, err := s.sendFile(r)
		if total += n; err != nil {
			return total, err
		}
		if n == 0 {
			break
		}
	}
	for {
		if _, err := s.writer(); err != nil {
			return total, err
		}
		room, err := s.room(chunkSize)
		if err != nil {
			return total, err
		}
		n, err := r.Read(room)
		if n > 0 {
			if err := s.Commit(n); err != nil {
				return total, err
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// Flush sends what was written so far, the header section first. It does not
// wait until it is sent.
func (s Stream) Flush() error {
	st, err := s.writer()
	if err != nil {
		return err
	}
	if err := s.commit(false); err != nil {
		return err
	}
	if st.h1 != nil {
		return st.h1.flush()
	}
	return nil
}
