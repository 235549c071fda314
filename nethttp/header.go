package nethttp

import (
	"fmt"
	"net/http"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/hpack"
)

// sniffLen is how much of the content says what it is.
const sniffLen = 512

// fix takes the header section over: what the handler changes from now on are
// trailers.
func (w *response) fix() {
	h := w.header
	if _, ok := h["Date"]; ok && len(h["Date"]) == 0 {
		w.s.Omit(hpack.TokenDate)
	}
	_, typed := h["Content-Type"]
	w.sniff = !typed && h.Get("Content-Encoding") == "" && bodyAllowed(w.status)
	var room [16]string
	for _, name := range sorted(room[:0], h) {
		switch {
		case strings.HasPrefix(name, http.TrailerPrefix):
			continue
		case strings.EqualFold(name, "Content-Length"):
			w.length(h[name])
			continue
		case name == "Trailer":
			w.declare(h[name])
		}
		for _, v := range h[name] {
			_ = w.s.AddField(name, trim(v)) // what can't be sent is left out
		}
	}
}

// length takes over a content-length, if it is one.
func (w *response) length(values []string) {
	if len(values) == 0 {
		w.s.Omit(hpack.TokenContentLength)
		return
	}
	if n, err := strconv.ParseUint(values[0], 10, 63); err == nil {
		_ = w.s.SetField("content-length", strconv.FormatUint(n, 10))
	}
}

// sorted appends the names of h to dst, in order.
func sorted(dst []string, h http.Header) []string {
	for name := range h {
		dst = append(dst, name)
	}
	slices.Sort(dst)
	return dst
}

// trim removes white space around a value, which RFC 9110 5.5 keeps out of it.
func trim(v string) string { return strings.Trim(v, " \t") }

// inform sends an interim response. It leaves the header section as it is.
func (w *response) inform(code int) {
	var f hpack.Fields
	for _, name := range sorted(nil, w.header) {
		if name == "Content-Length" || strings.HasPrefix(name, http.TrailerPrefix) || !sendable(name) {
			continue
		}
		for _, v := range w.header[name] {
			if v = trim(v); hpack.CheckValue(v) == nil {
				f.Add(name, v)
			}
		}
	}
	_ = w.s.Inform(code, &f)
}

// sendable reports whether a field of this name may stand in a message of
// HTTP/2 (RFC 9113 8.2).
func sendable(name string) bool {
	if hpack.CheckName(name) != nil {
		return false
	}
	switch strings.ToLower(name) {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings":
		return false
	}
	return true
}

// sniff decides about the content-type once enough content is known.
func sniff[T string | []byte](w *response, p T) {
	known := w.s.Buffered()
	if w.head {
		w.peek = append(w.peek, p[:min(len(p), sniffLen-len(w.peek))]...)
		if len(w.peek) >= sniffLen {
			w.typed(w.peek)
		}
		return
	}
	if len(known)+len(p) < sniffLen {
		return
	}
	var room [sniffLen]byte
	n := copy(room[:], known)
	n += copy(room[n:], p)
	w.typed(room[:n])
}

// sniffRest decides by what there is.
func (w *response) sniffRest() {
	if !w.sniff {
		return
	}
	content := w.s.Buffered()
	if w.head {
		content = w.peek
	}
	w.typed(content)
}

// typed sets the content-type of what begins with these octets.
func (w *response) typed(content []byte) {
	w.sniff = false
	if len(content) > 0 {
		_ = w.s.AddField("content-type", http.DetectContentType(content))
	}
}

// declare notes the names of a trailer field.
func (w *response) declare(values []string) {
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.Trim(name, " \t"); name != "" {
				w.announce(http.CanonicalHeaderKey(name))
			}
		}
	}
}

func (w *response) announce(name string) {
	if !nonet.TrailerAllowed(name) || hpack.CheckName(name) != nil {
		w.e.logs.printf("http: ignoring invalid trailer %q", name)
		return
	}
	if w.trailer == nil {
		w.trailer = make([]string, 0, 4) // gRPC declares three
	}
	if !slices.Contains(w.trailer, name) {
		w.trailer = append(w.trailer, name)
	}
}

// sendTrailers sends the trailers that the handler has set.
func (w *response) sendTrailers() {
	h := w.header
	var prefixed []string // most responses have none
	for key := range h {
		if rest, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
			prefixed = append(prefixed, key)
			w.announce(http.CanonicalHeaderKey(rest))
		}
	}
	if len(w.trailer) == 0 {
		return
	}
	slices.Sort(w.trailer)
	for _, name := range w.trailer {
		values := h[name]
		for _, key := range prefixed {
			if http.CanonicalHeaderKey(key[len(http.TrailerPrefix):]) == name {
				values = h[key]
			}
		}
		for _, v := range values {
			_ = w.s.AppendTrailer(name, trim(v))
		}
	}
}

// caller says where in the user's program a method was called.
func caller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "github.com/nonet-h2/nonet/nethttp.(*response)") && !strings.HasPrefix(f.Function, "github.com/nonet-h2/nonet/nethttp.caller") {
			return fmt.Sprintf("%s (%s:%d)", f.Function, path.Base(f.File), f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}
