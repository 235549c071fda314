package stream

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// crowd is a table with streams that have octets queued: n of them, made by init.
func crowd(tab *Table, q *Queue, n int, init func(i int, s *Stream)) []*Stream {
	var all []*Stream
	for i := range n {
		s := tab.Add(uint32(2*i + 1))
		s.Queued = 1000
		init(i, s)
		q.Push(s)
		all = append(all, s)
	}
	return all
}

// serve gives n quanta and returns who had them.
func serve(q *Queue, n int) []uint32 {
	var ids []uint32
	for range n {
		s := q.Front()
		ids = append(ids, id(s))
		if s != nil {
			q.Rotate(s)
		}
	}
	return ids
}

// RFC 9218 10: "Incremental responses of the same urgency SHOULD be served by sharing bandwidth among them."
func TestRFC9218_10_IncrementalInTurn(t *testing.T) {
	var tab Table
	var q Queue
	all := crowd(&tab, &q, 5, func(_ int, s *Stream) { s.Incremental = true })
	if got, want := serve(&q, 12), []uint32{1, 3, 5, 7, 9, 1, 3, 5, 7, 9, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
	// A stream that leaves and comes back waits for a round; the others keep their turns.
	q.Remove(all[2])
	q.Push(all[2])
	if got, want := serve(&q, 5), []uint32{7, 9, 1, 3, 5}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
}

// RFC 9218 10: "Non-incremental responses of the same urgency SHOULD be served by prioritizing bandwidth
// allocation in ascending order of the stream ID, which corresponds to the order in which clients make
// requests."
func TestRFC9218_10_NonIncrementalInOrder(t *testing.T) {
	var tab Table
	var q Queue
	all := crowd(&tab, &q, 4, func(int, *Stream) {})
	if got, want := serve(&q, 3), []uint32{1, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
	q.Remove(all[0])
	q.Remove(all[1])
	if got, want := serve(&q, 2), []uint32{5, 5}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
	q.Push(all[1]) // asked before 5, so it is served before 5
	if got, want := serve(&q, 2), []uint32{3, 3}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
}

// RFC 9218 10: "It is RECOMMENDED that, when possible, servers respect the urgency parameter, sending
// higher-urgency responses before lower-urgency responses."
func TestRFC9218_10_Urgency(t *testing.T) {
	var tab Table
	var q Queue
	all := crowd(&tab, &q, 16, func(i int, s *Stream) { s.Urgency, s.Incremental = uint8(7-i%8), i < 8 })
	for urgency := range uint8(8) {
		for range 2 {
			s := q.Front()
			if s.Urgency != urgency {
				t.Fatalf("urgency %d is served, want %d", s.Urgency, urgency)
			}
			q.Remove(s)
		}
	}
	if q.Front() != nil {
		t.Error("somebody is left")
	}
	for _, s := range all {
		q.Push(s)
	}
	late := all[0] // urgency 7
	q.Reprioritize(late, 0, true)
	q.Remove(q.Front()) // the non-incremental one of urgency 0 has the turn, then they alternate
	if got := q.Front(); got != late && got != all[7] {
		t.Errorf("stream %d is in front", got.ID)
	}
	q.Reprioritize(all[1], 200, false)
	if all[1].Urgency != 7 {
		t.Errorf("urgency %d", all[1].Urgency)
	}
}

// A long non-incremental response and incremental ones of the same urgency share: nobody starves.
func TestQueueMixed(t *testing.T) {
	var tab Table
	var q Queue
	all := crowd(&tab, &q, 5, func(i int, s *Stream) { s.Incremental = i >= 2 })
	if got, want := serve(&q, 8), []uint32{1, 5, 1, 7, 1, 9, 1, 5}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
	// Short non-incremental responses that are done in one quantum count as a quantum.
	var got []uint32
	for range 4 {
		s := q.Front()
		got = append(got, s.ID)
		if s.Incremental {
			q.Rotate(s)
		} else {
			q.Remove(s)
		}
	}
	if want := []uint32{1, 7, 3, 9}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
	// Those that were reset without a turn leave the others' turns as they are.
	q.Push(all[0])
	q.Push(all[1])
	before := q.Front()
	for _, s := range all {
		if s != before {
			q.Remove(s)
		}
	}
	if q.Front() != before {
		t.Error("the turn changed by the removal of others")
	}
}

// Fairness under random company: every incremental stream is served within one round of its level.
func TestQueueFairness(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 200 {
		var tab Table
		var q Queue
		n, mixed := 1+r.IntN(30), false
		all := crowd(&tab, &q, n, func(_ int, s *Stream) {
			s.Incremental = r.IntN(3) > 0
			mixed = mixed || !s.Incremental
		})
		incremental := 0
		for _, s := range all {
			if s.Incremental {
				incremental++
			}
		}
		round := incremental
		if mixed {
			round *= 2
		}
		waited := map[*Stream]int{}
		for range 10 * n {
			s := q.Front()
			for _, x := range all {
				if waited[x]++; x.Incremental && waited[x] > round {
					t.Fatalf("stream %d has waited for %d quanta, a round is %d", x.ID, waited[x]-1, round)
				}
			}
			waited[s] = 0
			q.Rotate(s)
		}
	}
}

// Streams that have only to end need no window and come first; what they have queued later needs one.
func TestQueueEnding(t *testing.T) {
	var tab Table
	var q Queue
	crowd(&tab, &q, 2, func(i int, s *Stream) { s.Urgency = uint8(i) })
	a, b := tab.Add(101), tab.Add(103)
	a.Urgency, b.Urgency, b.Incremental = 7, 7, true
	a.End, b.End = true, true
	q.Push(b)
	q.Push(a)
	if got := q.Front(); got != b {
		t.Errorf("stream %d is in front", got.ID)
	}
	b.Queued = 1
	q.Push(b)
	if got := q.Front(); got != a {
		t.Errorf("stream %d is in front", got.ID)
	}
	q.Reprioritize(a, 6, true)
	if got := q.Front(); got != a {
		t.Errorf("stream %d is in front", got.ID)
	}
	q.Remove(a)
	if got := serve(&q, 2); !slices.Equal(got, []uint32{1, 1}) {
		t.Errorf("served %v", got)
	}
	if q.Len() != 3 {
		t.Errorf("Len = %d", q.Len())
	}
}

// RFC 9113 6.9.2: a stream is back exactly when initial + delta > 0, whichever of the two changes.
func TestRFC9113_6_9_2_Unblock(t *testing.T) {
	var tab Table
	var q Queue
	all := crowd(&tab, &q, 4, func(i int, s *Stream) {
		s.Incremental = true
		s.Send.Sent(1000 * (i + 1)) // deltas -1000 to -4000
	})
	for _, s := range all {
		q.Block(s)
	}
	if q.Front() != nil || q.Len() != 0 || q.Blocked() != 4 {
		t.Fatal("a blocked stream is ready")
	}
	ready := func(initial uint32, want ...uint32) {
		t.Helper()
		if can := q.CanUnblock(initial); can != (len(want) > 0) {
			t.Errorf("CanUnblock(%d) = %v", initial, can)
		}
		q.Unblock(initial)
		if got := serve(&q, q.Len()); !slices.Equal(got, want) {
			t.Errorf("initial %d: ready are %v, want %v", initial, got, want)
		}
		for q.Len() > 0 {
			q.Block(q.Front())
		}
	}
	ready(0)
	ready(1000)
	ready(1001, 1)
	ready(3000, 1, 3)
	ready(1<<31-1, 1, 3, 5, 7)

	if !all[3].Send.Grant(500, 3500) { // delta -500
		t.Fatal("Grant refused")
	}
	q.Fix(all[3], 500)
	ready(500)
	ready(501, 7)
	ready(2001, 7, 1, 3)
	if !all[2].Send.Grant(500, 2501) { // delta -499
		t.Fatal("Grant refused")
	}
	q.Fix(all[2], 500)
	if got := q.Front(); got != all[2] || q.Blocked() != 3 {
		t.Errorf("Fix did not unblock: front %d", id(got))
	}
	q.Fix(all[2], 500)
	if q.Len() != 1 {
		t.Error("Fix changed a stream that was ready")
	}
	// What happens to a blocked stream leaves it blocked.
	q.Push(all[0])
	q.Rotate(all[0])
	q.Reprioritize(all[0], 1, false)
	if q.Len() != 1 || q.Blocked() != 3 {
		t.Error("a blocked stream became ready")
	}
}

// A peer that changes SETTINGS_INITIAL_WINDOW_SIZE all the time moves nothing, however many streams wait.
func TestRFC9113_6_9_2_SettingsCostNothing(t *testing.T) {
	var tab Table
	var q Queue
	crowd(&tab, &q, 1000, func(i int, s *Stream) {
		s.Send.Sent(1 << 20)
		s.Send.Grant(0, uint32(i*7919%1000))
	})
	for q.Len() > 0 {
		q.Block(q.Front())
	}
	before := slices.Clone(q.blocked)
	for initial := range uint32(10000) {
		q.Unblock(initial)
	}
	if !slices.Equal(before, q.blocked) {
		t.Error("the blocked streams were moved")
	}
	q.Unblock(1<<20 - 999 + 1)
	if q.Len() != 1 || q.Front().Send.Delta() != 999-1<<20 {
		t.Errorf("%d streams are ready, want the one with the largest window", q.Len())
	}
}

func TestQueueTrim(t *testing.T) {
	var tab Table
	var q Queue
	all := crowd(&tab, &q, 3, func(int, *Stream) {})
	q.Block(all[2])
	q.Trim()
	if q.Len() != 2 || q.Blocked() != 1 {
		t.Error("Trim dropped a stream")
	}
	q.Remove(all[0])
	q.Remove(all[1])
	q.Trim()
	if q.Blocked() != 1 {
		t.Error("Trim dropped a blocked stream")
	}
	q.Remove(all[2])
	q.Trim()
	if q.ordered != nil || q.blocked != nil {
		t.Error("Trim kept memory")
	}
}

func TestQueueAllocs(t *testing.T) {
	var tab Table
	var q Queue
	all := crowd(&tab, &q, 100, func(i int, s *Stream) { s.Urgency, s.Incremental = uint8(i%8), i%3 == 0 })
	run := func() {
		for _, s := range all {
			q.Push(s)
		}
		for range 200 {
			q.Rotate(q.Front())
		}
		for i, s := range all {
			q.Reprioritize(s, uint8(i+1)%8, i%2 == 0)
			q.Block(s)
		}
		q.Fix(all[0], 0)
		q.Unblock(1)
		for q.Len() > 0 {
			q.Remove(q.Front())
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkQueueRound(b *testing.B) {
	var tab Table
	var q Queue
	crowd(&tab, &q, 100, func(_ int, s *Stream) { s.Incremental = true })
	for b.Loop() {
		q.Rotate(q.Front())
	}
}

func BenchmarkTable(b *testing.B) {
	var tab Table
	for i := range uint32(100) {
		tab.Add(2*i + 1)
	}
	id := uint32(201)
	for b.Loop() {
		tab.Add(id)
		tab.Remove(tab.Get(id - 200))
		id += 2
	}
}
