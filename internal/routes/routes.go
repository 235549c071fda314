package routes

import (
	"bytes"
	_ "embed"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// inlineMax is how many octets an inline handler writes: what fits without
// waiting for the peer.
const inlineMax = 16 << 10

// Stream answers a request as a stream handler.
func Stream(s nonet.Stream) {
	h, _ := find(s)
	h(s)
}

// Prepared has the fields that many answers have, for nonet.Config.
var Prepared = new(hpack.Set)

var (
	typePlain     = Prepared.Prepare("content-type", "text/plain")
	typePlainUTF8 = Prepared.Prepare("content-type", "text/plain; charset=utf-8")
	typeHTML      = Prepared.Prepare("content-type", "text/html; charset=utf-8")
	typeOctets    = Prepared.Prepare("content-type", "application/octet-stream")
)

// Inline answers a request as an inline handler.
func Inline(s nonet.Stream) {
	h, waits := find(s)
	if waits {
		s.Go(h)
		return
	}
	h(s)
}

// find returns the handler of a request, and whether it may have to wait for
// the peer.
func find(s nonet.Stream) (h nonet.Handler, waits bool) {
	switch path := path(s); string(path) {
	case "/":
		return index, s.ContentLength() != 0
	case "/hello":
		return hello, false
	case "/echo":
		return echo, true
	case "/sink":
		return sink, true
	case "/trailers":
		return trailers, false
	case "/protocol":
		return protocol, false
	default:
		if n, ok := bytes.CutPrefix(path, []byte("/bytes/")); ok {
			size, _ := parseSize(n)
			return octets, size > inlineMax
		}
		if bytes.HasPrefix(path, []byte("/reset/")) {
			return reset, false
		}
		return notFound, false
	}
}

// path is the request's path without the query.
func path(s nonet.Stream) []byte {
	path, _, _ := bytes.Cut(s.Path(), []byte("?"))
	return path
}

//go:embed index.html
var page string

func index(s nonet.Stream) {
	if s.ContentLength() != 0 {
		if _, err := drain(s); err != nil {
			s.Abort()
			return
		}
	}
	s.AddPrepared(typeHTML)
	s.WriteString(page)
}

func hello(s nonet.Stream) {
	s.AddPrepared(typePlain)
	s.WriteString("hello world\n")
}

// echo is full duplex: every piece leaves before the next one is waited for.
func echo(s nonet.Stream) {
	const trailer = "x-echo-bytes"
	s.AddPrepared(typeOctets)
	counts := s.SupportsTrailers()
	if counts {
		s.DeclareTrailer(trailer)
	}
	// A client that asked for 100 (Continue) gets it first, from Read.
	if s.Field("expect") == nil {
		if s.Flush() != nil {
			return
		}
	}
	buf := make([]byte, inlineMax)
	total := int64(0)
	for {
		n, err := s.Read(buf)
		total += int64(n)
		if n > 0 {
			if _, err := s.Write(buf[:n]); err != nil {
				return
			}
			if s.Flush() != nil {
				return
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			s.Abort()
			return
		}
	}
	if counts {
		s.AppendTrailer(trailer, strconv.FormatInt(total, 10))
	}
}

// line is what /bytes repeats.
const line = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"

var lines = []byte(strings.Repeat(line, 512<<10/len(line)))

func octets(s nonet.Stream) {
	left, ok := parseSize(path(s)[len("/bytes/"):])
	if !ok {
		text(s, 400, "how many octets? /bytes/N takes a number")
		return
	}
	s.AddPrepared(typePlain)
	s.SetField("content-length", strconv.FormatInt(left, 10))
	if s.Method() == "HEAD" {
		return
	}
	for left > 0 {
		n, err := s.Write(lines[:min(left, int64(len(lines)))])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}

// parseSize parses N of /bytes/N, at most 15 digits.
func parseSize(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func sink(s nonet.Stream) {
	if m := s.Method(); m != "POST" && m != "PUT" {
		s.SetField("allow", "POST, PUT")
		text(s, 405, "/sink takes a body: use POST or PUT")
		return
	}
	n, err := drain(s)
	if err != nil {
		s.Abort()
		return
	}
	text(s, 200, strconv.FormatInt(n, 10))
}

// drain reads the request's body to its end.
func drain(s nonet.Stream) (total int64, err error) {
	buf := make([]byte, inlineMax)
	for {
		n, err := s.Read(buf)
		total += int64(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

const (
	trailersBody   = "the trailers say what this was\n"
	trailersSHA256 = "20c62ba0b98b0aca729c66dbd7ed510965221f45fb17523fe16a31dcf4731d42"
)

func trailers(s nonet.Stream) {
	s.AddPrepared(typePlain)
	supported := s.SupportsTrailers()
	if supported {
		s.DeclareTrailer("x-body-bytes")
		s.DeclareTrailer("x-body-sha256")
	}
	s.WriteString(trailersBody)
	if supported {
		s.AppendTrailer("x-body-bytes", strconv.Itoa(len(trailersBody)))
		s.AppendTrailer("x-body-sha256", trailersSHA256)
	}
}

func reset(s nonet.Stream) {
	code, err := frame.ParseErrCode(string(path(s)[len("/reset/"):]))
	if err != nil {
		text(s, 400, "which error code? /reset/CODE takes a name of RFC 9113 section 7, or a number")
		return
	}
	if err := s.Reset(code); errors.Is(err, errors.ErrUnsupported) {
		text(s, 501, s.Protocol()+" has no way to reset a stream")
	}
}

func protocol(s nonet.Stream) { text(s, 200, s.Protocol()) }

func notFound(s nonet.Stream) { text(s, 404, "not found; / lists what there is") }

// text answers one line of text.
func text(s nonet.Stream, status int, body string) {
	s.SetStatus(status)
	s.AddPrepared(typePlainUTF8)
	s.WriteString(body)
	s.WriteString("\n")
}
