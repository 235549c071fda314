package nonet

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// The features of the page, frame by frame.

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func hello(s Stream) {
	s.SetField("content-type", "text/plain")
	s.WriteString("hello\n")
}

func TestShortResponse(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: hello})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`)
		p.get(3, "/")
		p.want("HEADERS 3 :status=200 content-type=text/plain content-length=6", `DATA 3 "hello\n" END_STREAM`)
		p.quiet()
	})
}

func TestProtocol(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			s.WriteString(s.Protocol() + " " + s.Method() + " " + string(s.Path()) + " " + string(s.Authority()) + " " + string(s.Field("X-A")))
		}})
		p.get(1, "/p?q", "x-a: b")
		p.want("HEADERS 1 :status=200 content-length=29", `DATA 1 "HTTP/2 GET /p?q example.com b" END_STREAM`)
	})
}

func TestReset(t *testing.T) {
	for _, c := range []frame.ErrCode{1111, 0} {
		want := "RST_STREAM 1 " + code(http2.ErrCode(c))
		t.Run(want, func(t *testing.T) {
			onEach(t, func(t *testing.T, dial func(*Server) *peer) {
				cause := make(chan error, 1)
				p := dial(&Server{Handler: func(s Stream) {
					ctx := s.Context()
					must(t, s.Reset(c))
					must(t, s.Reset(7)) // the first wins
					cause <- context.Cause(ctx)
					if _, err := s.WriteString("x"); !isReset(err, c, conn.Local) {
						t.Errorf("Write after Reset: %v", err)
					}
					if _, err := s.Read(make([]byte, 1)); !isReset(err, c, conn.Local) {
						t.Errorf("Read after Reset: %v", err)
					}
					if err := s.SetStatus(404); !isReset(err, c, conn.Local) {
						t.Errorf("SetStatus after Reset: %v", err)
					}
				}})
				p.get(1, "/")
				p.want(want)
				p.quiet()
				if err := <-cause; !isReset(err, c, conn.Local) {
					t.Errorf("cause %v", err)
				}
				p.get(3, "/")
				p.want(strings.Replace(want, " 1 ", " 3 ", 1))
			})
		})
	}
}

func isReset(err error, c frame.ErrCode, by conn.Side) bool {
	var re *ResetError
	return errors.As(err, &re) && re.Code == c && re.Side == by
}

func TestResetAfterHeaders(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			s.Flush()
			settle()
			s.Reset(1111)
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200", "RST_STREAM 1 "+code(1111))
		p.quiet()
	})
}

func TestResetDuringBody(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			s.WriteString("part")
			s.Flush()
			settle()
			s.WriteString("never sent")
			s.Reset(1111)
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200", `DATA 1 "part"`, "RST_STREAM 1 "+code(1111))
		p.quiet()
	})
}

func TestResetWhileReading(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		read := make(chan error, 1)
		p := dial(&Server{Handler: func(s Stream) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err := io.ReadAll(s)
				read <- err
			}()
			settle()
			s.Reset(1111)
			<-done
		}})
		p.post(1, "/")
		p.data(1, "some", false)
		p.want("RST_STREAM 1 " + code(1111))
		if err := <-read; !isReset(err, 1111, conn.Local) {
			t.Errorf("pending read: %v", err)
		}
		p.data(1, "late", true)
		p.quiet()
	})
}

// Both sides are complete: a reset has nothing left to reset.
func TestResetAfterEnd(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			s.WriteString("all")
			must(t, s.Close())
			must(t, s.Reset(1111))
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-length=3", `DATA 1 "all" END_STREAM`)
		p.quiet()
	})
}

// The response is complete, the request is not: gRPC depends on this order.
func TestResetAfterResponse(t *testing.T) {
	for _, wait := range []bool{false, true} {
		onEach(t, func(t *testing.T, dial func(*Server) *peer) {
			p := dial(&Server{Handler: func(s Stream) {
				s.WriteString("all")
				must(t, s.Close())
				if wait {
					settle()
				}
				must(t, s.Reset(0))
				if _, err := s.Read(make([]byte, 1)); !isReset(err, 0, conn.Local) {
					t.Errorf("Read after Reset: %v", err)
				}
			}})
			p.post(1, "/")
			p.want("HEADERS 1 :status=200 content-length=3", `DATA 1 "all" END_STREAM`, "RST_STREAM 1 NO_ERROR")
			p.quiet()
		})
	}
}

func TestPanic(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			s.SetField("x-a", "b")
			s.WriteString("some")
			if string(s.Path()) == "/late" {
				s.Flush()
				settle()
			}
			panic("went\nwrong")
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=500 content-length=0 END_STREAM")
		p.get(3, "/late")
		p.want("HEADERS 3 :status=200 x-a=b", `DATA 3 "some"`, "RST_STREAM 3 INTERNAL_ERROR")
		p.quiet()
		if log := p.log.String(); strings.Count(log, "\n") != 2 || !strings.Contains(log, `went\nwrong`) {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestEarlyResponse(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: hello})
		p.post(1, "/", "content-length: 100")
		p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`, "RST_STREAM 1 NO_ERROR")
		p.data(1, "late data is no connection error", false)
		p.quiet()
		p.get(3, "/")
		p.want("HEADERS 3 :status=200 content-type=text/plain content-length=6", `DATA 3 "hello\n" END_STREAM`)
	})
}

