package frame

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

type roundTrip struct {
	name   string
	typ    Type
	append func([]byte) []byte
	want   string // hexadecimal
	value  any
}

func (r roundTrip) wire() []byte { return r.append(nil) }

// roundTrips has every Append function once or more, with the octets that the
// RFC's drawings give and the value that the type's Parse function must return.
var roundTrips = []roundTrip{
	{"DATA", TypeData, func(b []byte) []byte { return AppendData(b, 1, []byte("hi"), false) },
		"000002 00 00 00000001 6869", []byte("hi")},
	{"DATA with END_STREAM", TypeData, func(b []byte) []byte { return AppendData(b, MaxStreamID, nil, true) },
		"000000 00 01 7fffffff", []byte{}},
	{"DATA header", TypeData, func(b []byte) []byte { return append(AppendDataHeader(b, 3, 2, true), "ab"...) },
		"000002 00 01 00000003 6162", []byte("ab")},
	{"DATA padded", TypeData, func(b []byte) []byte { return AppendDataPadded(b, 1, []byte("hi"), 3, true) },
		"000006 00 09 00000001 03 6869 000000", []byte("hi")},
	{"DATA padded by nothing", TypeData, func(b []byte) []byte { return AppendDataPadded(b, 1, []byte("hi"), 0, false) },
		"000003 00 08 00000001 00 6869", []byte("hi")},
	{"HEADERS", TypeHeaders, func(b []byte) []byte { return AppendHeaders(b, 1, []byte("\x82\x84"), true, 0) },
		"000002 01 05 00000001 8284", Headers{Block: []byte("\x82\x84")}},
	{"HEADERS frame", TypeHeaders, func(b []byte) []byte {
		return AppendHeadersFrame(b, 1, Headers{Block: []byte("\x82")}, -1, FlagEndStream)
	}, "000001 01 01 00000001 82", Headers{Block: []byte("\x82")}},
	{"HEADERS frame in full", TypeHeaders, func(b []byte) []byte {
		return AppendHeadersFrame(b, 3, Headers{[]byte("\x82"), true, Priority{20, true, 9}}, 2, FlagEndHeaders)
	}, "000009 01 2c 00000003 02 80000014 09 82 0000", Headers{[]byte("\x82"), true, Priority{20, true, 9}}},
	{"PRIORITY", TypePriority, func(b []byte) []byte { return AppendPriority(b, 9, Priority{11, false, 7}) },
		"000005 02 00 00000009 0000000b 07", Priority{11, false, 7}},
	{"RST_STREAM", TypeRSTStream, func(b []byte) []byte { return AppendRSTStream(b, 5, Cancel) },
		"000004 03 00 00000005 00000008", Cancel},
	{"SETTINGS", TypeSettings, func(b []byte) []byte {
		return AppendSettings(b, Setting{SettingHeaderTableSize, 8192}, Setting{SettingMaxConcurrentStreams, 5000})
	}, "00000c 04 00 00000000 0001 00002000 0003 00001388", Settings("\x00\x01\x00\x00\x20\x00\x00\x03\x00\x00\x13\x88")},
	{"SETTINGS without settings", TypeSettings, func(b []byte) []byte { return AppendSettings(b) },
		"000000 04 00 00000000", Settings{}},
	{"SETTINGS ack", TypeSettings, AppendSettingsAck,
		"000000 04 01 00000000", Settings{}},
	{"PUSH_PROMISE", TypePushPromise, func(b []byte) []byte {
		return AppendPushPromise(b, 1, PushPromise{2, []byte("\x82")}, -1, true)
	}, "000005 05 04 00000001 00000002 82", PushPromise{2, []byte("\x82")}},
	{"PUSH_PROMISE padded", TypePushPromise, func(b []byte) []byte {
		return AppendPushPromise(b, 1, PushPromise{2, []byte("\x82")}, 1, false)
	}, "000007 05 08 00000001 01 00000002 82 00", PushPromise{2, []byte("\x82")}},
	{"PING", TypePing, func(b []byte) []byte { return AppendPing(b, false, [8]byte([]byte("deadbeef"))) },
		"000008 06 00 00000000 6465616462656566", [8]byte([]byte("deadbeef"))},
	{"PING ack", TypePing, func(b []byte) []byte { return AppendPing(b, true, [8]byte{7: 1}) },
		"000008 06 01 00000000 0000000000000001", [8]byte{7: 1}},
	{"GOAWAY", TypeGoAway, func(b []byte) []byte { return AppendGoAway(b, 30, CompressionError, "oh") },
		"00000a 07 00 00000000 0000001e 00000009 6f68", GoAway{30, CompressionError, []byte("oh")}},
	{"WINDOW_UPDATE", TypeWindowUpdate, func(b []byte) []byte { return AppendWindowUpdate(b, 50, 1000) },
		"000004 08 00 00000032 000003e8", uint32(1000)},
	{"WINDOW_UPDATE of the connection", TypeWindowUpdate, func(b []byte) []byte { return AppendWindowUpdate(b, 0, MaxWindow) },
		"000004 08 00 00000000 7fffffff", uint32(MaxWindow)},
	{"CONTINUATION", TypeContinuation, func(b []byte) []byte { return AppendContinuation(b, 1, []byte("\x82"), true) },
		"000001 09 04 00000001 82", []byte("\x82")},
	{"CONTINUATION, not the last", TypeContinuation, func(b []byte) []byte { return AppendContinuation(b, 1, nil, false) },
		"000000 09 00 00000001", []byte{}},
	{"PRIORITY_UPDATE", TypePriorityUpdate, func(b []byte) []byte { return AppendPriorityUpdate(b, 5, "u=1") },
		"000007 10 00 00000000 00000005 753d31", PriorityUpdate{5, []byte("u=1")}},
	{"unknown", 0xbe, func(b []byte) []byte { return AppendFrame(b, 0xbe, 0xff, 7, []byte("any")) },
		"000003 be ff 00000007 616e79", []byte("any")},
}

