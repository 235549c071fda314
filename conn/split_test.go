package conn_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// TestSplitInvariance feeds what clients once sent to a server (a fuzzing
// corpus of nghttp2, recorded from h2spec and nghttp) in several cuts: the
// events are the same, and so are the frames that answer them.
func TestSplitInvariance(t *testing.T) {
	for _, file := range corpus(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			whole := serve(t, b, nil)
			for name, slice := range cuts() {
				if diff := cmp.Diff(whole, serve(t, b, slice)); diff != "" {
					t.Fatalf("%s: (-whole +cut):\n%s", name, diff)
				}
			}
		})
	}
}

func corpus(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/nghttp2-corpus/*/*")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// serve gives octets to a server whose application answers every request when
// it is complete, and returns what happened.
func serve(t *testing.T, b []byte, slice func(int) int) []string {
	p := newPeer(t, conn.Config{})
	p.Slice = slice
	p.App = func(ev conn.Event, _ *hpack.Fields) { echo(p.Engine, ev) }
	p.Flush()
	p.Feed(b)
	p.Flush()
	if p.Err == nil {
		p.Advance(1e9) // nothing is due within a second
	}
	return slices.Concat(p.Events, p.Signals, p.Wire.Lines)
}

// echo answers a request as soon as it is complete, with as much content as it had.
func echo(e *nonettest.Engine, ev conn.Event) {
	app := e.Streams[ev.Ref.ID]
	switch {
	case ev.Kind == conn.Data:
		e.Conn.Consumed(ev.Ref, len(ev.Data))
	case ev.Kind == conn.Reset:
		app.Done = true
		e.Conn.Release(ev.Ref)
	}
	if !ev.End {
		return
	}
	f := nonettest.Fields("$ok")
	if app.Got == 0 {
		e.Conn.Headers(ev.Ref, f, true)
	} else {
		e.Conn.Headers(ev.Ref, f, false)
		e.Conn.Queue(ev.Ref, app.Got, false)
		e.Conn.Trailers(ev.Ref, nonettest.Fields("a=b"))
	}
	app.Done = true
	e.Conn.Release(ev.Ref)
}
