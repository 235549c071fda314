package flowcontrol

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"testing"
)

// script is a source of decisions: random octets in the model tests, the fuzzer's in the fuzz targets.
// Numbers are near the extremes more often than chance would have them.
type script struct{ b []byte }

func randomScript(r *rand.Rand, n int) *script {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return &script{b}
}

func (s *script) more() bool { return len(s.b) > 0 }

func (s *script) octet() byte {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

// number returns a number from 0 to limit.
func (s *script) number(limit uint32) uint32 {
	var w [4]byte
	kind := s.octet() % 8
	for i := range w {
		w[i] = s.octet()
	}
	n := binary.LittleEndian.Uint32(w[:])
	switch kind {
	case 0:
		n = limit - n%4
	case 1:
		n %= 4
	case 2, 3:
		n %= 1 << 16
	case 4:
		n = 1<<16 - 2 + n%4
	}
	if limit == 1<<32-1 {
		return n
	}
	return n % (limit + 1)
}

func bigInt(n int64) *big.Int { return big.NewInt(n) }

var bigMax = bigInt(1<<31 - 1)

// modelSend runs a connection's send windows against unbounded integers: every stream's window is walked at
// each change of the initial window, as RFC 9113 6.9.2 words it.
func modelSend(t *testing.T, s *script) {
	const streams = 5
	var (
		initial = uint32(65535)
		peak    Peak
		w       [streams]Send
		m       [streams]*big.Int
	)
	for i := range m {
		m[i] = bigInt(int64(initial))
	}
	for s.more() {
		i := int(s.octet()) % streams
		switch s.octet() % 5 {
		case 0: // WINDOW_UPDATE
			inc := s.number(MaxWindow)
			sum := new(big.Int).Add(m[i], bigInt(int64(inc)))
			want := sum.Cmp(bigMax) <= 0
			if got := w[i].Grant(initial, inc); got != want {
				t.Fatalf("Grant(%d, %d) of a window of %v = %v", initial, inc, m[i], got)
			}
			if want {
				m[i] = sum
			}
			peak.Note(&w[i])
		case 1, 2: // DATA
			room := w[i].Available(initial)
			if room > 0 {
				n := s.number(uint32(room))
				w[i].Sent(int(n))
				m[i].Sub(m[i], bigInt(int64(n)))
			}
		case 3: // SETTINGS_INITIAL_WINDOW_SIZE
			next := s.number(MaxWindow)
			want := true
			for _, win := range m {
				n := new(big.Int).Add(win, bigInt(int64(next)-int64(initial)))
				want = want && n.Cmp(bigMax) <= 0
			}
			got := peak.Fits(next)
			if got && !want {
				t.Fatalf("Fits(%d) but a window would exceed the maximum", next)
			}
			if !got { // the bound may be stale: the walk makes it exact
				peak = Peak{}
				for k := range w {
					peak.Note(&w[k])
				}
				got = peak.Fits(next)
			}
			// A stream that will be opened has delta 0, and next itself is at most the maximum.
			if got != want {
				t.Fatalf("Fits(%d) after a walk = %v, want %v", next, got, want)
			}
			if want {
				for _, win := range m {
					win.Add(win, bigInt(int64(next)-int64(initial)))
				}
				initial = next
			}
		case 4: // the stream ends, another begins
			w[i], m[i] = Send{}, bigInt(int64(initial))
		}
		for k := range w {
			if got := bigInt(w[k].Available(initial)); got.Cmp(m[k]) != 0 {
				t.Fatalf("window %d is %v, want %v", k, got, m[k])
			}
			if got := bigInt(int64(initial) + w[k].Delta()); got.Cmp(m[k]) != 0 {
				t.Fatalf("initial + Delta of %d is %v, want %v", k, got, m[k])
			}
			if m[k].CmpAbs(bigMax) > 0 {
				t.Fatalf("window %d left its range: %v", k, m[k])
			}
		}
	}
}

// modelRecv plays the peer: it knows what it was told and what it sent, and nothing else.
func modelRecv(t *testing.T, s *script) {
	announced, target := s.number(MaxWindow), s.number(1<<32-1)
	var w Recv
	w.Init(announced, target)
	target = min(target, MaxWindow)

	told := bigInt(int64(announced)) // initial window + every update announced
	received, returned := new(big.Int), new(big.Int)
	for s.more() {
		view := new(big.Int).Sub(told, received)
		switch s.octet() % 8 {
		case 0, 1, 2:
			n := int(s.number(MaxWindow))
			if room := w.Available(); room > 0 && s.octet()%4 != 0 {
				n = int(int64(n) % (room + 1))
			}
			want := n == 0 || bigInt(int64(n)).Cmp(view) <= 0
			if got := w.Receive(n); got != want {
				t.Fatalf("Receive(%d) of a window of %v = %v", n, view, got)
			}
			if want {
				received.Add(received, bigInt(int64(n)))
			}
		case 3, 4:
			n := int64(s.number(MaxWindow))
			open := new(big.Int).Sub(received, returned).Int64()
			if open > 0 && s.octet()%4 != 0 {
				n %= open + 1
			}
			w.Return(int(n)) // more than is outstanding is no credit
			returned.Add(returned, bigInt(min(n, open)))
		case 5:
			pending := w.Pending()
			inc := w.Update()
			if pending != (inc > 0) {
				t.Fatalf("Pending %v, then Update %d", pending, inc)
			}
			if inc > 0 && 2*uint64(inc) < uint64(target) && inc < 1<<20 {
				t.Fatalf("Update %d for a target of %d", inc, target)
			}
			told.Add(told, bigInt(int64(inc)))
			if w.Update() != 0 {
				t.Fatal("a second Update announced more")
			}
		case 6:
			n := s.number(1<<32 - 1)
			w.Resize(n)
			target = min(n, MaxWindow)
			if w.Target() != target {
				t.Fatalf("Target %d, want %d", w.Target(), target)
			}
		case 7:
			up, down := int64(s.number(MaxWindow)), int64(s.number(MaxWindow))
			d := up - down
			sum := new(big.Int).Add(view, bigInt(d))
			want := sum.Cmp(bigMax) <= 0
			if sum.Cmp(new(big.Int).Neg(bigMax)) < 0 {
				break // settings range from 0 to the maximum, so shifts do not add up to this
			}
			if got := w.Shift(d); got != want {
				t.Fatalf("Shift(%d) of a window of %v = %v", d, view, got)
			}
			if want {
				told.Add(told, bigInt(d))
			}
		}
		view.Sub(told, received)
		if got := bigInt(w.Available()); got.Cmp(view) != 0 {
			t.Fatalf("Available %v; the peer was told %v and sent %v", got, told, received)
		}
		if view.Cmp(bigMax) > 0 {
			t.Fatalf("the peer's view is %v", view)
		}
		open := new(big.Int).Sub(received, returned)
		if got := bigInt(w.Outstanding()); got.Cmp(open) != 0 {
			t.Fatalf("outstanding %v, want %v", got, open)
		}
		// No stall: unless the peer has more than half of the target, counting what we hold, there is
		// something to announce.
		held := new(big.Int).Add(view, open)
		if held.Lsh(held, 1).Cmp(bigInt(int64(target))) <= 0 && target > 0 && !w.Pending() {
			t.Fatalf("nothing to announce: target %d, peer %v, held %v", target, view, open)
		}
	}
}

// modelBudget holds the credit that came out against its definition.
func modelBudget(t *testing.T, s *script) {
	var b Budget
	var buffered, limit, received, credited int64
	lowered := false
	for s.more() {
		var credit int
		switch s.octet() % 5 {
		case 0, 1:
			n := int(s.number(1 << 16))
			credit = b.Received(n)
			buffered, received = buffered+int64(n), received+int64(n)
		case 2, 3:
			n := int(s.number(1 << 16))
			credit = b.Consumed(n)
			buffered -= min(int64(n), buffered)
		case 4:
			n := int64(s.number(1<<18)) - 8
			credit = b.SetLimit(n)
			lowered = lowered || max(n, 0) < limit && buffered > max(n, 0)
			limit = max(n, 0)
		}
		if credit < 0 {
			t.Fatalf("credit %d", credit)
		}
		credited += int64(credit)

		withheld := max(0, buffered-limit)
		if b.Withheld() != withheld || b.Buffered() != buffered {
			t.Fatalf("buffered %d, withheld %d; want %d, %d", b.Buffered(), b.Withheld(), buffered, withheld)
		}
		// received - credited is what is really held back. It is withheld, less the credit that was out
		// when a limit was lowered.
		real := received - credited
		if real < 0 || real > withheld {
			t.Fatalf("%d octets are not credited, withheld is %d", real, withheld)
		}
		if !lowered && real != withheld {
			t.Fatalf("%d octets are not credited, withheld is %d and no limit was lowered", real, withheld)
		}
		if real < withheld && credit > 0 {
			t.Fatalf("credit %d while in debt", credit)
		}
		if withheld == 0 {
			lowered = false
		}
	}
	credit := b.Consumed(int(b.Buffered()))
	if credited += int64(credit); credited != received {
		t.Fatalf("all is consumed: received %d, credited %d", received, credited)
	}
}

var models = []struct {
	name string
	run  func(*testing.T, *script)
}{
	{"Send", modelSend},
	{"Recv", modelRecv},
	{"Budget", modelBudget},
	{"Connection", modelConnection},
}

func TestModels(t *testing.T) {
	for _, m := range models {
		t.Run(m.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				m.run(t, randomScript(r, 1+r.IntN(6000)))
			}
		})
	}
}

