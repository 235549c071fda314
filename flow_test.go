package nonet

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// Content in both directions, and who waits for whom.

func TestWriteWaits(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		const total = 384 << 10
		written := make(chan int, 100)
		p := dial(&Server{Handler: func(s Stream) {
			for range total / 8192 {
				if _, err := s.Write(make([]byte, 8192)); err != nil {
					t.Error(err)
				}
				written <- 8192
			}
		}})
		sum := func() (n int) {
			for {
				select {
				case k := <-written:
					n += k
				default:
					return n
				}
			}
		}
		p.get(1, "/")
		p.want("HEADERS 1 :status=200")
		if n := p.received(1); n != http2InitialWindow {
			t.Errorf("%d octets came, want the window of %d", n, http2InitialWindow)
		}
		n := sum()
		if held := n - http2InitialWindow; held < maxUnsent/2 || held > maxUnsent+2*chunkSize {
			t.Errorf("the stream holds %d octets", held)
		}
		p.ok(p.fr.WriteWindowUpdate(0, total))
		p.quietAfter(1)
		if k := sum(); k != 0 {
			t.Errorf("Write went on for %d octets", k)
		}
		p.ok(p.fr.WriteWindowUpdate(1, 64<<10))
		p.quietAfter(1)
		if k := sum(); k == 0 {
			t.Error("Write did not go on")
		}
		p.ok(p.fr.WriteWindowUpdate(1, total))
		for p.received(1) < total {
			settle()
			sum()
		}
	})
}

const http2InitialWindow = 65535

// quietAfter forgets the DATA that came on a stream.
func (p *peer) quietAfter(id uint32) {
	p.t.Helper()
	p.received(id)
	p.quiet()
}

// One stream that waits for its window holds up nobody else.
func TestWriteWaitsAlone(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			if string(s.Path()) == "/big" {
				s.Write(make([]byte, 256<<10))
				return
			}
			hello(s)
		}})
		p.ok(p.fr.WriteWindowUpdate(0, 1<<20))
		p.get(1, "/big")
		p.received(1)
		p.get(3, "/")
		p.want("HEADERS 3 :status=200 content-type=text/plain content-length=6", `DATA 3 "hello\n" END_STREAM`)
		p.ok(p.fr.WriteWindowUpdate(1, 1<<20))
		p.wantContent(1, 256<<10)
	})
}

// Credit follows reading, not receiving.
func TestCredit(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		read := make(chan int)
		p := dial(&Server{Handler: func(s Stream) {
			for n := range read {
				if k, err := io.ReadFull(s, make([]byte, n)); err != nil {
					t.Errorf("%d octets, %v", k, err)
				}
			}
		}})
		p.post(1, "/")
		for range 4 {
			p.data(1, strings.Repeat("x", 16<<10-1), false)
		}
		if n := p.updated(1); n != 0 {
			t.Errorf("credit of %d octets for what nobody read", n)
		}
		read <- 60 << 10
		settle()
		if n := p.updated(1); n < 32<<10 || n > 64<<10 {
			t.Errorf("credit of %d octets", n)
		}
		p.data(1, strings.Repeat("x", 16<<10), false)
		close(read)
		p.want("HEADERS 1 :status=200 content-length=0 END_STREAM", "RST_STREAM 1 NO_ERROR")
		if n := p.updated(0); n < (1<<20)-http2InitialWindow {
			t.Errorf("connection credit of %d octets", n)
		}
	})
}

// A peer that sends more than its window has broken the stream.
func TestWindowOverrun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) { <-s.Context().Done() }})
		p.post(1, "/")
		for range 5 {
			p.data(1, strings.Repeat("x", 16<<10), false)
		}
		p.want("RST_STREAM 1 FLOW_CONTROL_ERROR")
		p.quiet()
	})
}

