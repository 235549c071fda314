package rig

import (
	"flag"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Cores makes GOMAXPROCS what "-cpu" says; a benchmark with b.Loop calls it first.
// Package testing has set it already, except for the first run of a benchmark: that
// is all of b.Loop since Go 1.24, and happens with what the one before it left.
func Cores(b *testing.B) {
	ran.Lock()
	defer ran.Unlock()
	if ran.names[b.Name()] {
		return
	}
	ran.names[b.Name()] = true
	if f := flag.Lookup("test.cpu"); f != nil {
		first, _, _ := strings.Cut(f.Value.String(), ",")
		if n, err := strconv.Atoi(strings.TrimSpace(first)); err == nil {
			runtime.GOMAXPROCS(n)
		}
	}
}

// ran are the benchmarks that had a first run.
var ran = struct {
	sync.Mutex
	names map[string]bool
}{names: map[string]bool{}}
