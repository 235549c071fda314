package nethttp

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// errResponseClosed is what reads of a response's body get after Close.
var errResponseClosed error = responseClosed{}

type responseClosed struct{}

func (responseClosed) Error() string        { return "nethttp: response body closed" }
func (responseClosed) Is(target error) bool { return target == http.ErrBodyReadAfterClose }

// call is one request on one stream, its response, and that response's body.
type call struct {
	t     *Transport
	req   *http.Request // what is sent
	on    opener
	once  *nonet.Client     // closed at the end
	last  *nonet.ClientConn // likewise
	trace *httptrace.ClientTrace
	s     nonet.ClientStream
	up    *upload // nil: the body needs no goroutine
	res   http.Response
	few   [8]string // values of its header section

	small       bool // nonet can send it again itself
	gzip        bool // we have asked for it
	outer       bool // the trace and the retries are ours, and not net/http's
	touched     bool // the request's body may have been read
	unprocessed bool // failed, and no server has processed it
	tried       bool // nonet has sent it again itself, or has tried to open connections for it
	first       bool // an octet of the response has come

	mu         sync.Mutex
	refs       int   // who may use s: the reader, the upload
	err        error // why we have ended it ourselves
	headed     bool  // there is a response
	timer      *time.Timer
	over       chan struct{} // closed at the end; nil: nobody waits for it
	bodyClosed bool
	reading    bool
	closed     bool  // the response's body
	ended      error // what further reads of it get
}

func newCall(t *Transport, orig, req *http.Request) *call {
	x := &call{t: t, req: req, refs: 1, trace: httptrace.ContextClientTrace(req.Context())}
	x.res.Request = orig
	return x
}

// roundTrip sends the request and waits for the response.
func (x *call) roundTrip() (*http.Response, error) {
	method := x.req.Method
	if method == "" {
		method = http.MethodGet
	}
	if x.trace != nil && x.trace.GetConn != nil && x.outer {
		x.trace.GetConn(hostPort(x.req))
	}
	u, err := target(x.req)
	if err != nil {
		return nil, err
	}
	s, err := x.on.Request(x.req.Context(), method, u)
	if err != nil {
		return nil, x.explain(err)
	}
	x.s = s
	if err = x.header(); err == nil {
		if x.trace != nil || x.req.Header["Expect"] != nil {
			err = s.OnInform(x.inform)
		}
		//lint:ignore SA1019 http.Client sets it for its Timeout
		if c := x.req.Cancel; c != nil {
			x.over = make(chan struct{})
			go x.watch(c)
		}
	}
	if err == nil {
		err = x.begin()
	}
	status := 0
	if err == nil {
		if status, err = s.Response(); err != nil {
			err = x.broken(err)
		}
	}
	if err != nil {
		x.unprocessed = s.Unprocessed()
		x.tried = s.ID() == 0 || x.small
		err = x.explain(err)
		s.Reset(frame.Cancel)
		if x.up != nil {
			x.stopUpload()
		}
		x.release()
		return nil, err
	}
	return x.response(status), nil
}

// watch follows the request's Cancel.
func (x *call) watch(c <-chan struct{}) {
	select {
	case <-c:
		x.fail(errCanceled, frame.Cancel)
	case <-x.over:
	}
}

// fail ends the request with an error of ours; the first counts.
func (x *call) fail(err error, code frame.ErrCode) {
	x.mu.Lock()
	if x.err == nil {
		x.err = err
	}
	x.mu.Unlock()
	_ = x.s.Reset(code)
}

// atOnce is for a Shutdown that is not waited for.
var atOnce = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// release gives the stream up for the reader or the upload.
func (x *call) release() {
	x.mu.Lock()
	x.refs--
	last := x.refs == 0
	if last && x.timer != nil {
		x.timer.Stop()
	}
	x.mu.Unlock()
	if !last {
		return
	}
	x.s.Close()
	if x.over != nil {
		close(x.over)
	}
	if x.once != nil {
		_ = x.once.Shutdown(atOnce)
	}
	if x.last != nil {
		_ = x.last.Shutdown(atOnce)
	}
}

