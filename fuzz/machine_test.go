package fuzz

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// script is what the fuzzer decides.
type script struct {
	octets []byte // what the peer sends
	cuts   []byte // the sizes of the pieces it comes in, again and again; 0 is 256
	pace   []byte // after how many frames the application has a turn, how much is sent then, and what time it is
	moves  []byte // the programs of the streams
}

// manner is how the same script is played.
type manner uint8

const (
	whole manner = iota // the frames of a turn in one piece
	cut                 // the same turns, in pieces
	wild                // in pieces, a turn after each
)

// world is a server's Conn and everything around it.
type world struct {
	script
	c      *conn.Conn
	limits conn.Limits
	now    time.Duration
	peer   *peer
	out    *checker

	tasks      map[uint32]*task
	all, order []*task // all, and those not finished, in the order they came
	got        int64   // octets of payload that the application was given
	unreleased int
	lastID     uint32

	batch  conn.Batch
	fields hpack.Fields
	log    strings.Builder // events and signals, in words
	joined conn.Ref        // the stream of the DATA event that the log ends with
	wire   []byte          // everything that was sent
	turns  int
	most   int // octets retained, at most
}

// start is not zero: no time is special.
const start = 3 * time.Second

// limits are those that a script is played under, by the length of its pace.
var limits = [...]conn.Limits{
	{},
	{MaxConcurrentStreams: 3, WorkQueue: 2, StreamWindow: 1000, ConnWindow: 65_535, RecvBudget: 500, HeaderListSize: 300, HeaderTableSize: 100, ControlQueue: 50, Requests: 5},
	{StreamWindow: 1 << 20, ConnWindow: 1 << 24, MaxFrameSize: 1 << 20, SendFrameSize: 100, HeaderTableSize: 1 << 16, Interims: 1, LateData: -1, BodyIdle: -1},
	{},
}

func newWorld(s script) *world {
	if len(s.moves) == 0 {
		s.moves = []byte{opHeaders, opQueueEnd | 2<<4, opConsume, opWaitEnd, opRelease}
	}
	l := limits[len(s.pace)%len(limits)]
	return &world{
		script: s,
		limits: l.WithDefaults(),
		c:      conn.New(conn.Config{EnableConnectProtocol: len(s.moves)%2 == 0, Limits: l}, start),
		now:    start,
		peer:   newPeer(s.octets),
		out:    newChecker(),
		tasks:  map[uint32]*task{},
	}
}

// play feeds the whole script and checks what must hold throughout.
func (w *world) play(m manner) error {
	if err := w.emit(1 << 16); err != nil {
		return err
	}
	ends := append(frameEnds(w.octets, 0), len(w.octets))
	cutAt, pos := 0, 0
	for i := 0; i < len(ends); {
		pace := w.octetOf(w.pace, w.turns)
		i = min(i+1+int(pace&3), len(ends))
		for end := ends[i-1]; pos < end; {
			n := end - pos
			if m != whole {
				size := int(w.octetOf(w.cuts, cutAt))
				cutAt++
				if size == 0 {
					size = 256
				}
				n = min(n, size)
			}
			if err := w.feed(pos, pos+n); err != nil {
				return err
			}
			pos += n
			if m == wild && pos < end {
				if err := w.turn(w.octetOf(w.pace, w.turns)); err != nil {
					return err
				}
			}
		}
		if err := w.turn(pace); err != nil {
			return err
		}
	}
	for range 3 {
		if err := w.turn(0); err != nil {
			return err
		}
	}
	if err := w.letGo(); err != nil {
		return err
	}
	return w.expire()
}

func (w *world) octetOf(pattern []byte, i int) byte {
	if len(pattern) == 0 {
		return 0
	}
	return pattern[i%len(pattern)]
}

