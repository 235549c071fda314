package rig

import (
	"testing"
	"time"
)

// TestAsked: a request that takes long keeps its time while others come and go, and
// so do those of a thousand that are under way at once.
func TestAsked(t *testing.T) {
	var a asked
	at := func(id uint32) time.Duration { return time.Duration(id) * time.Second }
	want := func(id uint32) {
		t.Helper()
		if got := a.remove(id); got != at(id) {
			t.Fatalf("stream %d since %v, want %v", id, got, at(id))
		}
	}
	const slow = 1
	a.add(slow, at(slow))
	id := uint32(3)
	for range 5 * MaxStreams {
		a.add(id, at(id))
		want(id)
		id += 2
	}
	first := id
	for range MaxStreams {
		a.add(id, at(id))
		id += 2
	}
	for ; first < id; first += 2 {
		want(first)
	}
	want(slow)
	if n := testing.AllocsPerRun(2, func() {
		for range 5 * MaxStreams {
			a.add(id, at(id))
			want(id)
			id += 2
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
