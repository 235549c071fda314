package stream

import "iter"

const pageSize = 8 // records a page at most: pages double, as most connections have few streams at a time

// Table holds the live streams of a connection, by id and by slot.
//
// Records stand in pages, which never move, so a *Stream stays valid until it is removed; slots are small
// numbers that are reused, last freed first. The index is open addressing with a multiplicative hash: ids
// are the peer's choice, so in the worst case a look-up passes every live stream, whose number is limited.
//
// The order of everything is a function of the calls alone. The zero value is an empty table.
type Table struct {
	records []*Stream // by slot: used of them, and the rest of the last page
	free    []uint32

	index []entry // length a power of two, at most half full; nil before the first Add
	n     int
	used  uint32 // slots ever used
	shift uint8  // 32 - log2(len(index))
}

type entry struct{ id, slot uint32 } // id 0: empty

// Get returns the stream with this id, or nil. It is nil for id 0.
func (t *Table) Get(id uint32) *Stream {
	if t.n == 0 || id == 0 {
		return nil
	}
	if e := t.index[t.find(id)]; e.id != 0 {
		return t.records[e.slot]
	}
	return nil
}

// At returns the stream in this slot, or nil when no live stream has it.
func (t *Table) At(slot uint32) *Stream {
	if slot < t.used {
		if s := t.records[slot]; s.ID != 0 {
			return s
		}
	}
	return nil
}

// Add returns a new record for id: ID, Slot, ContentLength NoContentLength and Urgency DefaultUrgency set,
// everything else zero. The id is not 0 and not in the table.
func (t *Table) Add(id uint32) *Stream {
	if 2*(t.n+1) > len(t.index) {
		t.grow()
	}
	at := t.find(id)
	if id == 0 || t.index[at].id != 0 {
		// The caller adds only ids above all earlier ones, RFC 9113 5.1.1. Two streams in one record
		// would mix their octets.
		panic("stream: Add of an id that is 0 or in the table")
	}
	slot := t.takeSlot()
	s := t.records[slot]
	s.ID, s.Slot, s.ContentLength, s.Urgency = id, slot, NoContentLength, DefaultUrgency // all else was cleared
	t.index[at] = entry{id, slot}
	t.n++
	return s
}

// Remove takes a stream out and clears its record. The stream is in no Queue and in no List.
func (t *Table) Remove(s *Stream) {
	if t.n == 0 || s.ID == 0 {
		panic("stream: Remove of a stream that is not in the table")
	}
	at := t.find(s.ID)
	if e := t.index[at]; e.id == 0 || t.records[e.slot] != s {
		panic("stream: Remove of a stream that is not in the table")
	}
	if s.linked() {
		// A queue would go on with a record that serves another stream. The caller takes a stream out
		// of all queues and lists before it gives the record back.
		panic("stream: Remove of a stream that is in a queue")
	}
	t.vacate(at)
	t.free = append(t.free, s.Slot)
	t.n--
	*s = Stream{}
}

// Len is the number of live streams.
func (t *Table) Len() int { return t.n }

// Slots is one more than the highest slot ever used.
func (t *Table) Slots() int { return int(t.used) }

// All yields the live streams in slot order. The loop may remove any stream and add new ones; an added
// stream is met if its slot lies ahead.
func (t *Table) All() iter.Seq[*Stream] {
	return func(yield func(*Stream) bool) {
		for slot := uint32(0); slot < t.used; slot++ {
			if s := t.records[slot]; s.ID != 0 && !yield(s) {
				return
			}
		}
	}
}

// Trim gives the memory back when no stream is live, for a connection that goes idle.
func (t *Table) Trim() {
	if t.n == 0 {
		*t = Table{}
	}
}

// linked says that a Queue or a List points to s.
func (s *Stream) linked() bool {
	for i := range s.lists {
		if s.lists[i].in {
			return true
		}
	}
	return s.place != nowhere
}

func (t *Table) takeSlot() uint32 {
	if k := len(t.free); k > 0 {
		slot := t.free[k-1]
		t.free = t.free[:k-1]
		return slot
	}
	if int(t.used) == len(t.records) {
		page := make([]Stream, min(pageSize, t.used+1))
		for i := range page {
			t.records = append(t.records, &page[i])
		}
	}
	t.used++
	return t.used - 1
}

// home is where an id stands in the index when nothing is in its way: the upper bits of the product with
// 2^32 divided by the golden ratio spread ids that follow one another evenly.
func (t *Table) home(id uint32) uint32 { return id * 0x9e3779b1 >> t.shift }

// find returns where in the index an id stands, or the empty place where it would.
func (t *Table) find(id uint32) uint32 {
	mask := uint32(len(t.index) - 1)
	i := t.home(id)
	for t.index[i].id != id && t.index[i].id != 0 {
		i = (i + 1) & mask
	}
	return i
}

// vacate empties a place of the index and moves up the entries behind it that the gap would cut off from
// their home, so that no marks of removed ids are left.
func (t *Table) vacate(i uint32) {
	mask := uint32(len(t.index) - 1)
	for j := (i + 1) & mask; t.index[j].id != 0; j = (j + 1) & mask {
		if (j-t.home(t.index[j].id))&mask >= (j-i)&mask {
			t.index[i] = t.index[j]
			i = j
		}
	}
	t.index[i] = entry{}
}

func (t *Table) grow() {
	old := t.index
	size := max(4, 2*len(old))
	t.index = make([]entry, size)
	t.shift = 32
	for n := size; n > 1; n /= 2 {
		t.shift--
	}
	for _, e := range old {
		if e.id != 0 {
			t.index[t.find(e.id)] = e
		}
	}
}
