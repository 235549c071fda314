package rig

import (
	"testing"
	"time"
)

// Pass is a number of units of work, done by one of those that are compared.
type Pass struct {
	Name  string
	Run   func()
	Units int
	Own   *Calls                 // system calls of the load: not counted; nil: none
	Took  func() []time.Duration // how long units took, where that is of interest
	// Clock is what is measured; nil: the time that passes.
	Clock func() time.Duration
}

func (p *Pass) side() *Side {
	if p.Clock == nil {
		return NewSide(p.Run)
	}
	return newSide(p.Run, p.Clock)
}

// Beside measures ours and theirs in turn and reports what package bench says.
func Beside(b *testing.B, us, them *Pass) {
	Cores(b)
	a, x := us.side(), them.side()
	costA, costX := costOf(us), costOf(them)
	for b.Loop() {
		a.Run()
		x.Run()
	}
	b.ReportMetric(0, "ns/op") // of both together, which is of no interest
	b.ReportMetric(x.Median()/float64(them.Units)/(a.Median()/float64(us.Units)), "ratio")
	for _, s := range []struct {
		prefix string
		pass   *Pass
		side   *Side
		cost   cost
	}{{"", us, a, costA}, {them.Name + "-", them, x, costX}} {
		b.ReportMetric(s.side.Median()/float64(s.pass.Units), s.prefix+"ns/unit")
		b.ReportMetric(s.cost.allocs, s.prefix+"allocs/unit")
		if s.cost.counted {
			b.ReportMetric(s.cost.reads, s.prefix+"reads/unit")
			b.ReportMetric(s.cost.writes, s.prefix+"writes/unit")
		}
		if s.pass.Took != nil {
			b.ReportMetric(percentile(s.pass.Took(), 99).Seconds()*1e6, s.prefix+"p99-µs")
		}
	}
}
