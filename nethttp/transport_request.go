package nethttp

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

var (
	errBodyTooLong   = errors.New("nethttp: request body larger than specified content length")
	errCanceled      = errors.New("net/http: request canceled")
	errHeaderTimeout = headerTimeout{}
	errStop          = errors.New("nethttp: the server does not want the rest of the body")
)

// headerTimeout is how net/http reports Base.ResponseHeaderTimeout.
type headerTimeout struct{}

func (headerTimeout) Error() string   { return "nethttp: timeout awaiting response headers" }
func (headerTimeout) Timeout() bool   { return true }
func (headerTimeout) Temporary() bool { return true }

// userAgent is what net/http says of itself; servers know it.
const userAgent = "Go-http-client/2.0"

// checkRequest finds what must not be sent, before anything is.
func checkRequest(req *http.Request) error {
	switch {
	case req.URL == nil:
		return errors.New("http: nil Request.URL")
	case req.Header == nil:
		return errors.New("http: nil Request.Header")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return nil
	case req.Method != "" && hpack.CheckName(req.Method) != nil:
		return fmt.Errorf("net/http: invalid method %q", req.Method)
	case req.URL.Host == "":
		return errors.New("http: no Host in request URL")
	case req.URL.Opaque != "" && !strings.HasPrefix(opaquePath(req.URL), "/"):
		return fmt.Errorf("nethttp: invalid request path %q", req.URL.Opaque)
	}
	for k, values := range req.Header {
		if k != ":protocol" && !httpguts.ValidHeaderFieldName(k) {
			return fmt.Errorf("net/http: invalid header field name %q", k)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				// The value may be a secret.
				return fmt.Errorf("net/http: invalid header field value for %q", k)
			}
		}
	}
	for k, values := range req.Trailer {
		if !httpguts.ValidHeaderFieldName(k) {
			return fmt.Errorf("net/http: invalid trailer field name %q", k)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return fmt.Errorf("net/http: invalid trailer field value for %q", k)
			}
		}
	}
	return nil
}

// checkConnection finds fields about the connection that HTTP/2 can't obey.
func checkConnection(h http.Header) error {
	if v := h.Get("Upgrade"); v != "" {
		return fmt.Errorf("nethttp: invalid Upgrade request header: %q", h["Upgrade"])
	}
	if v := h["Transfer-Encoding"]; len(v) > 1 || len(v) == 1 && v[0] != "" && v[0] != "chunked" {
		return fmt.Errorf("nethttp: invalid Transfer-Encoding request header: %q", v)
	}
	if v := h["Connection"]; len(v) > 1 || len(v) == 1 && v[0] != "" && !strings.EqualFold(v[0], "close") && !strings.EqualFold(v[0], "keep-alive") {
		return fmt.Errorf("nethttp: invalid Connection request header: %q", v)
	}
	return nil
}

// bodyLength returns the length of the request's body, -1 if it is not known.
func bodyLength(req *http.Request) int64 {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return 0
	case req.ContentLength != 0:
		return req.ContentLength
	}
	return -1
}

// opaquePath returns the path and query of a URL with Opaque, which may be a
// whole URL without its scheme.
func opaquePath(u *url.URL) string {
	return strings.TrimPrefix(u.RequestURI(), u.Scheme+"://"+u.Host)
}

// target returns the request's URL as nonet takes it.
func target(req *http.Request) string {
	u := req.URL
	host := u.Host
	if ascii, err := httpguts.PunycodeHostPort(host); err == nil {
		host = ascii
	}
	switch {
	case req.Method == http.MethodConnect && len(req.Header[":protocol"]) == 0:
		return u.Scheme + "://" + host
	case req.Method == http.MethodOptions && u.Path == "*" && u.RawQuery == "":
		return u.Scheme + "://" + host
	case u.Opaque != "":
		return u.Scheme + "://" + host + opaquePath(u)
	}
	path, query := u.EscapedPath(), ""
	if path == "" {
		path = "/"
	}
	if u.ForceQuery || u.RawQuery != "" {
		query = "?"
	}
	return u.Scheme + "://" + host + path + query + u.RawQuery
}

// field adds a field to the header section.
func (x *call) field(name, value string) error {
	if err := x.s.AddField(name, value); err != nil {
		return err
	}
	if x.trace != nil && x.trace.WroteHeaderField != nil {
		x.trace.WroteHeaderField(strings.ToLower(name), []string{value})
	}
	return nil
}

