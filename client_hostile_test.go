package nonet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// hostile is one trick of a server: what it does when the first request of its
// first connection has come. Its other connections behave.
type hostile struct {
	name   string
	method string // of the first request; GET, if it is empty
	noAck  bool   // the client's SETTINGS are not acknowledged
	bare   bool   // do begins the connection: no SETTINGS come before it
	mute   bool   // after do nothing is sent, not even an answer to PING
	do     func(p *peer)

	code frame.ErrCode
	all  bool   // the scope is the connection, not the stream
	more bool   // what follows the stream's error ends the connection, too
	text string // in the error
}

// hostiles are the rows of a table of attacks on clients, E1 to E17. E5 is
// TestPoolNoRoom, E8 in TestRFC9113_8_7_Retry, E9 TestPoolUploadCutShort, E18
// TestE18_NoRenegotiation.
var hostiles = []hostile{
	{name: "E1 interim responses", code: frame.EnhanceYourCalm, do: func(p *peer) { p.interims(20) }},
	{name: "E1 interim responses without end", code: frame.EnhanceYourCalm, more: true, do: func(p *peer) { p.interims(100_000) }},
	{name: "E2 PUSH_PROMISE", all: true, code: frame.ProtocolError, do: func(p *peer) { p.promise(2) }},
	// The client's SETTINGS with ENABLE_PUSH=0 come before its first request, and
	// a server obeys them in their order: none can promise by mistake.
	{name: "E3 PUSH_PROMISE without end before our SETTINGS are acknowledged", noAck: true, all: true, code: frame.ProtocolError, do: func(p *peer) {
		for id := range uint32(1000) {
			p.promise(2 * (id + 1))
		}
	}},
	{name: "E3 the same with CONTINUATION", noAck: true, all: true, code: frame.ProtocolError, do: func(p *peer) {
		p.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: []byte{0x82}})
		for range 1000 {
			p.fr.WriteContinuation(1, false, []byte{0x84})
		}
	}},
	{name: "E4 ENABLE_PUSH=1", all: true, code: frame.ProtocolError, do: func(p *peer) {
		p.fr.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1})
	}},
	{name: "E6 MAX_FRAME_SIZE of 0", all: true, code: frame.ProtocolError, do: func(p *peer) {
		p.fr.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize})
	}},
	{name: "E6 INITIAL_WINDOW_SIZE of 2^31", all: true, code: frame.FlowControlError, do: func(p *peer) {
		p.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})
	}},
	{name: "E6 INITIAL_WINDOW_SIZE overflows a stream's window", method: "POST", all: true, code: frame.FlowControlError, do: func(p *peer) {
		p.fr.WriteWindowUpdate(1, 1<<30)
		p.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	}},
	{name: "E6 WINDOW_UPDATE overflow of the connection", all: true, code: frame.FlowControlError, do: func(p *peer) {
		p.fr.WriteWindowUpdate(0, 1<<31-1)
	}},
	{name: "E6 WINDOW_UPDATE overflow of the stream", code: frame.FlowControlError, do: func(p *peer) {
		p.fr.WriteWindowUpdate(1, 1<<31-1)
		p.fr.WriteWindowUpdate(1, 1<<31-1)
	}},
	{name: "E7 GOAWAY whose last stream rises", all: true, code: frame.ProtocolError, do: func(p *peer) {
		p.fr.WriteGoAway(1, http2.ErrCodeNo, nil)
		p.fr.WriteGoAway(3, http2.ErrCodeNo, nil)
	}},
	{name: "E10 HEADERS on an even stream", all: true, code: frame.ProtocolError, do: func(p *peer) { p.headers(2, true, ":status: 200") }},
	{name: "E10 DATA on an even stream", all: true, code: frame.ProtocolError, do: func(p *peer) { p.fr.WriteData(2, false, []byte("x")) }},
	{name: "E10 HEADERS on an idle stream", all: true, code: frame.ProtocolError, do: func(p *peer) { p.headers(99, true, ":status: 200") }},
	{name: "E10 DATA on an idle stream", all: true, code: frame.ProtocolError, do: func(p *peer) { p.fr.WriteData(99, false, []byte("x")) }},
	{name: "E11 connection in the response", code: frame.ProtocolError, do: func(p *peer) { p.headers(1, true, ":status: 200", "connection: close") }},
	{name: "E11 transfer-encoding in the response", code: frame.ProtocolError, do: func(p *peer) {
		p.headers(1, true, ":status: 200", "transfer-encoding: chunked")
	}},
	{name: "E11 two lengths", code: frame.ProtocolError, do: func(p *peer) {
		p.headers(1, false, ":status: 200", "content-length: 1", "content-length: 2")
	}},
	{name: "E11 content longer than its length", code: frame.ProtocolError, do: func(p *peer) {
		p.headers(1, false, ":status: 200", "content-length: 1")
		p.fr.WriteData(1, true, []byte("xx"))
	}},
	{name: "E11 content shorter than its length", code: frame.ProtocolError, do: func(p *peer) {
		p.headers(1, false, ":status: 200", "content-length: 3")
		p.fr.WriteData(1, true, []byte("xx"))
	}},
	{name: "E12 no octets", mute: true, all: true, code: frame.ProtocolError, text: "no answer to PING", do: func(p *peer) {}},
	{name: "E13 HTTP/1.1", bare: true, all: true, code: frame.ProtocolError, text: "the server speaks HTTP/1.1, not HTTP/2", do: func(p *peer) {
		io.WriteString(p.nc, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	}},
	{name: "E13 garbage", bare: true, all: true, code: frame.ProtocolError, text: "it does not begin with SETTINGS", do: func(p *peer) { io.WriteString(p.nc, strings.Repeat("\xff", 1000)) }},
	{name: "E13 SETTINGS do not come first", bare: true, all: true, code: frame.ProtocolError, text: "it does not begin with SETTINGS", do: func(p *peer) {
		p.headers(1, true, ":status: 200")
	}},
	{name: "E14 content after HEAD", method: "HEAD", code: frame.ProtocolError, do: func(p *peer) {
		p.headers(1, false, ":status: 200", "content-length: 1")
		p.fr.WriteData(1, true, []byte("x"))
	}},
	{name: "E14 content with 204", code: frame.ProtocolError, do: func(p *peer) {
		p.headers(1, false, ":status: 204")
		p.fr.WriteData(1, true, []byte("x"))
	}},
	{name: "E14 content with 304", code: frame.ProtocolError, do: func(p *peer) {
		p.headers(1, false, ":status: 304")
		p.fr.WriteData(1, true, []byte("x"))
	}},
	{name: "E15 a header section too large", code: frame.EnhanceYourCalm, do: func(p *peer) {
		p.ebuf.Reset()
		for range 50 {
			p.enc.WriteField(xhpack.HeaderField{Name: "a", Value: strings.Repeat("b", 1000), Sensitive: true})
		}
		block := p.ebuf.Bytes()
		p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88}, EndStream: true})
		for len(block) > 16384 {
			p.fr.WriteContinuation(1, false, block[:16384])
			block = block[16384:]
		}
		p.fr.WriteContinuation(1, true, block)
	}},
	{name: "E15 CONTINUATION without end", all: true, code: frame.EnhanceYourCalm, do: func(p *peer) {
		p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88}})
		for range 1000 {
			p.fr.WriteContinuation(1, false, []byte{0x40, 1, 'a', 1, 'b'})
		}
	}},
	{name: "E15 a bad header block", all: true, code: frame.CompressionError, do: func(p *peer) {
		p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff}, EndHeaders: true})
	}},
	{name: "E16 ALTSVC without end", all: true, code: frame.EnhanceYourCalm, do: func(p *peer) { p.unknown(0xa) }},
	{name: "E16 ORIGIN without end", all: true, code: frame.EnhanceYourCalm, do: func(p *peer) { p.unknown(0xc) }},
	{name: "E16 unknown frames without end", all: true, code: frame.EnhanceYourCalm, do: func(p *peer) { p.unknown(0xbb) }},
	{name: "E17 no status", code: frame.ProtocolError, do: func(p *peer) { p.headers(1, true, "a: b") }},
	{name: "E17 two statuses", code: frame.ProtocolError, do: func(p *peer) { p.headers(1, true, ":status: 200", ":status: 200") }},
	{name: "E17 status 2000", code: frame.ProtocolError, do: func(p *peer) { p.headers(1, true, ":status: 2000") }},
	{name: "E17 status -1", code: frame.ProtocolError, do: func(p *peer) { p.headers(1, true, ":status: -1") }},
	{name: "E17 status 101", code: frame.ProtocolError, do: func(p *peer) { p.headers(1, false, ":status: 101") }},
	{name: "E17 an interim response that ends the stream", code: frame.ProtocolError, do: func(p *peer) { p.headers(1, true, ":status: 103") }},
}

