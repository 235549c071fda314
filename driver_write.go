package nonet

import (
	"runtime"
	"time"

	"github.com/nonet-h2/nonet/frame"
)

// A batch takes DATA up to maxBatch octets: as much as Linux passes on in one
// piece, 45 segments of Ethernet. A few octets more are a packet of their own,
// on loopback, too. The writer yields while the batch grows, at most yields
// times and up to yieldOctets: a burst of short answers leaves in one write.
//
// A packet of Linux refers to 17 pieces of memory, of files to pages: three
// frames of 16 KiB with their headers fit, while each begins a page. They do as
// long as none is cut, and Emit cuts none when a quarter of one has room.
const (
	maxBatch    = 45 * 1448
	fileBatch   = 2*(frame.HeaderLen+16<<10) + 4<<10
	yields      = 4
	yieldOctets = 16 << 10
)

// wantWriteLocked reports whether a writer has something to do.
func (d *driver) wantWriteLocked() bool {
	if d.closed || d.half {
		return false
	}
	return d.core.WantEmit() || d.wire.pending() || d.core.Done()
}

// claimLocked makes the caller the owner of writing, if there is something to
// write and nobody owns it: it must call write, or start writer.
func (d *driver) claimLocked() bool {
	if d.writing || !d.wantWriteLocked() {
		return false
	}
	d.writing = true
	return true
}

// takeLocked is claimLocked, and takes the writing where it is offered.
func (d *driver) takeLocked() bool {
	if d.offered {
		d.offered = false
		return true
	}
	return d.claimLocked()
}

// claim is claimLocked.
func (d *driver) claim() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.claimLocked()
}

// flush writes what handlers have answered, if nobody else does. The timer is set
// for octets that the peer's windows keep back.
func (d *driver) flush() {
	d.mu.Lock()
	write := d.claimLocked()
	if !write && d.core.Active() > 0 {
		d.watchLocked()
	}
	d.mu.Unlock()
	if write {
		d.write()
	}
}

// kickLocked starts a writer if one is needed.
func (d *driver) kickLocked() {
	if d.claimLocked() {
		d.offered = true
		go d.writer()
	}
}

func (d *driver) unlockAndKick() {
	d.kickLocked()
	d.mu.Unlock()
}

// unlockAndKickFor is unlockAndKick but in an inline handler: what it asks for
// leaves after the burst.
func (d *driver) unlockAndKickFor(st *stream) {
	if !st.entry {
		d.kickLocked()
	}
	d.mu.Unlock()
}

// startWriter is a writer's goroutine.
func (d *driver) startWriter() {
	d.mu.Lock()
	b, offered := d.rest, d.offered
	d.rest, d.offered = nil, false
	d.mu.Unlock()
	switch {
	case b != nil:
		d.writeOn(b)
	case offered:
		d.write()
	}
}

// write owns writing, and writes until nothing is left.
func (d *driver) write() {
	if d.yield() {
		d.loop(getBatch())
	}
}

// writeOn writes the rest of b first.
func (d *driver) writeOn(b *batch) {
	if err := d.wire.finish(b); err != nil {
		d.broken(b, err)
		return
	}
	d.loop(b)
}

func (d *driver) loop(b *batch) {
	for {
		d.mu.Lock()
		more := d.gatherLocked(b, d.now())
		d.mu.Unlock()
		if !more {
			putBatch(b)
			return
		}
		d.trace(b)
		if err := d.wire.write(b); err != nil {
			d.broken(b, err)
			return
		}
		if !d.yield() {
			d.mu.Lock()
			b.release()
			d.mu.Unlock()
			putBatch(b)
			return
		}
	}
}

// yield lets handlers that are about to answer do so, or any goroutine of a
// client's user. False: somebody has taken the writing meanwhile.
func (d *driver) yield() bool {
	first := d.fresh.Load()
	last := first
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := 0; i < yields && (d.cl != nil || d.running > 0); i++ {
		d.offered = true
		d.mu.Unlock()
		runtime.Gosched()
		n := d.fresh.Load()
		d.mu.Lock()
		if !d.offered {
			return false
		}
		d.offered = false
		if n == last || n-first >= yieldOctets {
			break
		}
		last = n
	}
	return true
}

// gatherLocked fills the next batch. False: there was nothing, and the caller
// does not own writing any more.
func (d *driver) gatherLocked(b *batch, now time.Duration) bool {
	b.release()
	more := false
	if !d.closed && !d.half {
		most := maxBatch
		if d.files > 0 {
			most = fileBatch
		}
		for b.size < most && d.core.WantEmit() {
			if !d.emitLocked(b, now, most) {
				break
			}
		}
		d.shareLocked()
		if d.core.Done() {
			d.half, b.shut = true, true
			d.killAt = now + lingerTime
		}
		more = b.size > 0 || b.shut || d.wire.pending()
	}
	if more {
		d.since = max(now, 1)
	} else {
		d.since, d.writing = 0, false
	}
	d.armLocked(now)
	d.wroteLocked()
	return more
}

