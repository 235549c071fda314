package nonet

import (
	"context"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// How a request finds its stream, and another one if no server has processed it.

// proceed begins the request, or passes on what was written since. It unlocks.
func (s ClientStream) proceed(st *stream, more bool) error {
	if !st.sent {
		if err := s.beginLocked(st); err != nil {
			return err
		}
	} else if err := s.stateLocked(st); err != nil {
		st.mu.Load().Unlock()
		return err
	} else if st.d.passLocked(st) != nil {
		st.d.mu.Unlock()
		return ErrRequestComplete
	}
	d := st.d
	var err error
	for more && err == nil && st.unsent > maxUnsent {
		d.kickLocked()
		d.watchLocked()
		st.writers++
		st.wcond.Wait()
		st.writers--
		err = s.stateLocked(st)
	}
	if more && err == nil {
		st.reopenLocked()
	}
	if st.unsent > 0 && !d.writing && !d.core.WantEmit() {
		d.watchLocked() // for what the peer's windows keep back
	}
	d.pushLocked()
	return err
}

// stateLocked returns why nothing more can be written.
func (s ClientStream) stateLocked(st *stream) error {
	switch {
	case s.s.held() == nil:
		return ErrStale
	case st.over():
		return st.err
	}
	return st.c.halted
}

// beginLocked opens the stream, on a connection of the pool if there is one,
// and waits as long as there is no place for it. It unlocks if it fails.
func (s ClientStream) beginLocked(st *stream) error {
	if st.c.beginning {
		st.mu.Load().Unlock()
		return errTwoWriters
	}
	st.c.beginning = true
	err := s.openAnywhereLocked(st)
	if err == nil {
		st.c.tellBegun()
		return nil
	}
	if st, _ := s.s.lock(); st != nil {
		st.c.tellBegun()
		st.mu.Load().Unlock()
	}
	return err
}

// tellBegun lets those go on who wait until the request has begun, or failed
// to. The mutex is held.
func (c *asked) tellBegun() {
	c.beginning = false
	c.wake()
}

// wake is for those who wait until the request has begun.
func (c *asked) wake() {
	if c.begun != nil {
		close(c.begun)
		c.begun = nil
	}
}

// awaitBegunLocked waits until somebody has begun the request, or its end. It
// unlocks and locks again; nil: the ClientStream was closed.
func (s ClientStream) awaitBegunLocked(st *stream) *stream {
	c := st.c
	if c.begun == nil {
		c.begun = make(chan struct{})
	}
	begun := c.begun
	st.mu.Load().Unlock()
	<-begun
	st, _ = s.s.lock()
	return st
}

// openAnywhereLocked is beginLocked for the one who begins.
func (s ClientStream) openAnywhereLocked(st *stream) error {
	for {
		if err := s.stateLocked(st); err != nil {
			st.mu.Load().Unlock()
			return err
		}
		if st.d == nil {
			if err := s.placeLocked(st); err != nil {
				return err
			}
			continue
		}
		d := st.d
		if st.c.path != "" {
			d.failRequestLocked(st, errConnectPath, false)
			d.mu.Unlock()
			return errConnectPath
		}
		err := conn.ErrNoCapacity
		if d.waiting.head == nil {
			err = d.openLocked(st)
		}
		if err == conn.ErrNoCapacity {
			d.waiting.push(st)
			for st.queued {
				st.writers++
				st.wcond.Wait()
				st.writers--
			}
			if err = s.stateLocked(st); err == nil {
				return nil
			}
		} else if err == nil {
			return nil
		} else {
			d.failRequestLocked(st, d.refusalLocked(err), true)
			d.signalsLocked()
			err = st.err
		}
		if !s.mayMoveLocked(st) {
			d.mu.Unlock()
			return err
		}
		if st, err = s.moveLocked(st); err != nil {
			return err
		}
	}
}

// refusalLocked says in the user's words why no stream was opened.
func (d *driver) refusalLocked(err error) error {
	switch {
	case err != conn.ErrGoingAway:
		return err
	case d.cl.err != nil:
		return d.cl.err
	case d.cl.odd != nil: // it is over, and not yet closed
		return d.cl.odd
	case d.core.Err() != nil:
		return d.core.Err()
	case d.err != nil:
		return d.err
	}
	return errGoingAway
}

// placeLocked finds a connection in the pool. It unlocks and locks again, or
// unlocks only, if it fails.
func (s ClientStream) placeLocked(st *stream) error {
	c := st.c
	c.tries++
	st.writers++ // so that the stream is not reused behind our back
	c.mu.Unlock()
	cc, err := c.pool.acquire(c.ctx, &c.wait, c.secure, c.authority)
	c.mu.Lock()
	st.writers--
	switch {
	case s.s.held() == nil:
		err = ErrStale
	case st.over():
		err = st.err
	case err != nil:
		c.retry = true
		st.overLocked(err, false)
	}
	if err != nil {
		if cc != nil {
			c.pool.freed(cc, 1)
		}
		c.mu.Unlock()
		return err
	}
	d := cc.d
	c.place = true
	st.d = d
	st.writers++
	st.bind(&d.mu)
	c.mu.Unlock()
	d.mu.Lock()
	st.writers--
	return nil
}

// How often a request that no server has processed is sent again: after
// REFUSED_STREAM at most twice, for else retries become a storm, and in all at
// most five times.
const (
	maxRefused = 2
	maxTries   = 6
)

// mayMoveLocked reports whether the request can be sent again by another
// stream: no server has processed it, and all of it is still here.
func (s ClientStream) mayMoveLocked(st *stream) bool {
	c := st.c
	if s.s.held() == nil || !st.over() || !c.retry || c.pool == nil || c.tries >= maxTries || c.ctx.Err() != nil {
		return false
	}
	if st.d == nil || st.err == conn.ErrNoConnectProtocol {
		return false // no connection could be opened, or another one would say the same
	}
	whole := st.ended && (st.written == 0 || st.open == &st.first && int64(st.fill) == st.written)
	if !whole && st.sent || st.readers+st.writers > 0 {
		return false
	}
	if e, ok := st.err.(*ResetError); ok && e.Code == frame.RefusedStream && e.Side == conn.Remote && c.refused >= maxRefused {
		return false
	}
	return true
}

// moveLocked takes the request off its connection, as it was before it began.
// It returns with the mutex of no connection locked, but the stream's own.
func (s ClientStream) moveLocked(st *stream) (*stream, error) {
	c, d := st.c, st.d
	pause := time.Duration(0)
	if e, ok := st.err.(*ResetError); ok && e.Code == frame.RefusedStream && e.Side == conn.Remote && st.ref.ID != 0 && !d.core.Draining() {
		c.refused++
		pause = backoff(c.refused)
	}
	st.outbox.drop()
	d.partLocked(st)
	st.first.r, st.first.w = 0, 0
	st.unsent, st.trailing, st.sent, st.inEnd = 0, false, false, false
	c.retry, c.halted, c.interims = false, nil, nil
	st.err = nil
	st.word.Store(st.word.Load() &^ 1)
	st.d = nil
	ctx := c.ctx
	st.bind(&c.mu) // from here on the stream may be anybody's
	d.pushLocked()
	if pause > 0 {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	return s.s.lockedAgain(ctx)
}

// lockedAgain locks a request between two connections. It fails when the
// request was ended in between.
func (s Stream) lockedAgain(ctx context.Context) (*stream, error) {
	st, err := s.lock()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil && !st.over() {
		st.overLocked(context.Cause(ctx), false)
	}
	if st.over() {
		err = st.err
		st.mu.Load().Unlock()
		return nil, err
	}
	return st, nil
}
