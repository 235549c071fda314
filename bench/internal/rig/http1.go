package rig

import (
	"bytes"
	"strconv"
	"time"
)

// http1Request is a request without its content, in HTTP/1.1.
func http1Request(w *Work) (b []byte) {
	var method, path, authority string
	for _, x := range w.Fields {
		switch x[0] {
		case ":method":
			method = x[1]
		case ":path":
			path = x[1]
		case ":authority":
			authority = x[1]
		}
	}
	b = append(b, method+" "+path+" HTTP/1.1\r\nhost: "+authority+"\r\n"...)
	crumbs := "cookie: "
	for _, x := range w.Fields {
		switch {
		case x[0] == "cookie":
			// One field, which HTTP/2 may split (RFC 9113 8.2.3).
			b = append(b, crumbs+x[1]...)
			crumbs = "; "
		case x[0][0] != ':':
			b = append(b, x[0]+": "+x[1]+"\r\n"...)
		}
	}
	if crumbs == "; " {
		b = append(b, "\r\n"...)
	}
	return append(b, "\r\n"...)
}

var (
	headerEnd     = []byte("\r\n\r\n")
	contentLength = []byte("\r\ncontent-length: ")
	ok            = []byte("HTTP/1.1 200 ")
)

// parse1 is parse for HTTP/1.1: one response at most, for one request is under way.
func (l *load) parse1() (done int) {
	p := l.in[l.at:l.end]
	if l.body == 0 {
		n := bytes.Index(p, headerEnd)
		if n < 0 {
			return 0
		}
		head := p[:n+2]
		for i, c := range head {
			if 'A' <= c && c <= 'Z' && i > len(ok) {
				head[i] = c + 'a' - 'A'
			}
		}
		_, length, found := bytes.Cut(head, contentLength)
		length, _, _ = bytes.Cut(length, headerEnd[:2])
		size, err := strconv.Atoi(string(length))
		if !bytes.HasPrefix(head, ok) || !found || err != nil || size == 0 {
			l.t.Fatalf("a response that begins with %q", head)
		}
		l.body = size
		l.at += n + len(headerEnd)
		p = l.in[l.at:l.end]
	}
	n := min(len(p), l.body)
	l.at += n
	l.body -= n
	l.content += n
	if l.body > 0 {
		return 0
	}
	if l.asked != nil {
		l.took = append(l.took, time.Since(l.epoch)-l.asked.remove(l.id-2))
	}
	return 1
}
