package host

import (
	"os"
	"strconv"
	"testing"
)

// Runs is how often NONET_RUNS says that a suite of others is to run: 1 where it
// says nothing.
func Runs(t testing.TB) int {
	t.Helper()
	v := os.Getenv("NONET_RUNS")
	if v == "" {
		return 1
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("NONET_RUNS=%s, want a number of runs", v)
	}
	return n
}