func TestEchoFullDuplex(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			buf := make([]byte, 100)
			for {
				n, err := s.Read(buf)
				s.Write(buf[:n])
				if err != nil {
					return
				}
				must(t, s.Flush())
			}
		}})
		p.post(1, "/")
		p.data(1, "a", false)
		p.want("HEADERS 1 :status=200", `DATA 1 "a"`)
		// Many small messages use the same room over and over; its end may cut one.
		for range 1000 {
			p.data(1, "0123456789", false)
			p.wantText(1, "0123456789")
			p.fr.WriteWindowUpdate(1, 10)
			p.fr.WriteWindowUpdate(0, 10)
		}
		p.data(1, "", true)
		p.want(`DATA 1 "" END_STREAM`)
		p.quiet()
	})
}

func TestReserveCommit(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			if string(s.Path()) == "/from" {
				n, err := s.ReadFrom(bytes.NewReader(make([]byte, 100_000)))
				if n != 100_000 || err != nil {
					t.Errorf("ReadFrom: %d, %v", n, err)
				}
				return
			}
			for range 10 {
				b := s.Reserve()
				n := copy(b, "0123456789")
				must(t, s.Commit(n))
			}
			if err := s.Commit(1 << 20); err != io.ErrShortBuffer {
				t.Errorf("Commit of too much: %v", err)
			}
		}})
		p.ok(p.fr.WriteWindowUpdate(0, 1<<20))
		p.get(1, "/")
		p.want("HEADERS 1 :status=200 content-length=100", "DATA 1 100 END_STREAM")
		p.get(3, "/from")
		p.want("HEADERS 3 :status=200")
		p.ok(p.fr.WriteWindowUpdate(3, 1<<20))
		p.wantContent(3, 100_000)
	})
}

// What was received before a reset is not read after it.
func TestInboxDropped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := dial(t, &Server{Handler: func(s Stream) {
			io.ReadFull(s, make([]byte, 1))
			<-s.Context().Done()
			if n, err := s.Read(make([]byte, 10)); n != 0 || err == nil {
				t.Errorf("Read after the reset: %d, %v", n, err)
			}
		}})
		p.post(1, "/")
		p.data(1, "abc", false)
		p.quiet()
		p.reset(1, http2.ErrCodeCancel)
		p.quiet()
	})
}

func TestContinue(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			switch string(s.Path()) {
			case "/read":
				b, _ := io.ReadAll(s)
				s.Write(b)
			case "/answer":
				s.SetStatus(417)
				s.Flush()
				s.Read(make([]byte, 1))
			case "/refuse":
				s.SetStatus(403)
			}
		}})
		p.post(1, "/read", "expect: 100-continue")
		p.want("HEADERS 1 :status=100")
		p.data(1, "x", true)
		p.want("HEADERS 1 :status=200 content-length=1", `DATA 1 "x" END_STREAM`)
		p.post(3, "/answer", "expect: 100-continue")
		p.want("HEADERS 3 :status=417")
		p.data(3, "x", true)
		p.want(`DATA 3 "" END_STREAM`)
		p.post(5, "/refuse", "expect: 100-continue")
		p.want("HEADERS 5 :status=403 content-length=0 END_STREAM", "RST_STREAM 5 NO_ERROR")
		p.post(7, "/read", "expect: x, 100-Continue")
		p.want("HEADERS 7 :status=100")
		p.data(7, "", true)
		p.want("HEADERS 7 :status=200 content-length=0 END_STREAM")
		p.post(9, "/read", "expect: x", "expect: 100-continue")
		p.want("HEADERS 9 :status=100")
		p.data(9, "", true)
		p.want("HEADERS 9 :status=200 content-length=0 END_STREAM")
		p.post(11, "/read", "expect: 100-continued")
		p.data(11, "", true)
		p.want("HEADERS 11 :status=200 content-length=0 END_STREAM")
		p.quiet()
	})
}

func TestStalledBodyEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		errs := make(chan error, 1)
		p := dial(t, &Server{Handler: func(s Stream) {
			_, err := io.ReadAll(s)
			errs <- err
		}})
		p.post(1, "/", "content-length: 10")
		p.data(1, "some", false)
		time.Sleep(31 * time.Second)
		p.want("RST_STREAM 1 CANCEL")
		if err := <-errs; err == nil {
			t.Error("the read went well")
		}
	})
}
