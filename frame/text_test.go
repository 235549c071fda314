package frame

import (
	"strings"
	"testing"
)

func TestAppendText(t *testing.T) {
	tests := []struct {
		typ     Type
		flags   Flags
		id      uint32
		payload string
		want    string
	}{
		{TypeData, 0, 1, "hi", "DATA stream=1 len=2"},
		{TypeData, FlagEndStream | FlagPadded, 1, "\x01h\x00", "DATA stream=1 len=3 flags=END_STREAM|PADDED pad=1"},
		{TypeData, FlagPadded, 1, "\x09h\x00", `DATA stream=1 len=3 flags=PADDED pad=9 error=PROTOCOL_ERROR reason="padding exceeds payload"`},
		{TypeData, 0, 0, "hi", `DATA stream=0 len=2 error=PROTOCOL_ERROR reason="wrong stream identifier"`},
		{TypeHeaders, FlagEndStream | FlagEndHeaders, 1, "block", "HEADERS stream=1 len=5 flags=END_STREAM|END_HEADERS"},
		{TypeHeaders, FlagEndHeaders | FlagPadded | FlagPriority, 3, "\x02\x80\x00\x00\x14\x09b\x00\x00",
			"HEADERS stream=3 len=9 flags=END_HEADERS|PADDED|PRIORITY dep=20 weight=10 exclusive pad=2"},
		{TypeHeaders, FlagPriority, 20, "\x00\x00\x00\x14\xffb",
			`HEADERS stream=20 len=6 flags=PRIORITY dep=20 weight=256 error=PROTOCOL_ERROR reason="stream depends on itself"`},
		{TypePriority, 0, 9, "\x00\x00\x00\x0b\x07", "PRIORITY stream=9 len=5 dep=11 weight=8"},
		{TypePriority, 0, 9, "\x00", `PRIORITY stream=9 len=1 error=FRAME_SIZE_ERROR reason="wrong frame length"`},
		{TypeRSTStream, 0, 5, "\x00\x00\x00\x08", "RST_STREAM stream=5 len=4 code=CANCEL"},
		{TypeRSTStream, 0, 5, "\x00\x00\x04\x57", "RST_STREAM stream=5 len=4 code=0x457"},
		{TypeSettings, 0, 0, "\x00\x01\x00\x00\x20\x00\x00\x03\x00\x00\x00\x64\xab\xcd\x00\x00\x00\x07",
			"SETTINGS stream=0 len=18 HEADER_TABLE_SIZE=8192 MAX_CONCURRENT_STREAMS=100 UNKNOWN(0xabcd)=7"},
		{TypeSettings, 0, 0, "\x00\x04\x80\x00\x00\x00\x00\x02\x00\x00\x00\x02",
			`SETTINGS stream=0 len=12 INITIAL_WINDOW_SIZE=2147483648 ENABLE_PUSH=2 error=FLOW_CONTROL_ERROR reason="setting value out of range"`},
		{TypeSettings, FlagAck, 0, "", "SETTINGS stream=0 len=0 flags=ACK"},
		{TypePushPromise, FlagEndHeaders, 1, "\x00\x00\x00\x02b", "PUSH_PROMISE stream=1 len=5 flags=END_HEADERS promised=2"},
		{TypePushPromise, 0, 1, "\x00\x00\x00\x00", `PUSH_PROMISE stream=1 len=4 promised=0 error=PROTOCOL_ERROR reason="wrong promised stream identifier"`},
		{TypePushPromise, FlagPadded, 1, "\x01\x00\x00\x00\x02", `PUSH_PROMISE stream=1 len=5 flags=PADDED pad=1 error=PROTOCOL_ERROR reason="padding exceeds payload"`},
		{TypePing, FlagAck, 0, "deadbeef", "PING stream=0 len=8 flags=ACK data=6465616462656566"},
		{TypeGoAway, 0, 0, "\x00\x00\x00\x1e\x00\x00\x00\x09hpack is broken", `GOAWAY stream=0 len=23 last=30 code=COMPRESSION_ERROR debug="hpack is broken"`},
		{TypeGoAway, 0, 0, "\x7f\xff\xff\xff\x00\x00\x00\x00", "GOAWAY stream=0 len=8 last=2147483647 code=NO_ERROR"},
		{TypeGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00\"a\\\n\x7f\xff", `GOAWAY stream=0 len=14 last=0 code=NO_ERROR debug="\"a\\\x0a\x7f\xff"`},
		{TypeWindowUpdate, 0, 50, "\x00\x00\x03\xe8", "WINDOW_UPDATE stream=50 len=4 increment=1000"},
		{TypeWindowUpdate, 0, 0, "\x00\x00\x00\x00", `WINDOW_UPDATE stream=0 len=4 increment=0 error=PROTOCOL_ERROR reason="window increment of zero"`},
		{TypeContinuation, FlagEndHeaders | FlagPadded | FlagEndStream, 1, "b", "CONTINUATION stream=1 len=1 flags=END_HEADERS|0x09"},
		{TypePriorityUpdate, 0, 0, "\x00\x00\x00\x05u=1, i", `PRIORITY_UPDATE stream=0 len=10 prioritized=5 value="u=1, i"`},
		{0x1f, 0x81, 7, "x", "UNKNOWN(0x1f) stream=7 len=1 flags=0x81"},
	}
	for _, tt := range tests {
		h, p := frameOf(tt.typ, tt.flags, tt.id, tt.payload)
		if got := string(AppendText([]byte("> "), h, p)); got != "> "+tt.want {
			t.Errorf("got  %s\nwant > %s", got, tt.want)
		}
	}
}

