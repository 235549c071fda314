package nonet

import (
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestInline(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Inline: func(s Stream) {
			if string(s.Path()) == "/wait" {
				if _, err := s.Read(make([]byte, 1)); err != ErrWouldBlock {
					t.Errorf("Read: %v", err)
				}
				s.SetField("x-inline", "yes")
				s.Go(func(s Stream) {
					b, err := io.ReadAll(s)
					must(t, err)
					s.Write(b)
				})
				return
			}
			if s.Method() == "GET" {
				if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("Read: %d, %v", n, err)
				}
			}
			hello(s)
		}})
		for id := '1'; id <= '9'; id += 2 {
			p.get(uint32(id-'0'), "/")
			p.want("HEADERS "+string(id)+" :status=200 content-type=text/plain content-length=6", "DATA "+string(id)+` "hello\n" END_STREAM`)
		}
		p.post(11, "/wait")
		p.quiet()
		p.data(11, "content", true)
		p.want("HEADERS 11 :status=200 x-inline=yes content-length=7", `DATA 11 "content" END_STREAM`)
		p.post(13, "/")
		p.want("HEADERS 13 :status=200 content-type=text/plain content-length=6", `DATA 13 "hello\n" END_STREAM`, "RST_STREAM 13 NO_ERROR")
		p.quiet()
	})
}

func TestInlineWouldBlock(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Inline: func(s Stream) {
			n, err := s.Write(make([]byte, 256<<10))
			if err != ErrWouldBlock || n < maxUnsent || n > maxUnsent+2*chunkSize {
				t.Errorf("Write: %d, %v", n, err)
			}
			s.Go(func(s Stream) {
				_, err := s.Write(make([]byte, 256<<10-n))
				must(t, err)
			})
		}})
		p.ok(p.fr.WriteWindowUpdate(0, 1<<20))
		p.get(1, "/")
		p.want("HEADERS 1 :status=200")
		p.ok(p.fr.WriteWindowUpdate(1, 1<<20))
		p.wantContent(1, 256<<10)
		p.quiet()
	})
}

func TestInlinePanicAndReset(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Inline: func(s Stream) {
			switch string(s.Path()) {
			case "/panic":
				panic("x")
			case "/reset":
				must(t, s.Reset(1111))
			case "/go":
				s.Go(func(s Stream) { panic("y") })
			}
		}})
		p.get(1, "/panic")
		p.want("HEADERS 1 :status=500 content-length=0 END_STREAM")
		p.get(3, "/reset")
		p.want("RST_STREAM 3 " + code(1111))
		p.get(5, "/go")
		p.want("HEADERS 5 :status=500 content-length=0 END_STREAM")
		p.quiet()
		if n := strings.Count(p.log.String(), "\n"); n != 2 {
			t.Errorf("%d lines of log", n)
		}
	})
}

// Handlers that inline handlers start count, and wait for their turn.
func TestInlineQueue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		errs := make(chan error, 1)
		s := &Server{Inline: func(s Stream) {
			s.Go(func(s Stream) {
				if s.ID() == 3 {
					t.Error("a stream that was reset before its handler started, started")
				}
				must(t, s.Close())
				time.Sleep(time.Second)
				if s.ID() == 1 {
					errs <- s.Reset(1)
				}
			})
		}}
		s.Limits.MaxConcurrentStreams = 1
		p := dial(t, s)
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-length=0 END_STREAM")
		p.post(3, "/")
		p.quiet()
		p.reset(3, http2.ErrCodeCancel)
		p.get(5, "/")
		p.quiet()
		time.Sleep(time.Second)
		p.want("HEADERS 5 :status=200 content-length=0 END_STREAM")
		time.Sleep(time.Second)
		must(t, <-errs)
	})
}

// A handler that calls Go continues on the same goroutine.
func TestGoFromHandler(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) {
			s.WriteString("1")
			s.Go(func(s Stream) { s.WriteString("2") })
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-length=2", `DATA 1 "12" END_STREAM`)
		p.reset(1, http2.ErrCodeCancel)
		p.quiet()
	})
}
