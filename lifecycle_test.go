package nonet

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// How connections begin and end.

func TestShutdown(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		s := &Server{Handler: func(s Stream) {
			time.Sleep(10 * time.Second)
			hello(s)
		}}
		p := dial(s)
		p.get(1, "/")
		p.quiet()
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		p.want("GOAWAY 2147483647 NO_ERROR", "PING", "GOAWAY 1 NO_ERROR")
		p.get(3, "/") // too late: ignored
		p.quiet()
		time.Sleep(10 * time.Second)
		p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`)
		p.wantEnd()
		p.nc.Close()
		must(t, <-done)
		must(t, <-p.ended)
	})
}

func TestShutdownTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &Server{Handler: func(s Stream) { <-s.Context().Done() }}
		p := dial(t, s)
		p.get(1, "/")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		must(t, s.Close())
		<-p.ended
	})
}

func TestCloseCancels(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		causes := make(chan error, 4)
		s := &Server{Handler: func(s Stream) {
			ctx := s.Context()
			_, err := s.Read(make([]byte, 1))
			causes <- err
			<-ctx.Done()
			causes <- context.Cause(ctx)
			_, err = s.Write([]byte("x"))
			causes <- err
		}}
		p := dial(s)
		p.post(1, "/")
		p.quiet()
		must(t, s.Close())
		for range 3 {
			if err := <-causes; err == nil || errors.Is(err, io.EOF) {
				t.Errorf("cause %v", err)
			}
		}
		if err := s.ServeConn(p.nc); err != ErrServerClosed {
			t.Errorf("ServeConn after Close: %v", err)
		}
		<-p.ended
	})
}

func TestPeerGoes(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		causes := make(chan error, 1)
		p := dial(&Server{Handler: func(s Stream) {
			_, err := s.Write(make([]byte, 1<<20))
			causes <- err
		}})
		p.get(1, "/")
		p.received(1)
		p.nc.Close()
		if err := <-causes; err == nil {
			t.Error("Write went well")
		}
		<-p.ended
	})
}

func TestConnectionError(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		causes := make(chan error, 1)
		p := dial(&Server{Handler: func(s Stream) {
			ctx := s.Context()
			<-ctx.Done()
			causes <- context.Cause(ctx)
		}})
		p.get(1, "/")
		p.quiet()
		p.ok(p.fr.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8)))
		p.want("GOAWAY 1 PROTOCOL_ERROR")
		p.wantEnd()
		var ce *conn.Error
		if err := <-causes; !errors.As(err, &ce) || ce.Code != frame.ProtocolError {
			t.Errorf("cause %v", err)
		}
		p.nc.Close()
		if err := <-p.ended; !errors.As(err, &ce) || ce.Code != frame.ProtocolError {
			t.Errorf("ServeConn: %v", err)
		}
		if log := p.log.String(); strings.Count(log, "\n") != 1 {
			t.Errorf("log:\n%s", log)
		}
	})
}

// A peer that never reads can't keep the connection that it broke.
func TestConnectionErrorUnread(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c, sc := net.Pipe()
		p := connect(t, &Server{Handler: hello}, c, sc)
		io.WriteString(c, http2.ClientPreface)
		p.fr.WriteSettings()
		start := time.Now()
		p.fr.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8))
		<-p.ended
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

func TestHandshakeTimeout(t *testing.T) {
	for _, sent := range []string{"", "PRI * HT", http2.ClientPreface, http2.ClientPreface + "\x00\x00\x06\x04", "GET / HT"} {
		t.Run(sent, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				c, sc := net.Pipe()
				p := connect(t, &Server{Handler: hello}, c, sc)
				go io.Copy(io.Discard, c)
				io.WriteString(c, sent)
				start := time.Now()
				<-p.ended
				limit := 11 * time.Second
				if sent == "GET / HT" {
					limit = 21 * time.Second
				}
				if d := time.Since(start); d < 10*time.Second || d > limit {
					t.Errorf("closed after %v", d)
				}
			})
		})
	}
}

func TestIdle(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: hello})
		time.Sleep(100 * time.Second)
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`)
		time.Sleep(119 * time.Second)
		p.quiet()
		time.Sleep(2 * time.Second)
		p.want("GOAWAY 2147483647 NO_ERROR", "PING", "GOAWAY 1 NO_ERROR")
		p.wantEnd()
	})
}

func TestWriteStall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c, sc := net.Pipe()
		s := &Server{Handler: hello}
		s.WriteStall = 5 * time.Second
		p := connect(t, s, c, sc)
		io.WriteString(c, http2.ClientPreface)
		p.fr.WriteSettings()
		p.get(1, "/")
		start := time.Now()
		if err := <-p.ended; err != errWriteStall {
			t.Errorf("ServeConn: %v", err)
		}
		if d := time.Since(start); d < 5*time.Second || d > 6*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

