package stream

import "math/bits"

// levels is the number of urgencies of RFC 9218 section 4.1.
const levels = 8

// Queue says which stream may send next.
//
// A stream is in one of three places: ready, blocked on its own window, or out of the queue. Among those that
// are ready, Front prefers
//
//  1. streams with nothing queued, which only have to end (END_STREAM or trailers): they need no window and
//     cost a frame, in the order of Push;
//  2. the lowest urgency;
//  3. at one urgency, incremental streams in turn; the others one after another by id, which is the order
//     of the requests. Where there are both, they alternate: one quantum to the first non-incremental
//     stream, one to the next incremental. So every incremental stream is served within one round, and no
//     response, however long, keeps its equals waiting.
//
// A quantum is what the caller emits between Front and Rotate.
//
// A blocked stream waits in a heap, the largest window first. A change of SETTINGS_INITIAL_WINDOW_SIZE
// moves all windows alike and so touches nothing here; Unblock then takes out those that may send, and only
// those.
//
// The links are in the streams; memory grows to the number of streams in use, then nothing allocates. The
// zero value is an empty queue.
type Queue struct {
	ending  ring         // 1
	sharing [levels]ring // 3, incremental
	ordered heap         // 3, the others, by level and id
	blocked heap         // by descending Send.Delta

	levels uint8 // bit l: sharing[l] is not empty
	turn   uint8 // bit l: at level l the next quantum is an incremental stream's
	ready  int
}

// links is what a Queue keeps in a stream.
type links struct {
	next, prev *Stream // in a ring
	at         int     // in a heap
	level      uint8   // Urgency when it was linked
	place      place
}

type place uint8

const (
	nowhere place = iota
	inEnding
	inSharing
	inOrdered
	inBlocked
)

// Front is the stream whose turn it is, or nil when none is ready. It stays so until a method changes the
// queue.
func (q *Queue) Front() *Stream {
	if q.ending.head != nil {
		return q.ending.head
	}
	sharing := bits.TrailingZeros8(q.levels) // 8: none
	ordered := levels
	if len(q.ordered) > 0 {
		ordered = int(q.ordered[0].s.level)
	}
	switch {
	case sharing < ordered, sharing == ordered && sharing < levels && q.turn&(1<<sharing) != 0:
		return q.sharing[sharing].head
	case ordered < levels:
		return q.ordered[0].s
	}
	return nil
}

// Push makes a stream ready: it has octets queued, or its end. A stream that is ready or blocked keeps its
// place, except one that was to end and has octets now.
func (q *Queue) Push(s *Stream) {
	switch s.place {
	case nowhere:
		q.link(s)
	case inEnding:
		if s.Queued > 0 {
			q.unlink(s)
			q.link(s)
		}
	}
}

// Rotate ends a quantum of s: if it is incremental, its equals come first now.
func (q *Queue) Rotate(s *Stream) {
	switch s.place {
	case inSharing, inEnding:
		q.unlink(s)
		q.link(s)
	case inOrdered:
		q.pass(s)
	}
}

// Remove takes a stream out, wherever it is: it has nothing to send, or is over.
func (q *Queue) Remove(s *Stream) {
	if s.place != nowhere {
		q.unlink(s)
	}
}

// Block sets a stream aside until its own window opens.
func (q *Queue) Block(s *Stream) {
	if s.place == inBlocked {
		return
	}
	q.Remove(s)
	s.place = inBlocked
	q.blocked.push(-s.Send.Delta(), s)
}

// CanUnblock says that Unblock would make a stream ready.
func (q *Queue) CanUnblock(initial uint32) bool {
	return len(q.blocked) > 0 && int64(initial) > q.blocked[0].key // the key is -delta
}

// Unblock makes every blocked stream ready whose window, under this initial window of the peer, is greater
// than 0, the largest first. It costs O(log n) a stream that it moves and O(1) when there is none, so it can
// be called before each emission rather than at each change.
func (q *Queue) Unblock(initial uint32) {
	for q.CanUnblock(initial) {
		s := q.blocked[0].s
		q.unlink(s)
		q.link(s)
	}
}

// Fix follows a change of the stream's own window: it is made ready if it was blocked and may send now.
func (q *Queue) Fix(s *Stream, initial uint32) {
	if s.place != inBlocked {
		return
	}
	if s.Send.Available(initial) > 0 {
		q.unlink(s)
		q.link(s)
		return
	}
	q.blocked.rekey(s, -s.Send.Delta())
}

// Reprioritize changes a stream's priority; an urgency above 7 is 7. A ready stream goes to the end of its
// new equals.
func (q *Queue) Reprioritize(s *Stream, urgency uint8, incremental bool) {
	urgency = min(urgency, levels-1)
	if s.Urgency == urgency && s.Incremental == incremental {
		return
	}
	s.Urgency, s.Incremental = urgency, incremental
	if s.place == inSharing || s.place == inOrdered {
		q.unlink(s)
		q.link(s)
	}
}

// Len is the number of streams that are ready.
func (q *Queue) Len() int { return q.ready }

// Blocked is the number of streams that wait for their window.
func (q *Queue) Blocked() int { return len(q.blocked) }

// Trim gives the memory back when no stream is queued, for a connection that goes idle.
func (q *Queue) Trim() {
	if q.ready == 0 && len(q.blocked) == 0 {
		*q = Queue{}
	}
}

// link makes s, which is nowhere, ready.
func (q *Queue) link(s *Stream) {
	q.ready++
	s.level = min(s.Urgency, levels-1)
	switch {
	case s.Queued == 0:
		s.place = inEnding
		q.ending.push(s)
	case s.Incremental:
		s.place = inSharing
		q.sharing[s.level].push(s)
		q.levels |= 1 << s.level
	default:
		s.place = inOrdered
		q.ordered.push(int64(s.level)<<32|int64(s.ID), s)
	}
}

// unlink takes s out of where it is.
func (q *Queue) unlink(s *Stream) {
	switch s.place {
	case inEnding:
		q.ending.remove(s)
	case inSharing:
		q.pass(s)
		q.sharing[s.level].remove(s)
		if q.sharing[s.level].head == nil {
			q.levels &^= 1 << s.level
		}
	case inOrdered:
		q.pass(s)
		q.ordered.remove(s)
	case inBlocked:
		q.blocked.remove(s)
		q.ready++
	}
	q.ready--
	s.place = nowhere
}

// pass gives the turn to the other kind at the level of s, which has had a quantum if it is in front.
func (q *Queue) pass(s *Stream) {
	if q.Front() != s {
		return
	}
	if s.place == inOrdered {
		q.turn |= 1 << s.level
	} else {
		q.turn &^= 1 << s.level
	}
}

// ring is a circular list of streams.
type ring struct{ head *Stream }

// push puts s behind all others.
func (r *ring) push(s *Stream) {
	if r.head == nil {
		r.head, s.next, s.prev = s, s, s
		return
	}
	s.next, s.prev = r.head, r.head.prev
	s.prev.next, s.next.prev = s, s
}

func (r *ring) remove(s *Stream) {
	if s.next == s {
		r.head = nil
	} else {
		s.prev.next, s.next.prev = s.next, s.prev
		if r.head == s {
			r.head = s.next
		}
	}
	s.next, s.prev = nil, nil
}