func TestAppend(t *testing.T) {
	for _, tt := range roundTrips {
		t.Run(tt.name, func(t *testing.T) {
			want, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(tt.want), []byte(" "), nil)))
			if err != nil {
				t.Fatal(err)
			}
			got := tt.append([]byte("before"))
			if !bytes.HasPrefix(got, []byte("before")) {
				t.Fatalf("what was in dst is gone: %x", got)
			}
			if got = got[6:]; !bytes.Equal(got, want) {
				t.Fatalf("got  %x\nwant %x", got, want)
			}
			h, p, rest := splitFrame(t, got)
			if len(rest) != 0 {
				t.Errorf("%d octets after the frame", len(rest))
			}
			v, e := parse(h, p, MinMaxFrameSize)
			if e != nil {
				t.Fatal(e)
			}
			if diff := cmp.Diff(tt.value, v, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("parsed (-want +got):\n%s", diff)
			}
			if again := encode(nil, h, v, padOf(h, p)); !bytes.Equal(again, want) {
				t.Errorf("encoded again %x\nwant          %x", again, want)
			}
		})
	}
}

// Every type has its row.
func TestAppendCoversTypes(t *testing.T) {
	seen := map[Type]bool{}
	for _, tt := range roundTrips {
		seen[tt.typ] = true
	}
	for typ, s := range typeNames {
		if s != "" && !seen[Type(typ)] {
			t.Errorf("no row for %s", s)
		}
	}
}

// 31-bit fields are cut, so that reserved bits are never sent.
func TestAppendReservedBits(t *testing.T) {
	const all = 1<<32 - 1
	block := []byte("\x82")
	for _, b := range [][]byte{
		AppendData(nil, all, nil, false),
		AppendHeaders(nil, all, block, false, 0),
		AppendHeadersFrame(nil, all, Headers{Block: block}, -1, 0),
		AppendPriority(nil, all, Priority{Dependency: all}),
		AppendRSTStream(nil, all, NoError),
		AppendPushPromise(nil, all, PushPromise{PromisedID: all}, -1, true),
		AppendGoAway(nil, all, NoError, ""),
		AppendWindowUpdate(nil, all, all),
		AppendContinuation(nil, all, block, true),
		AppendPriorityUpdate(nil, all, ""),
	} {
		if b[5]&0x80 != 0 {
			t.Errorf("reserved bit of the header: %x", b)
		}
		switch h := ParseHeader(b); h.Type {
		case TypePriority, TypePushPromise, TypeGoAway, TypeWindowUpdate, TypePriorityUpdate:
			if b[HeaderLen]&0x80 != 0 {
				t.Errorf("%v: reserved bit of the payload: %x", h, b)
			}
		}
	}
}

// Pad lengths out of range are brought into it; the frame stays well formed.
func TestAppendPadRange(t *testing.T) {
	for pad, want := range map[int]int{-1: 0, 0: 0, 1: 1, 255: 255, 256: 255, 1 << 20: 255} {
		h, p, rest := splitFrame(t, AppendDataPadded(nil, 1, []byte("hi"), pad, false))
		d, err := ParseData(h, p)
		if err != nil || string(d) != "hi" || int(p[0]) != want || len(p) != 3+want || len(rest) != 0 {
			t.Errorf("pad %d: %v, data %q, error %v", pad, h, d, err)
		}
		if bytes.Count(p[3:], []byte{0}) != want {
			t.Errorf("pad %d: padding is not all zero: %x", pad, p)
		}
	}
	for _, pad := range []int{0, 255, 300} {
		b := AppendHeadersFrame(nil, 1, Headers{Block: []byte("b")}, pad, FlagEndHeaders)
		h, p, rest := splitFrame(t, b)
		if hd, err := ParseHeaders(h, p); err != nil || string(hd.Block) != "b" || len(rest) != 0 {
			t.Errorf("pad %d: %v, block %q, error %v", pad, h, hd.Block, err)
		}
	}
	// PADDED and PRIORITY are set when the fields are there, whatever flags says.
	h, p, _ := splitFrame(t, AppendHeadersFrame(nil, 1, Headers{Block: []byte("b")}, -1, 0xff))
	if h.Flags.Has(FlagPadded) || h.Flags.Has(FlagPriority) || string(p) != "b" {
		t.Errorf("%v, payload %q", h, p)
	}
	// Padding is cleared even where dst holds something else beyond its length.
	dirty := bytes.Repeat([]byte{0xff}, 64)[:0]
	b := AppendDataPadded(dirty, 1, nil, 20, false)
	if bytes.Count(b[HeaderLen+1:], []byte{0}) != 20 {
		t.Errorf("padding is not all zero: %x", b)
	}
}
