package frame

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// frameOf makes a header that fits the payload.
func frameOf(t Type, f Flags, id uint32, payload string) (Header, []byte) {
	return Header{uint32(len(payload)), t, f, id}, []byte(payload)
}

const (
	errTextPadding = "connection error PROTOCOL_ERROR: padding exceeds payload"
	errTextSelf    = "stream error PROTOCOL_ERROR: stream depends on itself"
)

func TestParsePayloads(t *testing.T) {
	const prio = "\x80\x00\x00\x14\x09" // exclusive, on stream 20, weight 10
	tests := []struct {
		name    string
		typ     Type
		flags   Flags
		id      uint32
		payload string
		want    any
		err     string
	}{
		{"6.1 data", TypeData, 0, 1, "hello", []byte("hello"), ""},
		{"6.1 empty data", TypeData, FlagEndStream, 1, "", []byte{}, ""},
		{"6.1 padded", TypeData, FlagPadded, 1, "\x02hello\x00\x00", []byte("hello"), ""},
		{"6.1 padded by nothing", TypeData, FlagPadded, 1, "\x00hello", []byte("hello"), ""},
		{"6.1 nothing but padding", TypeData, FlagPadded, 1, "\x03\x00\x00\x00", []byte{}, ""},
		{"6.1 nothing but a pad length", TypeData, FlagPadded, 1, "\x00", []byte{}, ""},
		{"6.1 padding is not verified", TypeData, FlagPadded, 1, "\x02hi\xff\xff", []byte("hi"), ""},
		{"6.1 PRIORITY means nothing", TypeData, FlagPriority, 1, "hi", []byte("hi"), ""},

		{"6.2 headers", TypeHeaders, FlagEndHeaders, 1, "block", Headers{Block: []byte("block")}, ""},
		{"6.2 empty block", TypeHeaders, FlagEndHeaders, 1, "", Headers{}, ""},
		{"6.2 padded", TypeHeaders, FlagPadded, 1, "\x01block\x00", Headers{Block: []byte("block")}, ""},
		{"6.2 priority", TypeHeaders, FlagPriority, 1, prio + "block", Headers{[]byte("block"), true, Priority{20, true, 9}}, ""},
		{"6.2 priority only", TypeHeaders, FlagPriority, 1, prio, Headers{nil, true, Priority{20, true, 9}}, ""},
		{"6.2 both", TypeHeaders, FlagPriority | FlagPadded, 1, "\x02" + prio + "block\x00\x00", Headers{[]byte("block"), true, Priority{20, true, 9}}, ""},
		{"6.2 both, no block", TypeHeaders, FlagPriority | FlagPadded, 1, "\x02" + prio + "\x00\x00", Headers{nil, true, Priority{20, true, 9}}, ""},
		{"6.2 depends on itself: the block is there", TypeHeaders, FlagPriority, 20, prio + "block", Headers{[]byte("block"), true, Priority{20, true, 9}}, errTextSelf},

		{"6.3 priority", TypePriority, 0, 1, prio, Priority{20, true, 9}, ""},
		{"6.3 not exclusive", TypePriority, 0, 1, "\x7f\xff\xff\xff\xff", Priority{MaxStreamID, false, 255}, ""},
		{"6.3 depends on itself", TypePriority, 0, 20, prio, Priority{20, true, 9}, errTextSelf},

		{"6.4 reset", TypeRSTStream, 0, 1, "\x00\x00\x04\x57", ErrCode(1111), ""},

		{"6.5 no settings", TypeSettings, 0, 0, "", Settings{}, ""},
		{"6.5 ack", TypeSettings, FlagAck, 0, "", Settings{}, ""},

		{"6.6 promise", TypePushPromise, FlagEndHeaders, 1, "\x00\x00\x00\x02block", PushPromise{2, []byte("block")}, ""},
		{"6.6 reserved bit", TypePushPromise, 0, 1, "\x80\x00\x00\x02", PushPromise{2, nil}, ""},
		{"6.6 padded", TypePushPromise, FlagPadded, 1, "\x01\x00\x00\x00\x02block\x00", PushPromise{2, []byte("block")}, ""},
		{"6.6 promised 0", TypePushPromise, 0, 1, "\x00\x00\x00\x00", PushPromise{0, nil}, "connection error PROTOCOL_ERROR: wrong promised stream identifier"},
		{"6.6 promised 0 with the reserved bit", TypePushPromise, 0, 1, "\x80\x00\x00\x00", PushPromise{0, nil}, "connection error PROTOCOL_ERROR: wrong promised stream identifier"},
		{"6.6 promised odd", TypePushPromise, 0, 1, "\x00\x00\x00\x03", PushPromise{3, nil}, "connection error PROTOCOL_ERROR: wrong promised stream identifier"},

		{"6.7 ping", TypePing, 0, 0, "deadbeef", [8]byte([]byte("deadbeef")), ""},

		{"6.8 goaway", TypeGoAway, 0, 0, "\x00\x00\x00\x1e\x00\x00\x00\x09oh", GoAway{30, CompressionError, []byte("oh")}, ""},
		{"6.8 reserved bit, no debug data", TypeGoAway, 0, 0, "\xff\xff\xff\xff\xff\xff\xff\xff", GoAway{MaxStreamID, 1<<32 - 1, nil}, ""},

		{"6.9 window update", TypeWindowUpdate, 0, 1, "\x00\x00\x03\xe8", uint32(1000), ""},
		{"6.9 reserved bit", TypeWindowUpdate, 0, 0, "\xff\xff\xff\xff", uint32(MaxWindow), ""},
		{"6.9 zero on a stream", TypeWindowUpdate, 0, 1, "\x00\x00\x00\x00", uint32(0), "stream error PROTOCOL_ERROR: window increment of zero"},
		{"6.9 zero on the connection", TypeWindowUpdate, 0, 0, "\x80\x00\x00\x00", uint32(0), "connection error PROTOCOL_ERROR: window increment of zero"},

		{"6.10 continuation", TypeContinuation, 0xff, 1, "\x09block", []byte("\x09block"), ""},

		{"RFC 9218 7.1", TypePriorityUpdate, 0, 0, "\x80\x00\x00\x05u=1, i", PriorityUpdate{5, []byte("u=1, i")}, ""},
		{"RFC 9218 7.1 no value", TypePriorityUpdate, 0, 0, "\x00\x00\x00\x05", PriorityUpdate{5, nil}, ""},
		{"RFC 9218 7.1 stream 0", TypePriorityUpdate, 0, 0, "\x00\x00\x00\x00u=1", PriorityUpdate{0, []byte("u=1")}, "connection error PROTOCOL_ERROR: wrong prioritized stream identifier"},

		{"unknown", 0xbe, 0xff, 7, "\xffany", []byte("\xffany"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, p := frameOf(tt.typ, tt.flags, tt.id, tt.payload)
			got, err := parse(h, p, MinMaxFrameSize)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if msg := errText(err); msg != tt.err {
				t.Errorf("error %q, want %q", msg, tt.err)
			}
		})
	}
}

