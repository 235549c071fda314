package nonet

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/frame"
)

// firstAnswer is a trace that notes how many handlers had begun when the first
// response was given to the socket.
type firstAnswer struct{ begun, then atomic.Int32 }

func (f *firstAnswer) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(":status")) {
		f.then.CompareAndSwap(0, f.begun.Load())
	}
	return len(p), nil
}

// TestAnswersBetweenHandlers: the answers of handlers that compute leave while
// others of the same burst are still to run, even if the scheduler has but one
// processor. Now and then they do not, when the one who writes has lost it to them.
func TestAnswersBetweenHandlers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const n, attempts = 60, 10
	for _, tt := range []struct {
		name string
		wrap func(net.Conn) net.Conn
	}{
		{"a socket", func(nc net.Conn) net.Conn { return nc }},
		{"any connection", func(nc net.Conn) net.Conn { return struct{ net.Conn }{nc} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for attempt := 1; ; attempt++ {
				begun := begunBeforeAnswer(t, n, tt.wrap)
				if 0 < begun && begun <= n/2 {
					return
				}
				if attempt == attempts {
					t.Fatalf("%d of %d handlers had begun when the first answer left, for the %dth time", begun, n, attempt)
				}
			}
		})
	}
}

// begunBeforeAnswer makes n requests at once to handlers that compute for a
// millisecond, and returns how many had begun when the first answer left.
func begunBeforeAnswer(t *testing.T, n int, wrap func(net.Conn) net.Conn) int {
	var first firstAnswer
	s := &Server{Handler: func(s Stream) {
		first.begun.Add(1)
		for start := time.Now(); time.Since(start) < time.Millisecond; {
		}
		s.WriteString("done")
	}}
	s.Trace = &first
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		l.Close()
		if err == nil {
			err = s.ServeConn(wrap(nc))
		}
		ended <- err
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	out := frame.AppendSettings([]byte(frame.Preface))
	for i := range uint32(n) {
		out = frame.AppendHeaders(out, 2*i+1, []byte("\x82\x86\x84\x41\x01a"), true, frame.MinMaxFrameSize)
	}
	nc.Write(out)
	fr := http2.NewFramer(io.Discard, nc)
	for answers := 0; answers < n; {
		f, err := fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := f.(*http2.DataFrame); ok && f.StreamEnded() {
			answers++
		}
	}
	nc.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return int(first.then.Load())
}
