package stream

import (
	"math/rand/v2"
	"testing"
)

func TestHeapModel(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for range 300 {
		var h heap
		keys := map[*Stream]int64{}
		var all []*Stream
		for i := range 1 + r.IntN(20) {
			all = append(all, &Stream{ID: uint32(2*i + 1)})
		}
		for range 200 {
			s, key := all[r.IntN(len(all))], r.Int64N(16)
			_, in := keys[s]
			switch {
			case !in:
				h.push(key, s)
				keys[s] = key
			case r.IntN(2) == 0:
				h.remove(s)
				delete(keys, s)
			default:
				h.rekey(s, key)
				keys[s] = key
			}
			if len(h) != len(keys) {
				t.Fatalf("%d entries, want %d", len(h), len(keys))
			}
			for i, e := range h {
				if e.s.at != i || e.key != keys[e.s] || i > 0 && e.before(h[(i-1)/2]) {
					t.Fatalf("entry %d is out of place", i)
				}
			}
		}
	}
}