// interims sends interim responses.
func (p *peer) interims(n int) {
	for range n {
		p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{8, 3, '1', '0', '3'}, EndHeaders: true})
	}
}

// promise sends PUSH_PROMISE for the stream id.
func (p *peer) promise(id uint32) {
	p.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: id, BlockFragment: []byte{0x82}, EndHeaders: true})
}

// unknown sends frames that the client does not know, or has no use for.
func (p *peer) unknown(kind http2.FrameType) {
	for range 5000 {
		p.fr.WriteRawFrame(kind, 0, 0, []byte("1234"))
	}
}

// told is what the client says to the server about errors.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (l *told) add(f http2.Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch f := f.(type) {
	case *http2.RSTStreamFrame:
		l.lines = append(l.lines, fmt.Sprintf("RST_STREAM %d %v", f.StreamID, f.ErrCode))
	case *http2.GoAwayFrame:
		l.lines = append(l.lines, "GOAWAY "+f.ErrCode.String())
	}
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, ", ")
}

// TestPoolHostileServers: after each trick the request has failed with the
// code that the trick has earned, the server was told that code, and the pool
// serves the next request: on the same connection after a fault of a stream,
// else on another.
func TestPoolHostileServers(t *testing.T) {
	for _, h := range hostiles {
		t.Run(h.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var heard told
				f := newFarm(t, func(p *peer, n int) { h.serve(p, n, &heard) })
				cl := f.client(ClientConfig{})
				method := h.method
				if method == "" {
					method = "GET"
				}
				s := ask(t, cl, method, "/")
				if method == "POST" {
					s.Flush()
				}
				_, err := s.Response()
				if err == nil {
					_, err = io.ReadAll(s)
				}
				h.check(t, err)
				if s.Unprocessed() {
					t.Error("the server may have processed the request")
				}
				s.Close()
				if h.more {
					time.Sleep(time.Second)
				}
				if status, _, err := fetch(ask(t, cl, "GET", "/")); status != 200 || err != nil {
					t.Fatalf("the next request: %d %v", status, err)
				}
				code, want, dials := http2.ErrCode(h.code).String(), "", 1
				if !h.all {
					want = "RST_STREAM 1 " + code
				}
				if h.all || h.more {
					want, dials = strings.TrimPrefix(want+", GOAWAY "+code, ", "), 2
				}
				if n := f.dials(); n != dials {
					t.Errorf("%d connections were opened, want %d", n, dials)
				}
				time.Sleep(time.Minute)
				// To a GOAWAY it may have answered with another before.
				if got := heard.String(); !strings.HasSuffix(got, want) {
					t.Errorf("the server was told %q, want %q in the end", got, want)
				}
			})
		})
	}
}