// A peer that asks and does not read is not read from, and loses nothing.
func TestUnreadAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c, sc := net.Pipe()
		p := connect(t, &Server{Handler: hello}, c, sc)
		out := frame.AppendSettings([]byte(frame.Preface))
		for range 40 {
			out = frame.AppendPing(out, false, [8]byte{})
		}
		go c.Write(out)
		settle()
		go p.read()
		p.want("SETTINGS", "SETTINGS ACK")
		for range 40 {
			p.want("PING ACK")
		}
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`)
	})
}

// Streams that were reset keep their work slot until their handler has
// returned; those whose handler did not start never start.
func TestRapidReset(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		started := make(chan uint32, 100)
		release := make(chan struct{})
		s := &Server{Handler: func(s Stream) {
			started <- s.ID()
			<-release
		}}
		s.Limits.MaxConcurrentStreams = 2
		p := dial(s)
		for id := uint32(1); id <= 7; id += 2 {
			p.get(id, "/")
			p.reset(id, http2.ErrCodeCancel)
		}
		p.quiet()
		if n := len(started); n != 2 {
			t.Fatalf("%d handlers run", n)
		}
		p.get(9, "/")
		p.get(11, "/")
		p.get(13, "/")
		p.want("RST_STREAM 13 REFUSED_STREAM")
		close(release)
		p.await()
		p.mu.Lock()
		lines := strings.Join(p.lines, "\n")
		p.mu.Unlock()
		for _, id := range []string{"9", "11"} {
			if !strings.Contains(lines, "HEADERS "+id+" :status=200 content-length=0 END_STREAM") {
				t.Errorf("no answer on stream %s:\n%s", id, lines)
			}
		}
		if n := len(started); n != 4 {
			t.Errorf("%d handlers ran", n)
		}
	})
}

// A stream that waits for its handler is answered when another has returned.
func TestQueue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &Server{Handler: func(s Stream) {
			s.Close() // the stream is over; the handler is not
			time.Sleep(time.Second)
		}}
		s.Limits.MaxConcurrentStreams = 1
		p := dial(t, s)
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-length=0 END_STREAM")
		p.get(3, "/")
		p.quiet()
		time.Sleep(time.Second)
		p.want("HEADERS 3 :status=200 content-length=0 END_STREAM")
		time.Sleep(time.Second)
	})
}

func TestStale(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		var kept Stream
		var ctx context.Context
		s := &Server{Handler: func(s Stream) {
			if kept.st == nil {
				kept, ctx = s, s.Context()
			}
			hello(s)
		}}
		p := dial(s)
		answer := []string{"HEADERS # :status=200 content-type=text/plain content-length=6", `DATA # "hello\n" END_STREAM`}
		for _, id := range []string{"1", "3", "5"} {
			p.get(uint32(id[0]-'0'), "/")
			for _, line := range answer {
				p.want(strings.Replace(line, "#", id, 1))
			}
			if ctx.Err() == nil {
				t.Error("the context outlives the handler")
			}
			_, werr := kept.WriteString("x")
			_, rerr := kept.Read(make([]byte, 1))
			for _, err := range []error{werr, rerr, kept.SetField("a", "b"), kept.Reset(1), kept.Abort(), kept.Close(), kept.Flush(),
				kept.AppendTrailer("a", "b"), kept.Inform(103, nil), kept.Commit(0), context.Cause(kept.Context())} {
				if err != ErrStale {
					t.Errorf("error %v", err)
				}
			}
			if kept.Method() != "" || kept.Path() != nil || kept.Fields().Len() != 0 || kept.RemoteAddr() != nil || kept.TLS() != nil {
				t.Error("a stale Stream tells something")
			}
		}
		p.quiet()
	})
}

// A goroutine that outlives the handler is woken, and told so.
func TestStaleReader(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		errs := make(chan error, 1)
		p := dial(t, &Server{Handler: func(s Stream) {
			go func() {
				_, err := s.Read(make([]byte, 1))
				errs <- err
			}()
			settle()
		}})
		p.post(1, "/")
		p.want("HEADERS 1 :status=200 content-length=0 END_STREAM", "RST_STREAM 1 NO_ERROR")
		if err := <-errs; err != ErrStale {
			t.Errorf("Read: %v", err)
		}
	})
}

func TestGoexit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) { t.SkipNow() }})
		p.get(1, "/")
		synctest.Wait()
		p.want("HEADERS 1 :status=500 content-length=0 END_STREAM")
	})
}

// TestAbortedIsNotShort: a response that was given up, by whichever side, is
// no handler that forgot a part of its content.
func TestAbortedIsNotShort(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) {
			s.SetField("content-length", "10")
			s.Flush()
			if string(s.Path()) == "/abort" {
				s.Abort()
				return
			}
			<-s.Context().Done()
		}})
		p.get(1, "/abort")
		p.want("HEADERS 1 :status=200 content-length=10", "RST_STREAM 1 INTERNAL_ERROR")
		p.get(3, "/wait")
		p.want("HEADERS 3 :status=200 content-length=10")
		p.reset(3, http2.ErrCodeCancel)
		p.quiet()
		if text := p.log.String(); text != "" {
			t.Errorf("logged %s", text)
		}
		p.nc.Close()
		<-p.ended
	})
}
