package flowcontrol

// Budget decides when octets received on a connection become credit again.
//
// Returning connection credit only when the application reads lets one slow stream starve all others;
// returning it on receipt leaves memory bounded by the number of streams alone. Budget does the first below
// a limit and the second above it: octets up to the limit are credited when they arrive, those beyond it
// when enough has been consumed. What it holds back is always
//
//	withheld == max(0, buffered - limit)
//
// so the peer's octets in our memory stay below limit + the connection's window.
//
// A limit that is lowered while octets are buffered raises withheld by credit that is already given. That
// is a debt: later credit pays it first. Credit is never negative and never exceeds what was received.
//
// The zero value has limit 0: credit on consumption.
type Budget struct {
	limit    int64
	buffered int64
	debt     int64 // credit given that withheld counts as held back
}

// SetLimit changes the limit, in octets; less than 0 is 0. The result is credit to return now.
func (b *Budget) SetLimit(n int64) (credit int) {
	before := b.Withheld()
	b.limit = max(n, 0)
	return b.settle(before - b.Withheld())
}

// Limit is the limit in octets.
func (b *Budget) Limit() int64 { return b.limit }

// Received adds n octets that arrived for the application and says how many to credit at once.
func (b *Budget) Received(n int) (credit int) {
	before := b.Withheld()
	b.buffered += int64(n)
	return b.settle(int64(n) + before - b.Withheld())
}

// Consumed removes n octets that the application read or that were discarded, at most Buffered, and says
// how many to credit now.
func (b *Budget) Consumed(n int) (credit int) {
	before := b.Withheld()
	b.buffered -= min(int64(n), b.buffered)
	return b.settle(before - b.Withheld())
}

// settle pays the debt from credit that became free, or adds to it when free is negative.
// What it returns fits an int of 32 bits: it is at most what was received and not yet credited, which the
// connection's window bounds by 2^31-1.
func (b *Budget) settle(free int64) int {
	b.debt -= free
	if b.debt >= 0 {
		return 0
	}
	credit := -b.debt
	b.debt = 0
	return int(credit)
}

// Buffered is the number of octets received and not consumed.
func (b *Budget) Buffered() int64 { return b.buffered }

// Withheld is the number of octets held back from credit: max(0, buffered - limit).
func (b *Budget) Withheld() int64 { return max(0, b.buffered-b.limit) }