// explain makes an error of nonet what users of net/http know.
func (x *call) explain(err error) error {
	x.mu.Lock()
	own := x.err
	x.mu.Unlock()
	ctx := x.req.Context()
	var reset *nonet.ResetError
	var dial dialError
	switch {
	case own == errCanceled && ctx.Err() != nil:
		return ctxError(ctx) // http.Client's Timeout ends both
	case own != nil:
		return own
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return ctxError(ctx)
	case errors.As(err, &dial):
		return dial.error
	case err == nonet.ErrContentLength:
		return errBodyTooLong
	case errors.As(err, &reset):
		return &streamError{StreamID: x.s.ID(), reset: reset}
	}
	return err
}

// ctxError returns why a context has ended: its error, and its cause.
func ctxError(ctx context.Context) error {
	if err, cause := ctx.Err(), context.Cause(ctx); err != cause {
		return &contextError{err, cause}
	}
	return ctx.Err()
}

type contextError struct{ err, cause error }

func (e *contextError) Error() string   { return e.cause.Error() }
func (e *contextError) Unwrap() []error { return []error{e.cause, e.err} }
func (e *contextError) Timeout() bool   { return e.err == context.DeadlineExceeded }
func (e *contextError) Temporary() bool { return e.Timeout() }

func (x *call) firstByte() {
	if !x.first && x.trace != nil && x.trace.GotFirstResponseByte != nil {
		x.trace.GotFirstResponseByte()
	}
	x.first = true
}

// response makes the response.
func (x *call) response(status int) *http.Response {
	x.firstByte()
	x.mu.Lock()
	x.headed = true
	if x.timer != nil {
		x.timer.Stop()
	}
	x.mu.Unlock()
	r := &x.res
	r.StatusCode, r.Status = status, statusLine(status)
	r.Proto, r.ProtoMajor = "HTTP/2.0", 2
	r.TLS = x.s.TLS()
	x.fillHeader()
	if status > 299 {
		// The server has answered without waiting for the body, which it hardly
		// wants now. After 2xx it may: content flows in both directions.
		x.stopUpload()
	}
	x.proceed()
	head := x.req.Method == http.MethodHead
	r.ContentLength = -1
	switch lengths := r.Header["Content-Length"]; {
	case len(lengths) == 1:
		if n, err := strconv.ParseUint(lengths[0], 10, 63); err == nil {
			r.ContentLength = int64(n)
		}
	case len(lengths) == 0 && x.s.Complete() && !head:
		r.ContentLength = 0
	}
	if x.s.Complete() {
		r.Body = http.NoBody
		x.end(io.EOF)
		return r
	}
	r.Body = x
	if x.gzip && strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		r.Header.Del("Content-Encoding")
		r.Header.Del("Content-Length")
		r.ContentLength = -1
		r.Uncompressed = true
		r.Body = &gunzip{body: x}
	}
	return r
}

// fillHeader makes the header section.
func (x *call) fillHeader() {
	f := x.s.Fields()
	scratch := scratches.Get().(*[]byte)
	buf := (*scratch)[:0]
	regular := 0
	for i := range f.Len() {
		t := f.Token(i)
		switch {
		case t.IsPseudo():
			continue
		case t == hpack.TokenUnknown:
			buf = appendCanonical(buf, f.Name(i))
		}
		regular++
		buf = append(buf, f.Value(i)...)
	}
	text := string(buf)
	*scratch = buf
	scratches.Put(scratch)
	values := x.few[:0:len(x.few)]
	if regular > len(x.few) {
		values = make([]string, 0, regular)
	}
	h := make(http.Header, regular)
	for i := range f.Len() {
		t := f.Token(i)
		if t.IsPseudo() {
			continue
		}
		name := canonical[t]
		if t == hpack.TokenUnknown {
			n := len(f.Name(i))
			name, text = text[:n], text[n:]
		}
		n := len(f.Value(i))
		v := text[:n]
		text = text[n:]
		if t == hpack.TokenTrailer {
			x.announced(v)
			continue
		}
		if old, ok := h[name]; ok {
			h[name] = append(old, v)
			continue
		}
		values = append(values, v)
		k := len(values)
		h[name] = values[k-1 : k : k]
	}
	x.res.Header = h
}

