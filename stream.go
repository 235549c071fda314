package nonet

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// Handler answers one request. It runs on a goroutine of its own and may
// block; the request is over when it returns: what was not sent yet is sent,
// and the Stream and every slice that came from it are void.
//
// A Handler given as Server.Inline runs on the connection's reading goroutine
// instead and gets [ErrWouldBlock] from what would block.
type Handler func(Stream)

// Stream is one request and its response. It is a small value, to be passed
// and kept as one: a Stream whose request has ended answers with [ErrStale]
// and can't reach the request that uses the same memory by then.
//
// One goroutine at a time may read (Read, Trailers) and one at a time may
// write (the fields, Write, Flush, trailers, Close); the two may differ, and
// both must be done when the handler returns. Reset, Abort and Context can be
// called from anywhere.
type Stream struct {
	st  *stream
	gen uint64
}

// smallBody is how many octets of a response fit into the stream itself.
const smallBody = 1 << 10

// stream is what a Stream points at: pooled, and used for one request after
// another. Its fields have one owner each, as the groups say.
type stream struct {
	// word is generation<<1, and 1 more when the stream is over: reset, or its
	// connection gone. It is stored under the mutex and read everywhere.
	word atomic.Uint64
	// mu is the mutex of the connection that the request came by. A stale
	// Stream may find another connection's here; word tells it so.
	mu atomic.Pointer[sync.Mutex]

	// Set before the handler starts, then constant until it returns.
	d     *driver      // HTTP/2
	h1    *http1Stream // HTTP/1.1
	c     *asking      // a client's; else nil
	ref   conn.Ref
	head  bool // the method is HEAD
	empty bool // the request has no content
	entry bool // an inline handler is running
	req   hpack.Fields

	// The reading side of the handler.
	cur *chunk // taken from the inbox
	ate int    // octets of earlier chunks that no credit was given for

	// The writing side of the handler.
	hdr        hpack.Fields // response header section, :status not in it yet
	rtl        hpack.Fields // response trailers; the core's once handed over
	status     int
	declared   int64 // content-length; -1: none
	written    int64 // octets of content written
	fill       int   // octets in out's tail chunk, committed or not
	open       *chunk
	sent       bool // the header section was committed
	ended      bool // Close was called
	declares   bool // trailers were declared
	lastConn   bool // connection: close
	panicked   bool
	short      bool    // less was written than declared
	dateless   bool    // no date field is to be added
	lengthless bool    // no content-length
	then       Handler // set by Go

	// Guarded by the mutex.
	inbox    chunkList
	inEnd    bool  // the request is complete
	stopped  error // what CloseRead was told
	tookCont bool  // 100 (Continue) was sent
	trl      hpack.Fields
	outbox   chunkList
	unsent   int   // octets in outbox
	trailing bool  // rtl is the core's
	queued   bool  // waits in the driver's queue
	retired  bool  // the handler has returned, the core was told
	spoiled  bool  // someone may still wait on it: not for reuse
	after    uint8 // how many follow it among unused ones
	err      error
	ctx      context.Context
	cancel   context.CancelCauseFunc
	readers  int
	writers  int
	rcond    sync.Cond
	wcond    sync.Cond
	next     *stream // in one of the driver's queues, or among unused ones
	prev     *stream

	first chunk
	small [smallBody]byte
}

// Context returns a context that is cancelled when the handler returns, or
// before, when the stream is reset or the connection ends: then its cause is a
// *[ResetError], for [errors.As], or the connection's error. It is made when
// asked for first.
func (s Stream) Context() context.Context {
	st, err := s.lock()
	if err != nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(err)
		return ctx
	}
	defer st.mu.Load().Unlock()
	if st.ctx == nil {
		parent := s.ConnContext()
		st.ctx, st.cancel = context.WithCancelCause(parent)
		if st.over() {
			st.cancel(canceled{st.err})
		}
	}
	return st.ctx
}

// Reset ends the stream at once with RST_STREAM and this error code, whatever
// it is. What was written and not sent is dropped, unless the response is
// complete: then it is sent, and RST_STREAM follows only if the request is not
// complete. The first reset wins; later ones, and one after the peer's, do
// nothing. On HTTP/1.1 it returns [errors.ErrUnsupported].
func (s Stream) Reset(code frame.ErrCode) error {
	st, err := s.lock()
	if err != nil {
		return err
	}
	if st.h1 != nil {
		st.mu.Load().Unlock()
		return errors.ErrUnsupported
	}
	d := st.d
	d.resetLocked(st, code)
	d.unlockAndKick()
	return nil
}

// Abort gives the request up: RST_STREAM(INTERNAL_ERROR) on HTTP/2; on
// HTTP/1.1 the connection is closed.
func (s Stream) Abort() error {
	st, err := s.lock()
	if err != nil {
		return err
	}
	if h1 := st.h1; h1 != nil {
		st.overLocked(&ResetError{Code: frame.InternalError, Side: conn.Local}, false)
		st.mu.Load().Unlock()
		h1.abort()
		return nil
	}
	d := st.d
	d.resetLocked(st, frame.InternalError)
	d.unlockAndKick()
	return nil
}

// Go continues the request with h once the running handler has returned. From
// an inline handler it is the way to where waiting is allowed: h runs on a
// goroutine of its own.
func (s Stream) Go(h Handler) {
	if st := s.held(); st != nil {
		st.then = h
	}
}
