package nethttp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
)

// response is the http.ResponseWriter of an HTTP/2 request.
type response struct {
	s    nonet.Stream
	e    *engine
	conn *connection
	ctx  context.Context
	body *body // nil: the request has none
	head bool

	// mu makes the writer harmless in the hands of a goroutine that outlives
	// the handler.
	mu      sync.Mutex
	header  http.Header
	status  int
	wrote   bool   // the header section is fixed
	sniff   bool   // a content-type is to be found
	done    bool   // the handler has returned
	peek    []byte // the beginning of content that HEAD drops
	trailer []string

	timers timers
}

var (
	_ http.Flusher    = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
	_ io.ReaderFrom   = (*response)(nil)
)

func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

func (w *response) WriteHeader(code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return
	}
	if w.wrote {
		w.e.logs.printf("http: superfluous response.WriteHeader call from %s", caller())
		return
	}
	w.writeHeader(code)
}

// writeHeader fixes the header section, or sends an interim response.
func (w *response) writeHeader(code int) {
	if code < 100 || code > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", code))
	}
	if code < 200 {
		w.inform(code)
		return
	}
	w.wrote, w.status = true, code
	_ = w.s.SetStatus(code)
	w.fix()
}

func (w *response) Write(p []byte) (int, error)       { return write(w, p) }
func (w *response) WriteString(p string) (int, error) { return write(w, p) }

func write[T string | []byte](w *response, p T) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.begin(); err != nil {
		return 0, err
	}
	if w.sniff {
		sniff(w, p)
	}
	switch p := any(p).(type) {
	case string:
		n, err = w.s.WriteString(p)
	case []byte:
		n, err = w.s.Write(p)
	}
	return n, w.error(err)
}

// begin prepares for content.
func (w *response) begin() error {
	switch {
	case w.done:
		return errDone
	case !w.wrote:
		w.writeHeader(http.StatusOK)
	}
	if !bodyAllowed(w.status) {
		return http.ErrBodyNotAllowed
	}
	return nil
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

func (w *response) Flush() { _ = w.FlushError() }

// FlushError sends what was written, the header section first.
func (w *response) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return errDone
	}
	if !w.wrote {
		w.writeHeader(http.StatusOK)
	}
	w.sniffRest()
	return w.error(w.s.Flush())
}

// CloseNotify is http.CloseNotifier, which old programs ask for.
func (w *response) CloseNotify() <-chan bool {
	c := make(chan bool, 1)
	context.AfterFunc(w.ctx, func() { c <- true })
	return c
}

// EnableFullDuplex: HTTP/2 has nothing else.
func (w *response) EnableFullDuplex() error { return nil }

// error makes an error of the stream what users of net/http know.
func (w *response) error(err error) error {
	if err == nil {
		return nil
	}
	if w.timers.expired.Load() {
		return errWriteDeadline
	}
	return streamErr(w.s, err)
}

// end closes what a handler may have left in other hands.
func (w *response) end() {
	if w.body != nil {
		w.body.finish()
	}
	w.mu.Lock()
	w.done = true
	w.mu.Unlock()
}

// finish follows the return of the handler.
func (w *response) finish() {
	w.mu.Lock()
	if !w.wrote {
		w.writeHeader(http.StatusOK)
	}
	w.sniffRest()
	w.sendTrailers()
	w.mu.Unlock()
	w.end()
	w.timers.stop()
}

// SetReadDeadline makes reads of the body fail from then on with an error that
// is os.ErrDeadlineExceeded. What has arrived before can still be read.
func (w *response) SetReadDeadline(t time.Time) error {
	if w.body == nil {
		return nil
	}
	w.timers.set(&w.timers.read, t, func() { w.s.CloseRead(errReadDeadline, true) })
	return nil
}

// SetWriteDeadline resets the stream with INTERNAL_ERROR then.
func (w *response) SetWriteDeadline(t time.Time) error {
	c := &w.timers
	c.set(&c.write, t, func() {
		c.expired.Store(true)
		_ = w.s.Reset(frame.InternalError)
	})
	return nil
}
