package flowcontrol

import "testing"

// RFC 9113 6.9.1: exactly 2^31-1 is legal, one more is not, and a refused increment changes nothing.
func TestRFC9113_6_9_1_WindowOverflow(t *testing.T) {
	for _, tt := range []struct {
		name    string
		initial uint32
		sent    int
		inc     uint32
		ok      bool
		after   int64
	}{
		{"exact", 65535, 0, MaxWindow - 65535, true, MaxWindow},
		{"one more", 65535, 0, MaxWindow - 65535 + 1, false, 65535},
		{"initial 0", 0, 0, MaxWindow, true, MaxWindow},
		{"initial at the maximum", MaxWindow, 0, 1, false, MaxWindow},
		{"room made by sending", MaxWindow, 10, 10, true, MaxWindow},
		{"largest increment", 65535, 0, MaxWindow, false, 65535},
		{"past the range of the field", 65535, 0, 1<<32 - 1, false, 65535},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w Send
			w.Sent(tt.sent)
			if got := w.Grant(tt.initial, tt.inc); got != tt.ok {
				t.Errorf("Grant = %v, want %v", got, tt.ok)
			}
			if got := w.Available(tt.initial); got != tt.after {
				t.Errorf("Available = %d, want %d", got, tt.after)
			}
		})
	}
}

// RFC 9113 6.9.2, with the example of that section: 60 kB sent of 64 kB, then the initial window is set to 16 kB.
func TestRFC9113_6_9_2_NegativeWindow(t *testing.T) {
	var w Send
	w.Sent(60 << 10)
	if got := w.Available(16 << 10); got != -44<<10 {
		t.Errorf("Available = %d, want %d", got, -44<<10)
	}
	if !w.Grant(16<<10, 44<<10) || w.Available(16<<10) != 0 {
		t.Errorf("Available = %d after the increment, want 0", w.Available(16<<10))
	}

	var least Send
	least.Sent(MaxWindow)
	if got := least.Available(0); got != -MaxWindow {
		t.Errorf("least window %d, want %d", got, -MaxWindow)
	}
	if !least.Grant(0, MaxWindow) || least.Available(MaxWindow) != MaxWindow {
		t.Errorf("Available = %d, want %d", least.Available(MaxWindow), MaxWindow)
	}
}

func TestRFC9113_6_9_2_InitialWindowOverflow(t *testing.T) {
	var p Peak
	var w Send
	if !p.Fits(MaxWindow) {
		t.Error("a connection without streams refuses 2^31-1")
	}
	w.Grant(65535, 1)
	p.Note(&w)
	if !p.Fits(MaxWindow - 1) {
		t.Error("2^31-2 refused")
	}
	if p.Fits(MaxWindow) {
		t.Error("2^31-1 accepted, the stream's window would be 2^31")
	}
	w.Sent(1)
	if p.Fits(MaxWindow) {
		t.Error("the bound fell without a walk")
	}
	p = Peak{}
	p.Note(&w)
	if !p.Fits(MaxWindow) {
		t.Error("2^31-1 refused after the walk")
	}
	w.Sent(1)
	p.Note(&w)
	if p.Fits(MaxWindow + 1) {
		t.Error("2^31 accepted")
	}
}

func TestRFC9113_6_9_1_PeerOverrun(t *testing.T) {
	var w Recv
	w.Init(100, 100)
	if !w.Receive(100) {
		t.Fatal("the whole window refused")
	}
	if w.Receive(1) {
		t.Error("an octet beyond the window accepted")
	}
	if !w.Receive(0) {
		t.Error("an empty frame refused")
	}
	w.Return(49)
	if w.Pending() || w.Update() != 0 {
		t.Error("less than half of the window announced")
	}
	w.Return(1)
	if w.Receive(1) {
		t.Error("credit counted before it was announced")
	}
	if got := w.Update(); got != 50 {
		t.Errorf("Update = %d, want 50", got)
	}
	if w.Receive(51) || !w.Receive(50) {
		t.Error("not exactly 50 octets accepted")
	}
}

// RFC 9113 6.9.2: the connection's window begins at 65535 and grows by WINDOW_UPDATE only.
func TestRFC9113_6_9_2_ConnectionStart(t *testing.T) {
	var w Recv
	w.Init(65535, 1<<20)
	if got := w.Update(); got != 1<<20-65535 {
		t.Errorf("first Update = %d, want %d", got, 1<<20-65535)
	}
	if w.Available() != 1<<20 || w.Pending() {
		t.Errorf("Available = %d, Pending %v", w.Available(), w.Pending())
	}

	w.Init(65535, 16<<10) // less than the peer has from the start
	for range 3 {
		if !w.Receive(16 << 10) {
			t.Fatal("octets within 65535 refused")
		}
		w.Return(16 << 10)
		if w.Pending() {
			t.Fatal("credit announced while the peer has more than the target")
		}
	}
	if !w.Receive(16383) {
		t.Fatal("the last of 65535 octets refused")
	}
	w.Return(16383)
	if got := w.Update(); got != 16<<10 || w.Available() != 16<<10 {
		t.Errorf("Update = %d, Available = %d; want the target", got, w.Available())
	}
}

