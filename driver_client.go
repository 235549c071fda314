package nonet

import (
	"bytes"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// The client's side of the driver. A request has no goroutine: whoever waits
// for its response is woken by the reader. Requests that find no free stream
// stand in d.waiting, first come, first served; the reader opens their streams
// for them, so that each free one wakes exactly one.

// newClientDriver returns the driver of a client's connection.
func newClientDriver(cc *ClientConn, c *ClientConfig, w wire, epoch time.Time) *driver {
	limits := c.limits()
	d := &driver{
		cl: cc, wire: w, epoch: sinceStart(epoch), number: cc.number, stall: c.writeStall(), pauses: w.canTry(),
		core: conn.New(conn.Config{Role: conn.Client, Limits: limits, Prepared: c.Prepared}, time.Since(epoch)), // the dial is over
	}
	if cc.pool != nil {
		d.wire.raw.use(&cc.pool.watch)
	} else {
		d.wire.raw.use(&cc.watch)
	}
	d.writer = d.startWriter
	if c.Trace != nil {
		log := &cc.tracer
		if cc.pool != nil {
			log = &cc.pool.tracer
		}
		log.mu.Lock()
		log.w = c.Trace
		log.mu.Unlock()
		d.tap = newTracer(log, d.number, epoch, limits.WithDefaults().HeaderTableSize)
		d.tap.send.skip = len(frame.Preface)
	}
	return d
}

// openLocked opens the stream of a request, and passes on what there is of its
// content. conn.ErrNoCapacity: it has to wait.
func (d *driver) openLocked(st *stream) error {
	if d.closed {
		return conn.ErrGoingAway
	}
	if _, seen := d.core.Peer(); !seen && (d.core.Active() > 0 || st.hdr.Find(hpack.TokenProtocol) >= 0) {
		// How many streams the server takes is not known. One is no risk.
		return conn.ErrNoCapacity
	}
	n := st.uncommitted()
	end := st.ended && n == 0 && st.rtl.Len() == 0
	now := d.now()
	r, err := d.core.Open(now, &st.hdr, end)
	if err != nil {
		return err
	}
	st.c.idle = -1
	if d.core.Active() == 1 {
		st.c.idle = now - d.cl.rests
	}
	st.ref, st.sent, st.c.place = r, true, false
	for int(r.Slot) >= len(d.slots) {
		d.slots = append(d.slots, nil)
	}
	d.slots[r.Slot] = st
	d.cl.opened++
	d.fresh.Add(int64(n) + headOctets)
	if end {
		return nil
	}
	return d.passLocked(st)
}

// passLocked passes on the content that was written, and the end.
func (d *driver) passLocked(st *stream) error {
	n, trailers := st.uncommitted(), st.ended && st.rtl.Len() > 0
	if n == 0 && !st.ended {
		return nil
	}
	st.queueOpenLocked()
	d.fresh.Add(int64(n))
	var err error
	if n > 0 || !trailers {
		err = d.core.Queue(st.ref, n, st.ended && !trailers)
	}
	if err == nil && trailers {
		err = d.core.Trailers(st.ref, &st.rtl)
		st.trailing = err == nil
	}
	return err
}

// tidyLocked follows every step of the core: streams that are free go to those
// that wait.
func (d *driver) tidyLocked() {
	cc := d.cl
	for st := d.waiting.head; st != nil; st = d.waiting.head {
		err := d.openLocked(st)
		if err == conn.ErrNoCapacity {
			break
		}
		d.waiting.remove(st)
		if err != nil {
			d.failRequestLocked(st, d.refusalLocked(err), true)
			continue
		}
		st.wcond.Broadcast()
	}
	ended := cc.opened - d.core.Active()
	cc.opened -= ended
	if ended > 0 && cc.opened == 0 {
		cc.rests = d.now()
	}
	if p := cc.pool; p != nil {
		p.freed(cc, ended)
		if peer, seen := d.core.Peer(); seen && (!cc.toldOnce || peer.MaxConcurrentStreams != cc.told) {
			cc.told, cc.toldOnce = peer.MaxConcurrentStreams, true
			p.limit(cc, cc.told)
		}
		if d.closed || d.core.Draining() || d.core.Err() != nil {
			p.drop(cc)
		}
	}
}

// respondedLocked takes a final response, whose fields are in spare.
func (d *driver) respondedLocked(spare *stream, ev conn.Event) {
	st := d.stream(ev.Ref)
	if st == nil || st.over() || st.retired {
		return
	}
	st.req, spare.req = spare.req, st.req
	st.c.status = statusCode(&st.req)
	st.inEnd, st.empty = ev.End, ev.End
	d.wakeLocked(st)
}

// informedLocked takes an interim response, if somebody wants it.
func (d *driver) informedLocked(spare *stream, ev conn.Event) {
	st := d.stream(ev.Ref)
	if st == nil || st.over() || st.retired || st.c.inform == nil {
		return
	}
	f := new(hpack.Fields)
	*f, spare.req = spare.req, *f
	st.c.interims = append(st.c.interims, f)
	d.wakeLocked(st)
}

// lostRequestLocked ends a request because of the peer or the connection. What
// came of a complete response can still be read.
func (d *driver) lostRequestLocked(st *stream, err error) {
	_, _, retry := d.core.Fate(st.ref)
	if st.inEnd && !st.over() {
		st.outbox.drop()
		st.unsent, st.trailing = 0, false
		st.c.halted = err
		st.wcond.Broadcast()
		d.settleLocked(st)
		return
	}
	d.failRequestLocked(st, err, retry)
}

// failRequestLocked ends a request. retry: no server has processed it.
func (d *driver) failRequestLocked(st *stream, err error, retry bool) {
	if !st.over() {
		st.c.retry = retry
	}
	d.overLocked(st, err, false)
	d.vacateLocked(st)
}

// vacateLocked gives back the place that a request has in a pool's connection
// and did not use.
func (d *driver) vacateLocked(st *stream) {
	if st.c.place {
		st.c.place = false
		d.cl.pool.freed(d.cl, 1)
	}
}

// partLocked takes a request that is closed away from its connection.
func (d *driver) partLocked(st *stream) {
	if st.ref.ID != 0 {
		d.core.Release(st.ref)
		d.slots[st.ref.Slot] = nil
		st.ref = conn.Ref{}
	}
	d.vacateLocked(st)
	d.signalsLocked()
}

// leaveLocked follows the end of the connection: requests that wait have to
// look for another.
func (d *driver) leaveLocked(why error) error {
	switch {
	case d.cl.odd != nil:
		why = d.cl.odd
	case !d.cl.greeted && d.core.Err() == nil && !d.cl.closing.Load():
		why = errNoGreeting
	case d.core.Err() == nil:
		if _, code, debug, ok := d.core.PeerGoAway(); ok && code != frame.NoError {
			why = &conn.Error{Code: code, Side: conn.Remote, Debug: debug}
		}
	}
	if d.core.Err() == nil {
		// Now the core knows which requests never left.
		d.core.Fail(frame.NoError, frame.ReasonNone)
		for _, st := range d.slots {
			if st != nil {
				d.lostRequestLocked(st, why)
			}
		}
		d.signalsLocked()
	}
	for st := d.waiting.head; st != nil; st = d.waiting.head {
		d.failRequestLocked(st, why, true)
	}
	d.cl.err = why
	return why
}

// pushLocked sends what there is to send from the goroutine of a request,
// without waiting for the peer; what the socket does not take at once is for a
// writer. It unlocks.
func (d *driver) pushLocked() {
	if !d.claimLocked() {
		d.mu.Unlock()
		return
	}
	try := d.wire.canTry()
	d.offered = !try
	d.mu.Unlock()
	if !try {
		go d.writer()
		return
	}
	if d.yield() { // others may be about to ask, too
		d.mu.Lock()
		d.tryOnLocked(d.now())
	}
}

// wakeLocked wakes who reads the stream. A client's are woken after the burst:
// they find all that it brought, and the mutex free.
func (d *driver) wakeLocked(st *stream) {
	switch {
	case d.cl == nil:
		st.rcond.Signal()
	case st.readers > 0 && (len(d.cl.woken) == 0 || d.cl.woken[len(d.cl.woken)-1] != st):
		d.cl.woken = append(d.cl.woken, st)
	}
}

// endBurst follows the parsing of a burst of a client's. It unlocks.
func (d *driver) endBurst(now time.Duration) {
	write := d.wantWriteLocked()
	d.mu.Unlock()
	for i, st := range d.cl.woken {
		// Should it serve another request by now, that one looks around in vain.
		st.rcond.Signal()
		d.cl.woken[i] = nil
	}
	d.cl.woken = d.cl.woken[:0]
	if !write {
		return
	}
	d.mu.Lock()
	if d.wire.canTry() {
		d.tryLocked(now)
	} else {
		d.unlockAndKick()
	}
}

// runClient begins the life of a client's connection.
func (d *driver) runClient() {
	d.mu.Lock()
	d.armLocked(d.now())
	d.unlockAndKick()
	d.relay(d.run(nil))
}

// endClient follows the end of a client's connection.
func (d *driver) endClient(err error) {
	cc := d.cl
	if cc.pool != nil {
		cc.pool.ended(cc)
	}
	d.mu.Lock()
	if err == nil {
		err = errClosed
	}
	if cc.err == nil {
		cc.err = err
	}
	d.mu.Unlock()
	close(cc.done)
}

// greet looks at the first octets of a server for what is surely not HTTP/2.
func (d *driver) greet(b []byte) {
	d.cl.greeted = true
	var odd error
	switch {
	case bytes.HasPrefix(b, []byte("HTTP/1.")) && wantsTLS(b):
		odd = errServerTLS
	case bytes.HasPrefix(b, []byte("HTTP/1.")):
		odd = errServerHTTP1
	case len(b) > 2 && (b[0] == 0x15 || b[0] == 0x16) && b[1] == 3:
		odd = errServerTLS
	case bytes.HasPrefix(b, []byte("SSH-")) || bytes.HasPrefix(b, []byte("220 ")):
		odd = ErrNotHTTP2
	}
	if odd != nil {
		d.mu.Lock()
		d.cl.odd = odd
		d.mu.Unlock()
	}
}

// wantsTLS reports whether a server that speaks TLS says in HTTP/1.1 that the
// client should have: each has words of its own.
func wantsTLS(b []byte) bool {
	for _, word := range []string{"HTTPS", "TLS", "SSL"} {
		if bytes.Contains(b, []byte(word)) {
			return bytes.Contains(b[:min(len(b), 16)], []byte(" 400 "))
		}
	}
	return false
}

// statusCode returns the value of :status, which the core has checked.
func statusCode(f *hpack.Fields) int {
	v := f.Get(hpack.TokenStatus)
	if len(v) != 3 {
		return 0
	}
	return int(v[0]-'0')*100 + int(v[1]-'0')*10 + int(v[2]-'0')
}
