package flowcontrol

import "time"

// MaxTarget is the largest window that [Grow] asks for, in octets: 16 MiB carry 1 Gbit/s over 100 ms.
const MaxTarget = 16 << 20

const shortest = 2 * time.Millisecond

// Grow says how large a receive window should be, given how fast its octets come back: inc of them were
// received and consumed within elapsed. A window is large enough when it holds what two round trips carry:
// one that the peer is sending in, and one in which its credit is on the way. A window that held back a
// faster peer is doubled; one that the peer or the application did not fill stays as it is.
//
// Nothing is known, and nothing grows, while rtt is 0. It counts as 2 ms at least: so long may either end
// be busy with something else, whatever the path.
func Grow(target, inc uint32, elapsed, rtt time.Duration) uint32 {
	if rtt > 0 {
		rtt = max(rtt, shortest)
	}
	// Seconds do: octets × nanoseconds would overflow.
	if rtt <= 0 || float64(target)*elapsed.Seconds() >= 2*float64(inc)*rtt.Seconds() {
		return target
	}
	return max(target, min(2*target, MaxTarget))
}

// RTT is the round-trip time of a path, from samples that are too long whenever a PING waited behind other
// octets: it follows a shorter sample at once and a longer one slowly. The zero value knows nothing.
type RTT struct{ d time.Duration }

// Sample takes a measurement; one that is not positive says nothing.
func (r *RTT) Sample(d time.Duration) {
	switch {
	case d <= 0:
	case r.d == 0 || d < r.d:
		r.d = d
	default:
		r.d += (d - r.d) / 8
	}
}

// Time returns the round-trip time, 0 while it is unknown.
func (r *RTT) Time() time.Duration { return r.d }
