package nonet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// echo answers with the content and, in the trailers, its length.
func echo(s Stream) {
	s.SetField("x-method", s.Method())
	s.Flush()
	n, err := io.Copy(s, s)
	if err != nil {
		s.Reset(frame.InternalError)
		return
	}
	s.AppendTrailer("x-octets", fmt.Sprint(n))
	s.AppendTrailer("x-trailer", string(s.Trailers().GetName("x-trailer")))
}

func TestClientGet(t *testing.T) {
	eachWay(t, func(t *testing.T, connect func(*Server) *ClientConn) {
		cc := connect(&Server{Handler: func(s Stream) {
			s.SetField("x-path", string(s.Path()))
			io.WriteString(s, "hello\n")
			s.AppendTrailer("x-end", "yes")
		}})
		for range 3 {
			s := ask(t, cc, "GET", "/a?b#c")
			if s.ContentLength() != -1 || s.Field("x-path") != nil || s.ID() != 0 {
				t.Error("a request that has not begun has a response")
			}
			status, err := s.Response()
			if status != 200 || err != nil || s.TLS() != nil && s.TLS().NegotiatedProtocol != "h2" || s.RemoteAddr() == nil || s.ID() == 0 {
				t.Fatal(status, err)
			}
			if status, err = s.Response(); status != 200 || err != nil {
				t.Fatal("a second time:", status, err)
			}
			b, err := io.ReadAll(s)
			if string(b) != "hello\n" || err != nil || string(s.Field("X-Path")) != "/a?b" || string(s.Trailers().GetName("x-end")) != "yes" {
				t.Fatalf("%q %v %q %q", b, err, s.Field("x-path"), s.Trailers().GetName("x-end"))
			}
			s.Close()
			if _, err := s.Read(make([]byte, 1)); err != ErrStale {
				t.Errorf("read after Close: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestClientEcho: content flows in both directions at once, much more than the
// windows hold, with trailers both ways.
func TestClientEcho(t *testing.T) {
	eachWay(t, func(t *testing.T, connect func(*Server) *ClientConn) {
		cc := connect(&Server{Handler: echo})
		total := 3 << 20
		if strings.HasSuffix(t.Name(), "octets") {
			total = 300 << 10
		}
		var wg sync.WaitGroup
		for i := range 3 {
			s := ask(t, cc, "POST", "/echo")
			text := strings.Repeat(fmt.Sprintf("%07d,", i), 1000)
			if i == 0 {
				s.Flush() // else the reader is there first
			}
			wg.Go(func() {
				if i > 0 {
					time.Sleep(time.Millisecond)
				}
				for n := 0; n < total; n += len(text) {
					if k, err := s.WriteString(text); k != len(text) || err != nil {
						t.Error(k, err)
						return
					}
				}
				s.AppendTrailer("X-Trailer", "up")
				if err := s.CloseWrite(); err != nil {
					t.Error(err)
				}
				if _, err := s.WriteString("x"); err != ErrRequestComplete {
					t.Error(err)
				}
			})
			wg.Go(func() {
				buf, n := make([]byte, len(text)), 0
				for ; ; n++ {
					if _, err := io.ReadFull(s, buf); err == io.EOF {
						break
					} else if err != nil || string(buf) != text {
						t.Errorf("%v after %d", err, n)
						return
					}
				}
				if want := (total + len(text) - 1) / len(text); n != want {
					t.Errorf("%d pieces came, want %d", n, want)
				}
				tr := s.Trailers()
				if string(tr.GetName("x-octets")) != fmt.Sprint(n*len(text)) || string(tr.GetName("x-trailer")) != "up" {
					t.Errorf("trailers %q", tr.GetName("x-octets"))
				}
			})
		}
		wg.Wait()
	})
}

// TestClientOnTheWire: what a request looks like.
func TestClientOnTheWire(t *testing.T) {
	for _, c := range []struct {
		method, path string
		do           func(s ClientStream) error
		want         []string
	}{
		{"GET", "", nil, []string{"HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/ END_STREAM"}},
		{"GET", "?q", nil, []string{"HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/?q END_STREAM"}},
		{"OPTIONS", "", nil, []string{"HEADERS 1 :method=OPTIONS :scheme=http :authority=example.com :path=* END_STREAM"}},
		{"CONNECT", "", ClientStream.Flush, []string{"HEADERS 1 :method=CONNECT :authority=example.com:80"}},
		{"POST", "/", ClientStream.CloseWrite, []string{"HEADERS 1 :method=POST :scheme=http :authority=example.com :path=/ content-length=0 END_STREAM"}},
		{"POST", "/", func(s ClientStream) error { s.WriteString("hello"); return s.CloseWrite() },
			[]string{"HEADERS 1 :method=POST :scheme=http :authority=example.com :path=/ content-length=5", `DATA 1 "hello" END_STREAM`}},
		{"POST", "/", func(s ClientStream) error {
			s.Flush()
			s.WriteString("hello")
			s.AppendTrailer("A", "b", "c")
			return s.CloseWrite()
		}, []string{"HEADERS 1 :method=POST :scheme=http :authority=example.com :path=/", `DATA 1 "hello"`, "HEADERS 1 a=b a=c END_STREAM"}},
		{"PUT", "/", func(s ClientStream) error { s.AppendTrailer("a", "b"); return s.CloseWrite() },
			[]string{"HEADERS 1 :method=PUT :scheme=http :authority=example.com :path=/", "HEADERS 1 a=b END_STREAM"}},
		{"GET", "/", func(s ClientStream) error {
			s.SetField("Accept", "a")
			s.SetField("accept", "b")
			s.AddField("X-A", "1")
			s.AddField("x-a", "2")
			s.AddSensitive("authorization", "secret")
			return s.SetField("te", "trailers")
		}, []string{"HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/ accept=b x-a=1 x-a=2 authorization=secret te=trailers END_STREAM"}},
	} {
		inBubble(t, func(t *testing.T) {
			cc, p := withServer(t, nil)
			s := ask(t, cc, c.method, c.path)
			if c.do != nil {
				if err := c.do(s); err != nil {
					t.Fatal(err)
				}
			}
			go s.Response()
			p.want(c.want...)
			p.respond(1, true)
			p.quiet()
		})
	}
}

func TestClientMisuse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		for _, url := range []string{"", "example.com", "ftp://example.com/", "http://", "http://:80/", "http:///a", "http://a b/", "http://a/ b", "http://a/\n", "http://u:p@a/", "http://ä/", "http://a\\b"} {
			if _, err := cc.Request(t.Context(), "GET", url); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v", url, err)
			}
		}
		for _, method := range []string{"", "GET ", "G\nT", "G/T", strings.Repeat("X", 33)} {
			if _, err := cc.Request(t.Context(), method, exampleURL); !errors.Is(err, errMethod) {
				t.Errorf("%q: %v", method, err)
			}
		}
		s := ask(t, cc, "POST", "/")
		for _, f := range []struct {
			name, value string
			want        error
		}{
			{"connection", "close", ErrConnectionField}, {"Keep-Alive", "5", ErrConnectionField}, {"transfer-encoding", "chunked", ErrConnectionField},
			{"upgrade", "x", ErrConnectionField}, {"te", "gzip", errTE}, {"host", "a", errHost}, {":path", "/", errPseudo}, {":status", "200", errPseudo},
			{"content-length", "-1", errLength},
		} {
			if err := s.SetField(f.name, f.value); !errors.Is(err, f.want) {
				t.Errorf("%s: %v, want %v", f.name, err, f.want)
			}
			if err := s.AddSensitive(f.name, f.value); f.want != errLength && err == nil {
				t.Errorf("%s is accepted as sensitive", f.name)
			}
		}
		for _, f := range [][2]string{{"a b", "c"}, {"a", "b\r\nc: d"}, {"", ""}, {"a", " b"}} {
			if s.SetField(f[0], f[1]) == nil || s.AddSensitive(f[0], f[1]) == nil {
				t.Errorf("%q: %q is accepted", f[0], f[1])
			}
		}
		if err := s.AppendTrailer("content-length", "1"); !errors.Is(err, ErrProhibitedTrailer) {
			t.Error(err)
		}
		if err := s.SetProtocol("websocket"); !errors.Is(err, errProtocol) {
			t.Error(err)
		}
		if err := s.Prioritize(conn.Priority{}); err != errNotBegun {
			t.Error(err)
		}
		s.SetField("content-length", "5")
		s.Flush()
		p.want("HEADERS 1 :method=POST :scheme=http :authority=example.com :path=/ content-length=5")
		if err := s.SetField("a", "b"); err != ErrRequestStarted {
			t.Error(err)
		}
		if err := s.OnInform(nil); err != ErrRequestStarted {
			t.Error(err)
		}
		if _, err := s.WriteString("123456"); err != ErrContentLength {
			t.Error(err)
		}
		s.WriteString("1234")
		if err := s.CloseWrite(); err != errShortRequest {
			t.Error(err)
		}
		p.want("RST_STREAM 1 CANCEL")

		s = ask(t, cc, "CONNECT", "/path")
		if err := s.Flush(); err != errConnectPath {
			t.Error(err)
		}
		if _, err := s.Response(); err != errConnectPath {
			t.Error(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.ErrNoProgress)
		if _, err := cc.Request(ctx, "GET", exampleURL); err != io.ErrNoProgress {
			t.Error(err)
		}
		p.quiet()
	})
}

func TestClientInform(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		s := ask(t, cc, "GET", "/")
		var got []string
		s.OnInform(func(status int, f *hpack.Fields) {
			got = append(got, fmt.Sprintf("%d %s", status, f.GetName("link")))
		})
		go func() {
			p.want("HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/ END_STREAM")
			p.respond(1, false, ":status: 103", "link: a")
			p.respond(1, false, ":status: 103", "link: b")
			p.respond(1, true)
		}()
		if status, err := s.Response(); status != 200 || err != nil || fmt.Sprint(got) != "[103 a 103 b]" {
			t.Error(status, err, got)
		}
	})
}

// TestClientReset: by the server, by the request, by its context, by Close.
func TestClientReset(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		want := func(err error, code frame.ErrCode, side conn.Side) {
			t.Helper()
			var reset *ResetError
			if !errors.As(err, &reset) || reset.Code != code || reset.Side != side {
				t.Errorf("error %v, want %v %v", err, side, code)
			}
		}
		begin := func(ctx context.Context) ClientStream {
			s := askIn(t, ctx, cc, "POST", "/")
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			p.want(fmt.Sprintf("HEADERS %d :method=POST :scheme=http :authority=example.com :path=/", s.ID()))
			return s
		}
		s := begin(t.Context())
		p.reset(1, 1111)
		_, err := s.Response()
		want(err, 1111, conn.Remote)
		_, err = s.WriteString("x")
		want(err, 1111, conn.Remote)
		if s.Unprocessed() {
			t.Error("1111 does not say that it was not processed")
		}

		s = begin(t.Context())
		s.Reset(42)
		s.Reset(43)
		p.want("RST_STREAM 3 unknown error code 0x2a")
		_, err = s.Read(make([]byte, 1))
		want(err, 42, conn.Local)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s = begin(ctx)
		if _, err = s.Response(); err != context.DeadlineExceeded {
			t.Error(err)
		}
		p.want("RST_STREAM 5 CANCEL")

		s = begin(t.Context())
		s.Close()
		p.want("RST_STREAM 7 CANCEL")

		// Between header section and end.
		ctx2, cancel2 := context.WithCancelCause(t.Context())
		s = begin(ctx2)
		p.respond(9, false)
		p.data(9, "hello", false)
		if _, err := s.Response(); err != nil {
			t.Fatal(err)
		}
		cancel2(io.ErrNoProgress)
		synctest.Wait()
		if _, err := io.ReadAll(s); err != io.ErrNoProgress {
			t.Error(err)
		}
		p.want("RST_STREAM 9 CANCEL")

		s = begin(t.Context())
		p.reset(11, http2.ErrCodeRefusedStream)
		_, err = s.Response()
		want(err, frame.RefusedStream, conn.Remote)
		if !s.Unprocessed() {
			t.Error("a refused request was not processed")
		}
		p.quiet()
	})
}

