package nonet

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
)

// TestHandlersOfABurst: goroutines are reused for the requests that arrive
// together, but each handler may block, and may end its goroutine.
func TestHandlersOfABurst(t *testing.T) {
	const n = 50
	for _, tt := range []struct {
		name    string
		handler func(all *sync.WaitGroup) Handler
		want    string
	}{
		{"each waits for all", func(all *sync.WaitGroup) Handler {
			return func(s Stream) {
				all.Done()
				all.Wait()
				s.SetStatus(204)
			}
		}, ":status=204"},
		{"none waits", func(*sync.WaitGroup) Handler { return func(s Stream) { s.SetStatus(204) } }, ":status=204"},
		{"each ends its goroutine", func(*sync.WaitGroup) Handler { return func(Stream) { runtime.Goexit() } }, ":status=500 content-length=0"},
		{"every other waits for all of those", func(all *sync.WaitGroup) Handler {
			return func(s Stream) {
				all.Done()
				if s.ID()%4 == 1 {
					all.Wait()
				}
				s.SetStatus(204)
			}
		}, ":status=204"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var all sync.WaitGroup
				all.Add(n)
				p := dial(t, &Server{Handler: tt.handler(&all)})
				// All in one write, which the server reads at once.
				var burst bytes.Buffer
				reads := p.fr
				p.fr = http2.NewFramer(&burst, nil)
				for i := range uint32(n) {
					p.get(2*i+1, "/")
				}
				p.fr = reads
				if _, err := p.nc.Write(burst.Bytes()); err != nil {
					t.Fatal(err)
				}
				settle()
				p.await()
				p.mu.Lock()
				lines := p.lines
				p.lines = nil
				p.mu.Unlock()
				seen := make(map[string]bool)
				for _, line := range lines {
					seen[line] = true
					if _, rest, _ := strings.Cut(strings.TrimPrefix(line, "HEADERS "), " "); rest != tt.want+" END_STREAM" {
						t.Errorf("got %q", line)
					}
				}
				if len(seen) != n {
					t.Errorf("%d responses, want %d", len(seen), n)
				}
				p.quiet()
			})
		})
	}
}
