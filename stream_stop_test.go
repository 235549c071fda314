package nonet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/hpack"
)

var errStopped = errors.New("stopped")

// TestCloseRead: at once, what waits is woken and what has come is gone; with
// keep, what has come is read first. The response goes on.
func TestCloseRead(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep=%t", keep), func(t *testing.T) {
			onEach(t, func(t *testing.T, dial func(*Server) *peer) {
				p := dial(&Server{Handler: func(s Stream) {
					settle() // the content has come
					s.CloseRead(errStopped, keep)
					s.CloseRead(io.ErrUnexpectedEOF, keep) // the first counts
					b, err := io.ReadAll(s)
					want := ""
					if keep {
						want = "first"
					}
					if string(b) != want || err != errStopped {
						t.Errorf("read %q, %v", b, err)
					}
					settle()
					settle() // the rest of the content has come
					s.WriteString("ok")
				}})
				p.post(1, "/")
				p.data(1, "first", false)
				settle()
				settle()
				p.data(1, "thrown away", true)
				p.want("HEADERS 1 :status=200 content-length=2", `DATA 1 "ok" END_STREAM`)
				p.quiet()
			})
		})
	}
	t.Run("a read that waits", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			p := dial(t, &Server{Handler: func(s Stream) {
				go func() {
					settle()
					s.CloseRead(errStopped, true)
				}()
				if n, err := s.Read(make([]byte, 1)); n != 0 || err != errStopped {
					t.Errorf("Read: %d, %v", n, err)
				}
			}})
			p.post(1, "/")
			settle()
			p.want("HEADERS 1 :status=200 content-length=0 END_STREAM", "RST_STREAM 1 NO_ERROR")
		})
	})
	t.Run("a complete request is read to its end", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			p := dial(t, &Server{Handler: func(s Stream) {
				settle()
				s.CloseRead(errStopped, true)
				b, err := io.ReadAll(s)
				fmt.Fprintf(s, "%s %v %t", b, err, s.Complete())
			}})
			p.post(1, "/")
			p.data(1, "all", true)
			settle()
			p.want("HEADERS 1 :status=200 content-length=15", `DATA 1 "all <nil> false" END_STREAM`)
		})
	})
}

func TestFailOmitAndBuffered(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler Handler
		want    []string
	}{
		{"fail before the response", func(s Stream) {
			s.WriteString("dropped")
			s.Fail()
		}, []string{"HEADERS 1 :status=500 content-length=0 END_STREAM"}},
		{"fail after some of it, which leaves", func(s Stream) {
			s.WriteString("part")
			s.Flush()
			if err := s.AwaitSent(); err != nil {
				s.WriteString(err.Error())
			}
			s.Fail()
		}, []string{"HEADERS 1 :status=200", `DATA 1 "part"`, "RST_STREAM 1 INTERNAL_ERROR"}},
		{"no content-length", func(s Stream) {
			s.Omit(hpack.TokenContentLength)
			s.WriteString("text")
		}, []string{"HEADERS 1 :status=200", `DATA 1 "text" END_STREAM`}},
		{"what is buffered", func(s Stream) {
			s.WriteString("a")
			s.WriteString("b")
			first := string(s.Buffered())
			s.Flush()
			s.WriteString("c")
			fmt.Fprintf(s, " %s %s", first, s.Buffered())
		}, nil}, // what was flushed may leave before the rest
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := dial(t, &Server{Handler: tt.handler})
				p.get(1, "/")
				if tt.want == nil {
					p.want("HEADERS 1 :status=200")
					p.wantText(1, "abc ab c")
				}
				p.want(tt.want...)
				p.quiet()
			})
		})
	}
}

// TestContinueFirst: 100 (Continue) before the response, without reading.
func TestContinueFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) {
			s.Continue()
			s.Continue()
			s.Flush()
			s.Continue()
			io.Copy(s, s)
		}})
		p.post(1, "/", "expect: 100-continue")
		p.want("HEADERS 1 :status=100", "HEADERS 1 :status=200")
		p.data(1, "x", true)
		p.want(`DATA 1 "x" END_STREAM`)
	})
}

// TestConnContext: what BaseContext and ConnContext make is the parent of the
// requests' contexts, and options of a single connection come before them.
func TestConnContext(t *testing.T) {
	type key struct{}
	h := func(s Stream) {
		s.WriteString(fmt.Sprint(s.ConnContext().Value(key{}), s.Context().Value(key{})))
	}
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: h, ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, key{}, "mine")
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-length=8", `DATA 1 "minemine" END_STREAM`)
	})
	inBubble(t, func(t *testing.T) {
		s := &Server{Handler: h}
		c, sc := net.Pipe()
		ended := make(chan error, 1)
		go func() {
			ended <- s.ServeConnWith(sc, ConnOptions{Context: context.WithValue(context.Background(), key{}, "given"), Preface: true})
		}()
		// The preface was read already.
		p := &peer{t: t, nc: c, fr: http2.NewFramer(c, c), ack: http2.NewFramer(c, nil), log: new(syncBuffer), updates: make(map[uint32]int), body: make(map[uint32]int)}
		p.fr.ReadMetaHeaders = xhpack.NewDecoder(4096, nil)
		p.enc = xhpack.NewEncoder(&p.ebuf)
		go p.read()
		p.ok(p.fr.WriteSettings())
		p.want("SETTINGS", "SETTINGS ACK")
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-length=10", `DATA 1 "givengiven" END_STREAM`)
		c.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
	})
}
