package conn

import "time"

// price is what things of one kind may cost: burst tokens at once, and rate of
// them a second.
type price struct{ burst, rate int32 }

// bucket is a token bucket: it starts full, tokens are taken for each thing
// that costs, and time gives tokens back. The zero value is full.
type bucket struct {
	spent int32         // tokens that are not there
	last  time.Duration // up to when time has given them back
}

// take takes n tokens and reports whether they were there.
func (b *bucket) take(now time.Duration, p price, n int32) bool {
	if b.spent > 0 {
		if back := int64(now-b.last) * int64(p.rate) / int64(time.Second); back > 0 {
			b.spent = int32(max(int64(b.spent)-back, 0))
			b.last += time.Duration(back * int64(time.Second) / int64(p.rate))
		}
	} else {
		b.last = now
	}
	if p.burst-b.spent < n {
		b.spent = p.burst
		return false
	}
	b.spent += n
	return true
}

// give returns n tokens.
func (b *bucket) give(n int32) { b.spent = max(b.spent-n, 0) }
