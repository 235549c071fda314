package bench

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// small are works whose units are requests or messages without much content.
var small = []work{
	{name: "hello", fields: get, answer: len(helloText)},
	{name: "headers-2KB", fields: largeRequest(), answer: len(helloText)},
	{name: "slow-20%", fields: path("/slow"), answer: len(helloText)},
	{name: "messages-100B", fields: append(path("/echo"), [2]string{"te", "trailers"}), echo: 100},
}

// large are works that move content.
var large = []work{
	{name: "download-16MiB", fields: append(path("/bytes"), [2]string{"n", strconv.Itoa(16 << 20)}), answer: 16 << 20},
	{name: "upload-4MiB", fields: path("/sink"), upload: 4 << 20},
}

func path(p string) (f [][2]string) {
	f = slices.Clone(get)
	f[3][1] = p
	if p != "/slow" && p != "/burn" {
		f[0][1] = "POST"
	}
	return f
}

// largeRequest is one with 2 KB of fields, most of them in cookies.
func largeRequest() (f [][2]string) {
	f = slices.Clone(get)
	for i := range 12 {
		f = append(f, [2]string{"cookie", fmt.Sprintf("part%d=%s", i, strings.Repeat(string(rune('a'+i)), 120))})
	}
	return f
}

// BenchmarkLoopback is whole requests over loopback sockets: a server of each kind
// beside net/http's, with the same load in the same process.
func BenchmarkLoopback(b *testing.B) {
	for _, secure := range []bool{false, true} {
		for i := range small {
			w := &small[i]
			for _, conns := range []int{1, 16} {
				for _, streams := range []int{1, 8, 64, 1000} {
					if w.name != "hello" && (streams == 8 || streams == 1000 || secure) {
						continue
					}
					name := fmt.Sprintf("%s/%s/%dx%d", transport(secure), w.name, conns, streams)
					b.Run(name, func(b *testing.B) { besideNetHTTP(b, secure, w, conns, streams, max(4*streams, 64)) })
				}
			}
		}
		for i := range large {
			w := &large[i]
			b.Run(fmt.Sprintf("%s/%s/1x1", transport(secure), w.name), func(b *testing.B) { besideNetHTTP(b, secure, w, 1, 1, 1) })
		}
	}
}

func transport(secure bool) string {
	if secure {
		return "tls"
	}
	return "h2c"
}

// besideNetHTTP measures n units of work over each of some connections, with so
// many streams at once, against each kind of server of ours and net/http's in
// turn.
func besideNetHTTP(b *testing.B, secure bool, w *work, conns, streams, n int) {
	ours, theirs := servers(secure)
	them := newLoads(b, theirs.start(b), secure, w, conns)
	defer them.close()
	for i := range ours {
		if ours[i].name == "inline" && (w.answer+w.upload+w.echo > 16<<10 || w.echo > 0 || strings.HasPrefix(w.name, "slow")) {
			continue // its handler would have to wait
		}
		b.Run(ours[i].name, func(b *testing.B) {
			ours, _ := servers(secure) // -count comes here again, and a server runs once
			us := newLoads(b, ours[i].start(b), secure, w, conns)
			defer us.close()
			units := float64(n * conns)
			a := newSide(func() { us.run(n, streams) })
			x := newSide(func() { them.run(n, streams) })
			costA, costX := us.cost(n, streams), them.cost(n, streams)
			us.clock()
			them.clock()
			for b.Loop() {
				a.run()
				x.run()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(a.median()/units, "ns/unit")
			b.ReportMetric(x.median()/units, "net/http-ns/unit")
			b.ReportMetric(x.median()/a.median(), "ratio")
			b.ReportMetric(costA.allocs/units, "allocs/unit")
			b.ReportMetric(costX.allocs/units, "net/http-allocs/unit")
			if costA.counted {
				b.ReportMetric(costA.reads/units, "reads/unit")
				b.ReportMetric(costA.writes/units, "writes/unit")
				b.ReportMetric(costX.reads/units, "net/http-reads/unit")
				b.ReportMetric(costX.writes/units, "net/http-writes/unit")
			}
			if strings.HasPrefix(w.name, "slow") {
				b.ReportMetric(us.percentile(99).Seconds()*1e6, "p99-µs")
				b.ReportMetric(them.percentile(99).Seconds()*1e6, "net/http-p99-µs")
			}
		})
	}
}

// clock begins to note how long requests take, the last ones at least.
func (ls *loads) clock() {
	for _, l := range ls.all {
		l.asked = make([]time.Duration, maxStreams)
		l.took = make([]time.Duration, 0, 1<<16)
	}
}

// percentile returns what p of a hundred requests did not exceed.
func (ls *loads) percentile(p int) time.Duration {
	var all []time.Duration
	for _, l := range ls.all {
		all = append(all, l.took...)
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*p/100]
}

// cost is what a server spends on a run beside time; the load's own is taken off.
type cost struct {
	allocs        float64
	reads, writes float64
	counted       bool // reads and writes are known
}

func (ls *loads) cost(n, streams int) (c cost) {
	const runs = 5
	var before, after runtime.MemStats
	r0, w0, ok := systemCalls()
	lr, lw := ls.calls.reads.Load(), ls.calls.writes.Load()
	runtime.ReadMemStats(&before)
	for range runs {
		ls.run(n, streams)
	}
	runtime.ReadMemStats(&after)
	r1, w1, _ := systemCalls()
	c.allocs = float64(after.Mallocs-before.Mallocs) / runs
	c.reads = float64(r1-r0-(ls.calls.reads.Load()-lr)) / runs
	c.writes = float64(w1-w0-(ls.calls.writes.Load()-lw)) / runs
	c.counted = ok
	return c
}

// systemCalls returns how many reads and writes this process has made, where the
// system counts them.
func systemCalls() (reads, writes int64, ok bool) {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, 0, false
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "syscr":
			reads = n
		case "syscw":
			writes = n
		}
	}
	return reads, writes, true
}

// TestLoopback: every work is done by every kind of server.
func TestLoopback(t *testing.T) {
	for _, secure := range []bool{false, true} {
		ours, theirs := servers(secure)
		for _, s := range append(ours, theirs) {
			addr := s.start(t)
			for _, w := range append(slices.Clone(small), large...) {
				if s.name == "inline" && w.name != "hello" {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", transport(secure), s.name, w.name), func(t *testing.T) {
					ls := newLoads(t, addr, secure, &w, 2)
					defer ls.close()
					ls.clock()
					ls.run(10, 3)
					for _, l := range ls.all {
						if w.answer > 0 && (l.credit < 10*w.answer || len(l.took) != 10) {
							t.Errorf("%d octets in %d responses", l.credit, len(l.took))
						}
						if w.echo > 0 && l.echoed != 10*w.echo {
							t.Errorf("%d octets came back", l.echoed)
						}
					}
				})
			}
		}
	}
}
