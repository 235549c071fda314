package nonet

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

// Response waits for the final response and returns its status code; its
// fields, content and trailers are there then. A GET, HEAD, OPTIONS, TRACE or
// DELETE that has not begun is sent by it, and is complete unless something was
// written; with other methods it waits until Flush or CloseWrite was called,
// perhaps by another goroutine. Interim responses go to the function given to
// OnInform.
//
// A request of a [Client] that no server has processed is sent again by
// itself, if it is complete and its content is at most 1 KiB; see
// [Client.Request].
func (s ClientStream) Response() (status int, err error) {
	st, err := s.s.lock()
	if err != nil {
		return 0, err
	}
	for {
		switch {
		case s.s.held() == nil:
			err = ErrStale
		case len(st.c.interims) > 0:
			f := st.c.interims[0]
			st.c.interims = st.c.interims[1:]
			inform, mu := st.c.inform, st.mu.Load()
			mu.Unlock()
			inform(statusCode(f), f)
			if st, err = s.s.lock(); err != nil {
				return 0, err
			}
			continue
		case st.c.status != 0 && !st.over():
			status, st.c.got = st.c.status, true
			st.mu.Load().Unlock()
			return status, nil
		case st.over() && st.c.retry && st.c.beginning:
			// Whoever began it is about to find it another connection.
			if st = s.awaitBegunLocked(st); st == nil {
				return 0, ErrStale
			}
			continue
		case s.mayMoveLocked(st):
			if st, err = s.moveLocked(st); err != nil {
				return 0, err
			}
			continue
		case st.over():
			err = st.err
		case !st.sent && (st.c.beginning || !st.c.plain && !st.ended):
			if st = s.awaitBegunLocked(st); st == nil {
				return 0, ErrStale
			}
			continue
		case !st.sent:
			if st.written == 0 && !st.ended {
				st.finishRequest()
				st.ended = true
			}
			if err = s.proceed(st, false); err != nil {
				return 0, err
			}
			if st, err = s.s.lock(); err != nil {
				return 0, err
			}
			continue
		default:
			st.readers++
			st.rcond.Wait()
			st.readers--
			continue
		}
		st.mu.Load().Unlock()
		return 0, err
	}
}

// OnInform sets a function that gets the interim (1xx) responses: it is called
// by Response, on its goroutine, in their order, before the final response is
// returned. Call it before the request begins. The fields, :status among them,
// are f's for good. Without it interim responses are dropped.
func (s ClientStream) OnInform(f func(status int, fields *hpack.Fields)) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	st.c.inform = f
	return nil
}

// response returns the stream once Response has returned one.
func (s ClientStream) response() *stream {
	if st := s.s.held(); st != nil && st.c.got {
		return st
	}
	return nil
}

// Field returns the first value of the response's field of this name, in any
// case, or nil.
func (s ClientStream) Field(name string) []byte {
	if st := s.response(); st != nil {
		return st.req.GetName(name)
	}
	return nil
}

// Fields returns the response's header section, :status first. It is to be
// read only, until Close. Before Response has returned it is empty.
func (s ClientStream) Fields() *hpack.Fields {
	if st := s.response(); st != nil {
		return &st.req
	}
	return new(hpack.Fields)
}

// ContentLength returns the declared length of the response's content, 0 if it
// has none, -1 if it is not known.
func (s ClientStream) ContentLength() int64 {
	st := s.response()
	if st == nil {
		return -1
	}
	if st.empty {
		return 0
	}
	if n, ok := parseLength(string(st.req.Get(hpack.TokenContentLength))); ok {
		return n
	}
	return -1
}

// Complete reports whether the response's header section was all of it: neither
// content nor trailers follow.
func (s ClientStream) Complete() bool {
	st := s.response()
	return st != nil && st.empty
}

// Read reads the response's content, after Response, which it calls if nobody
// did. It waits for some, and returns io.EOF at the end of the response;
// Trailers are there then. The server gets credit to send more for what was read.
func (s ClientStream) Read(p []byte) (int, error) {
	st := s.s.held()
	if st == nil {
		return 0, ErrStale
	}
	if !st.c.got {
		if _, err := s.Response(); err != nil {
			return 0, err
		}
	}
	return s.s.Read(p)
}

// Trailers returns the response's trailer section once Read has returned
// io.EOF; before that, and without trailers, an empty list.
func (s ClientStream) Trailers() *hpack.Fields { return s.s.Trailers() }

// ID returns the stream's identifier, 0 before the request has begun.
func (s ClientStream) ID() uint32 {
	st, err := s.s.lock()
	if err != nil {
		return 0
	}
	defer st.mu.Load().Unlock()
	return st.ref.ID
}

// Reused reports whether the connection had served other requests before this
// one, and for how long it had had none when this one began; -1: it had some.
// Before the request has begun it is false.
func (s ClientStream) Reused() (reused bool, idle time.Duration) {
	st, err := s.s.lock()
	if err != nil {
		return false, 0
	}
	defer st.mu.Load().Unlock()
	if st.ref.ID <= 1 {
		return false, 0
	}
	return true, st.c.idle
}

// Prioritize tells the server by PRIORITY_UPDATE how urgent the response has
// become (RFC 9218 7.1). Before the request begins, a priority field says so.
func (s ClientStream) Prioritize(p conn.Priority) error {
	st, err := s.s.lock()
	if err != nil {
		return err
	}
	if st.d == nil || st.ref.ID == 0 {
		st.mu.Load().Unlock()
		return errNotBegun
	}
	st.d.core.Prioritize(st.ref, p)
	st.d.pushLocked()
	return nil
}

// RemoteAddr returns the server's address, nil before the request has begun.
func (s ClientStream) RemoteAddr() net.Addr {
	if nc := s.NetConn(); nc != nil {
		return nc.RemoteAddr()
	}
	return nil
}

// TLS returns the state of the connection's TLS, nil on cleartext and before
// the request has begun. It is the connection's own, to be read only.
func (s ClientStream) TLS() *tls.ConnectionState {
	st, err := s.s.lock()
	if err != nil {
		return nil
	}
	defer st.mu.Load().Unlock()
	if st.d == nil {
		return nil
	}
	return st.d.cl.tls
}

// NetConn returns the connection that the request uses, nil before it has
// begun. It is there for its addresses, and is neither to be read nor written.
func (s ClientStream) NetConn() net.Conn {
	st, err := s.s.lock()
	if err != nil {
		return nil
	}
	defer st.mu.Load().Unlock()
	if st.d == nil {
		return nil
	}
	return st.d.wire.nc
}