func TestConnectionClose(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			must(t, s.SetField("Connection", "close"))
			hello(s)
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-type=text/plain content-length=6", `DATA 1 "hello\n" END_STREAM`,
			"GOAWAY 2147483647 NO_ERROR", "PING", "GOAWAY 1 NO_ERROR")
		p.wantEnd()
	})
}

func TestTrailers(t *testing.T) {
	big := strings.Repeat("v", 127<<10)
	tests := []struct {
		name    string
		handler Handler
		want    []string
	}{
		{"none", func(s Stream) {}, []string{"HEADERS 1 :status=200 content-length=0 END_STREAM"}},
		{"without body", func(s Stream) { must(t, s.AppendTrailer("x-t", "v")) },
			[]string{"HEADERS 1 :status=200", "HEADERS 1 x-t=v END_STREAM"}},
		{"after body", func(s Stream) {
			s.WriteString("body")
			must(t, s.AppendTrailer("X-T", "v"))
		}, []string{"HEADERS 1 :status=200", `DATA 1 "body"`, "HEADERS 1 x-t=v END_STREAM"}},
		{"after flushed body", func(s Stream) {
			s.WriteString("body")
			s.Flush()
			settle()
			must(t, s.AppendTrailer("X-T", "v"))
		}, []string{"HEADERS 1 :status=200", `DATA 1 "body"`, "HEADERS 1 x-t=v END_STREAM"}},
		{"after content-length body", func(s Stream) {
			must(t, s.SetField("content-length", "4"))
			s.WriteString("body")
			must(t, s.AppendTrailer("x-t", "v"))
		}, []string{"HEADERS 1 :status=200 content-length=4", `DATA 1 "body"`, "HEADERS 1 x-t=v END_STREAM"}},
		{"before content-length body", func(s Stream) {
			must(t, s.AppendTrailer("x-t", "v"))
			must(t, s.SetField("content-length", "4"))
			s.WriteString("body")
		}, []string{"HEADERS 1 :status=200 content-length=4", `DATA 1 "body"`, "HEADERS 1 x-t=v END_STREAM"}},
		{"declared", func(s Stream) {
			must(t, s.DeclareTrailer("X-T"))
			s.WriteString("body")
			must(t, s.AppendTrailer("x-t", "v"))
		}, []string{"HEADERS 1 :status=200 trailer=x-t", `DATA 1 "body"`, "HEADERS 1 x-t=v END_STREAM"}},
		{"declared but missing", func(s Stream) {
			must(t, s.DeclareTrailer("x-t"))
			s.WriteString("body")
		}, []string{"HEADERS 1 :status=200 trailer=x-t", `DATA 1 "body" END_STREAM`}},
		{"several values", func(s Stream) { must(t, s.AppendTrailer("x-t", "a", "b", "")) },
			[]string{"HEADERS 1 :status=200", "HEADERS 1 x-t=a x-t=b x-t= END_STREAM"}},
		{"127 KB", func(s Stream) {
			s.WriteString("body")
			must(t, s.AppendTrailer("x-t", big))
		}, []string{"HEADERS 1 :status=200", `DATA 1 "body"`, "HEADERS 1 x-t=#130048 END_STREAM"}},
		{"no values", func(s Stream) { must(t, s.AppendTrailer("x-t")) },
			[]string{"HEADERS 1 :status=200 content-length=0 END_STREAM"}},
		{"before the handler returns", func(s Stream) {
			s.WriteString("body")
			must(t, s.AppendTrailer("x-t", "v"))
			must(t, s.Close())
			<-s.Context().Done()
		}, []string{"HEADERS 1 :status=200", `DATA 1 "body"`, "HEADERS 1 x-t=v END_STREAM"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, dial func(*Server) *peer) {
				p := dial(&Server{Handler: tt.handler})
				p.get(1, "/")
				p.want(tt.want...)
				p.quiet()
			})
		})
	}
}

