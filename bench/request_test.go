package bench

import (
	"fmt"
	"testing"

	"github.com/nonet-h2/nonet/frame"
)

// BenchmarkRequest is a whole request and its response through two Conns, from
// Open to the response's end: what both ends of HTTP/2 cost without a socket. The
// number is how many are on their way at once.
func BenchmarkRequest(b *testing.B) {
	for _, x := range exchanges() {
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", x.name, n), func(b *testing.B) {
				p := newPair(b, x)
				alone(b, n, "request", func() { p.run(n) })
			})
		}
	}
}

// BenchmarkServer is the server's part of it alone: it reads what a client sent
// and answers.
func BenchmarkServer(b *testing.B) {
	for _, x := range exchanges() {
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", x.name, n), func(b *testing.B) {
				p, bu := record(b, x, n)
				alone(b, n, "request", func() { p.play(bu) })
			})
		}
	}
}

// TestRequest: every exchange is complete, and once warm allocates nothing.
func TestRequest(t *testing.T) {
	for _, x := range exchanges() {
		for _, n := range []int{1, 7, 100} {
			t.Run(fmt.Sprintf("%s/%d", x.name, n), func(t *testing.T) {
				p := newPair(t, x)
				for range 10 {
					p.run(n)
				}
				if want := 10 * n * (x.body + x.answer); p.received != want {
					t.Errorf("%d octets of content arrived, want %d", p.received, want)
				}
				if n := testing.AllocsPerRun(50, func() { p.run(n) }); n != 0 {
					t.Errorf("%v allocations", n)
				}
				for _, c := range []*end{&p.client, &p.server} {
					if c.c.Active() != 0 || c.c.Unreleased() != 0 || c.c.Err() != nil {
						t.Errorf("%d active, %d unreleased, %v", c.c.Active(), c.c.Unreleased(), c.c.Err())
					}
				}
			})
		}
	}
}

// TestServer: a burst is answered in full each time it is played, and once warm
// that allocates nothing.
func TestServer(t *testing.T) {
	for _, x := range exchanges() {
		for _, n := range []int{1, 100} {
			t.Run(fmt.Sprintf("%s/%d", x.name, n), func(t *testing.T) {
				p, bu := record(t, x, n)
				for range 20 {
					p.play(bu)
					ended, content := 0, 0
					for b := p.server.wire; len(b) > 0; {
						h := frame.ParseHeader(b)
						b = b[frame.HeaderLen+h.Length:]
						switch h.Type {
						case frame.TypeData:
							content += int(h.Length)
							fallthrough
						case frame.TypeHeaders:
							if h.Flags.Has(frame.FlagEndStream) {
								ended++
							}
						case frame.TypeRSTStream, frame.TypeGoAway:
							t.Fatalf("sent %v", h)
						}
					}
					if ended != n || content != n*x.answer {
						t.Fatalf("%d responses with %d octets, want %d with %d", ended, content, n, n*x.answer)
					}
				}
				if n := testing.AllocsPerRun(50, func() { p.play(bu) }); n != 0 {
					t.Errorf("%v allocations", n)
				}
			})
		}
	}
}
