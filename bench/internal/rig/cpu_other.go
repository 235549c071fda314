//go:build !unix

package rig

import "time"

// CPU is the time that passes, where the process's CPU time is not known.
func CPU() time.Duration { return wall() }
