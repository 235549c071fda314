package routes

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/nethttp"
)

// HTTP is the same routes as a handler of net/http.
var HTTP http.Handler = http.HandlerFunc(serveHTTP)

func serveHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; path {
	case "/":
		httpIndex(w, r)
	case "/hello":
		h := w.Header()
		h.Set("Content-Type", "text/plain")
		h.Set("Content-Length", "12")
		io.WriteString(w, "hello world\n")
	case "/echo":
		httpEcho(w, r)
	case "/sink":
		httpSink(w, r)
	case "/trailers":
		httpTrailers(w)
	case "/protocol":
		proto := r.Proto
		if r.ProtoMajor == 2 {
			proto = "HTTP/2"
		}
		httpText(w, 200, proto)
	default:
		if n, ok := strings.CutPrefix(path, "/bytes/"); ok {
			httpOctets(w, r, n)
			return
		}
		if code, ok := strings.CutPrefix(path, "/reset/"); ok {
			httpReset(w, r, code)
			return
		}
		httpText(w, 404, "not found; / lists what there is")
	}
}

func httpIndex(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, page)
}

// httpEcho is full duplex: every piece leaves before the next one is waited for.
func httpEcho(w http.ResponseWriter, r *http.Request) {
	const trailer = "X-Echo-Bytes"
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex()
	w.Header().Set("Content-Type", "application/octet-stream")
	counts := nethttp.DeclareTrailer(w, trailer) == nil
	// A client that asked for 100 (Continue) gets it first: on HTTP/2, where
	// net/http's servers hide the field, from a read of nothing.
	if r.ProtoMajor == 2 {
		r.Body.Read(nil)
	}
	if r.Header.Get("Expect") == "" {
		if rc.Flush() != nil {
			return
		}
	}
	buf := make([]byte, inlineMax)
	total := int64(0)
	for {
		n, err := r.Body.Read(buf)
		total += int64(n)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			if rc.Flush() != nil {
				return
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if counts {
		_ = nethttp.AppendTrailer(w, trailer, strconv.FormatInt(total, 10))
	}
}

func httpOctets(w http.ResponseWriter, r *http.Request, size string) {
	left, ok := parseSize([]byte(size))
	if !ok {
		httpText(w, 400, "how many octets? /bytes/N takes a number")
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.FormatInt(left, 10))
	if r.Method == http.MethodHead {
		return
	}
	for left > 0 {
		n, err := w.Write(lines[:min(left, int64(len(lines)))])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}

func httpSink(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", "POST, PUT")
		httpText(w, 405, "/sink takes a body: use POST or PUT")
		return
	}
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	httpText(w, 200, strconv.FormatInt(n, 10))
}

func httpTrailers(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain")
	supported := nethttp.SupportsTrailers(w)
	if supported {
		_ = nethttp.DeclareTrailer(w, "X-Body-Bytes")
		_ = nethttp.DeclareTrailer(w, "X-Body-Sha256")
	}
	io.WriteString(w, trailersBody)
	if supported {
		_ = nethttp.AppendTrailer(w, "X-Body-Bytes", strconv.Itoa(len(trailersBody)))
		_ = nethttp.AppendTrailer(w, "X-Body-Sha256", trailersSHA256)
	}
}

func httpReset(w http.ResponseWriter, r *http.Request, name string) {
	code, err := frame.ParseErrCode(name)
	if err != nil {
		httpText(w, 400, "which error code? /reset/CODE takes a name of RFC 9113 section 7, or a number")
		return
	}
	if err := nethttp.Reset(w, code); errors.Is(err, errors.ErrUnsupported) {
		httpText(w, 501, r.Proto+" has no way to reset a stream")
	}
}

// httpText answers one line of text.
func httpText(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, body+"\n")
}
