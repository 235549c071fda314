package conn

import "testing"

// TestRFC9218_4_PriorityField: what is understood counts, everything else is ignored.
func TestRFC9218_4_PriorityField(t *testing.T) {
	for _, c := range []struct {
		value string
		want  Priority
	}{
		{"u=0", Priority{0, false}},
		{"u=7, i", Priority{7, true}},
		{"i", Priority{3, true}},
		{" \t i=?1 \t , u=2\t", Priority{2, true}},
		{"u=5,i=?0", Priority{5, false}},
		{"i,i=?0", Priority{3, false}},
		{"u=1,u=2", Priority{2, false}},
		{"", Priority{3, false}},
		{",,,", Priority{3, false}},
		{"u=8", Priority{3, false}},
		{"u=-1", Priority{3, false}},
		{"u=10", Priority{3, false}},
		{"u=a, i=?2, x=y", Priority{3, false}},
		{"u=0,                                                                   i", defaultPriority}, // too long to be looked at
	} {
		if got := parsePriority([]byte(c.value)); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.value, got, c.want)
		}
	}
}
