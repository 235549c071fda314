//go:build !linux

package rig

import (
	"sync"
	"time"
)

// rounds is how many multiplications take about 20 µs.
var rounds = sync.OnceValue(func() int {
	n, start := 1<<20, time.Now()
	burnt.Store(multiply(n))
	return int(float64(n) * float64(20*time.Microsecond) / float64(time.Since(start)))
})

// burn works for about 20 µs.
func burn() { burnt.Store(multiply(rounds())) }
