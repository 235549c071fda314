package programs

import (
	"bufio"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/interop/host"
)

// events streams an event for each value that next gives, and tells over when
// the client has gone.
func events(next <-chan int, over chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-cache")
		rc := http.NewResponseController(w)
		if err := rc.SetWriteDeadline(time.Time{}); err != nil {
			over <- err
			return
		}
		if err := rc.Flush(); err != nil {
			over <- err
			return
		}
		for {
			select {
			case n := <-next:
				fmt.Fprintf(w, "id: %d\ndata: event %d\n\n", n, n)
				if err := rc.Flush(); err != nil {
					over <- err
					return
				}
			case <-r.Context().Done():
				over <- nil
				return
			}
		}
	})
}

// TestEvents: each event is there before the next one is made, and the handler
// ends when its client goes.
func TestEvents(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		next, over := make(chan int), make(chan error, 1)
		r := host.Start(t, k, overTLS, events(next, over))
		for _, proto := range host.Protocols {
			c := &client{t: t, r: r, proto: proto, Client: r.Client(t, proto)}
			resp := c.open("GET", "/", "", "Accept: text/event-stream")
			if got := resp.Header.Get("Content-Type"); got != "text/event-stream" || resp.ContentLength != -1 {
				t.Errorf("%s: content type %s, length %d", proto, got, resp.ContentLength)
			}
			lines := bufio.NewScanner(resp.Body)
			for i := range 50 {
				next <- i
				for _, want := range []string{fmt.Sprintf("id: %d", i), fmt.Sprintf("data: event %d", i), ""} {
					if !lines.Scan() || lines.Text() != want {
						t.Fatalf("%s: line %q, %v, want %q", proto, lines.Text(), lines.Err(), want)
					}
				}
			}
			resp.Body.Close()
			select {
			case err := <-over:
				if err != nil {
					t.Errorf("%s: %v", proto, err)
				}
			case <-time.After(host.Patience):
				t.Fatalf("%s: the handler goes on without its client", proto)
			}
		}
	})
}
