package conn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

const tick = time.Millisecond

// link joins a client and a server by a path with a bandwidth and a delay, on a
// virtual clock that goes by ticks.
type link struct {
	t      *testing.T
	now    time.Duration
	rate   int           // octets a tick, each way
	way    time.Duration // from one end to the other
	client *end
	server *end
}

// end is one end of a link: a pure Conn, and an application that sends without
// an end and reads at once.
type end struct {
	conn    *conn.Conn
	out     []byte         // sent and not on the path yet
	path    map[int][]byte // what arrives here, by tick
	streams []conn.Ref     // to send on
	got     map[uint32]int // octets of payload received, by stream
	stalled map[uint32]bool
	batch   conn.Batch
	zeros   []byte
}

func newLink(t *testing.T, rate int, rtt time.Duration) *link {
	l := &link{t: t, rate: rate, way: rtt / 2}
	for _, x := range []struct {
		e    **end
		role conn.Role
	}{{&l.client, conn.Client}, {&l.server, conn.Server}} {
		*x.e = &end{
			conn: conn.New(conn.Config{Role: x.role}, 0), path: map[int][]byte{},
			got: map[uint32]int{}, stalled: map[uint32]bool{}, zeros: make([]byte, 1<<20),
		}
	}
	return l
}

// open starts n requests without an end and lets the responses begin.
func (l *link) open(n int) {
	l.t.Helper()
	for range n {
		var f hpack.Fields
		f.AddToken(hpack.TokenMethod, "POST")
		f.AddToken(hpack.TokenScheme, "http")
		f.AddToken(hpack.TokenPath, "/")
		f.AddToken(hpack.TokenAuthority, "a")
		r, err := l.client.conn.Open(l.now, &f, false)
		if err != nil {
			l.t.Fatal(err)
		}
		l.client.streams = append(l.client.streams, r)
	}
	l.run(2 * l.way)
}

// run lets time pass.
func (l *link) run(d time.Duration) {
	l.t.Helper()
	for until := l.now + d; l.now < until; l.now += tick {
		l.move(l.client, l.server)
		l.move(l.server, l.client)
	}
}

// fill keeps n octets queued on each stream that sends.
func (e *end) fill(n int) {
	for _, r := range e.streams {
		if k := n - e.conn.QueuedFor(r); k > 0 {
			e.conn.Queue(r, k, false)
		}
	}
}

// move sends a tick's worth from one end, and takes in what arrives at the other.
func (l *link) move(from, to *end) {
	l.t.Helper()
	for from.conn.WantEmit() && len(from.out) < 2*l.rate {
		from.batch = conn.Batch{Buf: from.batch.Buf[:0], Cuts: from.batch.Cuts[:0]}
		from.conn.Emit(l.now, &from.batch, 64<<10)
		at := 0
		for _, c := range from.batch.Cuts {
			from.out = append(append(from.out, from.batch.Buf[at:c.At]...), from.zeros[:c.N]...)
			at = c.At
		}
		from.out = append(from.out, from.batch.Buf[at:]...)
	}
	n := min(l.rate, len(from.out))
	if n > 0 {
		to.path[int((l.now+l.way)/tick)] = append([]byte(nil), from.out[:n]...)
		from.out = append(from.out[:0], from.out[n:]...)
	}
	slot := int(l.now / tick)
	l.receive(to, to.path[slot])
	delete(to.path, slot)
}

func (l *link) receive(e *end, b []byte) {
	l.t.Helper()
	var f hpack.Fields
	for len(b) > 0 {
		ev, n, err := e.conn.Next(l.now, b, &f)
		if err != nil {
			l.t.Fatal(err)
		}
		b = b[n:]
		switch ev.Kind {
		case conn.Headers:
			if e == l.server {
				var f hpack.Fields
				f.AddToken(hpack.TokenStatus, "200")
				e.conn.Headers(ev.Ref, &f, false)
				e.streams = append(e.streams, ev.Ref)
			}
		case conn.Data:
			e.got[ev.Ref.ID] += len(ev.Data)
			if !e.stalled[ev.Ref.ID] {
				e.conn.Consumed(ev.Ref, len(ev.Data))
			}
		case conn.Reset:
			l.t.Fatalf("reset: %v", ev)
		}
	}
}

func (e *end) total() (n int) {
	for _, k := range e.got {
		n += k
	}
	return n
}

// With 100 ms and 1 Gbit/s, default limits and nothing known in advance, 90 % of
// the link are in use after 2 s, either way, and no stream gets much less than
// its share.
func TestWindowsFindTheBandwidth(t *testing.T) {
	const gigabit = 125_000_000
	for _, streams := range []int{1, 2, 10} {
		for _, up := range []bool{true, false} {
			t.Run(fmt.Sprintf("streams=%d/up=%v", streams, up), func(t *testing.T) {
				l := newLink(t, gigabit/int(time.Second/tick), 100*time.Millisecond)
				l.open(streams)
				from, to := l.client, l.server
				if !up {
					from, to = to, from
				}
				send := func(d time.Duration) {
					for end := l.now + d; l.now < end; {
						from.fill(1 << 20)
						l.run(tick)
					}
				}
				send(2*time.Second - l.now)
				before := to.total()
				send(time.Second)
				got := to.total() - before
				t.Logf("%.1f %% of the link in the third second, RTT %v, grown by %d KiB", 100*float64(got)/gigabit, to.conn.RTT(), to.conn.RecvGrown()>>10)
				if got < gigabit*90/100 {
					t.Errorf("%d octets in a second, want 90 %% of %d", got, gigabit)
				}
				if limit := conn.Limits.WithDefaults(conn.Limits{}).RecvBudget; to.conn.RecvGrown() > limit {
					t.Errorf("windows have grown by %d, the budget is %d", to.conn.RecvGrown(), limit)
				}
			})
		}
	}
}

// A slow path needs no more than what a stream begins with, or little.
func TestWindowsOfASlowPath(t *testing.T) {
	l := newLink(t, 1250, 20*time.Millisecond) // 10 Mbit/s carry 25 kB in 20 ms
	l.open(1)
	for range 5000 {
		l.client.fill(1 << 20)
		l.run(tick)
	}
	if got := l.server.conn.RecvGrown(); got > 64<<10 {
		t.Errorf("grown by %d octets", got)
	}
}

// A stream that nobody reads keeps what it holds, and no more than that from the
// 99 that are read (golang/go#54330).
func TestStalledStreamStarvesNobody(t *testing.T) {
	const rate = 125_000_000 / int(time.Second/tick)
	run := func(stalled bool) int {
		l := newLink(t, rate, 10*time.Millisecond)
		l.open(100)
		first := l.client.streams[0].ID
		l.server.stalled[first] = stalled
		for range 300 {
			l.client.fill(1 << 20)
			l.run(tick)
		}
		return l.server.total() - l.server.got[first]
	}
	free, beside := run(false), run(true)
	t.Logf("99 streams receive %d octets, %d beside a stalled one", free, beside)
	if beside < free*9/10 {
		t.Errorf("99 streams received %d octets beside a stalled one, %d without", beside, free)
	}
}
