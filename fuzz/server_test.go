package fuzz

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nonet-h2/nonet/frame"
)

// FuzzServerConn: see doc.go.
func FuzzServerConn(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s.octets, s.cuts, s.pace, s.moves)
	}
	f.Fuzz(func(t *testing.T, octets, cuts, pace, moves []byte) {
		if len(octets) > 1<<14 || len(moves) > 1<<10 || len(pace) > 1<<10 || len(cuts) > 1<<10 {
			t.Skip("long enough")
		}
		check(t, script{octets: withPreface(octets), cuts: cuts, pace: pace, moves: moves})
	})
}

// withPreface puts a valid beginning before octets that have none, not even a
// wrong one.
func withPreface(octets []byte) []byte {
	if bytes.HasPrefix(octets, []byte("PRI")) {
		return octets
	}
	return append(frame.AppendSettings([]byte(frame.Preface)), octets...)
}

// check plays a script in each manner.
func check(t *testing.T, s script) {
	t.Helper()
	var worlds []*world
	for _, m := range []manner{whole, cut, wild} {
		w := newWorld(s)
		err := w.play(m)
		if err == nil && w.most > maxRetained {
			err = fmt.Errorf("the Conn retains %d octets", w.most)
		}
		if err == nil && m == cut {
			err = worlds[0].same(w)
		}
		if err != nil {
			if testing.Verbose() {
				t.Logf("received\n%s", frames(s.octets[min(len(s.octets), len(frame.Preface)):]))
				t.Logf("events\n%s", w.log.String())
				t.Logf("sent\n%s", frames(w.wire))
			}
			t.Fatalf("%s: %v", [...]string{"whole", "cut", "wild"}[m], err)
		}
		worlds = append(worlds, w)
	}
}

// recorded returns the byte streams of testdata/nghttp2.
func recorded(t testing.TB) (list [][]byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/nghttp2/*.bin")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d recorded conversations (%v)", len(files), err)
	}
	slices.Sort(files)
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

// TestSplitInvariance plays every seed an octet at a time, and in pieces of
// every size up to that of a few frame headers.
func TestSplitInvariance(t *testing.T) {
	for i, s := range seeds(t) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for size := byte(1); size <= 20; size++ {
				s.cuts = []byte{size}
				s.octets = withPreface(s.octets)
				check(t, s)
			}
		})
	}
}
