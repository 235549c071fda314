package stream

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestRing(t *testing.T) {
	var r Ring
	if r.Has(1, 0) || r.Has(0, 0) {
		t.Error("the zero ring has something")
	}
	r.Add(1, 5*time.Second)
	if !r.Has(1, 0) || !r.Has(1, 5*time.Second-1) {
		t.Error("forgotten too early")
	}
	if r.Has(1, 5*time.Second) || r.Has(3, 0) || r.Has(0, 0) {
		t.Error("remembered too long, or what was never added")
	}
	r.Add(1, 9*time.Second)
	if !r.Has(1, 8*time.Second) || len(r.entries) != 1 {
		t.Error("the second time does not replace the first")
	}
	if r.Empty(9*time.Second-1) || !r.Empty(9*time.Second) {
		t.Error("empty at the wrong time")
	}
}

func TestRingModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		var r Ring
		type item struct {
			id    uint32
			until time.Duration
		}
		var model []item // oldest first
		for step := range 1000 {
			id, now := 1+rnd.Uint32N(200), time.Duration(step)
			if rnd.IntN(2) == 0 {
				until := now + time.Duration(rnd.IntN(300))
				r.Add(id, until)
				found := false
				for i := range model {
					if model[i].id == id {
						model[i].until, found = until, true
					}
				}
				if !found {
					model = append(model, item{id, until})
				}
				if len(model) > 64 {
					model = model[1:]
				}
				continue
			}
			want := false
			for _, m := range model {
				want = want || m.id == id && now < m.until
			}
			if got := r.Has(id, now); got != want {
				t.Fatalf("Has(%d, %v) = %v", id, now, got)
			}
		}
	}
}

func TestRingAllocs(t *testing.T) {
	var r Ring
	id := uint32(1)
	run := func() {
		for range 100 {
			r.Add(id, time.Hour)
			if !r.Has(id, 0) {
				t.Error("lost")
			}
			id += 2
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
