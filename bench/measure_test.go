package bench

import (
	"math"
	"slices"
	"testing"
	"time"
)

// slot is how long one turn of either side takes at least: the clock costs
// nothing beside it, and both meet the same neighbours on the machine.
const slot = 200 * time.Microsecond

// beside measures ours and theirs in turn, each a pass over n units of work, and
// returns how many times as fast ours is.
func beside(b *testing.B, n int, unit string, ours, theirs func()) (ratio float64) {
	a, x := newSide(ours), newSide(theirs)
	allocs := testing.AllocsPerRun(1, ours)
	for b.Loop() {
		a.run()
		x.run()
	}
	b.ReportMetric(0, "ns/op") // of both together, which is of no interest
	b.ReportMetric(a.median()/float64(n), "ns/"+unit)
	b.ReportMetric(x.median()/float64(n), "x/net-ns/"+unit)
	b.ReportMetric(allocs, "allocs")
	ratio = x.median() / a.median()
	b.ReportMetric(ratio, "ratio")
	return ratio
}

// alone measures what x/net has nothing to hold against.
func alone(b *testing.B, n int, unit string, ours func()) {
	a := newSide(ours)
	allocs := testing.AllocsPerRun(1, ours)
	for b.Loop() {
		a.run()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(a.median()/float64(n), "ns/"+unit)
	b.ReportMetric(allocs, "allocs")
}

// side is one of two things that are measured.
type side struct {
	pass   func()
	passes int       // in a slot
	ns     []float64 // a pass, in each slot
}

func newSide(pass func()) *side {
	s := &side{pass: pass, passes: 1}
	pass() // tables and buffers grow
	for s.time() < slot && s.passes < 1<<20 {
		s.passes *= 2
	}
	return s
}

func (s *side) time() time.Duration {
	start := time.Now()
	for range s.passes {
		s.pass()
	}
	return time.Since(start)
}

func (s *side) run() { s.ns = append(s.ns, float64(s.time())/float64(s.passes)) }

func (s *side) median() float64 {
	slices.Sort(s.ns)
	return s.ns[len(s.ns)/2]
}

// geomean reports the geometric mean of ratios as a benchmark of its own.
func geomean(b *testing.B, ratios []float64) {
	if len(ratios) == 0 {
		return
	}
	sum := 0.0
	for _, r := range ratios {
		sum += math.Log(r)
	}
	b.Run("geomean", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(math.Exp(sum/float64(len(ratios))), "ratio")
	})
}

// sink keeps results alive.
var sink struct {
	n int
	b []byte
}
