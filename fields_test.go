package nonet

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nonet-h2/nonet/hpack"
)

// The response's header section.

func TestFields(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		set := new(hpack.Set)
		server := set.Prepare("server", "nonet")
		s := &Server{Handler: func(s Stream) {
			must(t, s.SetField("X-A", "1"))
			must(t, s.AddField("x-a", "2"))
			must(t, s.AddField("x-b", "3"))
			must(t, s.SetField("x-A", "4"))
			must(t, s.SetField("Content-Type", "a"))
			must(t, s.SetField("content-type", "b"))
			must(t, s.AddPrepared(server))
			must(t, s.SetStatus(201))
			s.WriteString("x")
		}}
		s.Prepared = set
		p := dial(s)
		p.get(1, "/")
		p.want("HEADERS 1 :status=201 x-b=3 x-a=4 content-type=b server=nonet content-length=1", `DATA 1 "x" END_STREAM`)
	})
}

func TestFieldErrors(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) {
			for _, f := range [][2]string{
				{"", "v"}, {"a b", "v"}, {"a:", "v"}, {":status", "200"}, {":path", "/"}, {"a\n", "v"},
				{"a", "v\n"}, {"a", "\x00"}, {"a", " v"}, {"content-type", "a\r\nb"},
				{"content-length", "x"}, {"content-length", "-1"},
				{"transfer-encoding", "chunked"}, {"Keep-Alive", "1"}, {"upgrade", "h2c"}, {"proxy-connection", "close"},
			} {
				if err := s.SetField(f[0], f[1]); err == nil {
					t.Errorf("SetField(%q, %q) went well", f[0], f[1])
				}
				if err := s.AddField(f[0], f[1]); err == nil {
					t.Errorf("AddField(%q, %q) went well", f[0], f[1])
				}
			}
			must(t, s.SetField("connection", "keep-alive"))
			for _, code := range []int{0, 99, 100, 199, 1000} {
				if err := s.SetStatus(code); err == nil {
					t.Errorf("SetStatus(%d) went well", code)
				}
			}
			s.Flush()
			for _, err := range []error{s.SetStatus(200), s.SetField("a", "b"), s.Inform(103, nil)} {
				if err != ErrResponseStarted {
					t.Errorf("after the headers: %v", err)
				}
			}
			s.Close()
			_, err := s.WriteString("x")
			for _, err := range []error{err, s.SetStatus(200), s.Flush(), s.Close(), s.Commit(1)} {
				if err != ErrResponseComplete {
					t.Errorf("after the end: %v", err)
				}
			}
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=200", `DATA 1 "" END_STREAM`)
	})
}

func TestContentLength(t *testing.T) {
	tests := []struct {
		name, method string
		handler      Handler
		want         []string
	}{
		{"declared", "GET", func(s Stream) {
			s.SetField("content-length", "2")
			s.WriteString("ab")
			if _, err := s.WriteString("c"); err != ErrContentLength {
				t.Errorf("Write beyond: %v", err)
			}
		}, []string{"HEADERS 1 :status=200 content-length=2", `DATA 1 "ab" END_STREAM`}},
		{"too little", "GET", func(s Stream) {
			s.SetField("content-length", "3")
			s.WriteString("ab")
			s.Flush()
			settle()
		}, []string{"HEADERS 1 :status=200 content-length=3", `DATA 1 "ab"`, "RST_STREAM 1 INTERNAL_ERROR"}},
		{"flushed", "GET", func(s Stream) {
			s.Flush()
			s.WriteString("ab")
		}, []string{"HEADERS 1 :status=200", `DATA 1 "ab" END_STREAM`}},
		{"head", "HEAD", func(s Stream) { s.WriteString("ab") }, []string{"HEADERS 1 :status=200 content-length=2 END_STREAM"}},
		{"head, declared", "HEAD", func(s Stream) { s.SetField("content-length", "5") }, []string{"HEADERS 1 :status=200 content-length=5 END_STREAM"}},
		{"head, large", "HEAD", func(s Stream) { s.Write(make([]byte, 100_000)) }, []string{"HEADERS 1 :status=200", `DATA 1 "" END_STREAM`}},
		{"head, nothing", "HEAD", func(s Stream) {}, []string{"HEADERS 1 :status=200 END_STREAM"}},
		{"204", "GET", func(s Stream) {
			s.SetStatus(204)
			if _, err := s.WriteString("x"); !errors.Is(err, ErrBodyNotAllowed) {
				t.Errorf("Write: %v", err)
			}
		}, []string{"HEADERS 1 :status=204 END_STREAM"}},
		{"304", "GET", func(s Stream) {
			s.SetStatus(304)
			s.SetField("content-length", "7")
		}, []string{"HEADERS 1 :status=304 content-length=7 END_STREAM"}},
		{"exactly a chunk", "GET", func(s Stream) { s.Write(make([]byte, chunkSize)) },
			[]string{"HEADERS 1 :status=200 content-length=16384", "DATA 1 16384 END_STREAM"}},
		{"more than a chunk", "GET", func(s Stream) { s.Write(make([]byte, chunkSize+1)) },
			[]string{"HEADERS 1 :status=200", "DATA 1 16384", `DATA 1 "\x00" END_STREAM`}},
		{"grows out of the stream", "GET", func(s Stream) {
			for range smallBody + 1 {
				s.WriteString("x")
			}
		}, []string{"HEADERS 1 :status=200 content-length=1025", "DATA 1 1025 END_STREAM"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, dial func(*Server) *peer) {
				p := dial(&Server{Handler: tt.handler})
				p.request(1, tt.method, "/", true)
				p.want(tt.want...)
				p.quiet()
			})
		})
	}
}

func TestDate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var d dates
		if got := d.text(); got != "Sat, 01 Jan 2000 00:00:00 GMT" {
			t.Errorf("date %q", got)
		}
		time.Sleep(1500 * time.Millisecond)
		if got := d.text(); got != "Sat, 01 Jan 2000 00:00:01 GMT" {
			t.Errorf("date %q", got)
		}
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if got := d.text(); got != "Sat, 01 Jan 2000 00:00:02 GMT" {
			t.Errorf("date %q", got)
		}
	})
}

func TestInform(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			var f hpack.Fields
			f.Add("link", "</a>")
			must(t, s.Inform(103, &f))
			must(t, s.Inform(102, nil))
			for _, code := range []int{99, 101, 200} {
				if s.Inform(code, nil) == nil {
					t.Errorf("Inform(%d) went well", code)
				}
			}
		}})
		p.get(1, "/")
		p.want("HEADERS 1 :status=103 link=</a>", "HEADERS 1 :status=102", "HEADERS 1 :status=200 content-length=0 END_STREAM")
	})
}
