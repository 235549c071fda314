package stream

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive is the contract of Queue in slices and loops.
type naive struct {
	ending  []*Stream
	sharing [8][]*Stream // in turn
	ordered [8][]*Stream // in any order
	turn    [8]bool      // the next quantum at this level is an incremental stream's
	blocked []*Stream
}

func without(list []*Stream, s *Stream) []*Stream {
	return slices.DeleteFunc(list, func(x *Stream) bool { return x == s })
}

func (m *naive) front() *Stream {
	if len(m.ending) > 0 {
		return m.ending[0]
	}
	for l := range m.sharing {
		switch share, order := len(m.sharing[l]) > 0, len(m.ordered[l]) > 0; {
		case share && (!order || m.turn[l]):
			return m.sharing[l][0]
		case order:
			return slices.MinFunc(m.ordered[l], func(a, b *Stream) int { return int(a.ID) - int(b.ID) })
		}
	}
	return nil
}

func (m *naive) ready() int {
	n := len(m.ending)
	for l := range m.sharing {
		n += len(m.sharing[l]) + len(m.ordered[l])
	}
	return n
}

func (m *naive) isReady(s *Stream) bool {
	for l := range m.sharing {
		if slices.Contains(m.sharing[l], s) || slices.Contains(m.ordered[l], s) {
			return true
		}
	}
	return slices.Contains(m.ending, s)
}

func (m *naive) isEnding(s *Stream) bool  { return slices.Contains(m.ending, s) }
func (m *naive) isBlocked(s *Stream) bool { return slices.Contains(m.blocked, s) }

func (m *naive) insert(s *Stream) {
	switch l := s.Urgency; {
	case s.Queued == 0:
		m.ending = append(m.ending, s)
	case s.Incremental:
		m.sharing[l] = append(m.sharing[l], s)
	default:
		m.ordered[l] = append(m.ordered[l], s)
	}
}

// passTurn ends the quantum of s if it is in front and has octets: the other kind is next at its level.
func (m *naive) passTurn(s *Stream) {
	if m.front() != s {
		return
	}
	for l := range m.sharing {
		switch {
		case slices.Contains(m.sharing[l], s):
			m.turn[l] = false
		case slices.Contains(m.ordered[l], s):
			m.turn[l] = true
		}
	}
}

func (m *naive) remove(s *Stream) {
	m.passTurn(s)
	m.ending, m.blocked = without(m.ending, s), without(m.blocked, s)
	for l := range m.sharing {
		m.sharing[l], m.ordered[l] = without(m.sharing[l], s), without(m.ordered[l], s)
	}
}

// unblock is called after Queue.Unblock. Those that may send become ready, the largest window first. Among
// equals the contract says no order: they come as q has put them.
func (m *naive) unblock(q *Queue, initial uint32) {
	var open []*Stream
	for _, s := range m.blocked {
		if s.Send.Available(initial) > 0 {
			open = append(open, s)
		}
	}
	taken := map[*Stream]int{}
	for _, r := range append(q.sharing[:], q.ending) {
		for i, s := range r.all() {
			taken[s] = i
		}
	}
	slices.SortFunc(open, func(a, b *Stream) int {
		return cmp.Or(cmp.Compare(b.Send.Delta(), a.Send.Delta()), cmp.Compare(taken[a], taken[b]))
	})
	for _, s := range open {
		m.remove(s)
		m.insert(s)
	}
}

// all is the streams of r in turn.
func (r ring) all() (list []*Stream) {
	for s := r.head; s != nil && (len(list) == 0 || s != r.head); s = s.next {
		list = append(list, s)
	}
	return list
}

