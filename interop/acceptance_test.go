package interop

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// row is a case of the acceptance tests: what a handler does, what the client
// sends, and every frame that must come on stream 1.
type row struct {
	name   string
	handle func(s nonet.Stream, r *script)
	send   func(p *peer, r *script) // nil: a GET request
	want   []string
}

// script joins the handler and the client of a row.
type script struct {
	t    *testing.T
	goon chan struct{} // the client lets the handler go on
	done chan struct{} // closed when the handler returns
}

// await makes the handler wait until the client has called proceed.
func (r *script) await() { eventually(r.t, "the handler waits for the client", r.goon) }

// proceed lets the handler go on.
func (r *script) proceed() { r.goon <- struct{}{} }

// check fails the test when an error is not the expected one.
func (r *script) check(what string, got, want error) {
	r.t.Helper()
	if want == nil && got == nil {
		return
	}
	if !same(got, want) {
		r.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// runRows runs each row over each transport, and on an inline handler too where
// the handler waits for nothing: those rows have a send of their own. After
// the script the server is shut down and the client reads to the end of the
// connection, so that want is every frame of the stream, and no frame is missed
// by looking away too early.
func runRows(t *testing.T, rows []row) {
	for _, tr := range transports {
		for _, row := range rows {
			t.Run(fmt.Sprintf("%s/%s", row.name, tr), func(t *testing.T) {
				t.Parallel()
				runRow(t, row, tr, streamKind)
			})
			if row.send == nil {
				t.Run(fmt.Sprintf("%s/%s inline", row.name, tr), func(t *testing.T) {
					t.Parallel()
					runRow(t, row, tr, inlineKind)
				})
			}
		}
	}
}

func runRow(t *testing.T, row row, tr transport, k kind) {
	r := &script{t: t, goon: make(chan struct{}, 1), done: make(chan struct{})}
	handler := func(s nonet.Stream) {
		if s.ID() != 1 {
			s.WriteString("alive")
			return
		}
		defer close(r.done)
		row.handle(s, r)
	}
	s := &nonet.Server{Handler: handler}
	if k == inlineKind {
		s = &nonet.Server{Inline: handler}
	}
	srv := start(t, tr, s)
	p := connect(t, srv)
	if row.send == nil {
		p.request(1, "GET", "/", true)
	} else {
		row.send(p, r)
	}
	eventually(t, "the handler's return", r.done)
	p.restAtShutdown(srv)
	if diff := cmp.Diff(row.want, p.lines[1]); diff != "" {
		t.Errorf("frames on stream 1 (-want +got):\n%s", diff)
	}
	for _, line := range p.lines[0] {
		if !strings.HasPrefix(line, "GOAWAY NO_ERROR") {
			t.Errorf("on the connection: %s", line)
		}
	}
}

// post sends a request whose body stays open.
func post(p *peer, _ *script) { p.request(1, "POST", "/", false) }

// readAll reads the body to its end.
func readAll(s nonet.Stream) (string, error) {
	b, err := io.ReadAll(s)
	return string(b), err
}

func TestAcceptanceReset(t *testing.T) {
	reset := func(code frame.ErrCode) func(nonet.Stream, *script) {
		return func(s nonet.Stream, r *script) { r.check("Reset", s.Reset(code), nil) }
	}
	local := func(code frame.ErrCode) error { return &nonet.ResetError{Code: code, Side: conn.Local} }
	runRows(t, []row{
		{
			name:   "reset(1111) before the response",
			handle: reset(1111),
			want:   []string{"RST_STREAM unknown error code 0x457"},
		},
		{
			name:   "reset(0) before the response",
			handle: reset(frame.NoError),
			want:   []string{"RST_STREAM NO_ERROR"},
		},
		{
			name: "the first reset wins",
			handle: func(s nonet.Stream, r *script) {
				s.Reset(frame.Cancel)
				s.Reset(frame.InternalError)
			},
			want: []string{"RST_STREAM CANCEL"},
		},
		{
			name: "what was written and not sent is dropped",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("not sent")
				s.Reset(1111)
				_, err := s.WriteString("after")
				r.check("Write after Reset", err, local(1111))
				r.check("Flush after Reset", s.Flush(), local(1111))
				r.check("Close after Reset", s.Close(), local(1111))
			},
			want: []string{"RST_STREAM unknown error code 0x457"},
		},
		{
			name: "reset after response headers",
			handle: func(s nonet.Stream, r *script) {
				s.Flush()
				r.await()
				s.Reset(1111)
			},
			send: func(p *peer, r *script) {
				p.request(1, "GET", "/", true)
				p.untilLine(1, "HEADERS")
				r.proceed()
			},
			want: []string{"HEADERS 200", "RST_STREAM unknown error code 0x457"},
		},
		{
			name: "reset during the response body",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("some")
				s.Flush()
				r.await()
				s.Reset(1111)
			},
			send: func(p *peer, r *script) {
				p.request(1, "GET", "/", true)
				p.untilLine(1, "DATA")
				r.proceed()
			},
			want: []string{"HEADERS 200", `DATA "some"`, "RST_STREAM unknown error code 0x457"},
		},
		{
			name: "reset before the request body",
			handle: func(s nonet.Stream, r *script) {
				s.Reset(1111)
				_, err := s.Read(make([]byte, 1))
				r.check("Read after Reset", err, local(1111))
				r.check("context cause", cause(s), local(1111))
			},
			send: post,
			want: []string{"RST_STREAM unknown error code 0x457"},
		},
		{
			name: "reset during the request body",
			handle: func(s nonet.Stream, r *script) {
				buf := make([]byte, 10)
				n, err := s.Read(buf)
				r.check("Read", err, nil)
				if string(buf[:n]) != "some" {
					r.t.Errorf("Read %q", buf[:n])
				}
				pending := make(chan error)
				go func() {
					_, err := s.Read(buf)
					pending <- err
				}()
				r.await()
				s.Reset(1111)
				r.check("pending Read", eventually(r.t, "the pending Read", pending), local(1111))
			},
			send: func(p *peer, r *script) {
				p.request(1, "POST", "/", false)
				p.data(1, "some", false)
				p.alive()
				r.proceed()
			},
			want: []string{"RST_STREAM unknown error code 0x457"},
		},
		{
			name: "reset after response and request are complete",
			handle: func(s nonet.Stream, r *script) {
				readAll(s)
				s.WriteString("done")
				r.check("Close", s.Close(), nil)
				s.Reset(1111)
			},
			send: func(p *peer, r *script) {
				p.request(1, "POST", "/", false)
				p.data(1, "body", true)
			},
			want: []string{"HEADERS 200 content-length=4", `DATA "done" END_STREAM`},
		},
		{
			name: "reset(0) after the response, the request still open",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("done")
				r.check("Close", s.Close(), nil)
				s.Reset(frame.NoError)
			},
			send: post,
			want: []string{"HEADERS 200 content-length=4", `DATA "done" END_STREAM`, "RST_STREAM NO_ERROR"},
		},
		{
			name: "reset(1111) after the response, the request still open",
			handle: func(s nonet.Stream, r *script) {
				s.WriteString("done")
				s.Close()
				s.Reset(1111)
			},
			send: post,
			want: []string{"HEADERS 200 content-length=4", `DATA "done" END_STREAM`, "RST_STREAM unknown error code 0x457"},
		},
	})
}

