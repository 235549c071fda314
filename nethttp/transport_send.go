package nethttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"reflect"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// maxInMemory is the longest body that is written before the response is
// waited for, by the same goroutine; none of it waits for the server.
const maxInMemory = 16 << 10

// begin sends the header section, and the body, or lets another goroutine
// send that.
func (x *call) begin() error {
	n := bodyLength(x.req)
	expect := n != 0 && x.t.base.ExpectContinueTimeout > 0 && httpguts.HeaderValuesContainsToken(x.req.Header["Expect"], "100-continue")
	var err error
	whole := true
	x.small = n == 0
	switch {
	case n == 0:
		if err = x.trailers(); err == nil {
			err = x.s.CloseWrite()
		}
	case n > 0 && n <= maxInMemory && !expect && x.req.GetBody != nil && inMemory(x.req.Body):
		x.touched = true
		x.small = n <= 1<<10 // nonet.Client.Request says how much it keeps
		var sent int64
		if sent, err = io.Copy(x.s, x.req.Body); err == nil {
			err = x.bodyEnd(n - sent)
		}
		x.closeBody()
		var own *bodyError
		if errors.As(err, &own) {
			err = own.error
		}
	default:
		whole = false
		err = x.s.Flush()
	}
	if err != nil {
		return err
	}
	if t := x.trace; t != nil {
		if t.GotConn != nil {
			reused, idle := x.s.Reused()
			t.GotConn(httptrace.GotConnInfo{Conn: x.s.NetConn(), Reused: reused, WasIdle: reused && idle >= 0, IdleTime: max(idle, 0)})
		}
		if t.WroteHeaders != nil {
			t.WroteHeaders()
		}
	}
	if whole {
		x.wrote(nil)
		return nil
	}
	x.touched = true
	x.up = &upload{done: make(chan struct{}), stop: make(chan struct{})}
	if expect {
		x.up.proceed = make(chan struct{})
	}
	x.refs++
	go x.upload()
	return nil
}

// wrote follows the end of the request.
func (x *call) wrote(err error) {
	if x.trace != nil && x.trace.WroteRequest != nil {
		x.trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	if d := x.t.base.ResponseHeaderTimeout; d > 0 && err == nil {
		x.mu.Lock()
		if !x.headed {
			x.timer = time.AfterFunc(d, func() { x.fail(errHeaderTimeout, frame.Cancel) })
		}
		x.mu.Unlock()
	}
}

// upload is a request's body on its way, with a goroutine of its own.
type upload struct {
	proceed  chan struct{} // closed when the server wants the body; nil: it is not asked
	stop     chan struct{} // closed when nobody wants the rest
	done     chan struct{} // closed when the goroutine is done with the request
	asked    bool          // proceed is closed; the mutex of the call guards it
	stopped  bool          // stop is closed; likewise
	complete bool          // the request is; likewise
}

// upload sends the body.
func (x *call) upload() {
	err := x.sendBody()
	x.closeBody()
	x.mu.Lock()
	x.up.complete = err == nil
	x.mu.Unlock()
	var own *bodyError
	switch {
	case err == errStop:
		x.wrote(nil)
	case errors.As(err, &own):
		code := frame.Cancel
		if r := (*nonet.ResetError)(nil); errors.As(err, &r) {
			code = r.Code
		}
		x.fail(own.error, code)
		x.wrote(own.error)
	case err != nil:
		// The stream has failed, and the response says so, or is complete.
		x.wrote(x.explain(err))
	default:
		x.wrote(nil)
	}
	close(x.up.done)
	x.release()
}

// bodyError is why the body could not be sent, when it is the body's fault.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

// bodyEnd is what there is to do at the end of a body of which left octets are
// missing.
func (x *call) bodyEnd(left int64) error {
	if n := bodyLength(x.req); n > 0 && left > 0 {
		return &bodyError{fmt.Errorf("nethttp: ContentLength=%d with Body length %d", n, n-left)}
	}
	if err := x.trailers(); err != nil {
		return &bodyError{err}
	}
	return x.s.CloseWrite()
}

func (x *call) sendBody() error {
	u := x.up
	if u.proceed != nil {
		if x.trace != nil && x.trace.Wait100Continue != nil {
			x.trace.Wait100Continue()
		}
		timer := time.NewTimer(x.t.base.ExpectContinueTimeout)
		select {
		case <-timer.C:
		case <-u.proceed:
		case <-u.stop:
		}
		timer.Stop()
	}
	left := bodyLength(x.req)
	for {
		select {
		case <-u.stop:
			return errStop
		default:
		}
		room := x.s.Reserve()
		if room == nil {
			return x.s.Commit(0)
		}
		n, err := x.req.Body.Read(room)
		left -= int64(n)
		if left == 0 && err == nil && n < len(room) {
			// The end, if it is one, leaves with the last octets.
			var more int
			more, err = x.req.Body.Read(room[n:])
			n += more
			left -= int64(more)
		}
		if n > 0 {
			switch err := x.s.Commit(n); {
			case err == nonet.ErrContentLength:
				return &bodyError{errBodyTooLong}
			case err != nil:
				return err
			}
		}
		switch {
		case err == io.EOF:
			return x.bodyEnd(left)
		case err != nil && x.isStopped():
			return errStop
		case err != nil:
			return &bodyError{err}
		case n > 0:
			if err := x.s.Flush(); err != nil {
				return err
			}
		}
	}
}

func (x *call) isStopped() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.up.stopped
}

// stopUpload ends the sending of the body, and closes it.
func (x *call) stopUpload() {
	if x.up == nil {
		return
	}
	x.mu.Lock()
	first := !x.up.stopped
	x.up.stopped = true
	x.mu.Unlock()
	if first {
		close(x.up.stop)
		x.closeBody()
	}
}

// proceed lets the body follow.
func (x *call) proceed() {
	if x.up == nil || x.up.proceed == nil {
		return
	}
	x.mu.Lock()
	first := !x.up.asked
	x.up.asked = true
	x.mu.Unlock()
	if first {
		close(x.up.proceed)
	}
}

// closeBody closes the request's body, once.
func (x *call) closeBody() {
	x.mu.Lock()
	first := !x.bodyClosed
	x.bodyClosed = true
	x.mu.Unlock()
	if first {
		closeBody(x.req)
	}
}

// inform gets the interim responses.
func (x *call) inform(status int, f *hpack.Fields) {
	x.mu.Lock()
	failed := x.err != nil
	x.mu.Unlock()
	if failed {
		return
	}
	x.firstByte()
	if x.trace != nil && x.trace.Got1xxResponse != nil {
		h := make(textproto.MIMEHeader)
		for i := range f.Len() {
			if t := f.Token(i); !t.IsPseudo() {
				name := headerName(t, f.Name(i))
				h[name] = append(h[name], string(f.Value(i)))
			}
		}
		if err := x.trace.Got1xxResponse(status, h); err != nil {
			x.fail(err, frame.Cancel)
			return
		}
	}
	if status == http.StatusContinue {
		if x.trace != nil && x.trace.Got100Continue != nil {
			x.trace.Got100Continue()
		}
		x.proceed()
	}
}

// The types of io.NopCloser's results.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser((*bytes.Buffer)(nil)))
)

// inMemory reports whether reading never waits.
func inMemory(body io.ReadCloser) bool {
	var r any = body
	if t := reflect.TypeOf(r); t == nopCloser || t == nopCloserWriterTo {
		r = reflect.ValueOf(r).Field(0).Interface()
	}
	switch r.(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	}
	return false
}
