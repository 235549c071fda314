package stream

// heap is a binary heap of streams, smallest key first. Equals are in no order that means anything, so that
// one of many moves in a step or two. Each stream knows its place in links.at, so it can be taken out of the
// middle. A stream is in at most one heap.
type heap []ranked

type ranked struct {
	key int64
	s   *Stream
}

func (a ranked) before(b ranked) bool {
	return a.key < b.key
}

func (h *heap) push(key int64, s *Stream) {
	*h = append(*h, ranked{key, s})
	h.up(len(*h)-1, ranked{key, s})
}

func (h *heap) remove(s *Stream) {
	i, last := s.at, len(*h)-1
	r := (*h)[last]
	(*h)[last] = ranked{}
	*h = (*h)[:last]
	if i < last {
		h.fix(i, r)
	}
}

// rekey gives s, which is in h, a new key.
func (h *heap) rekey(s *Stream, key int64) { h.fix(s.at, ranked{key, s}) }

// fix puts r where the hole at i and the order allow.
func (h *heap) fix(i int, r ranked) {
	if i > 0 && r.before((*h)[(i-1)/2]) {
		h.up(i, r)
	} else {
		h.down(i, r)
	}
}

func (h *heap) up(i int, r ranked) {
	for i > 0 {
		parent := (i - 1) / 2
		if !r.before((*h)[parent]) {
			break
		}
		h.set(i, (*h)[parent])
		i = parent
	}
	h.set(i, r)
}

func (h *heap) down(i int, r ranked) {
	for {
		child := 2*i + 1
		if child >= len(*h) {
			break
		}
		if child+1 < len(*h) && (*h)[child+1].before((*h)[child]) {
			child++
		}
		if !(*h)[child].before(r) {
			break
		}
		h.set(i, (*h)[child])
		i = child
	}
	h.set(i, r)
}

func (h *heap) set(i int, r ranked) {
	(*h)[i] = r
	r.s.at = i
}
