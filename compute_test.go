//go:build unix

package nonet

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/frame"
)

// TestComputingHandler: a handler that computes for long on the only processor
// does not keep others from running, even if everything slept before. It takes
// a process of its own: what this one does would wake the scheduler's monitor.
func TestComputingHandler(t *testing.T) {
	if os.Getenv("NONET_COMPUTE") != "" {
		serveComputing(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestComputingHandler$")
	cmd.Env = append(os.Environ(), "NONET_COMPUTE=1", "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", strings.TrimSpace(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fr := http2.NewFramer(nil, nc)
	get := func(id uint32, path string) []byte {
		return frame.AppendHeaders(nil, id, append([]byte("\x82\x86\x41\x01a\x04\x02"), path...), true, frame.MinMaxFrameSize)
	}
	content := func(id uint32) (text string) {
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if d, ok := f.(*http2.DataFrame); ok && d.StreamID == id {
				text += string(d.Data())
				if d.StreamEnded() {
					return text
				}
			}
		}
	}
	nc.Write(append(frame.AppendSettings([]byte(frame.Preface)), get(1, "/a")...))
	content(1)
	// In the longest of these pauses the other process falls asleep, and no timer
	// is about to wake it: after a second without streams the connection has none
	// that is near.
	id := uint32(3)
	for _, pause := range []time.Duration{0, time.Millisecond, 15 * time.Millisecond, 25 * time.Millisecond, 1500 * time.Millisecond} {
		time.Sleep(pause)
		nc.Write(append(get(id, "/c"), get(id+2, "/a")...))
		if got := content(id); got != "interrupted" {
			t.Errorf("after %v: the computing handler was %s", pause, got)
		}
		id += 4
	}
}

// serveComputing answers until the end of the standard input. /c computes until
// another request was answered.
func serveComputing(t *testing.T) {
	var others atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Handler: func(s Stream) {
		if string(s.Path()) == "/a" {
			others.Add(1)
			s.WriteString("answer")
			return
		}
		for n, end := others.Load(), time.Now().Add(5*time.Second); others.Load() == n; {
			if time.Now().After(end) {
				s.WriteString("never interrupted")
				return
			}
		}
		s.WriteString("interrupted")
	}}
	go s.Serve(l)
	os.Stdout.WriteString(l.Addr().String() + "\n")
	os.Stdin.Read(make([]byte, 1))
	s.Close()
}