// announced notes the trailers that the response names.
func (x *call) announced(list string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.Trim(name, " \t"); name == "" || len(x.res.Trailer) >= maxAnnounced {
			continue
		}
		if x.res.Trailer == nil {
			x.res.Trailer = make(http.Header)
		}
		x.res.Trailer[http.CanonicalHeaderKey(name)] = nil
	}
}

// Read reads the response's content.
func (x *call) Read(p []byte) (int, error) {
	x.mu.Lock()
	switch {
	case x.closed:
		x.mu.Unlock()
		return 0, errResponseClosed
	case x.ended != nil:
		defer x.mu.Unlock()
		return 0, x.ended
	}
	x.reading = true
	x.mu.Unlock()

	n, err := x.s.Read(p)
	if err == io.EOF {
		x.takeTrailers()
	}
	if err != nil && err != io.EOF {
		err = x.broken(err)
	}
	x.mu.Lock()
	x.reading = false
	if x.closed && err == nil {
		err = errResponseClosed // Close has left the end to us
	}
	x.mu.Unlock()
	if err != nil {
		x.end(err)
	}
	return n, err
}

// broken explains why the response ends too early.
func (x *call) broken(err error) error {
	x.mu.Lock()
	closed := x.closed
	x.mu.Unlock()
	if closed {
		return errResponseClosed
	}
	told := x.explain(err)
	var op *net.OpError
	switch ctx := x.req.Context(); {
	case told != err, ctx.Err() != nil && errors.Is(err, ctx.Err()), errors.As(err, &op) && op.Op == "dial":
		return told
	}
	return &cutOff{err} // the connection is gone
}

// cutOff is a response that ends because its connection does.
type cutOff struct{ error }

func (e *cutOff) Unwrap() []error { return []error{e.error, io.ErrUnexpectedEOF} }

func (x *call) takeTrailers() {
	f := x.s.Trailers()
	if f.Len() == 0 {
		return
	}
	if x.res.Trailer == nil {
		x.res.Trailer = make(http.Header, f.Len())
	}
	for i := range f.Len() {
		name := headerName(f.Token(i), f.Name(i))
		x.res.Trailer[name] = append(x.res.Trailer[name], string(f.Value(i)))
	}
}

// end is the end of the response for its reader.
func (x *call) end(err error) {
	x.mu.Lock()
	first := x.ended == nil
	if first {
		x.ended = err
	}
	cut := x.up != nil && x.up.stopped && !x.up.complete
	x.mu.Unlock()
	if !first {
		return
	}
	if cut && err == io.EOF {
		// RFC 9113 8.1 has the server ask for this; it need not.
		_ = x.s.Reset(frame.NoError)
	}
	x.release()
}

// Close gives up what is left of the response, and of the request.
func (x *call) Close() error {
	x.mu.Lock()
	again, reading := x.closed, x.reading
	x.closed = true
	x.mu.Unlock()
	if again {
		return nil
	}
	_ = x.s.Reset(frame.Cancel)
	x.stopUpload()
	if !reading {
		x.end(errResponseClosed)
	}
	if x.up != nil {
		// The request is its owner's again when Close returns.
		select {
		case <-x.up.done:
		case <-x.req.Context().Done():
		}
	}
	return nil
}

// gunzip is a body that the server has compressed because we asked for it.
type gunzip struct {
	body   *call
	zr     *gzip.Reader
	err    error
	closed atomic.Bool
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.closed.Load() {
		return 0, fs.ErrClosed
	}
	if g.zr == nil && g.err == nil {
		g.zr, g.err = gzip.NewReader(g.body)
	}
	if g.err != nil {
		return 0, g.err
	}
	return g.zr.Read(p)
}

func (g *gunzip) Close() error {
	g.closed.Store(true)
	return g.body.Close()
}

// statusLine returns what http.Response.Status says.
func statusLine(code int) string {
	if 100 <= code && code < 600 && statusLines[code-100] != "" {
		return statusLines[code-100]
	}
	return strconv.Itoa(code) + " "
}

var statusLines = func() (lines [500]string) {
	for i := range lines {
		if text := http.StatusText(i + 100); text != "" {
			lines[i] = strconv.Itoa(i+100) + " " + text
		}
	}
	return lines
}()
