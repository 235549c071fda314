package bench

import (
	"math"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
)

// beside measures ours and theirs in turn, each a pass over n units of work, and
// returns how many times as fast ours is.
func beside(b *testing.B, n int, unit string, ours, theirs func()) (ratio float64) {
	rig.Cores(b)
	a, x := rig.NewSide(ours), rig.NewSide(theirs)
	allocs := testing.AllocsPerRun(1, ours)
	for b.Loop() {
		a.Run()
		x.Run()
	}
	b.ReportMetric(0, "ns/op") // of both together, which is of no interest
	b.ReportMetric(a.Median()/float64(n), "ns/"+unit)
	b.ReportMetric(x.Median()/float64(n), "x/net-ns/"+unit)
	b.ReportMetric(allocs, "allocs")
	ratio = x.Median() / a.Median()
	b.ReportMetric(ratio, "ratio")
	return ratio
}

// alone measures what x/net has nothing to hold against.
func alone(b *testing.B, n int, unit string, ours func()) {
	rig.Cores(b)
	a := rig.NewSide(ours)
	allocs := testing.AllocsPerRun(1, ours)
	for b.Loop() {
		a.Run()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(a.Median()/float64(n), "ns/"+unit)
	b.ReportMetric(allocs, "allocs")
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
