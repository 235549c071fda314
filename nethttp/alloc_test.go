package nethttp_test

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/nethttp"
)

// TestAllocations: a small request costs at most ten allocations, four of which
// the handler asks for itself: the map of its header section and two values.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := &nethttp.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/plain")
		h.Set("Content-Length", "12")
		io.WriteString(w, "hello world\n")
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go s.Serve(l)
	defer s.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	var enc hpack.Encoder
	var fields hpack.Fields
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", "/hello"}, {":authority", "example.com"}, {"user-agent", "test"}, {"accept", "*/*"}} {
		fields.Add(f[0], f[1])
	}
	const batch = 50
	id := uint32(1)
	requests := func(out []byte) []byte {
		for range batch {
			out = frame.AppendHeaders(out, id, enc.AppendBlock(nil, &fields), true, 1<<14)
			id += 2
		}
		return out
	}
	var in [64 << 10]byte
	exchange := func(out []byte) {
		if _, err := nc.Write(out); err != nil {
			t.Fatal(err)
		}
		for ends, rest := 0, 0; ends < batch; {
			n, err := nc.Read(in[rest:])
			if err != nil {
				t.Fatal(err)
			}
			p := in[:rest+n]
			for len(p) >= frame.HeaderLen {
				h := frame.ParseHeader(p)
				if len(p) < frame.HeaderLen+int(h.Length) {
					break
				}
				if h.StreamID > 0 && h.Flags&frame.FlagEndStream != 0 {
					ends++
				}
				p = p[frame.HeaderLen+int(h.Length):]
			}
			rest = copy(in[:], p)
		}
	}
	hello := append([]byte(frame.Preface), frame.AppendHeader(nil, frame.Header{Type: frame.TypeSettings})...)
	hello = append(hello, frame.AppendHeader(nil, frame.Header{Type: frame.TypeSettings, Flags: frame.FlagAck})...)
	hello = frame.AppendWindowUpdate(hello, 0, 1<<30)
	for range 20 {
		exchange(requests(hello))
		hello = nil
	}
	const rounds = 100
	var outs [rounds][]byte
	for i := range outs {
		outs[i] = requests(nil)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, out := range outs {
		exchange(out)
	}
	runtime.ReadMemStats(&after)
	if n := float64(after.Mallocs-before.Mallocs) / (rounds * batch); n > 10 {
		t.Errorf("%.2f allocations a request, want at most 10", n)
	} else {
		t.Logf("%.2f allocations a request, %d octets", n, (after.TotalAlloc-before.TotalAlloc)/(rounds*batch))
	}
}
