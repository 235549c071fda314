package nonet

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/frame"
)

// TestLargeBurst: what comes in one piece, with more in it than is parsed under
// one lock and more to answer than may be unsent, is parsed to its end and in
// its order.
func TestLargeBurst(t *testing.T) {
	addr := start(t, &Server{Handler: func(s Stream) {
		content, err := io.ReadAll(s)
		s.WriteString(fmt.Sprint(bytes.Equal(content, counted(len(content))), len(content), err))
	}}, false)
	for _, before := range []int{0, 100, maxHold - 500, maxHold - 200, maxHold} {
		t.Run(fmt.Sprint(before), func(t *testing.T) {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			in := frame.AppendSettings([]byte(frame.Preface))
			in = frame.AppendHeaders(in, 1, []byte("\x83\x84\x86\x41\x01a"), false, frame.MinMaxFrameSize)
			content := counted(before + 40_000)
			data := func(n int) {
				h := frame.Header{Length: uint32(n), Type: frame.TypeData, StreamID: 1}
				if n == len(content) {
					h.Flags = frame.FlagEndStream
				}
				in = append(frame.AppendHeader(in, h), content[:n]...)
				content = content[n:]
			}
			data(before)
			for i := range 40 { // the answers to 16 of them may be unsent
				in = frame.AppendPing(in, false, [8]byte{byte(i)})
			}
			for range 4 {
				data(10_000)
			}
			if _, err := nc.Write(in); err != nil {
				t.Fatal(err)
			}
			pongs, got := 0, ""
			for fr := http2.NewFramer(nil, nc); ; {
				f, err := fr.ReadFrame()
				if err != nil {
					t.Fatal(err)
				}
				switch f := f.(type) {
				case *http2.PingFrame:
					if f.Data[0] != byte(pongs) {
						t.Errorf("answer %d is to PING %d", pongs, f.Data[0])
					}
					pongs++
				case *http2.DataFrame:
					got += string(f.Data())
				case *http2.GoAwayFrame:
					t.Fatal(f)
				}
				if f.Header().StreamID == 1 && f.Header().Flags.Has(http2.FlagDataEndStream) {
					break
				}
			}
			if want := fmt.Sprint(true, before+40_000, nil); got != want || pongs != 40 {
				t.Errorf("%d answers and %q, want 40 and %q", pongs, got, want)
			}
		})
	}
}

// counted returns n octets, none like its neighbours.
func counted(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// TestSpareStreams: a connection with a long request keeps few unused streams of a
// burst, and without any request none.
func TestSpareStreams(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		long, short := make(chan struct{}), make(chan struct{})
		s := &Server{Handler: func(s Stream) {
			if string(s.Path()) == "/long" {
				<-long
			} else {
				<-short
			}
		}}
		p := dial(t, s)
		kept := func() (n int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for d := range s.drivers {
				d.mu.Lock()
				for st := d.spares; st != nil; st = st.next {
					n++
				}
				d.mu.Unlock()
			}
			return n
		}
		p.get(1, "/long")
		for id := uint32(3); id < 203; id += 2 {
			p.get(id, "/")
		}
		settle()
		close(short)
		settle()
		if n := kept(); n == 0 || n > 2*keptStreams {
			t.Errorf("%d streams are kept, want few", n)
		}
		close(long)
		settle()
		if n := kept(); n != 0 {
			t.Errorf("%d streams are kept without a request", n)
		}
	})
}
