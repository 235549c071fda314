package rig

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/nonet-h2/nonet/internal/syscount"
)

// cost is what a pass costs beside time; the system calls of the load are taken off.
type cost struct {
	allocs        float64
	reads, writes float64
	counted       bool // reads and writes are known
}

// costOf runs a pass that is warm: five times, or once if it takes long.
func costOf(p *Pass) (c cost) {
	runs := 0.0
	var before, after runtime.MemStats
	own := func() (r, w int64) {
		if p.Own == nil {
			return 0, 0
		}
		return p.Own.reads.Load(), p.Own.writes.Load()
	}
	var more syscount.Counts // what the system does not count
	syscount.On.Store(&more)
	defer syscount.On.Store(nil)
	r0, w0, ok := systemCalls()
	lr0, lw0 := own()
	runtime.ReadMemStats(&before)
	for start := time.Now(); runs == 0 || runs < 5 && time.Since(start) < 20*time.Millisecond; runs++ {
		p.Run()
	}
	runtime.ReadMemStats(&after)
	r1, w1, _ := systemCalls()
	lr1, lw1 := own()
	r1, w1 = r1+more.Reads.Load(), w1+more.Writes.Load()
	runs *= float64(p.Units)
	c.allocs = float64(after.Mallocs-before.Mallocs) / runs
	c.reads = float64(r1-r0-(lr1-lr0)) / runs
	c.writes = float64(w1-w0-(lw1-lw0)) / runs
	c.counted = ok
	return c
}

// systemCalls returns how many reads and writes this process has made, where the
// system counts them: calls of read and write, and not of recv and send.
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
