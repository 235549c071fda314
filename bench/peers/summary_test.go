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
		name string
		work *rig.Work
		them func() rig.Server
	}{
		{"gRPC: unary calls, h2c 16x64, nethttp", unary, onNetHTTP},
		{"gRPC: unary calls, h2c 16x64, nethttp", unary, ownTransport},
		{"gRPC: messages of 100 octets, h2c 16x64, nethttp", stream, onNetHTTP},
		{"gRPC: messages of 100 octets, h2c 16x64, nethttp", stream, ownTransport},
	} {
		b.Run(x.name+"/"+x.them().Name, func(b *testing.B) { beside(b, x.work, many, onNethttp(), x.them(), false) })
	}
	hello := rig.Hello
	for _, shape := range [][2]int{{1, 1}, many} {
		name := fmt.Sprintf("server: 12 octets, h2c %dx%d, stream/", shape[0], shape[1])
		b.Run(name+fast().Name, func(b *testing.B) { beside(b, &hello, shape, rig.Streams(false), fast(), true) })
	}
}

// shapes are numbers of connections and of streams at once on each: few with -short.
func shapes() [][2]int {
	if testing.Short() {
		return [][2]int{{4, 8}}
	}
	return [][2]int{{1, 1}, {1, 64}, {16, 64}}
}

func beside(b *testing.B, w *rig.Work, shape [2]int, ours, theirs rig.Server, http1 bool) {
	o := rig.Options{Conns: shape[0], Streams: shape[1]}
	us := rig.NewLoads(b, ours.Start(b), w, o)
	defer us.Close()
	o.HTTP1 = http1
	them := rig.NewLoads(b, theirs.Start(b), w, o)
	defer them.Close()
	n := rig.Units(w, shape[0], shape[1])
	rig.Beside(b, us.Pass(ours.Name, n), them.Pass(theirs.Name, n))
}
