package nonet

import (
	"io"
	"strings"
	"testing"
	"time"
)

// What windows grow by is shared by a server's connections, and given back.
func TestWindowMemory(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &Server{
			Handler: func(s Stream) { io.Copy(io.Discard, readerOnly{s}) },
			Config:  Config{WindowMemory: 300 << 10},
		}
		upload := func(p *peer, n int) {
			for ; n > 0; n -= 16 << 10 {
				p.data(1, strings.Repeat("x", 16<<10), false)
				settle()
			}
		}
		var peers []*peer
		for range 2 {
			p := dial(t, s)
			p.lag = 100 * time.Millisecond
			p.post(1, "/")
			upload(p, 64<<10)
			time.Sleep(p.lag)
			peers = append(peers, p)
		}
		upload(peers[0], 128<<10)
		first := s.windows.Load()
		if first < 64<<10 || first > 300<<10 {
			t.Errorf("windows have grown by %d octets", first)
		}
		upload(peers[1], 1<<20)
		if got := s.windows.Load(); got != first {
			t.Errorf("a second connection grew beyond what is left: %d octets, %d before", got, first)
		}
		upload(peers[0], 1<<20)
		if got := s.windows.Load(); got > 300<<10 {
			t.Errorf("windows have grown by %d octets", got)
		}
		for _, p := range peers {
			p.nc.Close()
			<-p.ended
		}
		if got := s.windows.Load(); got != 0 {
			t.Errorf("%d octets are not given back", got)
		}
	})
}

// readerOnly hides every method but Read.
type readerOnly struct{ io.Reader }

// What a stream's windows have grown by is free for others when its handler
// returns, even if nothing is sent then.
func TestWindowMemoryOfARestingConnection(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &Server{Handler: func(s Stream) {
			s.Close()
			io.Copy(io.Discard, readerOnly{s})
		}}
		p := dial(t, s)
		p.lag = 100 * time.Millisecond
		p.post(1, "/")
		for range 16 {
			p.data(1, strings.Repeat("x", 16<<10), false)
			settle()
		}
		time.Sleep(p.lag)
		for range 16 {
			p.data(1, strings.Repeat("x", 16<<10), false)
			settle()
		}
		if s.windows.Load() == 0 {
			t.Fatal("no window has grown")
		}
		p.data(1, "", true)
		settle()
		if got := s.windows.Load(); got != 0 {
			t.Errorf("%d octets are not given back", got)
		}
	})
}
