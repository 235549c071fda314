package nonet

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
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
				p.burst(func() {
					for i := range uint32(n) {
						p.get(2*i+1, "/")
					}
				})
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

// TestAnswersBesideBlockedHandlers: the answers of a burst leave though handlers
// that came with them block, or end their goroutines, wherever they stand.
func TestAnswersBesideBlockedHandlers(t *testing.T) {
	const n = 4
	const good, gone = ":status=204 END_STREAM", ":status=500 content-length=0 END_STREAM"
	for blocked := range 1 << n {
		for _, goexit := range []bool{false, true} {
			t.Run(fmt.Sprintf("%04b, Goexit %v", blocked, goexit), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					release := make(chan struct{})
					p := dial(t, &Server{Handler: func(s Stream) {
						if blocked>>(s.ID()/2)&1 != 0 {
							<-release
							if goexit {
								runtime.Goexit()
							}
						}
						s.SetStatus(204)
					}})
					var first, later []string
					p.burst(func() {
						for i := range uint32(n) {
							p.get(2*i+1, "/")
							switch {
							case blocked>>i&1 == 0:
								first = append(first, fmt.Sprintf("HEADERS %d %s", 2*i+1, good))
							case goexit:
								later = append(later, fmt.Sprintf("HEADERS %d %s", 2*i+1, gone))
							default:
								later = append(later, fmt.Sprintf("HEADERS %d %s", 2*i+1, good))
							}
						}
					})
					settle()
					p.wantAnyOrder(first...)
					close(release)
					settle()
					p.wantAnyOrder(later...)
				})
			})
		}
	}
}

// burst sends all that f writes at once, so that the server reads it at once.
func (p *peer) burst(f func()) {
	p.t.Helper()
	var all bytes.Buffer
	fr := p.fr
	p.fr = http2.NewFramer(&all, nil)
	f()
	p.fr = fr
	if _, err := p.nc.Write(all.Bytes()); err != nil {
		p.t.Fatal(err)
	}
}

// wantAnyOrder is want, for lines in any order.
func (p *peer) wantAnyOrder(lines ...string) {
	p.t.Helper()
	p.await()
	p.mu.Lock()
	got := p.lines
	p.lines = nil
	p.mu.Unlock()
	slices.Sort(got)
	slices.Sort(lines)
	if !slices.Equal(got, lines) {
		p.t.Errorf("got  %q\nwant %q in any order", got, lines)
	}
}
