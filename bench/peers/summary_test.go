package peers

import (
	"fmt"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
)

// BenchmarkSummary is the rows of this module that the README shows.
func BenchmarkSummary(b *testing.B) {
	calls := calls(b)
	unary, stream := &calls[1], &calls[2]
	many := [2]int{16, 64}
	for _, x := range []struct {
		name   string
		secure bool
		work   *rig.Work
		them   func(bool) rig.Server
	}{
		{"unary calls", false, unary, onNetHTTP},
		{"unary calls", false, unary, ownTransport},
		{"unary calls", true, unary, onNetHTTP},
		{"unary calls", true, unary, ownTransport},
		{"messages of 100 octets", false, stream, onNetHTTP},
		{"messages of 100 octets", false, stream, ownTransport},
	} {
		name := fmt.Sprintf("gRPC: %s, %s 16x64, nethttp/%s", x.name, rig.Transport(x.secure), x.them(x.secure).Name)
		b.Run(name, func(b *testing.B) { besideHost(b, x.secure, x.work, many, x.them) })
	}
	hello := rig.Hello
	for _, secure := range []bool{false, true} {
		for _, shape := range [][2]int{{1, 1}, many} {
			name := fmt.Sprintf("server: 12 octets, %s %dx%d, stream/%s", rig.Transport(secure), shape[0], shape[1], fast(secure).Name)
			b.Run(name, func(b *testing.B) { besideFast(b, secure, &hello, shape) })
		}
	}
}

// shapes are numbers of connections and of streams at once on each: few with -short.
func shapes() [][2]int {
	if testing.Short() {
		return [][2]int{{4, 8}}
	}
	return [][2]int{{1, 1}, {1, 64}, {16, 64}}
}

func beside(b *testing.B, w *rig.Work, o rig.Options, ours, theirs rig.Server, http1 bool) {
	us := rig.NewLoads(b, ours.Start(b), w, o)
	defer us.Close()
	o.HTTP1 = http1
	them := rig.NewLoads(b, theirs.Start(b), w, o)
	defer them.Close()
	n := rig.Units(w, o.Conns, o.Streams)
	rig.Beside(b, us.Pass(ours.Name, n), them.Pass(theirs.Name, n))
}
