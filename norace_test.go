//go:build !race

package nonet

const raceEnabled = false