func TestAcceptanceHandlerFails(t *testing.T) {
	runRows(t, []row{
		{
			name:   "before the headers",
			handle: func(s nonet.Stream, r *script) { panic("expected by the test") },
			want:   []string{"HEADERS 500 content-length=0 END_STREAM"},
		},
		{
			name: "after unsent content",
			handle: func(s nonet.Stream, r *script) {
				s.SetField("x-a", "1")
				s.WriteString("half of it")
				panic("expected by the test")
			},
			want: []string{"HEADERS 500 content-length=0 END_STREAM"},
		},
		{
			name: "after the headers",
			handle: func(s nonet.Stream, r *script) {
				s.Flush()
				r.await()
				panic("expected by the test")
			},
			send: func(p *peer, r *script) {
				p.request(1, "GET", "/", true)
				p.untilLine(1, "HEADERS")
				r.proceed()
			},
			want: []string{"HEADERS 200", "RST_STREAM INTERNAL_ERROR"},
		},
		{
			name: "less content than its content-length",
			handle: func(s nonet.Stream, r *script) {
				s.SetField("content-length", "10")
				s.WriteString("half")
				s.Flush()
				r.await()
			},
			send: func(p *peer, r *script) {
				p.request(1, "GET", "/", true)
				p.untilLine(1, "DATA")
				r.proceed()
			},
			want: []string{"HEADERS 200 content-length=10", `DATA "half"`, "RST_STREAM INTERNAL_ERROR"},
		},
	})
}