func FuzzModels(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range models {
		f.Add(uint8(i), randomScript(r, 200).b)
	}
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		models[int(i)%len(models)].run(t, &script{b})
	})
}

// modelConnection joins the three as a connection does: DATA of several streams passes both windows, the
// budget returns the connection's credit, consumption the stream's. At the end, when all is consumed,
// nothing is missing.
func modelConnection(t *testing.T, s *script) {
	const (
		streams = 4
		window  = 1 << 16
		target  = 1 << 18
		limit   = 1 << 17
	)
	type side struct {
		recv     Recv
		view     int64 // what the peer believes it may send
		buffered int
	}
	var (
		st     [streams]side
		recv   Recv
		view   int64 = 65535
		budget Budget
		total  int64
	)
	recv.Init(65535, target)
	recv.Return(budget.SetLimit(limit))
	for i := range st {
		st[i].recv.Init(window, window)
		st[i].view = window
	}
	for s.more() {
		x := &st[int(s.octet())%streams]
		switch s.octet() % 4 {
		case 0, 1: // DATA with pad octets of padding
			pad := int(s.octet())
			n := min(int(s.number(1<<14)), int(min(x.view, view))-pad)
			if n < 0 {
				break
			}
			if !recv.Receive(n+pad) || !x.recv.Receive(n+pad) {
				t.Fatal("the peer kept to what it was told and overran a window")
			}
			x.view, view = x.view-int64(n+pad), view-int64(n+pad)
			recv.Return(pad + budget.Received(n))
			x.recv.Return(pad)
			x.buffered += n
		case 2: // the application reads
			n := min(int(s.number(1<<15)), x.buffered)
			x.buffered -= n
			x.recv.Return(n)
			recv.Return(budget.Consumed(n))
		case 3: // WINDOW_UPDATE frames leave
			x.view += int64(x.recv.Update())
			view += int64(recv.Update())
		}
		if x.view != x.recv.Available() || view != recv.Available() {
			t.Fatalf("views %d, %d; want %d, %d", x.view, view, x.recv.Available(), recv.Available())
		}
		total = 0
		for i := range st {
			total += int64(st[i].buffered)
		}
		if total != budget.Buffered() || total > limit+target {
			t.Fatalf("%d octets are buffered; the budget has %d", total, budget.Buffered())
		}
	}
	for i := range st {
		st[i].recv.Return(st[i].buffered)
		recv.Return(budget.Consumed(st[i].buffered))
		if got := st[i].recv.Outstanding(); got != 0 {
			t.Fatalf("stream %d leaks %d octets of credit", i, got)
		}
	}
	if got := recv.Outstanding(); got != 0 {
		t.Fatalf("the connection leaks %d octets of credit", got)
	}
}
