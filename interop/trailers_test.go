package interop

import (
	"strings"
	"testing"

	"github.com/nonet-h2/nonet"
)

func TestAcceptanceTrailers(t *testing.T) {
	runRows(t, []row{
		{
			name:   "none, and nothing else either",
			handle: func(s nonet.Stream, r *script) {},
			want:   []string{"HEADERS 200 content-length=0 END_STREAM"},
		},
		{
			name:   "none after the body",
			handle: func(s nonet.Stream, r *script) { s.WriteString("body") },
			want:   []string{"HEADERS 200 content-length=4", `DATA "body" END_STREAM`},
		},
		{
			name: "after the body",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("body")
				r.check("AppendTrailer", s.AppendTrailer("x-a", "1"), nil)
			},
			want: []string{"HEADERS 200", `DATA "body"`, "TRAILERS x-a=1 END_STREAM"},
		},
		{
			name:   "without a body",
			handle: func(s nonet.Stream, r *script) { s.AppendTrailer("grpc-status", "0") },
			want:   []string{"HEADERS 200", "TRAILERS grpc-status=0 END_STREAM"},
		},
		{
			name: "after a body with content-length",
			handle: func(s nonet.Stream, r *script) {
				s.SetField("Content-Length", "4")
				s.WriteString("body")
				s.AppendTrailer("x-a", "1")
			},
			want: []string{"HEADERS 200 content-length=4", `DATA "body"`, "TRAILERS x-a=1 END_STREAM"},
		},
		{
			name: "declared",
			handle: func(s nonet.Stream, r *script) {
				r.check("DeclareTrailer", s.DeclareTrailer("X-A"), nil)
				s.WriteString("body")
				s.AppendTrailer("x-a", "1")
			},
			want: []string{"HEADERS 200 trailer=x-a", `DATA "body"`, "TRAILERS x-a=1 END_STREAM"},
		},
		{
			name: "declared but missing",
			handle: func(s nonet.Stream, r *script) {
				s.DeclareTrailer("x-a")
				s.WriteString("body")
			},
			want: []string{"HEADERS 200 trailer=x-a", `DATA "body" END_STREAM`},
		},
		{
			name: "declared after the headers",
			handle: func(s nonet.Stream, r *script) {
				s.Flush()
				r.check("DeclareTrailer", s.DeclareTrailer("x-a"), nonet.ErrResponseStarted)
				r.check("SetField", s.SetField("x-b", "1"), nonet.ErrResponseStarted)
				r.check("SetStatus", s.SetStatus(404), nonet.ErrResponseStarted)
				r.check("AppendTrailer", s.AppendTrailer("x-a", "1"), nil)
			},
			want: []string{"HEADERS 200", "TRAILERS x-a=1 END_STREAM"},
		},
		{
			name: "multiple values",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("body")
				s.AppendTrailer("x-a", "1", "2")
				s.AppendTrailer("x-b", "3")
				s.AppendTrailer("X-A", "4")
			},
			want: []string{"HEADERS 200", `DATA "body"`, "TRAILERS x-a=1 x-a=2 x-b=3 x-a=4 END_STREAM"},
		},
		{
			name: "127 KB",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("body")
				r.check("AppendTrailer", s.AppendTrailer("x-a", strings.Repeat("a", 127<<10)), nil)
			},
			want: []string{"HEADERS 200", `DATA "body"`, "TRAILERS x-a=<130048 octets> END_STREAM"},
		},
		{
			name: "null values",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("body")
				r.check("AppendTrailer", s.AppendTrailer("x-a"), nil)
				r.check("AppendTrailer", s.AppendTrailer("x-b", []string(nil)...), nil)
			},
			want: []string{"HEADERS 200 content-length=4", `DATA "body" END_STREAM`},
		},
		{
			name: "an empty value",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("body")
				s.AppendTrailer("x-a", "")
			},
			want: []string{"HEADERS 200", `DATA "body"`, "TRAILERS x-a= END_STREAM"},
		},
		{
			name: "names in any case",
			handle: func(s nonet.Stream, r *script) {
				s.AppendTrailer("X-Mixed-CASE", "Kept As It Is")
			},
			want: []string{"HEADERS 200", "TRAILERS x-mixed-case=Kept As It Is END_STREAM"},
		},
		{
			name: "before the handler returns",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("body")
				s.AppendTrailer("x-a", "1")
				if !s.SupportsTrailers() {
					r.t.Error("SupportsTrailers is false before the response is complete")
				}
				r.check("Close", s.Close(), nil)
				if s.SupportsTrailers() {
					r.t.Error("SupportsTrailers is true when the response is complete")
				}
				r.check("AppendTrailer", s.AppendTrailer("x-b", "1"), nonet.ErrResponseComplete)
				_, err := s.WriteString("more")
				r.check("Write", err, nonet.ErrResponseComplete)
				r.await() // returns only after the client has the trailers
			},
			send: func(p *peer, r *script) {
				p.request(1, "GET", "/", true)
				p.untilLine(1, "TRAILERS")
				r.proceed()
			},
			want: []string{"HEADERS 200", `DATA "body"`, "TRAILERS x-a=1 END_STREAM"},
		},
		{
			name: "prohibited names",
			handle: func(s nonet.Stream, r *script) {
				for _, name := range prohibited {
					r.check("AppendTrailer "+name, s.AppendTrailer(name, "1"), nonet.ErrProhibitedTrailer)
					r.check("DeclareTrailer "+name, s.DeclareTrailer(strings.ToUpper(name)), nonet.ErrProhibitedTrailer)
				}
				if s.AppendTrailer(":status", "200") == nil || s.AppendTrailer("a b", "1") == nil ||
					s.AppendTrailer("", "1") == nil || s.AppendTrailer("x-a", "a\nb") == nil {
					r.t.Error("an invalid field is accepted")
				}
				s.AppendTrailer("x-a", "1")
			},
			want: []string{"HEADERS 200", "TRAILERS x-a=1 END_STREAM"},
		},
	})
}

// prohibited is what may not stand in trailers: RFC 9110 section 6.5.1 names
// the purposes, RFC 9113 section 8.2.2 the connection-specific fields.
var prohibited = []string{
	"transfer-encoding", "content-length", "trailer", // framing
	"host",                                    // routing
	"cache-control", "expect", "max-forwards", // request modifiers
	"pragma", "range", "te", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
	"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate", "cookie", "set-cookie",
	"age", "date", "expires", "location", "retry-after", "vary", // response control
	"content-encoding", "content-type", "content-range", // content processing
	"connection", "keep-alive", "proxy-connection", "upgrade",
}

// TestAcceptanceOneWrite: the last DATA and the trailers leave in one write.
// Over TLS that can be seen, because a write becomes a record and crypto/tls
// reads a record at a time.
func TestAcceptanceOneWrite(t *testing.T) {
	srv := start(t, overTLS, &nonet.Server{Handler: func(s nonet.Stream) {
		s.WriteString("first")
		s.Flush()
		readAll(s)
		s.WriteString("last")
		s.AppendTrailer("x-a", "1")
	}})
	p := connect(t, srv)
	p.request(1, "POST", "/", false)
	p.untilLine(1, "DATA")
	p.alive()
	p.end(1)
	record := make([]byte, 1<<16)
	n, err := p.nc.Read(record)
	if err != nil {
		t.Fatal(err)
	}
	got := string(record[:n])
	if i := strings.Index(got, "last"); i < 9 || len(got) < i+4+9 || got[i+4+3] != 1 || got[i+4+4]&1 == 0 {
		t.Errorf("one record has %q, want DATA and HEADERS with END_STREAM in it", got)
	}
}
