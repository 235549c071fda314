package hpack

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The list that Decode makes, against the plainest reading of its contract: the
// views of Fields, one after the other, charged and held against the rules.

// model is what Decode ought to answer.
type model struct {
	verdict Verdict
	fault   Fault
	kept    []seenField
	size    int
}

func modelOf(views []seenField, k Kind, lim Limits) (m model) {
	defined := map[Kind][]string{
		Request:  {":method", ":scheme", ":authority", ":path", ":protocol"},
		Response: {":status"},
	}[k]
	size, crumbs := 0, 0
	regular := false
	pseudo := map[string]bool{}
	for i, v := range views {
		size += len(v.Name) + len(v.Value) + 32
		if v.Name == "cookie" {
			crumbs++
		}
		if lim.Bytes > 0 && size > 4*lim.Bytes {
			m.verdict = FarTooLarge
			return m
		}
		if m.verdict != OK {
			continue
		}
		if lim.Bytes > 0 && size > lim.Bytes || lim.Fields > 0 && i+1 > lim.Fields || lim.Crumbs > 0 && crumbs > lim.Crumbs {
			m.verdict = TooLarge
			continue
		}
		d := desc{off: uint32(len(v.Name)), nlen: uint32(len(v.Name)), vlen: uint32(len(v.Value)), tag: tag{token: TokenOf([]byte(v.Name))}}
		d.check([]byte(v.Name + v.Value))
		fault := Fault(d.flags & flagFault)
		if len(v.Name) > 0 && v.Name[0] == ':' {
			switch {
			case !slices.Contains(defined, v.Name):
				fault = FaultPseudo
			case pseudo[v.Name]:
				fault = FaultRepeated
			case regular:
				fault = FaultOrder
			}
			pseudo[v.Name] = true
		} else {
			regular = true
		}
		if fault != 0 {
			m.verdict, m.fault = Malformed, fault
			continue
		}
		m.kept = append(m.kept, v)
		m.size += len(v.Name) + len(v.Value) + 32
	}
	return m
}

func TestDecodeModel(t *testing.T) {
	r := rand.New(rand.NewPCG(7541, 5))
	seen := map[string]int{}
	for range 3000 {
		var list, none, views Decoder
		var f Fields
		for range 20 {
			block := tidyBlock(r, int(views.tab.count))
			k := Kind(r.IntN(3))
			lim := Limits{Bytes: r.IntN(2) * r.IntN(900), Fields: r.IntN(2) * r.IntN(12), Crumbs: r.IntN(2) * r.IntN(5)}
			var all []seenField
			for v := range views.Fields(block) {
				all = append(all, seenField{string(v.Name), string(v.Value), v.Sensitive})
			}
			v, err := list.Decode(&f, block, k, lim)
			w, nerr := none.Decode(nil, block, k, lim)
			if v != w || list.Fault() != none.Fault() || fmt.Sprint(err) != fmt.Sprint(nerr) {
				t.Fatalf("%x: %v, %v, %v, and discarded %v, %v, %v", block, v, list.Fault(), err, w, none.Fault(), nerr)
			}
			if views.Err() != nil {
				if m := modelOf(all, k, lim); m.verdict != FarTooLarge && fmt.Sprint(err) != fmt.Sprint(views.Err()) {
					t.Fatalf("%x: %v, want %v", block, err, views.Err())
				}
				seen["error"]++
				break
			}
			want := modelOf(all, k, lim)
			seen[fmt.Sprint(want.verdict, " ", want.fault)]++
			if v != want.verdict {
				t.Fatalf("%x, %v, %+v: %v, want %v", block, k, lim, v, want.verdict)
			}
			if v == FarTooLarge {
				break
			}
			var got []seenField
			for i := range f.Len() {
				got = append(got, seenField{string(f.Name(i)), string(f.Value(i)), f.Sensitive(i)})
				if f.Get(f.Token(i)) == nil && f.Token(i) != 0 {
					t.Fatalf("%x: %s is not found", block, f.Name(i))
				}
			}
			if !slices.Equal(got, want.kept) || list.Fault() != want.fault || f.Size() != want.size {
				t.Fatalf("%x, %v, %+v:\n got %v, %v, size %d\nwant %v, %v, size %d", block, k, lim, got, list.Fault(), f.Size(), want.kept, want.fault, want.size)
			}
		}
	}
	for _, s := range []string{"error", "ok no fault", "too large no fault", "far too large no fault", "malformed " + FaultName.String(),
		"malformed " + FaultValue.String(), "malformed " + FaultTE.String(), "malformed " + FaultPseudo.String(),
		"malformed " + FaultRepeated.String(), "malformed " + FaultOrder.String()} {
		if seen[s] < 20 {
			t.Errorf("%q came %d times: the test tests too little; %v", s, seen[s], seen)
		}
	}
}

// tidyBlock is a random block, or one of indexed fields of which most lists are
// well-formed.
func tidyBlock(r *rand.Rand, count int) (b []byte) {
	if r.IntN(2) == 0 {
		return randomBlock(r, count)
	}
	for _, i := range []uint32{2, 4, 7}[:r.IntN(4)] {
		b = appendInteger(b, 0x80, 0x7f, i)
	}
	for range r.IntN(20) {
		switch r.IntN(8) {
		case 0:
			b = rawField(b, 0x40, "cookie", fmt.Sprintf("crumb=%0*d", r.IntN(60), 1))
		case 1:
			b = rawField(b, 0x40, "x-field", fmt.Sprintf("%0*d", r.IntN(60), 2))
		default:
			b = appendInteger(b, 0x80, 0x7f, uint32(16+r.IntN(46+min(count, 1+r.IntN(10)))))
		}
	}
	return b
}
