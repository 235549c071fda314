package flowcontrol

import (
	"testing"
	"time"
)

func TestGrow(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name         string
		target, inc  uint32
		elapsed, rtt time.Duration
		want         uint32
	}{
		{"nothing known of the path", 1000, 500, 0, 0, 1000},
		{"half of the window in no time", 1000, 500, 0, ms, 2000},
		{"in less than a round trip", 1000, 500, 99 * ms, 100 * ms, 2000},
		{"in a round trip", 1000, 500, 100 * ms, 100 * ms, 1000},
		{"a tenth in a tenth of that", 1000, 100, 19 * ms, 100 * ms, 2000},
		{"a tenth in a fifth", 1000, 100, 20 * ms, 100 * ms, 1000},
		{"a short path counts as 2 ms", 1000, 500, 1999 * time.Microsecond, 1, 2000},
		{"and no more", 1000, 500, 2 * ms, 1, 1000},
		{"nothing in no time", 1000, 0, 0, ms, 1000},
		{"up to the most", MaxTarget - 1, MaxTarget / 2, ms, 100 * ms, MaxTarget},
		{"not beyond", MaxTarget, MaxTarget, ms, 100 * ms, MaxTarget},
		{"what was set higher stays", MaxWindow, MaxWindow, ms, 100 * ms, MaxWindow},
		{"days", MaxWindow, 1, 1000 * time.Hour, time.Hour, MaxWindow},
	} {
		if got := Grow(tt.target, tt.inc, tt.elapsed, tt.rtt); got != tt.want {
			t.Errorf("%s: Grow(%d, %d, %v, %v) = %d, want %d", tt.name, tt.target, tt.inc, tt.elapsed, tt.rtt, got, tt.want)
		}
	}
}

func TestRTT(t *testing.T) {
	var r RTT
	if r.Time() != 0 {
		t.Errorf("%v without a sample", r.Time())
	}
	for _, tt := range []struct{ sample, want time.Duration }{
		{0, 0}, {800, 800}, {80, 80}, {160, 90}, {90, 90}, {0, 90}, {-5, 90},
	} {
		if r.Sample(tt.sample); r.Time() != tt.want {
			t.Errorf("%d after a sample of %d, want %d", r.Time(), tt.sample, tt.want)
		}
	}
}
