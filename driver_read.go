package nonet

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

// maxHold is how many octets are parsed before the lock is let go.
const maxHold = 16 << 10

// pourOctets is after how much content the reader yields.
const pourOctets = 32 << 10

// run is the reader. prefix is what was read of the connection before. When it
// rests (driver_rest.go), readOn goes on.
func (d *driver) run(prefix []byte) (rest bool, err error) {
	if !d.feed(prefix, false) {
		return false, d.end(nil)
	}
	return d.readOn()
}

// readOn reads until the connection ends or the reader rests.
func (d *driver) readOn() (rest bool, err error) {
	for more := true; more; {
		buf, n, err := d.wire.read(d.within, !d.pauses)
		if n > 0 {
			more = d.feed(buf[:n], n < len(buf) && err == nil) && d.awaitFlush()
			putReadBuffer(buf)
			if !d.lead() {
				return false, errRelieved
			}
		}
		switch {
		case err == nil:
		case d.rests(err):
			return true, nil
		default:
			return false, d.end(readError(err))
		}
	}
	return false, d.end(nil)
}

// readError is nil for what is only the end of the connection.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// feed passes octets to the core, and runs what they bring. False: the
// connection is over and the peer was given enough time to notice. last: there is
// probably nothing behind them.
func (d *driver) feed(b []byte, last bool) bool {
	if d.tap != nil {
		d.tap.recv.feed(b)
	}
	if d.cl != nil && !d.cl.greeted && len(b) > 0 {
		d.greet(b)
	}
	for {
		piece := b[:min(len(b), maxHold)]
		n := d.burst(piece, last && len(piece) == len(b))
		if b = b[n:]; len(b) == 0 {
			d.pourOut()
			return d.octets <= lingerOctets
		}
		if n < len(piece) && !d.awaitRoom() {
			return false
		}
	}
}

// pourOut lets those read to whom much content came: it is in the caches still,
// and their chunks take what comes next.
func (d *driver) pourOut() {
	if d.poured >= pourOctets {
		d.poured = 0
		runtime.Gosched()
	}
}

// burst holds the lock while the core parses b, then dispatches what came. It
// returns how much the core took: less than all of b when too many answers
// are unsent. last is feed's.
func (d *driver) burst(b []byte, last bool) int {
	d.mu.Lock()
	if d.half {
		// Nothing will be answered any more.
		d.octets += int32(len(b))
		d.mu.Unlock()
		return len(b)
	}
	now := d.now()
	d.awake = true
	n := d.parseLocked(now, b)
	d.within = d.core.Within()
	d.signalsLocked()
	d.admitLocked()
	if d.core.Err() != nil {
		d.octets += int32(n)
	}
	d.armLocked(now)
	if d.cl != nil {
		d.endBurst(now)
		return n
	}
	if len(d.arrived) > 0 && d.srv.Inline != nil {
		d.mu.Unlock()
		d.runInline(now)
		return n
	}
	if len(d.arrived) == 0 && d.wantWriteLocked() && d.wire.canTry() {
		d.tryLocked(now)
		d.tell()
		return n
	}
	if last && n == len(b) && d.leadsLocked() {
		d.mu.Unlock()
		d.tell()
		return n
	}
	write := d.claimLocked()
	d.offered = d.offered || write
	d.mu.Unlock()
	d.tell()
	d.startArrived()
	if write {
		go d.writer()
	}
	return n
}

// parseLocked gives b to the core and takes what it finds.
func (d *driver) parseLocked(now time.Duration, b []byte) (n int) {
	spare := d.newStreamLocked()
parse:
	for n < len(b) {
		ev, k, err := d.core.Next(now, b[n:], &spare.req)
		n += k
		if err != nil {
			d.failLocked(err, now)
			n = len(b)
			break
		}
		switch ev.Kind {
		case conn.None:
			if n < len(b) { // WantRead is false
				break parse
			}
		case conn.Headers:
			if d.cl != nil {
				d.respondedLocked(spare, ev)
				break
			}
			d.acceptLocked(spare, ev.Ref, ev.End)
			spare = d.newStreamLocked()
		case conn.Info:
			d.informedLocked(spare, ev)
		case conn.Data:
			if st := d.stream(ev.Ref); st != nil && !st.over() && !st.retired {
				st.receiveLocked(ev.Data)
				d.poured += int32(len(ev.Data))
				st.inEnd = ev.End
				d.wakeLocked(st)
			}
		case conn.Trailers:
			if st := d.stream(ev.Ref); st != nil && !st.over() && !st.retired {
				st.trl, spare.req = spare.req, st.trl
				st.inEnd = true
				d.wakeLocked(st)
			}
		case conn.Reset:
			if st := d.stream(ev.Ref); st != nil {
				d.lostLocked(st, &ResetError{Code: ev.Code, Side: ev.Side})
			}
		}
	}
	spare.req.Reset()
	d.spareLocked(spare)
	return n
}

// acceptLocked makes st the stream of a new request, whose fields it has.
func (d *driver) acceptLocked(st *stream, r conn.Ref, end bool) {
	st.bind(&d.mu)
	st.d, st.ref, st.inEnd, st.empty = d, r, end, end
	st.head = string(st.req.Get(hpack.TokenMethod)) == "HEAD"
	st.hdr.AddTokenBytes(hpack.TokenStatus, status200) // the likely one: later it had to be moved to the front
	for int(r.Slot) >= len(d.slots) {
		d.slots = append(d.slots, nil)
	}
	d.slots[r.Slot] = st
	d.arrived = append(d.arrived, st)
}

// admitLocked decides about the requests of this burst: those that ended
// already are dropped, those beyond the limit wait.
func (d *driver) admitLocked() {
	kept := d.arrived[:0]
	for _, st := range d.arrived {
		switch {
		case st.over():
			st.retireLocked()
			d.settleLocked(st)
		case d.srv.Inline != nil:
			kept = append(kept, st)
		case d.running < d.limit:
			d.running++
			kept = append(kept, st)
		default:
			d.waiting.push(st)
		}
	}
	clear(d.arrived[len(kept):])
	d.arrived = kept
}

// awaitFlush waits while the read path of TLS has answered more than the peer
// takes.
func (d *driver) awaitFlush() bool {
	if !d.wire.backlog() {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.wire.backlog() {
		d.kickLocked()
		if !d.writing {
			return false
		}
		d.awaitWriteLocked()
	}
	return true
}

// awaitRoom waits until so many answers were sent that more input may come.
func (d *driver) awaitRoom() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.core.WantRead() && d.core.Err() == nil {
		d.kickLocked()
		if !d.writing {
			return false // the writer gave up: the socket is broken
		}
		d.awaitWriteLocked()
	}
	return true
}
