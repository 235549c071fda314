package stream

import "time"

// ringSize is how many streams a Ring remembers.
const ringSize = 64

// Ring remembers the last 64 streams that we reset, each until a given time. What the peer still sends on
// them is ignored:
//
// RFC 9113 5.1: "An endpoint that sends a RST_STREAM frame on a stream that is in the "open" or
// "half-closed (local)" state could receive any type of frame. The peer might have sent or enqueued for
// sending these frames before processing the RST_STREAM frame. An endpoint MUST minimally process and then
// discard any frames it receives in this state."
//
// A stream that was forgotten, being older or late, is a closed stream like any other.
//
// The zero value is empty; the memory comes with the first Add.
type Ring struct {
	entries []late // at most ringSize
	next    int    // the oldest, once the ring is full
}

type late struct {
	id    uint32
	until time.Duration
}

// Add remembers id until the given time and forgets the oldest when the ring is full. An id that is in the
// ring gets the new time.
func (r *Ring) Add(id uint32, until time.Duration) {
	for i := range r.entries {
		if r.entries[i].id == id {
			r.entries[i].until = until
			return
		}
	}
	if len(r.entries) < ringSize {
		r.entries = append(r.entries, late{id, until})
		return
	}
	r.entries[r.next] = late{id, until}
	r.next = (r.next + 1) % ringSize
}

// Has says that id is remembered at the time now.
func (r *Ring) Has(id uint32, now time.Duration) bool {
	for i := range r.entries {
		if r.entries[i].id == id {
			return now < r.entries[i].until
		}
	}
	return false
}

// Empty says that everything is forgotten at the time now.
func (r *Ring) Empty(now time.Duration) bool {
	for i := range r.entries {
		if now < r.entries[i].until {
			return false
		}
	}
	return true
}