// Without its payload a frame is its header.
func TestHeaderString(t *testing.T) {
	h := Header{24, TypeHeaders, FlagEndStream | FlagEndHeaders, 1}
	const want = "HEADERS stream=1 len=24 flags=END_STREAM|END_HEADERS"
	if got := h.String(); got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
	if got := string(AppendText(nil, h, nil)); got != want {
		t.Errorf("AppendText without payload = %s, want %s", got, want)
	}
	if got := string(AppendText(nil, h, make([]byte, 25))); got != want {
		t.Errorf("AppendText with a longer payload = %s, want %s", got, want)
	}
}

// Each of the 256 flag octets of each type prints all its bits once.
func TestTextFlags(t *testing.T) {
	for typ := range 32 {
		for f := range 256 {
			s := string(appendFlags(nil, Type(typ), Flags(f)))
			var back Flags
			for word := range strings.SplitSeq(s, "|") {
				switch word {
				case "END_STREAM", "ACK":
					back |= FlagEndStream
				case "END_HEADERS":
					back |= FlagEndHeaders
				case "PADDED":
					back |= FlagPadded
				case "PRIORITY":
					back |= FlagPriority
				case "":
				default:
					n, err := ParseErrCode(word)
					if err != nil {
						t.Fatalf("%v %#x prints %q", Type(typ), f, s)
					}
					if Flags(n)&definedFlags(Type(typ)) != 0 {
						t.Fatalf("%v %#x prints %q: a defined flag as a number", Type(typ), f, s)
					}
					back |= Flags(n)
				}
			}
			if back != Flags(f) {
				t.Fatalf("%v %#x prints %q", Type(typ), f, s)
			}
		}
	}
}

// What the peer sends cannot make a line long or break it.
func TestTextBounds(t *testing.T) {
	const debug, extra = MaxMaxFrameSize / 64, 8
	h, p := frameOf(TypeGoAway, 0, 0, strings.Repeat("\n", debug+extra))
	got := string(AppendText(nil, h, p))
	if len(got) > 700 || strings.Contains(got, "\n") || !strings.HasSuffix(got, `"...`) {
		t.Errorf("%d octets: %s", len(got), got)
	}
	h, p = frameOf(TypeSettings, 0, 0, strings.Repeat("\xff\xff\xff\xff\xff\xff", 2730))
	got = string(AppendText(nil, h, p))
	if len(got) > 1200 || !strings.HasSuffix(got, " and 2698 more") {
		t.Errorf("%d octets: %s", len(got), got)
	}
	// A bad value among those that are not printed is still named.
	h, p = frameOf(TypeSettings, 0, 0, strings.Repeat("\xff\xff\xff\xff\xff\xff", 40)+"\x00\x02\x00\x00\x00\x02")
	if got := string(AppendText(nil, h, p)); !strings.Contains(got, "error=PROTOCOL_ERROR") {
		t.Error(got)
	}
}

func TestFlagNames(t *testing.T) {
	for h, want := range map[Header]string{
		{Type: TypeHeaders, Flags: FlagEndStream | FlagEndHeaders}: "END_STREAM|END_HEADERS",
		{Type: TypePing, Flags: FlagAck | 0x40}:                    "ACK|0x40",
		{Type: TypeRSTStream}:                                      "",
	} {
		if got := h.FlagNames(); got != want {
			t.Errorf("%v: %q, want %q", h, got, want)
		}
	}
}
