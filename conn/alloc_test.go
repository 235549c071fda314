package conn_test

import (
	"testing"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// bench is a Conn that is driven without a harness, which would allocate.
// Before a test counts allocations it lets check see the octets.
type bench struct {
	tb     testing.TB
	c      *conn.Conn
	w      conn.Batch
	fields hpack.Fields
	last   conn.Event
	wire   *nonettest.Checker // nil while allocations are counted
}

func newBench(tb testing.TB, role conn.Role) *bench {
	b := &bench{tb: tb, c: conn.New(conn.Config{Role: role, Limits: conn.Limits{Requests: -1}}, 0), wire: nonettest.NewChecker(role == conn.Server)}
	b.wire.Quiet = true
	if role == conn.Server {
		b.feed([]byte(frame.Preface))
	}
	b.feed(frame.AppendSettings(nil))
	b.emit()
	b.feed(frame.AppendSettingsAck(nil))
	return b
}

// feed gives octets to Next and notes the last event.
func (b *bench) feed(p []byte) {
	for len(p) > 0 {
		ev, n, err := b.c.Next(0, p, &b.fields)
		if err != nil {
			b.tb.Fatal(err)
		}
		if b.wire != nil {
			b.wire.Input(p[:n])
		}
		if p = p[n:]; ev.Kind != conn.None {
			b.last = ev
		}
	}
}

// emit sends what there is; payload is made of zeros for the Checker.
func (b *bench) emit() {
	b.w.Reset()
	b.c.Emit(0, &b.w, 1<<16)
	for {
		if _, _, ok := b.c.Signal(); !ok {
			break
		}
	}
	if b.wire == nil {
		return
	}
	var out []byte
	at := 0
	for _, c := range b.w.Cuts {
		out = append(out, b.w.Buf[at:c.At]...)
		out = append(out, make([]byte, c.N)...)
		at = c.At
	}
	if err := b.wire.Output(append(out, b.w.Buf[at:]...)); err != nil {
		b.tb.Fatal(err)
	}
}

// wantNone asserts that f, which the Checker watches a few times first,
// allocates nothing.
func (b *bench) wantNone(t *testing.T, f func()) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for range 100 {
		f()
	}
	b.wire = nil
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAllocsPing(t *testing.T) {
	b := newBench(t, conn.Server)
	open := frame.AppendHeaders(nil, 1, []byte{0x82, 0x86, 0x84, 0x41, 1, 'a'}, false, 0)
	b.feed(open)
	b.c.Headers(b.last.Ref, nonettest.Fields("$ok"), false)
	b.emit()
	ping := frame.AppendPing(nil, false, [8]byte{1, 2, 3})
	b.wantNone(t, func() {
		b.c.Queue(b.last.Ref, 1, false) // without HEADERS or DATA in between, PINGs are charged
		b.feed(ping)
		b.c.Ping([8]byte{})
		b.emit()
		if n := len(b.w.Buf); n != 2*17+9 {
			t.Fatalf("%d octets", n)
		}
	})
}

func TestAllocsData(t *testing.T) {
	b := newBench(t, conn.Server)
	b.feed(frame.AppendHeaders(nil, 1, []byte{0x82, 0x86, 0x84, 0x41, 1, 'a'}, false, 0))
	r := b.last.Ref
	data := frame.AppendData(nil, 1, make([]byte, 16384), false)
	padded := frame.AppendDataPadded(nil, 1, make([]byte, 1000), 100, false)
	total := 0
	take := func(p []byte) {
		b.feed(p[:5]) // in pieces, as it comes
		b.feed(p[5:700])
		b.feed(p[700:])
		total += len(p)
	}
	b.wantNone(t, func() {
		take(data)
		take(padded)
		b.c.Consumed(r, 17384)
		b.emit()
	})
	if total == 0 || b.last.Kind != conn.Data {
		t.Errorf("%d octets, last event %+v", total, b.last)
	}
}

func TestAllocsWindowUpdateAndSend(t *testing.T) {
	b := newBench(t, conn.Server)
	b.feed(frame.AppendHeaders(nil, 1, []byte{0x82, 0x86, 0x84, 0x41, 1, 'a'}, true, 0))
	r := b.last.Ref
	b.c.Headers(r, nonettest.Fields("$ok"), false)
	updates := frame.AppendWindowUpdate(frame.AppendWindowUpdate(nil, 0, 40000), 1, 40000)
	sent := 0
	b.wantNone(t, func() {
		if err := b.c.Queue(r, 40000, false); err != nil {
			t.Fatal(err)
		}
		b.emit()
		sent += b.w.Payload
		b.feed(updates)
		b.emit()
		sent += b.w.Payload
	})
	if sent < 300*40000-65535 {
		t.Errorf("%d octets were sent", sent)
	}
}

func TestAllocsSettings(t *testing.T) {
	b := newBench(t, conn.Server)
	set := frame.AppendSettings(nil, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 100000}, frame.Setting{ID: frame.SettingHeaderTableSize, Value: 4096})
	b.feed(set)
	b.emit()
	b.wire = nil
	if n := testing.AllocsPerRun(40, func() { b.feed(set); b.emit() }); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

// TestAllocsServer: a whole request with content, a response with content and
// trailers.
func TestAllocsServer(t *testing.T) {
	b := newBench(t, conn.Server)
	block := []byte{0x83, 0x86, 0x44, 4, '/', 'a', '/', 'b', 0x41, 1, 'a', 0x40, 1, 'x', 3, 'o', 'n', 'e', 0x5c, 1, '5'}
	response := nonettest.Fields("$ok content-type=text/plain server=nonet x-more=of-it")
	trailers := nonettest.Fields("grpc-status=0 grpc-message=fine")
	id := uint32(1)
	var req []byte
	b.wantNone(t, func() {
		req = frame.AppendHeaders(req[:0], id, block, false, 0)
		req = frame.AppendData(req, id, []byte("hello"), true)
		id += 2
		b.feed(req)
		r := b.last.Ref
		if b.last.Kind != conn.Data || !b.last.End {
			t.Fatalf("last event %+v", b.last)
		}
		b.c.Consumed(r, 5)
		if b.c.Headers(r, response, false) != nil || b.c.Queue(r, 100, false) != nil || b.c.Trailers(r, trailers) != nil {
			t.Fatal("a command fails")
		}
		b.emit()
		b.c.Release(r)
		if b.w.Payload != 100 || len(b.w.Cuts) != 1 {
			t.Fatalf("%d octets in %d cuts", b.w.Payload, len(b.w.Cuts))
		}
		b.feed(frame.AppendWindowUpdate(req[:0], 0, 100))
	})
}

// TestAllocsClient: the same from the other side.
func TestAllocsClient(t *testing.T) {
	b := newBench(t, conn.Client)
	request := nonettest.Fields("$post content-length=5 user-agent=nonet")
	id := uint32(1)
	var in []byte
	b.wantNone(t, func() {
		r, err := b.c.Open(0, request, false)
		if err != nil || b.c.Queue(r, 5, true) != nil {
			t.Fatal(err)
		}
		b.emit()
		in = frame.AppendHeaders(in[:0], id, []byte{0x88, 0x5c, 1, '5'}, false, 0)
		in = frame.AppendData(in, id, []byte("world"), false)
		in = frame.AppendHeaders(in, id, []byte{0, 1, 'a', 1, 'b'}, true, 0)
		in = frame.AppendWindowUpdate(in, 0, 5)
		id += 2
		b.feed(in)
		if b.last.Kind != conn.Trailers {
			t.Fatalf("last event %+v", b.last)
		}
		b.c.Consumed(r, 5)
		b.c.Release(r)
	})
}

// TestAllocsResets: streams that are reset by either side.
func TestAllocsResets(t *testing.T) {
	b := newBench(t, conn.Server)
	block := []byte{0x82, 0x86, 0x84, 0x41, 1, 'a'}
	id := uint32(1)
	var in []byte
	b.wantNone(t, func() {
		in = frame.AppendHeaders(in[:0], id, block, false, 0)
		b.feed(in)
		b.c.Reset(b.last.Ref, frame.Cancel)
		b.c.Release(b.last.Ref)
		b.emit()
		in = frame.AppendData(in[:0], id, []byte("late"), false)
		b.feed(in)
		id += 2
	})
}
