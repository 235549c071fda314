package nonet

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// ClientStream is one request and its response, as the client has them: the
// counterpart of [Stream], with the same verbs. It is a small value, to be
// passed and kept as one. It comes from [Client.Request] or
// [ClientConn.Request], and [ClientStream.Close] ends its life; one that was
// closed answers with [ErrStale].
//
// Nothing is sent at first. The request begins with the first of Write (when
// it has more than fits), Flush and CloseWrite, or, if its method expects no
// content, Response; it waits then until the server allows another stream.
//
// One goroutine at a time may write (the fields, Write, Flush, AppendTrailer,
// CloseWrite) and one at a time may read (Response, Read, Trailers); the two
// may differ, for content flows in both directions at once. Reset can be called from anywhere and never
// waits for either; Close is for when both are done. The end of the context
// that the request was made with is a reset with CANCEL: what waits returns the
// context's cause.
type ClientStream struct{ s Stream }

// asking is what a client's stream has beside that of a server.
type asking struct {
	mu sync.Mutex // the stream's while it has no connection
	asked
}

// asked is guarded by the mutex, but for what one side's goroutine has alone.
type asked struct {
	pool      *Client // where to look for a connection; nil: it has one
	secure    bool
	authority string
	path      string // of a CONNECT request that has no :protocol yet
	ctx       context.Context
	stop      func() bool // ends the wait for ctx
	wait      waiter

	plain     bool          // the method expects no content
	beginning bool          // somebody is looking for a stream
	begun     chan struct{} // closed when that has ended; nil: nobody waits for it

	inform   func(int, *hpack.Fields) // the writer's until the request begins
	interims []*hpack.Fields          // not told yet
	status   int                      // of the final response
	got      bool                     // the reader's: Response has returned it
	halted   error                    // the response is complete, the request is cut off
	retry    bool                     // over, and no server has processed the request
	place    bool                     // counted by the pool, without a stream
	idle     time.Duration            // see ClientStream.Reused
	tries    int                      // connections so far
	refused  int                      // REFUSED_STREAM so far
}

var askers sync.Pool

// newAsking returns a stream for a request.
func newAsking() *stream {
	st, _ := askers.Get().(*stream)
	if st == nil {
		st = &stream{c: new(asking)}
	}
	st.declared = -1
	return st
}

// newRequest returns the stream of a request on d, or on a connection of p.
func newRequest(ctx context.Context, p *Client, d *driver, method, url string) (ClientStream, error) {
	if err := ctx.Err(); err != nil {
		return ClientStream{}, context.Cause(ctx)
	}
	st := newAsking()
	if err := st.target(method, url); err != nil {
		st.free()
		return ClientStream{}, err
	}
	c := st.c
	c.ctx, c.pool = ctx, p
	st.d = d
	if d != nil {
		st.bind(&d.mu)
	} else {
		st.bind(&c.mu)
	}
	s := ClientStream{Stream{st: st, gen: st.word.Load() &^ 1}}
	if ctx.Done() != nil {
		mu := st.mu.Load()
		mu.Lock()
		c.stop = context.AfterFunc(ctx, s.cancelled)
		mu.Unlock()
	}
	return s, nil
}

// cancelled follows the end of the context.
func (s ClientStream) cancelled() {
	st, err := s.s.lock()
	if err != nil {
		return
	}
	s.abandon(st, frame.Cancel, context.Cause(st.c.ctx))
}

// abandon resets the request for the application, and unlocks.
func (s ClientStream) abandon(st *stream, code frame.ErrCode, why error) {
	d, c := st.d, st.c
	if st.over() && c.retry {
		st.err = why // it could have been sent again
	}
	c.retry = false
	if d == nil {
		st.overLocked(why, false)
		c.pool.giveUp(&c.wait)
		c.mu.Unlock()
		return
	}
	d.core.Reset(st.ref, code)
	d.failRequestLocked(st, why, false)
	d.signalsLocked()
	d.pushLocked()
}

// Reset ends the request at once with RST_STREAM and this error code, whatever
// it is. What was written and not sent is dropped. The first reset wins; one
// after the end does nothing.
func (s ClientStream) Reset(code frame.ErrCode) error {
	st, err := s.s.lock()
	if err != nil {
		return err
	}
	s.abandon(st, code, &ResetError{Code: code, Side: conn.Local})
	return nil
}

