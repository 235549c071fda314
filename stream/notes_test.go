package stream

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestListModel(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	var tab Table
	var all []*Stream
	for i := range uint32(20) {
		all = append(all, tab.Add(2*i+1))
	}
	lists := [numLists]List{ListUpdates: {Kind: ListUpdates}, ListSignals: {Kind: ListSignals}}
	var model [numLists][]*Stream
	for range 20000 {
		k, s := r.IntN(int(numLists)), all[r.IntN(len(all))]
		l, m := &lists[k], &model[k]
		if r.IntN(2) == 0 {
			l.Add(s)
			if !slices.Contains(*m, s) {
				*m = append(*m, s)
			}
		} else {
			if r.IntN(2) == 0 && len(*m) > 0 {
				s = (*m)[0]
			}
			l.Remove(s)
			*m = without(*m, s)
		}
		for k := range lists {
			var front *Stream
			if len(model[k]) > 0 {
				front = model[k][0]
			}
			if lists[k].Front() != front || lists[k].Empty() != (front == nil) {
				t.Fatalf("list %d: Front = %v, want %v", k, id(lists[k].Front()), id(front))
			}
			var got []*Stream
			for s := lists[k].head; s != nil; s = s.lists[k].next {
				got = append(got, s)
			}
			if !slices.Equal(got, model[k]) {
				t.Fatalf("list %d differs from the model", k)
			}
		}
	}
}
