package nethttp_test

import (
	"log"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOracleSocket runs the exchanges that need no clock and no steps on TCP,
// where the server reads and writes in other ways than in memory: one GET, and
// the stream's end. net/http's part still runs in the bubble.
func TestOracleSocket(t *testing.T) {
	count := 0
	for _, x := range table() {
		if x.script != nil || x.config != (config{}) {
			continue
		}
		count++
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, b := run(t, netHTTP, x), runSocket(t, nonetHTTP, x)
			maps.DeleteFunc(a, func(path, _ string) bool { return timed(path) })
			maps.DeleteFunc(b, func(path, _ string) bool { return timed(path) })
			intended := slices.DeleteFunc(intendedDifferences(), func(d difference) bool { return timed(d.path) })
			for _, f := range faults(x.name, a, b, intended) {
				t.Error(f)
			}
		})
	}
	if count < 150 {
		t.Errorf("%d exchanges", count)
	}
}

// timed: these tell the time, or what follows a stream's end.
func timed(path string) bool {
	return strings.HasPrefix(path, "log") || strings.HasSuffix(path, ".field.date") || strings.HasSuffix(path, " after") || path == "goaway" || path == "closed"
}

// runSocket runs an exchange on a server, on a loopback connection.
func runSocket(t *testing.T, s server, x exchange) seen {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := newNotes()
	stop := s.serve(l, x.serverHandler(n), x.config, log.New(n, "", 0))
	defer stop()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// What hangs ends here, and differs.
	defer time.AfterFunc(20*time.Second, func() { nc.Close() }).Stop()
	c := newClient(t, n, nc, x, true)
	defer c.close()
	c.get("/")
	n.handlers.Wait()
	result := c.seen()
	c.close()
	stop()
	maps.Copy(result, n.seen())
	// The addresses of the bubble.
	places := strings.NewReplacer(
		nc.LocalAddr().String(), placedConn{}.RemoteAddr().String(),
		nc.RemoteAddr().String(), placedConn{}.LocalAddr().String(),
		"127.0.0.1", "192.0.2.7",
	)
	for path, value := range result {
		result[path] = places.Replace(value)
	}
	return result
}