// feed hands octets[from:to] to the Conn and the events to the application.
func (w *world) feed(from, to int) error {
	for from < to {
		was := w.dead()
		ev, n, err := w.c.Next(w.now, w.octets[from:to], &w.fields)
		if n < 0 || n > to-from {
			return fmt.Errorf("Next took %d of %d octets", n, to-from)
		}
		from += n
		w.peer.advance(from)
		switch {
		case (err != nil) != (!was && w.dead()):
			return fmt.Errorf("Next: error %v; dead before: %v; now: %v", err, was, w.c.Err())
		case was && (from < to || ev.Kind != conn.None):
			return fmt.Errorf("Next after an error: %+v, %d octets", ev, n)
		case n == 0 && err == nil && ev.Kind == conn.None:
			if w.c.WantRead() {
				return fmt.Errorf("Next took nothing at octet %d", from)
			}
			if err := w.emit(1 << 16); err != nil {
				return err
			}
			if !w.c.WantRead() {
				return fmt.Errorf("WantRead is false after Emit")
			}
		}
		if err != nil {
			w.logf("error %v\n", err)
		}
		if _, left := w.c.Body(); left < 0 || left > int(w.limits.MaxFrameSize) {
			return fmt.Errorf("Body: %d octets left", left)
		}
		if err := w.event(ev); err != nil {
			return fmt.Errorf("at octet %d: event %+v: %w", from, ev, err)
		}
	}
	return nil
}

// turn lets time pass and the application work, and sends what there is.
func (w *world) turn(pace byte) error {
	w.turns++
	w.now += [...]time.Duration{0, 0, time.Millisecond, 100 * time.Millisecond, time.Second, 6 * time.Second, 31 * time.Second, 121 * time.Second}[pace>>2&7]
	if err := w.signals(); err != nil {
		return err
	}
	if err := w.tick(); err != nil {
		return err
	}
	live := w.order[:0]
	for _, t := range w.order {
		if err := w.step(t); err != nil {
			return err
		}
		if err := w.signals(); err != nil {
			return err
		}
		if !t.released && !t.over && w.c.QueuedFor(t.ref) != t.queued {
			return fmt.Errorf("stream %d: QueuedFor is %d, want %d", t.ref.ID, w.c.QueuedFor(t.ref), t.queued)
		}
		if !t.released || t.pc <= programLen {
			live = append(live, t)
		}
	}
	w.order = live
	if w.turns%16 == 0 {
		w.weigh()
	}
	if limit := [...]int{1 << 16, 0, 1000, 1}[pace>>5&3]; limit > 0 {
		return w.emit(limit)
	}
	return nil // the writer is busy
}

// tick calls Expire when it is due.
func (w *world) tick() error {
	if d := w.c.Deadline(); d == 0 || d > w.now {
		return nil
	}
	was := w.dead()
	err := w.c.Expire(w.now)
	if (err != nil) != (!was && w.dead()) {
		return fmt.Errorf("Expire: error %v; dead before: %v; now: %v", err, was, w.c.Err())
	}
	if d := w.c.Deadline(); d != 0 && d <= w.now {
		return fmt.Errorf("after Expire(%v) the Deadline is %v", w.now, d)
	}
	return w.signals()
}

