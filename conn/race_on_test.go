//go:build race

package conn_test

// raceEnabled says that the race detector is on: tests that only count go easy.
const raceEnabled = true