// serve is the server of connection n.
func (h *hostile) serve(p *peer, n int, heard *told) {
	p.noAck, p.bare = h.noAck && n == 1, h.bare && n == 1
	p.fr.AllowIllegalWrites = true
	asked := false
	p.script(func(f http2.Frame) {
		r, ok := f.(*http2.HeadersFrame)
		switch {
		case !ok:
			heard.add(f)
		case n == 1 && !asked:
			asked = true
			p.later(func() { h.do(p) })
			if h.mute {
				p.later(func() { time.Sleep(time.Minute) })
			}
		default:
			id := r.StreamID
			p.later(func() { p.write200(id, true) })
		}
	})
}

// check compares the error of the first request.
func (h *hostile) check(t *testing.T, err error) {
	t.Helper()
	var reset *ResetError
	var ce *conn.Error
	switch {
	case errors.As(err, &reset):
		if h.all || reset.Code != h.code || reset.Side != conn.Local {
			t.Errorf("%v", err)
		}
	case errors.As(err, &ce):
		if !h.all || ce.Code != h.code || ce.Side != conn.Local {
			t.Errorf("%v", err)
		}
	default:
		if !errors.Is(err, ErrNotHTTP2) || !h.bare {
			t.Errorf("%v", err)
		}
	}
	if text := fmt.Sprint(err); !strings.Contains(text, h.text) || strings.Contains(text, "\n") {
		t.Errorf("%q, want %q in one line", text, h.text)
	}
}

