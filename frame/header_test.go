package frame

import (
	"encoding/hex"
	"fmt"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func TestRFC9113_4_1_Header(t *testing.T) {
	tests := []struct {
		octets string
		want   Header
	}{
		{"000000000000000000", Header{}},
		{"00000d010400000001", Header{13, TypeHeaders, FlagEndHeaders, 1}},
		{"0000140008000000ff", Header{20, TypeData, FlagPadded, 255}},
		{"010203100112345678", Header{0x010203, TypePriorityUpdate, 1, 0x12345678}},
		{"ffffffffff7fffffff", Header{MaxMaxFrameSize, 0xff, 0xff, MaxStreamID}},
	}
	for _, tt := range tests {
		b, err := hex.DecodeString(tt.octets)
		if err != nil {
			t.Fatal(err)
		}
		if got := ParseHeader(append(b, 0xaa)); got != tt.want {
			t.Errorf("ParseHeader(%s) = %+v, want %+v", tt.octets, got, tt.want)
		}
		if got := hex.EncodeToString(AppendHeader(nil, tt.want)); got != tt.octets {
			t.Errorf("AppendHeader(%+v) = %s, want %s", tt.want, got, tt.octets)
		}
	}
	if n := unsafe.Sizeof(Header{}); n != 12 {
		t.Errorf("Header has %d octets, want 12", n)
	}
}

// The reserved bit is ignored when receiving and unset when sending, whatever
// the type.
func TestRFC9113_4_1_ReservedBit(t *testing.T) {
	for typ := range 256 {
		b := []byte{0, 0, 8, byte(typ), 0xff, 0x80, 0, 0, 5}
		h := ParseHeader(b)
		if h.StreamID != 5 {
			t.Errorf("%v: stream %d, want 5", Type(typ), h.StreamID)
		}
		h.StreamID |= 1 << 31
		if b := AppendHeader(nil, h); b[5] != 0 {
			t.Errorf("%v: reserved bit sent: %x", Type(typ), b)
		}
	}
}

// specCheck is Check once more, written from the RFC's sentences type by type
// instead of a table.
func specCheck(h Header, max uint32) *Error {
	connErr := func(c ErrCode, r Reason) *Error { return &Error{ConnectionScope, c, r} }
	size := connErr(FrameSizeError, ReasonFrameLength)
	if h.Length > max { // 4.2
		return connErr(FrameSizeError, ReasonFrameTooLarge)
	}
	need := uint32(0)
	needStream, needZero := false, false
	switch h.Type {
	case TypeData: // 6.1
		needStream = true
		if h.Flags&FlagPadded != 0 {
			need = 1
		}
	case TypeHeaders: // 6.2
		needStream = true
		if h.Flags&FlagPadded != 0 {
			need = 1
		}
		if h.Flags&FlagPriority != 0 {
			need += 5
		}
	case TypePriority: // 6.3
		needStream = true
		if h.Length != 5 && h.StreamID == 0 {
			return size
		}
		if h.Length != 5 {
			return &Error{StreamScope, FrameSizeError, ReasonFrameLength}
		}
	case TypeRSTStream: // 6.4
		needStream = true
		if h.Length != 4 {
			return size
		}
	case TypeSettings: // 6.5
		needZero = true
		if h.Flags&FlagAck != 0 && h.Length != 0 || h.Length%6 != 0 {
			return size
		}
	case TypePushPromise: // 6.6
		needStream = true
		need = 4
		if h.Flags&FlagPadded != 0 {
			need = 5
		}
	case TypePing: // 6.7
		needZero = true
		if h.Length != 8 {
			return size
		}
	case TypeGoAway: // 6.8
		needZero = true
		need = 8
	case TypeWindowUpdate: // 6.9
		if h.Length != 4 {
			return size
		}
	case TypeContinuation: // 6.10
		needStream = true
	case TypePriorityUpdate: // RFC 9218, 7.1
		needZero = true
		need = 4
	}
	if h.Length < need {
		return size
	}
	if needStream && h.StreamID == 0 || needZero && h.StreamID != 0 {
		return connErr(ProtocolError, ReasonStreamID)
	}
	return nil
}

func TestCheckExhaustive(t *testing.T) {
	lengths := []uint32{MinMaxFrameSize - 1, MinMaxFrameSize, MinMaxFrameSize + 1, 16386, MaxMaxFrameSize - 1, MaxMaxFrameSize}
	for n := range uint32(20) {
		lengths = append(lengths, n)
	}
	var combos, refused, plain int
	for typ := range 256 {
		for flags := range 256 {
			if typ > 0x20 && flags&^0x29 != 0 {
				continue // unknown types: the flags that mean something elsewhere are enough
			}
			for _, length := range lengths {
				for _, id := range []uint32{0, 1, 2, MaxStreamID} {
					for _, max := range []uint32{MinMaxFrameSize, MaxMaxFrameSize} {
						h := Header{length, Type(typ), Flags(flags), id}
						got, want := h.Check(max), specCheck(h, max)
						combos++
						if want != nil {
							refused++
						}
						if (got == nil) != (want == nil) || got != nil && *got != *want {
							t.Fatalf("%v, max %d: got %v, want %v", h, max, got, want)
						}
						if h.Plain(max) {
							plain++
							if want != nil {
								t.Fatalf("%v, max %d: plain, want %v", h, max, want)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d combinations, %d refused, %d plain", combos, refused, plain)
	if combos < 1e6 || refused < 1e5 || plain < 1e4 {
		t.Error("too few combinations: the loops are wrong")
	}
}

// The cases that implementations get wrong, spelled out.
func TestCheck(t *testing.T) {
	const (
		tooLarge = "connection error FRAME_SIZE_ERROR: frame too large"
		length   = "connection error FRAME_SIZE_ERROR: wrong frame length"
		streamID = "connection error PROTOCOL_ERROR: wrong stream identifier"
	)
	tests := []struct {
		h    Header
		max  uint32
		want string // "" passes
	}{
		// 4.2: exactly SETTINGS_MAX_FRAME_SIZE passes, one more does not, and
		// unknown types have the same limit.
		{Header{16384, TypeData, 0, 1}, 16384, ""},
		{Header{16385, TypeData, 0, 1}, 16384, tooLarge},
		{Header{16384, TypeHeaders, 0, 1}, 16384, ""},
		{Header{16385, TypeHeaders, 0, 1}, 16384, tooLarge},
		{Header{16385, TypeContinuation, 0, 1}, 16385, ""},
		{Header{16385, 0x1f, 0, 1}, 16384, tooLarge},
		{Header{16384, 0xff, 0xff, 1}, 16384, ""},
		{Header{16385, TypePriority, 0, 1}, 16384, tooLarge},
		{Header{MaxMaxFrameSize, TypeData, 0, 1}, MaxMaxFrameSize, ""},
		// 6.1, 6.2, 6.6: fields that the flags announce must be there.
		{Header{0, TypeData, 0, 1}, 16384, ""},
		{Header{0, TypeData, FlagPadded, 1}, 16384, length},
		{Header{1, TypeData, FlagPadded, 1}, 16384, ""},
		{Header{0, TypeData, FlagPriority, 1}, 16384, ""}, // not a flag of DATA
		{Header{0, TypeHeaders, FlagEndHeaders, 1}, 16384, ""},
		{Header{0, TypeHeaders, FlagPadded, 1}, 16384, length},
		{Header{4, TypeHeaders, FlagPriority, 1}, 16384, length},
		{Header{5, TypeHeaders, FlagPriority, 1}, 16384, ""},
		{Header{5, TypeHeaders, FlagPriority | FlagPadded, 1}, 16384, length},
		{Header{6, TypeHeaders, FlagPriority | FlagPadded, 1}, 16384, ""},
		{Header{3, TypePushPromise, 0, 1}, 16384, length},
		{Header{4, TypePushPromise, 0, 1}, 16384, ""},
		{Header{4, TypePushPromise, FlagPadded, 1}, 16384, length},
		{Header{5, TypePushPromise, FlagPadded, 1}, 16384, ""},
		// 6.3: the only stream error, except where there is no stream.
		{Header{4, TypePriority, 0, 1}, 16384, "stream error FRAME_SIZE_ERROR: wrong frame length"},
		{Header{6, TypePriority, 0, 1}, 16384, "stream error FRAME_SIZE_ERROR: wrong frame length"},
		{Header{4, TypePriority, 0, 0}, 16384, length},
		{Header{5, TypePriority, 0, 0}, 16384, streamID},
		// 6.5
		{Header{0, TypeSettings, 0, 0}, 16384, ""},
		{Header{0, TypeSettings, FlagAck, 0}, 16384, ""},
		{Header{6, TypeSettings, FlagAck, 0}, 16384, length},
		{Header{5, TypeSettings, 0, 0}, 16384, length},
		{Header{6, TypeSettings, 0, 1}, 16384, streamID},
		{Header{16380, TypeSettings, 0, 0}, 16384, ""},
		// The length comes before the stream identifier.
		{Header{6, TypePing, 0, 1}, 16384, length},
		{Header{8, TypePing, 0, 1}, 16384, streamID},
		{Header{5, TypeRSTStream, 0, 0}, 16384, length},
		{Header{4, TypeRSTStream, 0, 0}, 16384, streamID},
		{Header{7, TypeGoAway, 0, 1}, 16384, length},
		{Header{8, TypeGoAway, 0, 1}, 16384, streamID},
		{Header{3, TypePriorityUpdate, 0, 1}, 16384, length},
		{Header{4, TypePriorityUpdate, 0, 1}, 16384, streamID},
		// 6.9: both the connection and streams.
		{Header{4, TypeWindowUpdate, 0, 0}, 16384, ""},
		{Header{4, TypeWindowUpdate, 0, 9}, 16384, ""},
		{Header{5, TypeWindowUpdate, 0, 9}, 16384, length},
		// 6.10
		{Header{0, TypeContinuation, 0, 1}, 16384, ""},
		{Header{0, TypeContinuation, 0, 0}, 16384, streamID},
	}
	for _, tt := range tests {
		got := ""
		if err := tt.h.Check(tt.max); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.h, diff)
		}
	}
}

// What connections are made of is plain.
func TestPlain(t *testing.T) {
	for h, want := range map[Header]bool{
		{16384, TypeData, FlagEndStream, 1}:                 true,
		{16385, TypeData, FlagEndStream, 1}:                 false,
		{100, TypeData, FlagPadded, 1}:                      false,
		{50, TypeHeaders, FlagEndHeaders, MaxStreamID}:      true,
		{50, TypeHeaders, FlagEndHeaders, 0}:                false,
		{50, TypeHeaders, FlagEndHeaders | FlagPriority, 1}: false,
		{5, TypePriority, 0, 1}:                             true,
		{4, TypeRSTStream, 0, 1}:                            true,
		{0, TypeSettings, FlagAck, 0}:                       true,
		{6, TypeSettings, FlagAck, 0}:                       false,
		{8, TypePing, FlagAck, 0}:                           true,
		{9, TypePing, FlagAck, 0}:                           false,
		{8, TypeGoAway, 0, 0}:                               true,
		{4, TypeWindowUpdate, 0, 0}:                         true,
		{4, TypeWindowUpdate, 0, 3}:                         true,
		{3, TypeWindowUpdate, 0, 3}:                         false,
		{16384, TypeContinuation, 0, 1}:                     true,
		{7, TypePriorityUpdate, 0, 0}:                       true,
		{7, 0xfe, 0, 0}:                                     false,
	} {
		if h.Plain(MinMaxFrameSize) != want {
			t.Errorf("%v: plain %v, want %v", h, !want, want)
		}
	}
}

// Unknown types pass on every stream, with every flag.
func TestRFC9113_4_1_UnknownTypes(t *testing.T) {
	n := 0
	for typ := range 256 {
		if typ <= int(TypeContinuation) || typ == int(TypePriorityUpdate) {
			continue
		}
		n++
		for _, h := range []Header{{0, Type(typ), 0, 0}, {1, Type(typ), 0xff, 1}, {7, Type(typ), 0x29, MaxStreamID}} {
			if err := h.Check(MinMaxFrameSize); err != nil {
				t.Errorf("%v: %v", h, err)
			}
		}
		if want := fmt.Sprintf("UNKNOWN(0x%02x)", typ); Type(typ).String() != want {
			t.Errorf("Type(%d).String() = %q, want %q", typ, Type(typ), want)
		}
	}
	if n != 245 {
		t.Errorf("%d unknown types, want 245", n)
	}
}