// emitLocked adds one Emit to the batch, payload in its place.
func (d *driver) emitLocked(b *batch, now time.Duration, most int) bool {
	b.head.Reset()
	d.core.Emit(now, &b.head, most-b.size)
	at := 0
	for _, cut := range b.head.Cuts {
		b.octets(b.head.Buf[at:cut.At])
		at = cut.At
		if st := d.stream(cut.Ref); st != nil {
			st.takeLocked(b, cut.N)
			d.settleLocked(st)
		}
	}
	b.octets(b.head.Buf[at:])
	d.signalsLocked()
	if d.last.ID != 0 && d.core.QueuedFor(d.last) == 0 {
		d.last.ID = 0
		d.core.Shutdown(now)
	}
	return len(b.head.Buf) > 0
}

// tryLocked writes from the reader's goroutine: once, and what the socket does
// not take at once is for a writer. It unlocks.
func (d *driver) tryLocked(now time.Duration) {
	if !d.claimLocked() {
		d.mu.Unlock()
		return
	}
	d.tryOnLocked(now)
}

// tryOrKick is tryLocked where that can be, else it starts a writer. It unlocks.
func (d *driver) tryOrKick(now time.Duration) {
	if d.wantWriteLocked() && d.wire.canTry() {
		d.tryLocked(now)
	} else {
		d.unlockAndKick()
	}
}

// tryOnLocked is tryLocked for the owner of writing.
func (d *driver) tryOnLocked(now time.Duration) {
	b := getBatch()
	more := d.gatherLocked(b, now)
	d.mu.Unlock()
	if !more {
		putBatch(b)
		return
	}
	d.trace(b)
	done, err := d.wire.try(b)
	switch {
	case err != nil:
		d.broken(b, err)
		return
	case !done:
		d.mu.Lock()
		d.rest = b
		d.mu.Unlock()
		go d.writer()
		return
	}
	d.mu.Lock()
	b.release()
	d.since, d.writing = 0, false
	d.wroteLocked()
	d.unlockAndKick()
	putBatch(b)
}

// broken follows a write that failed: the connection is over.
func (d *driver) broken(b *batch, err error) {
	d.mu.Lock()
	b.release()
	if d.err == nil {
		d.err = readError(err)
	}
	d.half, d.closed, d.writing, d.since = true, true, false, 0
	if d.cl != nil && d.cl.pool != nil {
		d.cl.pool.drop(d.cl) // now: the reader may notice much later
	}
	d.wroteLocked()
	d.mu.Unlock()
	d.hangUp()
	putBatch(b)
}

func (d *driver) trace(b *batch) {
	if d.tap == nil {
		return
	}
	b.each(d.tap.send.feed)
}

// armLocked makes the timer fire at the next deadline. It is only ever moved
// to an earlier time; one that fires too early is armed again.
func (d *driver) armLocked(now time.Duration) {
	at := d.core.Deadline()
	if d.killAt > 0 && (at == 0 || d.killAt < at) {
		at = d.killAt
	}
	if d.since > 0 && d.stall > 0 && (at == 0 || d.since+d.stall < at) {
		at = d.since + d.stall
	}
	if at == 0 || d.closed || d.timerAt != 0 && d.timerAt <= at {
		return
	}
	d.timerAt = at
	if d.timer == nil {
		d.timer = time.AfterFunc(at-now, d.expire)
		return
	}
	d.timer.Reset(at - now)
}

// watchLocked arms the timer where octets wait and no writer will do it: for
// those that the peer's windows keep back.
func (d *driver) watchLocked() {
	if !d.writing {
		d.armLocked(d.now())
	}
}

// expire is the timer's.
func (d *driver) expire() {
	d.mu.Lock()
	now := d.now()
	d.timerAt = 0
	if d.closed {
		d.mu.Unlock()
		return
	}
	stalled := d.since > 0 && d.stall > 0 && now >= d.since+d.stall
	if stalled && d.err == nil {
		d.err = errWriteStall
	}
	if stalled || d.killAt > 0 && now >= d.killAt {
		d.mu.Unlock()
		d.hangUp()
		return
	}
	if err := d.core.Expire(now); err != nil {
		d.failLocked(err, now)
	}
	if d.core.Slots() == 0 {
		d.slots = nil
	}
	d.signalsLocked()
	d.rouseLocked()
	d.armLocked(now)
	d.unlockAndKick()
}