func TestAcceptanceEarlyResponse(t *testing.T) {
	runRows(t, []row{{
		name:   "the handler returns while the request body is coming",
		handle: func(s nonet.Stream, r *script) { s.WriteString("enough") },
		send: func(p *peer, r *script) {
			p.request(1, "POST", "/", false)
			p.data(1, "some", false)
			p.untilLine(1, "RST_STREAM")
			// What was on the way is no error, and other streams go on.
			p.data(1, "late", false)
			p.headers(1, true, "x-late=trailer")
			p.alive()
			p.request(3, "GET", "/", true)
			p.untilOver(3)
			if diff := cmp.Diff([]string{"HEADERS 200 content-length=5", `DATA "alive" END_STREAM`}, p.lines[3]); diff != "" {
				r.t.Errorf("frames on stream 3 (-want +got):\n%s", diff)
			}
		},
		want: []string{"HEADERS 200 content-length=6", `DATA "enough" END_STREAM`, "RST_STREAM NO_ERROR"},
	}})
}

// TestAcceptanceConnectionClose: the field's meaning is sent, the field isn't.
func TestAcceptanceConnectionClose(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			srv := start(t, tr, &nonet.Server{Handler: func(s nonet.Stream) {
				s.SetField("Connection", "close")
				s.WriteString("bye")
			}})
			p := connect(t, srv)
			p.request(1, "GET", "/", true)
			p.rest() // the server is not shut down: the connection ends by itself
			want := []string{"HEADERS 200 content-length=3", `DATA "bye" END_STREAM`}
			if diff := cmp.Diff(want, p.lines[1]); diff != "" {
				t.Errorf("frames on stream 1 (-want +got):\n%s", diff)
			}
			if n := len(p.lines[0]); n == 0 || p.lines[0][n-1] != "GOAWAY NO_ERROR last=1" {
				t.Errorf("on the connection %q, want a last GOAWAY NO_ERROR last=1", p.lines[0])
			}
		})
	}
}

// TestAcceptanceRequestBody: content without a content-length is read to its
// end, and no transfer-encoding is invented.
func TestAcceptanceRequestBody(t *testing.T) {
	runRows(t, []row{{
		name: "DATA without content-length",
		handle: func(s nonet.Stream, r *script) {
			if n := s.ContentLength(); n != -1 {
				r.t.Errorf("ContentLength = %d, want -1", n)
			}
			for _, name := range []string{"transfer-encoding", "content-length"} {
				if v := s.Field(name); v != nil {
					r.t.Errorf("the request has %s: %s", name, v)
				}
			}
			body, err := readAll(s)
			r.check("Read", err, nil)
			if body != "one two" {
				r.t.Errorf("read %q", body)
			}
			if v := s.Trailers().GetName("x-a"); string(v) != "1" {
				r.t.Errorf("trailer x-a = %q, want 1", v)
			}
			s.WriteString(s.Protocol())
		},
		send: func(p *peer, r *script) {
			p.request(1, "POST", "/", false)
			p.data(1, "one ", false)
			p.data(1, "two", false)
			p.headers(1, true, "x-a=1")
		},
		want: []string{"HEADERS 200 content-length=6", `DATA "HTTP/2" END_STREAM`},
	}})
}
