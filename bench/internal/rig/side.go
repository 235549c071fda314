package rig

import (
	"slices"
	"time"
)

// slot is how long one turn of either side takes at least: the clock costs
// nothing beside it, and both meet the same neighbours on the machine.
const slot = 200 * time.Microsecond

// Side is one of two things that are measured in turn.
type Side struct {
	pass   func()
	clock  func() time.Duration
	passes int       // in a slot
	ns     []float64 // a pass, in each slot
}

// NewSide returns a side whose pass has run, so that tables and buffers have grown.
func NewSide(pass func()) *Side { return newSide(pass, wall) }

var epoch = time.Now()

func wall() time.Duration { return time.Since(epoch) }

func newSide(pass func(), clock func() time.Duration) *Side {
	s := &Side{pass: pass, clock: clock, passes: 1}
	pass()
	for s.time() < slot && s.passes < 1<<20 {
		s.passes *= 2
	}
	return s
}

func (s *Side) time() time.Duration {
	start := s.clock()
	for range s.passes {
		s.pass()
	}
	return s.clock() - start
}

// Run is one turn.
func (s *Side) Run() { s.ns = append(s.ns, float64(s.time())/float64(s.passes)) }

// Median returns the nanoseconds of a pass.
func (s *Side) Median() float64 {
	slices.Sort(s.ns)
	return s.ns[len(s.ns)/2]
}
