package conn

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	var b bucket
	take := func(now time.Duration, n int32) bool { return b.take(now, price{10, 20}, n) }
	for i := range 10 {
		if !take(time.Hour, 1) {
			t.Fatalf("token %d of 10 is missing", i+1)
		}
	}
	if take(time.Hour, 1) {
		t.Fatal("an eleventh token")
	}
	now := time.Hour
	taken := 0
	for range 1000 { // every 30 ms for 30 s; a token takes 50 ms
		now += 30 * time.Millisecond
		if take(now, 1) {
			taken++
		}
	}
	if taken < 598 || taken > 600 {
		t.Errorf("%d tokens in 30 s at 20 a second", taken)
	}
	if now += time.Hour; !take(now, 10) || take(now, 1) {
		t.Error("a long time fills the bucket, no more")
	}
	b.give(3)
	if b.give(0); !take(now, 3) || take(now, 1) {
		t.Error("three tokens were given")
	}
	b.give(100)
	if !take(now, 10) || take(now, 1) {
		t.Error("given tokens fill the bucket, no more")
	}
	if now += time.Second; take(now, 11) || take(now, 1) {
		t.Error("too much was taken, and that empties it")
	}
}