// Close ends the life of the ClientStream, and has to be called in the end, when
// no other goroutine reads or writes any more; Reset makes those that do
// return. A request that was not completed, or a response that has not come
// to its end by then, is reset with CANCEL. The slices and lists that came from the stream are void.
func (s ClientStream) Close() error {
	st, err := s.s.lock()
	if err != nil {
		return nil
	}
	stop, d := st.c.stop, st.d
	st.c.retry = false
	if d == nil {
		st.retireLocked()
		st.outbox.drop()
		st.c.pool.giveUp(&st.c.wait)
		st.c.mu.Unlock()
		st.free()
	} else {
		if st.queued {
			d.waiting.remove(st)
			st.wcond.Broadcast()
		}
		whole := st.ended && st.inEnd && !st.over()
		st.retireLocked()
		if !whole {
			st.outbox.drop()
			st.trailing = false
		}
		d.settleLocked(st)
		d.pushLocked()
	}
	if stop != nil {
		stop()
	}
	return nil
}

// Unprocessed reports whether the request has failed and is known not to have
// been processed by any server: it was refused with REFUSED_STREAM, the
// server's GOAWAY left it out, or it never left (RFC 9113 8.7). Such a request
// may be sent again, whatever its method.
func (s ClientStream) Unprocessed() bool {
	st, err := s.s.lock()
	if err != nil {
		return false
	}
	defer st.mu.Load().Unlock()
	return st.over() && st.c.retry
}

// Write writes content of the request. It copies p and returns; it waits only
// for the first stream, and when 64 KiB are unsent. What was written leaves
// when 16 KiB are together, at Flush, and at CloseWrite.
func (s ClientStream) Write(p []byte) (int, error) { return write(s.s, p) }

// WriteString is Write for a string.
func (s ClientStream) WriteString(p string) (int, error) { return write(s.s, p) }

// ReadFrom writes everything that it reads from r ([io.ReaderFrom]).
func (s ClientStream) ReadFrom(r io.Reader) (int64, error) { return s.s.ReadFrom(r) }

// Reserve returns room for content; see [Stream.Reserve].
func (s ClientStream) Reserve() []byte { return s.s.Reserve() }

// Commit says that the first n octets of what Reserve returned are content.
func (s ClientStream) Commit(n int) error { return s.s.Commit(n) }

// Flush sends what was written so far, the header section first.
func (s ClientStream) Flush() error {
	if _, err := s.s.writer(); err != nil {
		return err
	}
	return s.s.commitRequest(false)
}

// AppendTrailer adds one trailer field for each value; see [Stream.AppendTrailer].
func (s ClientStream) AppendTrailer(name string, values ...string) error {
	st, err := s.s.writer()
	if err != nil {
		return err
	}
	return st.appendTrailer(name, values)
}

// CloseWrite completes the request: what was written is sent, and END_STREAM
// or the trailers follow it. A request that has not begun, and has content or
// a method that expects some, gets its content-length.
func (s ClientStream) CloseWrite() error {
	st, err := s.s.writer()
	if err != nil {
		return err
	}
	if st.declared >= 0 && st.written < st.declared {
		s.Reset(frame.Cancel)
		return errShortRequest
	}
	if st, err = s.s.lock(); err != nil {
		return err
	}
	st.finishRequest()
	st.ended = true
	return s.proceed(st, false)
}

// finishRequest adds what only a complete request can say.
func (st *stream) finishRequest() {
	if st.sent || st.declared >= 0 || st.rtl.Len() > 0 {
		return
	}
	if st.written == 0 {
		// RFC 9110 8.6: content-length of 0 where the method expects content.
		switch string(st.hdr.Get(hpack.TokenMethod)) {
		case "POST", "PUT", "PATCH":
		default:
			return
		}
	}
	st.declared = st.written
	st.hdr.AddInt(hpack.TokenContentLength, st.written)
}

// commitRequest hands over what was written. more: the open chunk is full;
// wait until the stream may hold another, and open it.
func (s Stream) commitRequest(more bool) error {
	st, err := s.lock()
	if err != nil {
		return err
	}
	return ClientStream{s}.proceed(st, more)
}
