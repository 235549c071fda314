package conn_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// TestVectors plays the conversations of testdata/*.txt: whole, octet by octet
// and in random cuts. However the input is cut, frames, events and signals are
// the same (design law: split invariance).
func TestVectors(t *testing.T) {
	list := nonettest.LoadVectors(t, "testdata/*.txt")
	if len(list) < 200 {
		t.Errorf("only %d vectors", len(list))
	}
	for _, v := range list {
		t.Run(strings.TrimSuffix(v.File, ".txt")+"/"+v.Name, func(t *testing.T) {
			whole := play(t, &v, nil)
			for name, slice := range cuts() {
				if diff := cmp.Diff(whole, play(t, &v, slice)); diff != "" {
					t.Fatalf("%s: other events (-whole +cut):\n%s", name, diff)
				}
			}
		})
	}
}

func play(t *testing.T, v *nonettest.Vector, slice func(int) int) []string {
	p := newPeer(t, v.Config)
	p.Slice = slice
	v.Run(p)
	return slices.Concat(p.Events, p.Signals, p.Wire.Lines)
}

// cuts are ways to give octets to Next in pieces.
func cuts() map[string]func(int) int {
	rnd := rand.New(rand.NewPCG(1, 2))
	return map[string]func(int) int{
		"octet by octet": func(int) int { return 1 },
		"random":         func(n int) int { return 1 + rnd.IntN(min(n, 30)) },
		"long random":    func(n int) int { return 1 + rnd.IntN(n) },
	}
}
