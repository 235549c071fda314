package bench

import (
	"runtime"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
)

// BenchmarkCores is one connection whose handlers work for 20 µs, on one core and
// on two in turn. "speedup" is the throughput on two by that on one, and the times
// and "ratio" are those on two; net/http's server does the same in the same run.
// It sets the number of cores itself; with "-cpu 1" it measures nothing.
func BenchmarkCores(b *testing.B) {
	eachCores(b, func(name string, run func(*testing.B)) { b.Run("h2c/"+rig.Burn.Name+"/1x64/"+name, run) })
}

func eachCores(b *testing.B, measure func(name string, run func(*testing.B))) {
	for _, ours := range []func(bool) rig.Server{rig.Streams, adapted} {
		measure(ours(false).Name, func(b *testing.B) { cores(b, ours) })
	}
}

// A turn is that many passes of about 20 ms. The first do not count: the system
// may have the threads of two cores share one for some time, when the number has
// just changed.
const settling, counted = 10, 30

func cores(b *testing.B, ours func(bool) rig.Server) {
	rig.Cores(b)
	before := runtime.GOMAXPROCS(0)
	if before < 2 || runtime.NumCPU() < 2 {
		return
	}
	defer runtime.GOMAXPROCS(before)
	const conns, streams = 1, 64
	type measured struct {
		loads    *rig.Loads
		pass     *rig.Pass
		one, two *rig.Side
	}
	var all [2]measured
	for i, s := range []rig.Server{ours(false), netHTTP(false)} {
		ls := rig.NewLoads(b, s.Start(b), &rig.Burn, rig.Options{Conns: conns, Streams: streams})
		defer ls.Close()
		p := ls.Pass(s.Name, 16)
		all[i] = measured{ls, p, rig.NewSide(p.Run), rig.NewSide(p.Run)}
	}
	turn := func(cores int, p *rig.Pass, s *rig.Side) {
		runtime.GOMAXPROCS(cores)
		for range settling {
			p.Run()
		}
		for range counted {
			s.Run()
		}
	}
	for b.Loop() {
		for _, m := range all {
			turn(1, m.pass, m.one)
			turn(2, m.pass, m.two)
		}
	}
	b.ReportMetric(0, "ns/op")
	units := float64(all[0].pass.Units)
	b.ReportMetric(all[1].two.Median()/all[0].two.Median(), "ratio")
	for i, prefix := range []string{"", "net/http-"} {
		one, two := all[i].one.Median(), all[i].two.Median()
		b.ReportMetric(two/units, prefix+"ns/unit")
		b.ReportMetric(one/two, prefix+"speedup")
	}
}
