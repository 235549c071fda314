package stream

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

// modelTable runs a Table against a Go map. Ids are as a peer may choose them: rising by 2, by large steps
// up to 2^31-1, or falling into one place of the index.
func modelTable(t *testing.T, r *rand.Rand, steps, live int) {
	var tab Table
	model := map[uint32]*Stream{}
	slots := map[uint32]uint32{} // slot to id
	next := uint32(1)
	highest := 0
	for range steps {
		switch op := r.IntN(8); {
		case op < 4 && len(model) < live: // Add
			var id uint32
			switch r.IntN(4) {
			case 0:
				id = r.Uint32N(1<<31-1) | 1
			case 1:
				id = 1<<31 - 1 - 2*r.Uint32N(64)
			default:
				id, next = next, next+2
			}
			if model[id] != nil {
				continue
			}
			s := tab.Add(id)
			if s.ID != id || s.ContentLength != NoContentLength || s.Urgency != DefaultUrgency {
				t.Fatalf("Add(%d) = %+v", id, s)
			}
			if _, taken := slots[s.Slot]; taken {
				t.Fatalf("slot %d is in use", s.Slot)
			}
			want := Stream{ID: s.ID, Slot: s.Slot, ContentLength: NoContentLength, Urgency: DefaultUrgency}
			if !reflect.DeepEqual(*s, want) {
				t.Fatalf("record of stream %d is not cleared: %+v", id, s)
			}
			model[id], slots[s.Slot] = s, id
			highest = max(highest, len(model))
			// Something of everything, to be cleared.
			*s = Stream{ID: s.ID, Slot: s.Slot, State: Closed, Queued: 7, End: true, Received: 9, LastRecv: 1, LastSent: 2}
			s.Send.Sent(int(id % 1000))
			s.Recv.Init(id, 1000)
		case op < 6 && len(model) > 0: // Remove
			id := pick(r, model)
			s := model[id]
			delete(model, id)
			delete(slots, s.Slot)
			slot := s.Slot
			tab.Remove(s)
			if tab.At(slot) != nil || !reflect.DeepEqual(*s, Stream{}) {
				t.Fatalf("stream %d is still in slot %d: %+v", id, slot, s)
			}
		case op == 6 && len(model) > 0:
			id := pick(r, model)
			if got := tab.Get(id); got != model[id] {
				t.Fatalf("Get(%d) = %p, was added as %p", id, got, model[id])
			}
		default:
			id := r.Uint32()
			if got := tab.Get(id); got != model[id] {
				t.Fatalf("Get(%d) = %p, want %p", id, got, model[id])
			}
		}
		if tab.Len() != len(model) {
			t.Fatalf("Len = %d, want %d", tab.Len(), len(model))
		}
		if tab.Slots() != highest {
			t.Fatalf("%d slots for at most %d streams", tab.Slots(), highest)
		}
	}
	for id, s := range model {
		if tab.Get(id) != s || tab.At(s.Slot) != s || s.ID != id {
			t.Fatalf("stream %d moved or was lost", id)
		}
		if got := s.Send.Delta(); got != -int64(id%1000) {
			t.Fatalf("stream %d has the window of another", id)
		}
	}
	var want []uint32
	for _, slot := range slices.Sorted(maps.Keys(slots)) {
		want = append(want, slots[slot])
	}
	var got []uint32
	for s := range tab.All() {
		got = append(got, s.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("All = %v, want %v", got, want)
	}
	for s := range tab.All() {
		if s.ID%4 == 1 {
			tab.Remove(s)
		}
	}
	for id, s := range model {
		if got := tab.Get(id); id%4 == 1 && got != nil || id%4 != 1 && got != s {
			t.Fatalf("stream %d after removal in a loop: %p", id, got)
		}
	}
}

func pick(r *rand.Rand, m map[uint32]*Stream) uint32 {
	return slices.Sorted(maps.Keys(m))[r.IntN(len(m))]
}

func TestTableModel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, live := range []int{1, 3, 8, 9, 40, 200} {
		for range 5 {
			modelTable(t, r, 3000, live)
		}
	}
}

