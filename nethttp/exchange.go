package nethttp

import (
	"net/http"
	"net/url"
	"runtime"
	"time"

	"github.com/nonet-h2/nonet"
)

// engine runs an http.Handler for the engine's streams.
type engine struct {
	handler      http.Handler
	logs         logger
	readTimeout  time.Duration
	writeTimeout time.Duration
}

// exchange is what a request needs beside itself, in one piece. It is not
// reused: the handler may keep parts of it for ever.
type exchange struct {
	w   response
	ctx requestContext
	url url.URL
	few [4]string // values of the request's fields
}

// serve is the stream handler.
func (e *engine) serve(s nonet.Stream) {
	c, ok := s.ConnContext().(*connection)
	if !ok {
		_ = s.Abort()
		return
	}
	x := new(exchange)
	x.ctx.s, x.ctx.base = s, c
	var room http.Request
	ok = x.fill(&room, s)
	r := room.WithContext(&x.ctx)
	r.RemoteAddr, r.TLS = c.remote, c.tls
	r.Body = http.NoBody
	w := &x.w
	w.s, w.e, w.conn, w.ctx, w.head = s, e, c, &x.ctx, r.Method == http.MethodHead
	if r.ContentLength = s.ContentLength(); !s.Complete() {
		w.body = &body{s: s}
		r.Body = w.body
		if e.readTimeout > 0 {
			_ = w.SetReadDeadline(time.Now().Add(e.readTimeout))
		}
	}
	if r.Trailer = announced(r.Header); r.Trailer != nil && w.body != nil {
		w.body.trailer = r.Trailer
	}
	if e.writeTimeout > 0 {
		_ = w.SetWriteDeadline(time.Now().Add(e.writeTimeout))
	}
	h := c.handler
	if h == nil {
		h = e.handler
	}
	if !ok {
		h = http.HandlerFunc(badPath)
	}
	w.run(h, r)
}

func badPath(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "400 Bad Request: malformed :path", http.StatusBadRequest)
}

// run calls the handler and ends the response.
func (w *response) run(h http.Handler, r *http.Request) {
	returned := false
	defer func() {
		if !returned {
			w.panicked(recover())
		}
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll()
		}
	}()
	h.ServeHTTP(w, r)
	returned = true
	w.finish()
}

// panicked ends the response of a handler that did not return: with a 500 if
// nothing of it was sent, else with RST_STREAM(INTERNAL_ERROR).
func (w *response) panicked(v any) {
	w.end()
	_ = w.s.AwaitSent() // not beyond the write deadline
	w.timers.stop()
	if v == http.ErrAbortHandler {
		_ = w.s.Abort()
		return
	}
	if v != nil {
		stack := make([]byte, 64<<10)
		stack = stack[:runtime.Stack(stack, false)]
		w.e.logs.printf("http: panic serving %v: %v\n%s", w.conn.remote, v, stack)
	}
	w.s.Fail()
}
