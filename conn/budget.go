package conn

import "time"

// bucket is a token bucket: it starts full, a token is taken for each thing
// that costs, and time gives tokens back.
type bucket struct {
	tokens      int32
	burst, rate int32 // rate in tokens a second
	last        time.Duration
}

func newBucket(burst, rate int32, now time.Duration) bucket {
	return bucket{tokens: burst, burst: burst, rate: rate, last: now}
}

// take takes n tokens and reports whether they were there.
func (b *bucket) take(now time.Duration, n int32) bool {
	if b.tokens < b.burst {
		if back := int64(now-b.last) * int64(b.rate) / int64(time.Second); back > 0 {
			b.tokens = int32(min(int64(b.tokens)+back, int64(b.burst)))
			b.last += time.Duration(back * int64(time.Second) / int64(b.rate))
		}
	} else {
		b.last = now
	}
	if b.tokens < n {
		b.tokens = 0
		return false
	}
	b.tokens -= n
	return true
}

// give returns n tokens.
func (b *bucket) give(n int32) { b.tokens = min(b.tokens+n, b.burst) }