func TestTrailerErrors(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			for _, name := range []string{"Content-Length", "transfer-encoding", "host", "Cookie", "set-cookie", "content-type",
				"cache-control", "te", "trailer", "connection", "keep-alive", "upgrade", "proxy-connection", ":status", "authorization", "date"} {
				if err := s.AppendTrailer(name, "v"); err == nil || (name[0] != ':' && !errors.Is(err, ErrProhibitedTrailer)) {
					t.Errorf("AppendTrailer(%q): %v", name, err)
				}
				if err := s.DeclareTrailer(name); err == nil {
					t.Errorf("DeclareTrailer(%q) went well", name)
				}
			}
			if err := s.AppendTrailer("x-t", "a\r\nb"); err == nil {
				t.Error("a value with a line feed went well")
			}
			if !s.SupportsTrailers() {
				t.Error("no trailers on HTTP/2")
			}
			s.Flush()
			if err := s.DeclareTrailer("x-t"); err != ErrResponseStarted {
				t.Errorf("DeclareTrailer after the headers: %v", err)
			}
			if !s.SupportsTrailers() {
				t.Error("no trailers after the headers")
			}
			s.Close()
			if s.SupportsTrailers() {
				t.Error("trailers after completion")
			}
			if err := s.AppendTrailer("x-t", "v"); err != ErrResponseComplete {
				t.Errorf("AppendTrailer after completion: %v", err)
			}
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200", `DATA 1 "" END_STREAM`)
		p.quiet()
	})
}

func TestSupportsTrailers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) {
			if i := slices.Index([]string{"/204", "/304", "/404"}, string(s.Path())); i >= 0 {
				s.SetStatus([]int{204, 304, 404}[i])
			}
			if s.SupportsTrailers() {
				s.SetField("x-trailers", "yes")
			}
		}})
		p.request(1, "HEAD", "/", true)
		p.want("HEADERS 1 :status=200 END_STREAM")
		p.get(3, "/204")
		p.want("HEADERS 3 :status=204 END_STREAM")
		p.get(5, "/304")
		p.want("HEADERS 5 :status=304 END_STREAM")
		p.get(7, "/404")
		p.want("HEADERS 7 :status=404 x-trailers=yes content-length=0 END_STREAM")
	})
}

func TestRequestContent(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			if te := s.Field("transfer-encoding"); te != nil {
				t.Errorf("transfer-encoding: %s", te)
			}
			if n := s.ContentLength(); n != -1 {
				t.Errorf("ContentLength %d", n)
			}
			b, err := io.ReadAll(s)
			must(t, err)
			s.SetField("x-checksum", string(s.Trailers().GetName("x-sum")))
			s.Write(b)
		}})
		p.post(1, "/")
		p.data(1, "one ", false)
		p.data(1, "two", false)
		p.headers(1, true, "x-sum: 7")
		p.want("HEADERS 1 :status=200 x-checksum=7 content-length=7", `DATA 1 "one two" END_STREAM`)
	})
}

func TestPeerReset(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		errs := make(chan error, 3)
		p := dial(&Server{Handler: func(s Stream) {
			ctx := s.Context()
			switch string(s.Path()) {
			case "/read":
				_, err := s.Read(make([]byte, 1))
				errs <- err
			case "/write":
				_, err := s.Write(make([]byte, 1<<20))
				errs <- err
			}
			<-ctx.Done()
			errs <- context.Cause(ctx)
		}})
		p.post(1, "/read")
		p.get(3, "/write")
		p.want("HEADERS 3 :status=200")
		p.received(3)
		for _, id := range []uint32{1, 3} {
			p.reset(id, 1234)
			for range 2 {
				if err := <-errs; !isReset(err, 1234, conn.Remote) {
					t.Errorf("stream %d: %v", id, err)
				}
			}
		}
		p.quiet()
	})
}