// Ids that all hash to one place of the index cost time, not correctness.
func TestTableCollisions(t *testing.T) {
	var tab Table
	for id := uint32(1); len(tab.index) < 16; id += 2 {
		tab.Add(id)
	}
	for s := range tab.All() {
		tab.Remove(s)
	}
	var ids []uint32
	for id := uint32(1); len(ids) < 7; id += 2 {
		if tab.home(id) == 15 { // the last place, so that runs wrap around
			ids = append(ids, id)
		}
	}
	for mask := range 1 << len(ids) {
		for _, id := range ids {
			tab.Add(id)
		}
		for i, id := range ids {
			if mask>>i&1 != 0 {
				tab.Remove(tab.Get(id))
			}
		}
		for i, id := range ids {
			s := tab.Get(id)
			if (s == nil) != (mask>>i&1 != 0) {
				t.Fatalf("mask %b, id %d: %v", mask, id, s)
			}
			if s != nil {
				tab.Remove(s)
			}
		}
		if tab.Len() != 0 {
			t.Fatalf("Len = %d", tab.Len())
		}
	}
}

func TestTableEmpty(t *testing.T) {
	var tab Table
	if tab.Get(0) != nil || tab.Get(1) != nil || tab.At(0) != nil || tab.At(1<<31) != nil || tab.Len() != 0 {
		t.Error("the zero table is not empty")
	}
	for range tab.All() {
		t.Error("the zero table yields a stream")
	}
	s := tab.Add(1<<31 - 1)
	if tab.Get(0) != nil || tab.At(1) != nil || tab.At(s.Slot) != s {
		t.Error("a stream where none is")
	}
	for range tab.All() {
		break
	}
	tab.Trim()
	if tab.Get(1<<31-1) != s {
		t.Error("Trim dropped a live stream")
	}
	tab.Remove(s)
	tab.Trim()
	if tab.Slots() != 0 || tab.Get(1<<31-1) != nil {
		t.Error("Trim kept something")
	}
}

// A slot that was freed is used before a new one, so slots stay below the most streams ever live.
func TestTableSlotReuse(t *testing.T) {
	var tab Table
	a, b := tab.Add(1), tab.Add(3)
	if a.Slot != 0 || b.Slot != 1 {
		t.Errorf("slots %d and %d", a.Slot, b.Slot)
	}
	tab.Remove(a)
	c := tab.Add(5)
	if c != a || c.Slot != 0 || tab.At(0).ID != 5 || tab.Get(1) != nil {
		t.Errorf("stream 5 is in slot %d", c.Slot)
	}
}

func TestTablePanics(t *testing.T) {
	panics := func(name string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", name)
			}
		}()
		f()
	}
	var tab Table
	var q Queue
	s := tab.Add(1)
	panics("Add(0)", func() { tab.Add(0) })
	panics("Add twice", func() { tab.Add(1) })
	panics("Remove of another's", func() { tab.Remove(&Stream{ID: 1}) })
	q.Push(s)
	panics("Remove of a queued stream", func() { tab.Remove(s) })
	q.Block(s)
	panics("Remove of a blocked stream", func() { tab.Remove(s) })
	q.Remove(s)
	signals := List{Kind: ListSignals}
	signals.Add(s)
	panics("Remove of a listed stream", func() { tab.Remove(s) })
	signals.Remove(s)
	tab.Remove(s)
	panics("Remove twice", func() { tab.Remove(s) })
}

func TestTableAllocs(t *testing.T) {
	var tab Table
	id := uint32(1)
	run := func() {
		var last *Stream
		for range 100 {
			last = tab.Add(id)
			id += 2
		}
		if tab.Get(last.ID) != last || tab.At(last.Slot) != last {
			t.Error("lost a stream")
		}
		for s := range tab.All() {
			tab.Remove(s)
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations for 100 streams", n)
	}
}

// What a connection with one stream holds. A change that makes it larger should be meant.
func TestTableMemory(t *testing.T) {
	const budget = 320
	var tab Table
	tab.Add(1)
	got := unsafe.Sizeof(Stream{})*uintptr(len(tab.records)) +
		uintptr(cap(tab.records))*unsafe.Sizeof(tab.records[0]) + uintptr(cap(tab.index))*unsafe.Sizeof(entry{})
	if got > budget {
		t.Errorf("the table of a connection with one stream takes %d octets, the budget is %d", got, budget)
	}
	t.Logf("record %d octets, records and index %d", unsafe.Sizeof(Stream{}), got)
}