// RFC 9113 6.9.3: octets in flight when we lower SETTINGS_INITIAL_WINDOW_SIZE are accepted until the
// acknowledgement; then the window may be negative, and empty frames still pass.
func TestRFC9113_6_9_3_Reduction(t *testing.T) {
	var w Recv
	w.Init(65535, 1000) // SETTINGS with 1000 are on their way
	if !w.Receive(65000) {
		t.Fatal("octets sent before the acknowledgement refused")
	}
	if !w.Shift(1000 - 65535) {
		t.Fatal("Shift refused")
	}
	if got := w.Available(); got != 1000-65000 {
		t.Errorf("Available = %d, want %d", got, 1000-65000)
	}
	if w.Receive(1) || !w.Receive(0) {
		t.Error("a negative window must refuse an octet and accept an empty frame")
	}
	w.Return(65000)
	if got := w.Update(); got != 65000 {
		t.Errorf("Update = %d, want 65000", got)
	}
	if got := w.Available(); got != 1000 {
		t.Errorf("Available = %d, want 1000", got)
	}
}

// RFC 9113 6.9.1: no sum of what we announce passes 2^31-1.
func TestRFC9113_6_9_1_OwnLimit(t *testing.T) {
	var w Recv
	w.Init(MaxWindow, 1<<32-1)
	if w.Target() != MaxWindow || w.Pending() {
		t.Errorf("Target = %d, Pending %v", w.Target(), w.Pending())
	}
	w.Return(1000) // nothing was received
	if w.Pending() || w.Shift(1) {
		t.Error("the window grew past 2^31-1")
	}
	w.Resize(0)
	w.Resize(1<<32 - 1)
	if w.Pending() {
		t.Error("a target lowered and raised again owes something")
	}
	w.Receive(MaxWindow)
	w.Return(MaxWindow)
	w.Return(MaxWindow)
	if got := w.Update(); got != MaxWindow || w.Pending() {
		t.Errorf("Update = %d, Pending %v", got, w.Pending())
	}
}

func TestResize(t *testing.T) {
	var w Recv
	w.Init(1000, 1000)
	w.Resize(1500)
	if w.Pending() {
		t.Error("a third of the target announced")
	}
	w.Resize(3000)
	if got := w.Update(); got != 2000 {
		t.Errorf("Update = %d, want 2000", got)
	}
	w.Resize(1000)
	w.Receive(2000)
	w.Return(2000)
	if w.Pending() {
		t.Error("a lowered target gave credit back at once")
	}
	w.Receive(1000)
	w.Return(1000)
	if got := w.Update(); got != 1000 {
		t.Errorf("Update = %d, want 1000", got)
	}
}

// One stream that nobody reads does not keep the connection's window from the others.
func TestBudgetStalledStream(t *testing.T) {
	var conn Recv
	var b Budget
	conn.Init(65535, 65535)
	b.SetLimit(1 << 20)
	for i := range 16 { // the stalled stream: 16 × 64 KiB stay unread
		if !conn.Receive(65535) {
			t.Fatalf("round %d: the stalled stream took the connection's window", i)
		}
		conn.Return(b.Received(65535))
		conn.Update()
	}
	if conn.Available() != 65535 {
		t.Fatalf("Available = %d", conn.Available())
	}
	conn.Receive(65535)
	conn.Return(b.Received(65535))
	if want := int64(17*65535 - 1<<20); b.Withheld() != want {
		t.Errorf("Withheld = %d, want %d", b.Withheld(), want)
	}
}

func TestBudgetLimitLowered(t *testing.T) {
	var b Budget
	step := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: credit %d, want %d", what, got, want)
		}
	}
	step("limit 100", b.SetLimit(100), 0)
	step("received 80", b.Received(80), 80)
	step("limit 30: 50 were given too early", b.SetLimit(30), 0)
	step("received 10, held", b.Received(10), 0)
	step("consumed 50: pays the debt", b.Consumed(50), 0)
	step("consumed 10", b.Consumed(10), 10)
	step("received 25, above the limit", b.Received(25), 0)
	step("limit 0: 30 more were given too early", b.SetLimit(-5), 0)
	step("limit 1000: 55 are free and 30 of them given", b.SetLimit(1000), 25)
}

func TestAllocs(t *testing.T) {
	var s Send
	var p Peak
	var r Recv
	var b Budget
	r.Init(65535, 1<<20)
	b.SetLimit(100)
	if n := testing.AllocsPerRun(1000, func() {
		s.Grant(65535, 100)
		s.Sent(100)
		p.Note(&s)
		r.Receive(100)
		r.Return(b.Received(100) + b.Consumed(100))
		r.Update()
		r.Resize(1 << 20)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
