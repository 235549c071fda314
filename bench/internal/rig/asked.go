package rig

import "time"

// asked knows since when requests are under way, by stream. It grows until no two of
// them meet, however many begin and end while one goes on, and allocates nothing
// else. The zero value is empty.
type asked struct {
	at []since // a stream's is at half its identifier, modulo the length
}

type since struct {
	id  uint32 // 0: none
	now time.Duration
}

func (a *asked) add(id uint32, now time.Duration) {
	for len(a.at) == 0 || a.at[a.slot(id)].id != 0 {
		old := a.at
		a.at = make([]since, max(64, 2*len(old)))
		for _, x := range old { // no two of them meet: the new length is a multiple of the old
			if x.id != 0 {
				a.at[a.slot(x.id)] = x
			}
		}
	}
	a.at[a.slot(id)] = since{id, now}
}

// remove returns since when a stream was under way.
func (a *asked) remove(id uint32) time.Duration {
	x := &a.at[a.slot(id)]
	if x.id != id {
		panic("a response on a stream that nothing was asked on, or its second")
	}
	x.id = 0
	return x.now
}

func (a *asked) slot(id uint32) int { return int(id/2) % len(a.at) }
