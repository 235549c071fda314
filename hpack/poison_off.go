//go:build !nonetpoison

package hpack

// poisoned tells whether octets are overwritten when their life ends.
const poisoned = false

// scribble does nothing; with the build tag nonetpoison it overwrites octets
// whose life has ended, so that a view kept too long is noticed.
func scribble([]byte) {}
