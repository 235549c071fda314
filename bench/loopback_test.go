package bench

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
)

// BenchmarkLoopback is whole requests over loopback sockets: a server of each kind
// beside net/http's, with the same load in the same process.
func BenchmarkLoopback(b *testing.B) {
	for _, secure := range []bool{false, true} {
		for i := range rig.Small {
			w := &rig.Small[i]
			eachShape(func(conns, streams int) {
				b.Run(fmt.Sprintf("%s/%s/%dx%d", rig.Transport(secure), w.Name, conns, streams), func(b *testing.B) {
					eachServer(b, secure, w, conns, streams)
				})
			})
		}
		for i := range rig.Large {
			w := &rig.Large[i]
			b.Run(fmt.Sprintf("%s/%s/1x1", rig.Transport(secure), w.Name), func(b *testing.B) {
				eachServer(b, secure, w, 1, 1)
				b.Run("bare", func(b *testing.B) { bareLoop(b, secure, w) })
			})
		}
		for _, conns := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/churn/%dx1", rig.Transport(secure), conns), func(b *testing.B) { eachServer(b, secure, &rig.Churn, conns, 1) })
		}
	}
}

// eachShape names the numbers of connections and of streams at once that every small
// work is done with: few with -short.
func eachShape(f func(conns, streams int)) {
	if testing.Short() {
		f(16, 8)
		return
	}
	for _, conns := range []int{1, 16} {
		for _, streams := range []int{1, 8, 64, rig.MaxStreams} {
			f(conns, streams)
		}
	}
}

// eachServer measures work over some connections, with so many streams at once on
// each, against each kind of server of ours and net/http's in turn.
func eachServer(b *testing.B, secure bool, w *rig.Work, conns, streams int) {
	for _, ours := range []func(bool) rig.Server{rig.Streams, rig.Inline, adapted} {
		name := ours(secure).Name
		if name == "inline" && w.Waits {
			continue
		}
		b.Run(name, func(b *testing.B) { servers(b, ours, secure, w, conns, streams) })
	}
}

func adapted(secure bool) rig.Server { return rig.Adapted(secure, http.HandlerFunc(rig.HTTPHandler)) }

func netHTTP(secure bool) rig.Server { return rig.NetHTTP(secure, http.HandlerFunc(rig.HTTPHandler)) }

// servers measures one kind beside net/http's.
func servers(b *testing.B, ours func(bool) rig.Server, secure bool, w *rig.Work, conns, streams int) {
	us, them := ours(secure), netHTTP(secure)
	o := rig.Options{Secure: secure, Conns: conns, Streams: streams}
	a, x := rig.NewLoads(b, us.Start(b), w, o), rig.NewLoads(b, them.Start(b), w, o)
	defer a.Close()
	defer x.Close()
	n := rig.Units(w, conns, streams)
	rig.Beside(b, a.Pass(us.Name, n), x.Pass(them.Name, n))
}

// bareLoop measures the stream API's server beside the same octets without HTTP/2.
func bareLoop(b *testing.B, secure bool, w *rig.Work) {
	a := rig.NewLoads(b, rig.Streams(secure).Start(b), w, rig.Options{Secure: secure, Conns: 1, Streams: 1})
	defer a.Close()
	rig.Beside(b, a.Pass("stream", 1), rig.Bare(b, secure, w))
}

// TestLoopback: every work is done by every kind of server, small ones also with as
// many streams at once as there may be.
func TestLoopback(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, s := range []rig.Server{rig.Streams(secure), rig.Inline(secure), adapted(secure), netHTTP(secure)} {
			addr := s.Start(t)
			for _, w := range slices.Concat(rig.Small, rig.Large, []rig.Work{rig.Churn, rig.Burn}) {
				if s.Name == "inline" && w.Waits {
					continue
				}
				for _, shape := range testShapes(&w) {
					t.Run(fmt.Sprintf("%s/%s/%s/%dx%d", rig.Transport(secure), s.Name, w.Name, shape[0], shape[1]), func(t *testing.T) {
						served(t, addr, secure, &w, shape[0], shape[1])
					})
				}
			}
		}
	}
}

// testShapes are the numbers of connections and of streams that tests do a work with.
func testShapes(w *rig.Work) [][2]int {
	if rig.Units(w, 1, 1) == 1 { // large
		return [][2]int{{1, 1}}
	}
	if slices.ContainsFunc(rig.Small, func(x rig.Work) bool { return x.Name == w.Name }) {
		return [][2]int{{2, 3}, {1, rig.MaxStreams}}
	}
	return [][2]int{{2, 3}}
}

// served has a server do some work and counts what came.
func served(t *testing.T, addr string, secure bool, w *rig.Work, conns, streams int) {
	ls := rig.NewLoads(t, addr, w, rig.Options{Secure: secure, Conns: conns, Streams: streams})
	defer ls.Close()
	p := ls.Pass("", 2)
	p.Run()
	all := p.Units + conns // each connection's first unit
	if got, want := ls.Content(), all*max(w.Answer, len(w.Send)); got != want {
		t.Errorf("%d octets of content, want %d", got, want)
	}
	if w.Slow && len(p.Took()) != all {
		t.Errorf("%d of %d units were timed", len(p.Took()), all)
	}
}