// TestPoolUploadCutShort (E9): the server has answered and resets the rest of
// the upload. "Clients MUST NOT discard responses as a result of receiving such
// a RST_STREAM" (RFC 9113 8.1): the response is whole, content that nobody has
// read yet as well; the upload stops, and the connection goes on.
func TestPoolUploadCutShort(t *testing.T) {
	content := strings.Repeat("too large. ", 1000)
	for _, code := range []http2.ErrCode{http2.ErrCodeNo, http2.ErrCodeCancel, http2.ErrCodeRefusedStream} {
		t.Run(code.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var heard told
				f := newFarm(t, func(p *peer, n int) {
					p.script(func(f http2.Frame) {
						r, ok := f.(*http2.HeadersFrame)
						if !ok {
							heard.add(f)
							return
						}
						id := r.StreamID
						p.later(func() {
							p.headers(id, false, ":status: 413")
							p.fr.WriteData(id, false, []byte(content))
							p.headers(id, true, "x-end: yes")
							p.fr.WriteRSTStream(id, code)
						})
					})
				})
				cl := f.client(ClientConfig{})
				for range 100 {
					s := ask(t, cl, "POST", "/")
					stopped := make(chan error)
					go func() {
						_, err := io.Copy(s, neverEnding{})
						stopped <- err
					}()
					var reset *ResetError
					if err := <-stopped; !errors.As(err, &reset) || reset.Code != frame.ErrCode(code) || reset.Side != conn.Remote {
						t.Fatalf("the upload ended with %v", err)
					}
					status, err := s.Response()
					b, err2 := io.ReadAll(s)
					if status != 413 || err != nil || err2 != nil || string(b) != content || string(s.Trailers().GetName("x-end")) != "yes" {
						t.Fatalf("%d %v, %d octets %v, trailers %d", status, err, len(b), err2, s.Trailers().Len())
					}
					if s.Unprocessed() {
						t.Error("the server has answered")
					}
					s.Close()
				}
				synctest.Wait()
				snap := cl.Snapshot()
				if f.dials() != 1 || len(snap) != 1 || len(snap[0].Streams) != 0 || snap[0].RecvHeld != 0 {
					t.Errorf("%d connections: %+v", f.dials(), snap)
				}
				if heard.String() != "" {
					t.Errorf("the server was told %s", &heard)
				}
			})
		})
	}
}

// TestPoolGoAwayAndStays (E7): the server says GOAWAY and closes nothing. The
// client does, once the requests that the server took have ended.
func TestPoolGoAwayAndStays(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFarm(t, func(p *peer, n int) {
			p.script(func(f http2.Frame) {
				if r, ok := f.(*http2.HeadersFrame); ok {
					id := r.StreamID
					p.later(func() {
						if id == 3 {
							p.fr.WriteGoAway(3, http2.ErrCodeNo, nil)
							return // and answers never
						}
						p.write200(id, true)
					})
				}
			})
		})
		cl := f.client(ClientConfig{})
		if _, _, err := fetch(ask(t, cl, "GET", "/")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		failed := make(chan error)
		go func() {
			_, _, err := fetch(askIn(t, ctx, cl, "GET", "/"))
			failed <- err
		}()
		synctest.Wait()
		if _, _, err := fetch(ask(t, cl, "GET", "/")); err != nil {
			t.Error(err)
		}
		if n := len(cl.Snapshot()); n != 2 || f.dials() != 2 {
			t.Errorf("%d connections of %d, want the one that is left and another", n, f.dials())
		}
		if err := <-failed; err != context.DeadlineExceeded {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		if n := len(cl.Snapshot()); n != 1 {
			t.Errorf("%d connections, want the one that takes requests", n)
		}
	})
}

// TestRFC9110_6_4_1_EmptyContent (E14): DATA without content is no content.
func TestRFC9110_6_4_1_EmptyContent(t *testing.T) {
	for _, c := range []struct{ method, status string }{{"HEAD", "200"}, {"GET", "204"}, {"GET", "304"}} {
		inBubble(t, func(t *testing.T) {
			cc, p := withServer(t, nil)
			s := ask(t, cc, c.method, "/")
			go func() {
				p.want("HEADERS 1 :method=" + c.method + " :scheme=http :authority=example.com :path=/ END_STREAM")
				p.respond(1, false, ":status: "+c.status)
				p.data(1, "", true)
			}()
			if status, body, err := fetch(s); fmt.Sprint(status) != c.status || body != "" || err != nil {
				t.Errorf("%s: %d %q %v", c.method, status, body, err)
			}
		})
	}
}
