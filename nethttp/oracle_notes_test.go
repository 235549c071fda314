package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// notes are what a handler saw, and the server's log.
type notes struct {
	start    time.Time
	handlers sync.WaitGroup // those that run

	mu       sync.Mutex
	lines    [][2]string
	logs     []string
	requests int
	gates    map[string]chan struct{}
	open     bool
}

func newNotes() *notes {
	return &notes{start: time.Now(), gates: make(map[string]chan struct{})}
}

// note records a value.
func (n *notes) note(path string, value any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, [2]string{path, fmt.Sprint(value)})
}

// err records an error by what callers can ask about it.
func (n *notes) err(path string, err error) { n.note(path, class(err)) }

// wrote records what a Write returned.
func (n *notes) wrote(path string, count int, err error) {
	n.note(path, fmt.Sprintf("%d, %s", count, class(err)))
}

// elapsed records the virtual time since the exchange began.
func (n *notes) elapsed(path string) { n.note(path, time.Since(n.start)) }

// try records the panic of f, or that there is none.
func (n *notes) try(path string, f func()) {
	defer func() {
		if e := recover(); e != nil {
			n.note(path, fmt.Sprintf("panic: %v", e))
		}
	}()
	f()
	n.note(path, "no panic")
}

// gate is a channel that client.release closes.
func (n *notes) gate(name string) chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	g := n.gates[name]
	if g == nil {
		g = make(chan struct{})
		n.gates[name] = g
		if n.open {
			close(g)
		}
	}
	return g
}

// await waits for client.release, or for the end of the exchange.
func (n *notes) await(name string) { <-n.gate(name) }

func (n *notes) release(name string) { close(n.gate(name)) }

func (n *notes) openAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = true
	for _, g := range n.gates {
		select {
		case <-g:
		default:
			close(g)
		}
	}
}

// Write takes a line of the server's log: its class, without the stack of a
// panic and the place of a call, and without the name of the package.
func (n *notes) Write(p []byte) (int, error) {
	line, _, _ := strings.Cut(string(p), "\n")
	line, _, _ = strings.Cut(line, " from ")
	for _, prefix := range []string{"http: ", "http2: ", "nethttp: ", "nonet: "} {
		line = strings.TrimPrefix(line, prefix)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.logs = append(n.logs, line)
	return len(p), nil
}

func (n *notes) seen() seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := make(seen)
	for _, l := range n.lines {
		path := l[0]
		if !strings.HasPrefix(path, "request ") {
			path = "handler." + path
		}
		s.add(path, l[1])
	}
	slices.Sort(n.logs)
	for _, l := range n.logs {
		s.add("log", l)
	}
	return s
}

// request records everything a request says about itself.
func (n *notes) request(r *http.Request) {
	n.mu.Lock()
	n.requests++
	p := fmt.Sprintf("request %d", n.requests)
	n.mu.Unlock()
	n.note(p+".reached", "the handler")
	p += ".is."
	n.note(p+"method", r.Method)
	n.note(p+"url", fmt.Sprintf("%+v", *r.URL))
	n.note(p+"requestURI", r.RequestURI)
	n.note(p+"proto", fmt.Sprintf("%s %d %d", r.Proto, r.ProtoMajor, r.ProtoMinor))
	n.note(p+"host", fmt.Sprintf("%q", r.Host))
	n.note(p+"header", fields(r.Header))
	n.note(p+"contentLength", r.ContentLength)
	n.note(p+"transferEncoding", fmt.Sprintf("%q", r.TransferEncoding))
	n.note(p+"trailer", fields(r.Trailer))
	n.note(p+"remoteAddr", r.RemoteAddr)
	n.note(p+"rest", fmt.Sprintf("TLS %t, Close %t, Body %t, GetBody %t, Response %t, Form %t, Pattern %q",
		r.TLS != nil, r.Close, r.Body != nil, r.GetBody != nil,
		r.Response != nil, r.Form != nil || r.PostForm != nil || r.MultipartForm != nil, r.Pattern))
	n.note(p+"context", class(r.Context().Err()))
	n.note(p+"localAddr", fmt.Sprint(r.Context().Value(http.LocalAddrContextKey)))
}

// fields prints a Header: nil values and empty lists are told apart.
func fields(h http.Header) string {
	if h == nil {
		return "nil"
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(h)) {
		if h[k] == nil {
			fmt.Fprintf(&b, "%s=nil ", k)
		} else {
			fmt.Fprintf(&b, "%s=%q ", k, h[k])
		}
	}
	return "{" + strings.TrimSpace(b.String()) + "}"
}

// classes are the errors that callers ask for with errors.Is.
var classes = []struct {
	err  error
	name string
}{
	{io.EOF, "io.EOF"},
	{io.ErrUnexpectedEOF, "io.ErrUnexpectedEOF"},
	{io.ErrShortWrite, "io.ErrShortWrite"},
	{context.Canceled, "context.Canceled"},
	{context.DeadlineExceeded, "context.DeadlineExceeded"},
	{http.ErrBodyNotAllowed, "http.ErrBodyNotAllowed"},
	{http.ErrContentLength, "http.ErrContentLength"},
	{http.ErrBodyReadAfterClose, "http.ErrBodyReadAfterClose"},
	{http.ErrHandlerTimeout, "http.ErrHandlerTimeout"},
	{http.ErrAbortHandler, "http.ErrAbortHandler"},
	{http.ErrHijacked, "http.ErrHijacked"},
	{http.ErrLineTooLong, "http.ErrLineTooLong"},
	{http.ErrNotMultipart, "http.ErrNotMultipart"},
	{errors.ErrUnsupported, "errors.ErrUnsupported"},
}

// class says what an error is: its class, else its text.
func class(err error) string {
	if err == nil {
		return "nil"
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fmt.Sprintf("http.MaxBytesError %d", tooLarge.Limit)
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	return err.Error()
}