// wrotePseudo tells the trace of the pseudo-header fields.
func (x *call) wrotePseudo() {
	host := x.req.Host
	if host == "" {
		host = x.req.URL.Host
	}
	tell := x.trace.WroteHeaderField
	tell(":authority", []string{host})
	tell(":method", []string{cmp.Or(x.req.Method, http.MethodGet)})
	if x.req.Method != http.MethodConnect {
		tell(":path", []string{x.req.URL.RequestURI()})
		tell(":scheme", []string{x.req.URL.Scheme})
	}
}

// header makes the header section.
func (x *call) header() error {
	req := x.req
	if err := checkConnection(req.Header); err != nil {
		return err
	}
	if p := req.Header[":protocol"]; len(p) > 0 {
		if err := x.s.SetProtocol(p[0]); err != nil {
			return err
		}
	}
	if host := req.Host; host != "" && host != req.URL.Host && req.Method != http.MethodConnect {
		host, err := httpguts.PunycodeHostPort(host)
		if err != nil {
			return err
		}
		if err := x.s.SetAuthority(withoutZone(host)); err != nil {
			return err
		}
	} else if strings.IndexByte(req.URL.Host, '%') >= 0 {
		if err := x.s.SetAuthority(withoutZone(req.URL.Host)); err != nil {
			return err
		}
	}
	if x.trace != nil && x.trace.WroteHeaderField != nil {
		x.wrotePseudo()
	}
	for name, values := range req.Header {
		if err := x.fields(name, values); err != nil {
			return err
		}
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		if err := x.field("user-agent", userAgent); err != nil {
			return err
		}
	}
	if !x.t.base.DisableCompression && req.Method != http.MethodHead && len(req.Header["Accept-Encoding"]) == 0 && len(req.Header["Range"]) == 0 {
		x.gzip = true
		if err := x.field("accept-encoding", "gzip"); err != nil {
			return err
		}
	}
	if n := bodyLength(req); n > 0 {
		if err := x.field("content-length", strconv.FormatInt(n, 10)); err != nil {
			return err
		}
	}
	return x.announce()
}

// fields adds the values of one field.
func (x *call) fields(name string, values []string) error {
	switch name {
	case ":protocol", "Host", "Content-Length", "Connection", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Keep-Alive", "Http2-Settings":
		return nil
	case "User-Agent":
		if len(values) == 0 || values[0] == "" {
			return nil
		}
		values = values[:1]
	case "Te":
		if !httpguts.HeaderValuesContainsToken(values, "trailers") {
			return nil
		}
		return x.field("te", "trailers")
	case "Cookie":
		// RFC 9113 8.2.3: crumbs compress better.
		for _, v := range values {
			for crumb := range strings.SplitSeq(v, ";") {
				if crumb = strings.Trim(crumb, " "); crumb == "" {
					continue
				}
				if err := x.field("cookie", crumb); err != nil {
					return err
				}
			}
		}
		return nil
	}
	switch {
	case name != http.CanonicalHeaderKey(name):
		if c := http.CanonicalHeaderKey(name); c != name && !sendable(c) || strings.EqualFold(c, "Host") || strings.EqualFold(c, "Content-Length") {
			return nil
		}
	}
	for _, v := range values {
		if err := x.field(name, trim(v)); err != nil {
			return err
		}
	}
	return nil
}

// announce adds the field that names the trailers.
func (x *call) announce() error {
	if len(x.req.Trailer) == 0 {
		return nil
	}
	names := make([]string, 0, len(x.req.Trailer))
	for name := range x.req.Trailer {
		if !nonet.TrailerAllowed(name) {
			return fmt.Errorf("nethttp: invalid Trailer key %q", name)
		}
		names = append(names, http.CanonicalHeaderKey(name))
	}
	slices.Sort(names)
	return x.field("trailer", strings.Join(names, ","))
}

// trailers adds the trailer section.
func (x *call) trailers() error {
	for name, values := range x.req.Trailer {
		if err := x.s.AppendTrailer(name, values...); err != nil {
			return err
		}
	}
	return nil
}

// withoutZone takes the zone out of an IPv6 address, which means nothing to
// the server (RFC 6874 4).
func withoutZone(host string) string {
	i, j := strings.IndexByte(host, '%'), strings.LastIndexByte(host, ']')
	if !strings.HasPrefix(host, "[") || i < 0 || j < i {
		return host
	}
	return host[:i] + host[j:]
}

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
	switch {
	case n == 0:
		if err = x.trailers(); err == nil {
			err = x.s.CloseWrite()
		}
	case n > 0 && n <= maxInMemory && !expect && x.req.GetBody != nil && inMemory(x.req.Body):
		x.touched = true
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
			t.GotConn(httptrace.GotConnInfo{Conn: x.s.NetConn(), Reused: x.s.ID() > 1})
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
