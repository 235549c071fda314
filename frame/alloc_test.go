package frame

import "testing"

var sink struct {
	n   int
	h   Header
	err *Error
}

// Per-frame paths allocate nothing: reading, the errors included, and writing
// into a slice that has room.
func TestZeroAllocs(t *testing.T) {
	wire := make([]byte, 0, 4096)
	for _, tt := range roundTrips {
		wire = tt.append(wire)
	}
	t.Run("read", func(t *testing.T) { wantZeroAllocs(t, func() { readAll(wire) }) })

	bad := [][]byte{
		AppendFrame(nil, TypePing, 0, 1, []byte("12345678")),
		AppendFrame(nil, TypePriority, 0, 1, nil),
		AppendFrame(nil, TypeData, FlagPadded, 1, []byte("\x09")),
		AppendFrame(nil, TypeHeaders, FlagPriority, 1, []byte("\x00\x00\x00\x01\x00")),
		AppendWindowUpdate(nil, 1, 0),
		AppendSettings(nil, Setting{SettingEnablePush, 2}),
		AppendPushPromise(nil, 1, PushPromise{PromisedID: 3}, -1, true),
		AppendPriorityUpdate(nil, 0, ""),
	}
	t.Run("errors", func(t *testing.T) {
		wantZeroAllocs(t, func() {
			for _, b := range bad {
				if readAll(b); sink.err == nil {
					t.Fatalf("no error: %x", b)
				}
			}
		})
	})

	dst := make([]byte, 0, 4096)
	for _, tt := range roundTrips {
		t.Run("append "+tt.name, func(t *testing.T) {
			wantZeroAllocs(t, func() { sink.n = len(tt.append(dst)) })
		})
	}

	block := pattern(1000)
	t.Run("split", func(t *testing.T) {
		wantZeroAllocs(t, func() { sink.n = len(AppendHeaders(dst, 1, block, true, 100)) })
	})
	t.Run("FrameHeaders", func(t *testing.T) {
		wantZeroAllocs(t, func() {
			b := append(dst[:HeaderLen], block...)
			sink.n = len(FrameHeaders(b, 0, 1, true, 100))
		})
	})
	t.Run("text", func(t *testing.T) {
		wantZeroAllocs(t, func() {
			for b := wire[:]; len(b) > 0; {
				h := ParseHeader(b)
				b = b[HeaderLen:]
				if h.Type != 0xbe { // only unknown numbers are formatted
					sink.n = len(AppendText(dst, h, b[:h.Length]))
				}
				b = b[h.Length:]
			}
		})
	})
}

func wantZeroAllocs(t *testing.T, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// readAll reads every frame of b, as a connection does.
func readAll(b []byte) {
	for len(b) > 0 {
		h := ParseHeader(b)
		p := b[HeaderLen : HeaderLen+h.Length]
		b = b[HeaderLen+h.Length:]
		sink.h = h
		if sink.err = h.Check(MinMaxFrameSize); sink.err != nil {
			return
		}
		switch h.Type {
		case TypeData:
			var d []byte
			d, sink.err = ParseData(h, p)
			sink.n += len(d)
		case TypeHeaders:
			var hd Headers
			hd, sink.err = ParseHeaders(h, p)
			sink.n += len(hd.Block)
		case TypePriority:
			_, sink.err = ParsePriority(h, p)
		case TypeRSTStream:
			sink.n += int(ParseRSTStream(p))
		case TypeSettings:
			for s := range ParseSettings(p).All() {
				if err := s.Check(); err != nil {
					sink.err = err
				}
			}
		case TypePushPromise:
			_, sink.err = ParsePushPromise(h, p)
		case TypePing:
			sink.n += int(ParsePing(p)[0])
		case TypeGoAway:
			sink.n += len(ParseGoAway(p).Debug)
		case TypeWindowUpdate:
			var inc uint32
			inc, sink.err = ParseWindowUpdate(h, p)
			sink.n += int(inc)
		case TypePriorityUpdate:
			_, sink.err = ParsePriorityUpdate(h, p)
		}
	}
}