// modelQueue reads operations from b and holds a Queue against the naive one after each.
func modelQueue(t *testing.T, b []byte) {
	octet := func() int {
		if len(b) == 0 {
			return 0
		}
		c := b[0]
		b = b[1:]
		return int(c)
	}
	var (
		q       Queue
		m       naive
		tab     Table
		all     []*Stream
		initial = uint32(65535)
		next    = uint32(1)
	)
	for len(b) > 0 {
		op := octet() % 16
		if len(all) < 3 || op == 0 && len(all) < 24 {
			s := tab.Add(next)
			next += 2
			s.Urgency, s.Incremental = uint8(octet()%4+2), octet()%2 == 0
			all = append(all, s)
			continue
		}
		s := all[octet()%len(all)]
		switch op {
		case 0, 1: // over
			q.Remove(s)
			m.remove(s)
			all = without(all, s)
			tab.Remove(s)
		case 2, 3, 4: // something to send
			if n := octet(); n%3 > 0 { // otherwise an end without octets, unless some are queued
				s.Queued += n * 100
			}
			wasEnding := m.isEnding(s)
			if !m.isReady(s) && !m.isBlocked(s) || wasEnding && s.Queued > 0 {
				m.remove(s)
				m.insert(s)
			}
			q.Push(s)
		case 5, 6, 7, 8: // a quantum of the stream in front
			s = m.front()
			if s == nil {
				break
			}
			n := min(s.Queued, 1+octet()*8, int(max(s.Send.Available(initial), 0)))
			s.Queued -= n
			s.Send.Sent(n)
			switch {
			case s.Queued == 0:
				q.Remove(s)
				m.remove(s)
			case s.Send.Available(initial) <= 0:
				q.Block(s)
				m.remove(s)
				m.blocked = append(m.blocked, s)
			default:
				q.Rotate(s)
				m.passTurn(s)
				if s.Incremental {
					m.remove(s)
					m.insert(s)
				}
			}
		case 9: // a turn given up by any stream
			if m.isEnding(s) || m.isReady(s) && s.Incremental {
				m.remove(s)
				m.insert(s)
			} else {
				m.passTurn(s)
			}
			q.Rotate(s)
		case 10: // WINDOW_UPDATE
			if s.Send.Grant(initial, uint32(octet()*256)) && m.isBlocked(s) && s.Send.Available(initial) > 0 {
				m.remove(s)
				m.insert(s)
			}
			q.Fix(s, initial)
		case 11: // SETTINGS_INITIAL_WINDOW_SIZE
			initial = uint32(octet() * 256)
		case 12:
			q.Unblock(initial)
			m.unblock(&q, initial)
		case 13:
			urgency, inc := uint8(octet()%10), octet()%2 == 0
			moves := min(urgency, 7) != s.Urgency || inc != s.Incremental
			if moves && m.isReady(s) && !m.isEnding(s) {
				m.remove(s)
				q.Reprioritize(s, urgency, inc)
				m.insert(s)
			} else {
				q.Reprioritize(s, urgency, inc)
			}
			if s.Urgency != min(urgency, 7) || s.Incremental != inc {
				t.Fatalf("Reprioritize(%d, %v): %d, %v", urgency, inc, s.Urgency, s.Incremental)
			}
		case 14:
			q.Remove(s)
			m.remove(s)
		case 15: // the stream's own window is closed
			if m.isReady(s) && s.Send.Available(initial) <= 0 {
				q.Block(s)
				q.Block(s)
				m.remove(s)
				m.blocked = append(m.blocked, s)
			}
		}
		if got, want := q.Front(), m.front(); got != want {
			t.Fatalf("op %d: Front = %v, want %v", op, id(got), id(want))
		}
		if q.Len() != m.ready() || q.Blocked() != len(m.blocked) {
			t.Fatalf("op %d: %d ready, %d blocked; want %d, %d", op, q.Len(), q.Blocked(), m.ready(), len(m.blocked))
		}
		can := slices.ContainsFunc(m.blocked, func(s *Stream) bool { return s.Send.Available(initial) > 0 })
		if q.CanUnblock(initial) != can {
			t.Fatalf("op %d: CanUnblock = %v", op, !can)
		}
	}
	for _, s := range all {
		q.Remove(s)
		tab.Remove(s) // panics on a link that was left
	}
	if q.Front() != nil || q.Len() != 0 || q.Blocked() != 0 || q.levels != 0 || q.ending.head != nil {
		t.Fatal("the queue is not empty")
	}
}

func id(s *Stream) uint32 {
	if s == nil {
		return 0
	}
	return s.ID
}

func TestQueueModel(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 500 {
		b := make([]byte, 1+r.IntN(8000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		modelQueue(t, b)
	}
}

func FuzzQueue(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 4 {
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Add([]byte("000000000+0\x00211201700\xbf0+00,0")) // two with equal windows unblock together
	f.Fuzz(modelQueue)
}