// TestRFC9113_8_1_ResponseBeforeRequest: a complete response, then
// RST_STREAM(NO_ERROR): the response counts, the upload stops.
func TestRFC9113_8_1_ResponseBeforeRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		s := ask(t, cc, "POST", "/")
		failed := make(chan error)
		go func() {
			_, err := io.Copy(s, neverEnding{})
			failed <- err
		}()
		p.want("HEADERS 1 :method=POST :scheme=http :authority=example.com :path=/")
		synctest.Wait()
		p.received(1)
		p.respond(1, false)
		p.data(1, "too large", true)
		p.reset(1, http2.ErrCodeNo)
		var reset *ResetError
		if err := <-failed; !errors.As(err, &reset) || reset.Code != frame.NoError || reset.Side != conn.Remote {
			t.Errorf("the upload ends with %v", err)
		}
		if status, body, err := fetch(s); status != 200 || body != "too large" || err != nil {
			t.Error(status, body, err)
		}
		p.quiet()
	})
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

// TestClientCancelsWhileWriterIsBlocked: the server takes no octets at all; a
// request that writes, and one that waits, end with their contexts.
func TestClientCancelsWhileWriterIsBlocked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		nc, sc := net.Pipe()
		stuck := &stuckConn{Conn: nc, gone: make(chan struct{})}
		cc, err := NewClientConn(t.Context(), stuck, &ClientConfig{WriteStall: -1})
		if err != nil {
			t.Fatal(err)
		}
		newPeer(t, sc).greet()
		stuck.stuck.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 10 {
			s := askIn(t, ctx, cc, "POST", "/")
			wg.Go(func() {
				if _, err := io.Copy(s, neverEnding{}); err != context.Canceled {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, _, err := fetch(askIn(t, ctx, cc, "GET", "/")); err != context.Canceled {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		cancel()
		wg.Wait()
		if d := time.Since(start); d > 0 {
			t.Errorf("it takes %v", d)
		}
		close(stuck.gone)
		cc.Close()
		sc.Close()
	})
}

// TestRFC9113_6_8_GoAwaySaysWhy: what the server said in GOAWAY is the error
// of the requests that its end of the connection cuts off.
func TestRFC9113_6_8_GoAwaySaysWhy(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		s := ask(t, cc, "GET", "/")
		go func() {
			p.want("HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/ END_STREAM")
			p.ok(p.fr.WriteGoAway(1, http2.ErrCodeEnhanceYourCalm, []byte("too_many_pings")))
			p.want("GOAWAY 0 NO_ERROR")
			p.nc.Close()
		}()
		_, err := s.Response()
		want := &conn.Error{Code: frame.EnhanceYourCalm, Side: conn.Remote, Debug: "too_many_pings"}
		var ce *conn.Error
		if !errors.As(err, &ce) || *ce != *want {
			t.Errorf("%v", err)
		}
		<-cc.Done()
		if snap := cc.Snapshot(); snap.Err != nil || snap.Ended == nil || cc.Err() != snap.Ended {
			t.Errorf("%v, %v", snap.Err, snap.Ended)
		}
	})
}