// emit sends what there is, at most about limit octets, and checks it.
func (w *world) emit(limit int) error {
	want := w.c.WantEmit()
	w.batch.Reset()
	w.c.Emit(w.now, &w.batch, limit)
	mark, at := len(w.wire), 0
	for _, x := range w.batch.Cuts {
		if x.At < at || x.At > len(w.batch.Buf) {
			return fmt.Errorf("cut %+v in a batch of %d octets, after one at %d", x, len(w.batch.Buf), at)
		}
		w.wire = append(w.wire, w.batch.Buf[at:x.At]...)
		at = x.At
		t := w.tasks[x.Ref.ID]
		if t == nil || t.ref != x.Ref || x.N > t.queued || x.N < 0 {
			return fmt.Errorf("cut %+v takes what is not queued: %+v", x, t)
		}
		for i := range x.N {
			w.wire = append(w.wire, payloadOctet(x.Ref.ID, t.sent+int64(i)))
		}
		t.queued -= x.N
		t.sent += int64(x.N)
	}
	w.wire = append(w.wire, w.batch.Buf[at:]...)
	sent := w.wire[mark:]
	// WantEmit may be true in vain where only Emit finds out that a stream's
	// window is closed, but not twice.
	if !want && len(sent) > 0 || len(sent) == 0 && w.c.WantEmit() {
		return fmt.Errorf("Emit sends %d octets; WantEmit was %v and is %v", len(sent), want, w.c.WantEmit())
	}
	if !w.c.WantRead() {
		return fmt.Errorf("WantRead is false after Emit")
	}
	if err := w.out.read(sent, w.peer); err != nil {
		return fmt.Errorf("sent: %w", err)
	}
	return w.signals()
}

// letGo releases every stream: nothing of them may be left.
func (w *world) letGo() error {
	for _, t := range w.all {
		if !t.released {
			w.release(t)
		}
	}
	if err := w.signals(); err != nil {
		return err
	}
	for n := 0; w.c.WantEmit(); n++ {
		if err := w.emit(1 << 20); err != nil {
			return err
		}
		if n > 1000 {
			return fmt.Errorf("there is always more to emit")
		}
	}
	if n := w.c.Unreleased(); n != 0 {
		return fmt.Errorf("%d streams are unreleased, of none", n)
	}
	w.weigh()
	if w.dead() {
		if !w.c.Done() || !w.out.failed {
			return fmt.Errorf("after an error: Done is %v, GOAWAY was sent: %v", w.c.Done(), w.out.failed)
		}
		return nil
	}
	if !w.peer.whole(len(w.octets)) {
		return nil
	}
	return w.out.settled(w.peer, w.c, &w.limits)
}

// expire lets time alone pass: it ends every connection.
func (w *world) expire() error {
	for n := 0; !w.c.Done(); n++ {
		d := w.c.Deadline()
		if d == 0 || n > 1000 {
			return fmt.Errorf("after %d deadlines the connection is not done: the next is %v, %d streams are active", n, d, w.c.Active())
		}
		w.now = max(w.now, d)
		if err := w.tick(); err != nil {
			return err
		}
		if err := w.emit(1 << 16); err != nil {
			return err
		}
	}
	if n := w.c.Active(); n != 0 {
		return fmt.Errorf("%d streams are active in a connection that is done", n)
	}
	if !w.out.failed && w.out.goaways != 2 {
		return fmt.Errorf("a graceful end with %d GOAWAYs, want two", w.out.goaways)
	}
	return nil
}

// dead reports whether an error of ours ended the connection. The peer's is not
// the end of it.
func (w *world) dead() bool {
	err := w.c.Err()
	return err != nil && err.Side == conn.Local
}

func (w *world) weigh() { w.most = max(w.most, retained(w.c)) }

func (w *world) logf(format string, a ...any) {
	w.joined = conn.Ref{}
	fmt.Fprintf(&w.log, format, a...)
}

// same compares two plays of a script.
func (w *world) same(o *world) error {
	if a, b := w.log.String(), o.log.String(); a != b {
		return fmt.Errorf("events differ\n--- whole\n%s--- cut\n%s", a, b)
	}
	if !bytes.Equal(w.wire, o.wire) {
		return fmt.Errorf("output differs\n--- whole\n%s--- cut\n%s", frames(w.wire), frames(o.wire))
	}
	return nil
}

// frames prints frames as text.
func frames(wire []byte) string {
	var b []byte
	for len(wire) >= frame.HeaderLen {
		h := frame.ParseHeader(wire)
		end := min(frame.HeaderLen+int(h.Length), len(wire))
		b = append(frame.AppendText(b, h, wire[frame.HeaderLen:end]), '\n')
		wire = wire[end:]
	}
	return string(b)
}