func errText(err *Error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Padding of the length of the payload minus one is legal when no other field
// must be there; anything above is a connection error. Every pad length against
// every payload up to 300 octets.
func TestRFC9113_6_1_PaddingBounds(t *testing.T) {
	types := []struct {
		typ   Type
		flags Flags
		fixed int
	}{
		{TypeData, FlagPadded, 0},
		{TypeHeaders, FlagPadded, 0},
		{TypeHeaders, FlagPadded | FlagPriority, 5},
		{TypePushPromise, FlagPadded, 4},
	}
	for _, tt := range types {
		for n := 1 + tt.fixed; n <= 300; n++ {
			p := bytes.Repeat([]byte{2}, n) // promised id and dependency: even, not stream 1
			h := Header{uint32(n), tt.typ, tt.flags, 1}
			if err := h.Check(MinMaxFrameSize); err != nil {
				t.Fatalf("%v: %v", h, err)
			}
			for pad := range 256 {
				p[0] = byte(pad)
				var block []byte
				var err *Error
				switch tt.typ {
				case TypeData:
					block, err = ParseData(h, p)
				case TypeHeaders:
					var hd Headers
					hd, err = ParseHeaders(h, p)
					block = hd.Block
				case TypePushPromise:
					var pp PushPromise
					pp, err = ParsePushPromise(h, p)
					block = pp.Block
				}
				room := n - 1 - tt.fixed
				switch {
				case pad > room && errText(err) != errTextPadding:
					t.Fatalf("%v pad=%d: error %v, want %s", h, pad, err, errTextPadding)
				case pad <= room && (err != nil || len(block) != room-pad):
					t.Fatalf("%v pad=%d: %d octets, error %v, want %d octets", h, pad, len(block), err, room-pad)
				}
			}
		}
	}
}

// Views alias the payload: nothing is copied.
func TestViewsAlias(t *testing.T) {
	h, p := frameOf(TypeHeaders, FlagPadded|FlagPriority, 1, "\x01\x00\x00\x00\x00\x00block\x00")
	hd, err := ParseHeaders(h, p)
	if err != nil {
		t.Fatal(err)
	}
	p[6] = 'B'
	if string(hd.Block) != "Block" {
		t.Errorf("block %q does not alias the payload", hd.Block)
	}
}

func TestRFC9113_6_5_Settings(t *testing.T) {
	_, p := frameOf(TypeSettings, 0, 0, "\x00\x01\x00\x00\x20\x00"+"\x00\x03\xff\xff\xff\xff"+"\x00\x01\x00\x00\x00\x00"+"\xab\xcd\x00\x00\x00\x07")
	list := ParseSettings(p)
	want := []Setting{
		{SettingHeaderTableSize, 8192},
		{SettingMaxConcurrentStreams, 1<<32 - 1},
		{SettingHeaderTableSize, 0},
		{0xabcd, 7},
	}
	if list.Len() != len(want) {
		t.Fatalf("Len() = %d, want %d", list.Len(), len(want))
	}
	var got []Setting
	for s := range list.All() {
		if s != list.At(len(got)) {
			t.Errorf("At(%d) = %v, All gave %v", len(got), list.At(len(got)), s)
		}
		got = append(got, s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for s := range list.All() { // leaving early is fine
		if s != want[0] {
			t.Errorf("first setting %v", s)
		}
		break
	}
}

func TestRFC9113_6_5_2_SettingValues(t *testing.T) {
	const (
		ok       = ""
		protocol = "connection error PROTOCOL_ERROR: setting value out of range"
		flow     = "connection error FLOW_CONTROL_ERROR: setting value out of range"
		all      = 1<<32 - 1
	)
	tests := []struct {
		id    SettingID
		value uint32
		want  string
	}{
		{SettingHeaderTableSize, 0, ok}, {SettingHeaderTableSize, all, ok},
		{SettingEnablePush, 0, ok}, {SettingEnablePush, 1, ok},
		{SettingEnablePush, 2, protocol}, {SettingEnablePush, all, protocol},
		{SettingMaxConcurrentStreams, 0, ok}, {SettingMaxConcurrentStreams, all, ok},
		{SettingInitialWindowSize, 0, ok}, {SettingInitialWindowSize, 1<<31 - 1, ok},
		{SettingInitialWindowSize, 1 << 31, flow}, {SettingInitialWindowSize, all, flow},
		{SettingMaxFrameSize, 0, protocol}, {SettingMaxFrameSize, 16383, protocol},
		{SettingMaxFrameSize, 16384, ok}, {SettingMaxFrameSize, 1<<24 - 1, ok},
		{SettingMaxFrameSize, 1 << 24, protocol}, {SettingMaxFrameSize, all, protocol},
		{SettingMaxHeaderListSize, 0, ok}, {SettingMaxHeaderListSize, all, ok},
		{SettingEnableConnectProtocol, 0, ok}, {SettingEnableConnectProtocol, 1, ok},
		{SettingEnableConnectProtocol, 2, protocol},
		{SettingNoRFC7540Priorities, 0, ok}, {SettingNoRFC7540Priorities, 1, ok},
		{SettingNoRFC7540Priorities, 2, protocol},
		{0, all, ok}, {7, all, ok}, {0xffff, all, ok},
	}
	for _, tt := range tests {
		s := Setting{tt.id, tt.value}
		if got := errText(s.Check()); got != tt.want {
			t.Errorf("%v: %q, want %q", s, got, tt.want)
		}
	}
}

// Every flag that a type does not define is ignored (4.1): the same payload
// reads the same with all of them set.
func TestRFC9113_4_1_UndefinedFlags(t *testing.T) {
	for _, tt := range roundTrips {
		if tt.typ > TypeContinuation && tt.typ != TypePriorityUpdate {
			continue
		}
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			h, p, _ := splitFrame(t, tt.wire())
			want, err := parse(h, p, MinMaxFrameSize)
			if err != nil {
				t.Fatal(err)
			}
			h.Flags |= ^definedFlags(h.Type)
			got, err := parse(h, p, MinMaxFrameSize)
			if err != nil {
				t.Fatalf("flags %#x: %v", h.Flags, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("flags %#x (-want +got):\n%s", h.Flags, diff)
			}
		})
	}
}