// TestRFC8441: extended CONNECT waits for SETTINGS, and a tunnel carries
// octets both ways.
func TestRFC8441_Client(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil, http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})
		s := ask(t, cc, "CONNECT", "/chat?a")
		s.SetField("origin", "http://example.com")
		if err := s.SetProtocol("websocket"); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		p.want("HEADERS 1 :method=CONNECT :protocol=websocket :scheme=http :authority=example.com :path=/chat?a origin=http://example.com")
		p.respond(1, false)
		if status, err := s.Response(); status != 200 || err != nil {
			t.Fatal(status, err)
		}
		s.WriteString("up")
		s.Flush()
		p.want(`DATA 1 "up"`)
		p.data(1, "down", true)
		if b, err := io.ReadAll(s); string(b) != "down" || err != nil {
			t.Errorf("%q %v", b, err)
		}
		s.CloseWrite()
		p.want(`DATA 1 "" END_STREAM`)
		s.Close()
		p.quiet()
	})
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		s := ask(t, cc, "CONNECT", "/chat")
		s.SetProtocol("websocket")
		if err := s.Flush(); err != conn.ErrNoConnectProtocol {
			t.Errorf("%v", err)
		}
		p.quiet()
	})
}

// TestRFC9218_Client: PRIORITY_UPDATE.
func TestRFC9218_Client(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		s := ask(t, cc, "GET", "/")
		s.SetField("priority", "u=5")
		go s.Response()
		p.want("HEADERS 1 :method=GET :scheme=http :authority=example.com :path=/ priority=u=5 END_STREAM")
		if err := s.Prioritize(conn.Priority{Urgency: 1, Incremental: true}); err != nil {
			t.Fatal(err)
		}
		p.want("PRIORITY_UPDATE")
		p.respond(1, true)
		synctest.Wait()
		if err := s.Prioritize(conn.Priority{Urgency: 1}); err != nil {
			t.Error(err)
		}
		p.quiet()
	})
}

// TestClientResponseFirst: who waits for the response of a request that has
// not begun is told how it ends.
func TestClientResponseFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		for name, c := range map[string]struct {
			end  func(ClientStream, context.CancelFunc)
			want string
		}{
			"context": {func(_ ClientStream, cancel context.CancelFunc) { cancel() }, "context canceled"},
			"reset":   {func(s ClientStream, _ context.CancelFunc) { s.Reset(5) }, "nonet: stream reset: STREAM_CLOSED"},
			"close":   {func(s ClientStream, _ context.CancelFunc) { s.Close() }, ErrStale.Error()},
			"short": {func(s ClientStream, _ context.CancelFunc) {
				s.SetField("content-length", "5")
				s.CloseWrite()
			}, "nonet: stream reset: CANCEL"},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			s := askIn(t, ctx, cc, "POST", "/")
			failed := make(chan error)
			go func() {
				_, err := s.Response()
				failed <- err
			}()
			synctest.Wait()
			c.end(s, cancel)
			if err := <-failed; fmt.Sprint(err) != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
			cancel()
		}
		p.quiet()
	})
}
