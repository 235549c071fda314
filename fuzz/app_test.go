package fuzz

import (
	"fmt"
	"strings"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// task is what the application knows of a stream that it was told of.
type task struct {
	ref conn.Ref
	pc  int

	final    bool // a final header section was sent
	ended    bool // our side is complete, sent or queued
	reqEnd   bool // the peer's side is
	over     bool // a Reset event, an Ended signal or our own reset told so
	released bool

	queued   int   // octets queued and not emitted
	sent     int64 // octets emitted
	unread   int   // octets received and not consumed
	got      int64 // octets received
	trailers *hpack.Fields
}

// op is a step of a stream's program: an octet of the input, four bits that say
// what to do and four with how much.
const (
	opAnswer     = iota // a header section that is all
	opHeaders           // a header section
	opInform            // an interim one
	opQueue             // a few octets
	opQueueMore         // many
	opQueueEnd          // some, and END_STREAM
	opTrailers          //
	opReset             //
	opRelease           //
	opConsume           // all that was received
	opHalf              // half of it
	opEcho              // send as much as was received
	opWait              // do nothing
	opWaitEnd           // stay here until the request is complete
	opPrioritize        //
	opConnection        // a command for the whole connection
)

// programLen is after how many steps a stream is released, unless its program
// holds on to it for ever.
const programLen = 12

var filler = strings.Repeat("{|}", 6000)

var resetCodes = [...]frame.ErrCode{frame.NoError, frame.Cancel, 1111, frame.InternalError}

// step runs one step of the stream's program. It returns an error when the Conn
// answered a command otherwise than the documents say.
func (w *world) step(t *task) error {
	start := int(t.ref.ID/2) * 5 % len(w.moves)
	move := w.moves[(start+t.pc)%len(w.moves)]
	t.pc++
	arg := int(move >> 4)
	if t.released {
		if t.pc > programLen {
			return nil
		}
		return w.stale(t, move&15)
	}
	if t.pc > programLen {
		if w.moves[start]&0x80 == 0 {
			w.release(t)
		}
		return nil
	}
	switch move & 15 {
	case opAnswer:
		return w.headers(t, 200, true)
	case opHeaders:
		return w.headers(t, 200+arg, false)
	case opInform:
		return w.headers(t, 103, false)
	case opQueue:
		return w.queue(t, arg, false)
	case opQueueMore:
		return w.queue(t, arg*1500, false)
	case opQueueEnd:
		return w.queue(t, arg*arg, true)
	case opTrailers:
		return w.sendTrailers(t, arg)
	case opReset:
		return w.reset(t, resetCodes[arg%len(resetCodes)])
	case opRelease:
		w.release(t)
	case opConsume:
		w.consume(t, t.unread)
	case opHalf:
		w.consume(t, t.unread/2)
	case opEcho:
		n := t.unread
		w.consume(t, n)
		return w.queue(t, n, t.reqEnd)
	case opWaitEnd:
		if !t.reqEnd && !t.over {
			t.pc--
		}
	case opPrioritize:
		w.c.Prioritize(t.ref, conn.Priority{Urgency: uint8(arg & 7), Incremental: arg&8 != 0})
	case opConnection:
		w.command(arg)
	}
	return nil
}

// command is one for the whole connection.
func (w *world) command(arg int) {
	switch {
	case arg < 4:
		w.c.Ping([8]byte{byte(arg)})
	case arg < 8:
		w.c.SetRecvBudget(int64(arg-4) * 50_000)
	case arg == 14:
		w.c.Shutdown(w.now)
	case arg == 15:
		w.c.Fail(frame.InternalError, frame.ReasonNone)
	}
}

// answered compares what a command returned with whether it was in order.
func (w *world) answered(t *task, what string, err error, inOrder bool) error {
	switch {
	case err == nil && !inOrder:
		return fmt.Errorf("stream %d: %s was taken, out of order: %+v", t.ref.ID, what, *t)
	case err == nil:
		return nil
	case err != conn.ErrGone && err != conn.ErrOrder:
		return fmt.Errorf("stream %d: %s: %v", t.ref.ID, what, err)
	case inOrder && !w.dead():
		return fmt.Errorf("stream %d: %s: %v, in order: %+v", t.ref.ID, what, err, *t)
	}
	return nil
}

func (w *world) headers(t *task, status int, end bool) error {
	var f hpack.Fields
	f.AddInt(hpack.TokenStatus, int64(status))
	f.Add("x-stream", fmt.Sprint(t.ref.ID%7))
	if status == 215 {
		f.AddSensitive("x-filler", filler) // longer than a frame, Huffman or not
	}
	err := w.c.Headers(t.ref, &f, end)
	if e := w.answered(t, "Headers", err, !t.over && !t.final && !t.ended); e != nil || err != nil {
		return e
	}
	t.final = status >= 200
	t.ended = end
	return nil
}

func (w *world) queue(t *task, n int, end bool) error {
	err := w.c.Queue(t.ref, n, end)
	if e := w.answered(t, "Queue", err, !t.over && t.final && !t.ended); e != nil || err != nil {
		return e
	}
	t.queued += n
	t.ended = end
	return nil
}

func (w *world) sendTrailers(t *task, n int) error {
	f := new(hpack.Fields)
	for range n {
		f.Add("x-trailer", "one of them")
	}
	f.Add("grpc-status", "0")
	err := w.c.Trailers(t.ref, f)
	if e := w.answered(t, "Trailers", err, !t.over && t.final && !t.ended); e != nil || err != nil {
		return e
	}
	t.trailers, t.ended = f, true
	return nil
}

func (w *world) reset(t *task, code frame.ErrCode) error {
	if err := w.c.Reset(t.ref, code); err != nil {
		return fmt.Errorf("stream %d: Reset before Release: %v", t.ref.ID, err)
	}
	if !t.ended && !t.over {
		t.over = true // the first reset wins; nobody tells us of our own
		if got, side, _ := w.c.Fate(t.ref); !w.dead() && (got != code || side != conn.Local) {
			return fmt.Errorf("stream %d: Fate %v by %v after Reset(%v)", t.ref.ID, got, side, code)
		}
	}
	return nil
}

func (w *world) release(t *task) {
	w.c.Release(t.ref)
	t.released = true
	w.unreleased--
}

func (w *world) consume(t *task, n int) {
	w.c.Consumed(t.ref, n)
	t.unread -= n
}

// stale tries a command on a stream that was released: it must be harmless.
func (w *world) stale(t *task, what byte) error {
	var err error
	switch what {
	case opHeaders:
		var f hpack.Fields
		f.AddToken(hpack.TokenStatus, "200")
		err = w.c.Headers(t.ref, &f, true)
	case opQueue:
		err = w.c.Queue(t.ref, 1, true)
	case opTrailers:
		err = w.c.Trailers(t.ref, new(hpack.Fields))
	case opConsume:
		w.c.Consumed(t.ref, 1)
		return nil
	case opRelease:
		w.c.Release(t.ref)
		return nil
	default:
		return nil
	}
	if err == nil {
		return fmt.Errorf("stream %d: a command after Release was taken", t.ref.ID)
	}
	return nil
}
