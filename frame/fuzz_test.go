package frame

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
)

// FuzzFrame reads any octets as a run of frames. For each: nothing panics; the
// table agrees with the RFC written out (specCheck); what parses is appended
// again, in canonical form, and parses to the same; x/net's Framer takes and
// refuses the same frames, and sees the same in them.
func FuzzFrame(f *testing.F) {
	var all []byte
	for _, tt := range roundTrips {
		f.Add(tt.wire())
		all = tt.append(all)
	}
	f.Add(all)
	f.Add(AppendFrame(nil, TypeHeaders, 0xff, 1, []byte("\x02\x80\x00\x00\x01\x09b\x00\x00")))
	f.Add(AppendFrame(nil, TypeData, FlagPadded, 1, []byte("\x03\x00\x00")))
	f.Add(AppendFrame(nil, TypeSettings, 0, 0, []byte("\x00\x04\x80\x00\x00\x00")))
	f.Add([]byte(Preface))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) >= HeaderLen {
			h := ParseHeader(b)
			if err, want := h.Check(MinMaxFrameSize), specCheck(h, MinMaxFrameSize); (err == nil) != (want == nil) || err != nil && *err != *want {
				t.Fatalf("%v: %v, want %v", h, err, want)
			}
			line := AppendText(nil, h, nil)
			b = b[HeaderLen:]
			if uint64(h.Length) > uint64(len(b)) {
				return
			}
			p := b[:h.Length:h.Length]
			b = b[h.Length:]
			line = AppendText(line, h, p)
			if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 || len(line) > 2048 {
				t.Fatalf("%q: octet %d, length %d", line, i, len(line))
			}
			v, err := parse(h, p, MinMaxFrameSize)
			checkFramer(t, h, p, v, err)
			if err == nil || err.Reason == ReasonSelfDependency {
				checkRoundTrip(t, h, p, v)
			}
		}
	})
}

func checkRoundTrip(t *testing.T, h Header, p []byte, v any) {
	before := slices.Clone(p)
	again := encode(nil, h, v, padOf(h, p))
	if !bytes.Equal(p, before) {
		t.Fatalf("%v: the payload was changed", h)
	}
	if want := canonical(h, p); !bytes.Equal(again, want) {
		t.Fatalf("%v:\nencoded %x\nwant    %x", h, again, want)
	}
	h2, p2, _ := splitFrame(t, again)
	v2, err := parse(h2, p2, MinMaxFrameSize)
	if err != nil && err.Reason != ReasonSelfDependency {
		t.Fatalf("%v: %v after a round trip", h, err)
	}
	if diff := cmp.Diff(v, v2); diff != "" {
		t.Fatalf("%v (-before +after):\n%s", h, diff)
	}
}

// checkFramer compares with x/net's Framer. It reads one frame, in any order,
// and differs from this package in three things: it takes streams that depend on
// themselves and promised streams that are 0 or odd, and of the settings it
// looks only at the first SETTINGS_INITIAL_WINDOW_SIZE.
func checkFramer(t *testing.T, h Header, p []byte, v any, err *Error) {
	wire := append(AppendHeader(nil, h), p...)
	fr := http2.NewFramer(nil, bytes.NewReader(wire))
	fr.AllowIllegalReads = true
	fr.SetMaxReadFrameSize(MinMaxFrameSize)
	xf, xerr := fr.ReadFrame()
	switch {
	case err == nil && xerr != nil:
		t.Fatalf("%v: taken here, refused by x/net: %v\n%x", h, xerr, p)
	case err != nil && xerr == nil:
		switch err.Reason {
		case ReasonSelfDependency, ReasonPromisedID, ReasonSettingValue:
		default:
			t.Fatalf("%v: refused here (%v), taken by x/net\n%x", h, err, p)
		}
	case err != nil:
		var se http2.StreamError
		if errors.As(xerr, &se) && h.Type == TypeWindowUpdate && err.Scope != StreamScope {
			t.Fatalf("%v: %v, x/net has a stream error: %v", h, err, xerr)
		}
		return
	}
	if diff := cmp.Diff(framerView(t, xf), v, cmp.Transformer("", func(b []byte) string { return string(b) })); diff != "" {
		t.Fatalf("%v (-x/net +ours):\n%s", h, diff)
	}
}

// framerView is what x/net read, in this package's types.
func framerView(t *testing.T, f http2.Frame) any {
	prio := func(p http2.PriorityParam) Priority { return Priority{p.StreamDep, p.Exclusive, p.Weight} }
	switch f := f.(type) {
	case *http2.DataFrame:
		return f.Data()
	case *http2.HeadersFrame:
		return Headers{f.HeaderBlockFragment(), f.HasPriority(), prio(f.Priority)}
	case *http2.PriorityFrame:
		return prio(f.PriorityParam)
	case *http2.RSTStreamFrame:
		return ErrCode(f.ErrCode)
	case *http2.SettingsFrame:
		var b []byte
		for i := range f.NumSettings() {
			s := f.Setting(i)
			b = append(b, byte(s.ID>>8), byte(s.ID), byte(s.Val>>24), byte(s.Val>>16), byte(s.Val>>8), byte(s.Val))
		}
		return Settings(b)
	case *http2.PushPromiseFrame:
		return PushPromise{f.PromiseID, f.HeaderBlockFragment()}
	case *http2.PingFrame:
		return f.Data
	case *http2.GoAwayFrame:
		return GoAway{f.LastStreamID, ErrCode(f.ErrCode), f.DebugData()}
	case *http2.WindowUpdateFrame:
		return f.Increment
	case *http2.ContinuationFrame:
		return f.HeaderBlockFragment()
	case *http2.PriorityUpdateFrame:
		return PriorityUpdate{f.PrioritizedStreamID, []byte(f.Priority)}
	case *http2.UnknownFrame:
		return f.Payload()
	}
	t.Fatalf("x/net read a %T", f)
	return nil
}

// TestAppendAsFramer compares the octets of the Append functions with those of
// x/net's Framer.
func TestAppendAsFramer(t *testing.T) {
	var buf bytes.Buffer
	fr := http2.NewFramer(&buf, nil)
	block := []byte("\x82\x84\x87")
	tests := []struct {
		name  string
		got   []byte
		write func() error
	}{
		{"DATA", AppendData(nil, 3, block, true), func() error { return fr.WriteData(3, true, block) }},
		{"DATA padded", AppendDataPadded(nil, 3, block, 7, false), func() error { return fr.WriteDataPadded(3, false, block, make([]byte, 7)) }},
		{"HEADERS", AppendHeaders(nil, 3, block, true, 0), func() error {
			return fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block, EndStream: true, EndHeaders: true})
		}},
		{"HEADERS in full", AppendHeadersFrame(nil, 3, Headers{block, true, Priority{20, true, 9}}, 4, FlagEndStream), func() error {
			return fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block, EndStream: true, PadLength: 4,
				Priority: http2.PriorityParam{StreamDep: 20, Exclusive: true, Weight: 9}})
		}},
		{"HEADERS split", AppendHeaders(nil, 3, block, false, 2), func() error {
			if err := fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block[:2]}); err != nil {
				return err
			}
			return fr.WriteContinuation(3, true, block[2:])
		}},
		{"PRIORITY", AppendPriority(nil, 3, Priority{20, true, 9}), func() error {
			return fr.WritePriority(3, http2.PriorityParam{StreamDep: 20, Exclusive: true, Weight: 9})
		}},
		{"RST_STREAM", AppendRSTStream(nil, 3, 1111), func() error { return fr.WriteRSTStream(3, 1111) }},
		{"SETTINGS", AppendSettings(nil, Setting{SettingMaxFrameSize, 20000}, Setting{0xabcd, 7}), func() error {
			return fr.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 20000}, http2.Setting{ID: 0xabcd, Val: 7})
		}},
		{"SETTINGS ack", AppendSettingsAck(nil), fr.WriteSettingsAck},
		{"PUSH_PROMISE", AppendPushPromise(nil, 3, PushPromise{4, block}, 5, true), func() error {
			return fr.WritePushPromise(http2.PushPromiseParam{StreamID: 3, PromiseID: 4, BlockFragment: block, EndHeaders: true, PadLength: 5})
		}},
		{"PING", AppendPing(nil, true, [8]byte{1, 2, 3}), func() error { return fr.WritePing(true, [8]byte{1, 2, 3}) }},
		{"GOAWAY", AppendGoAway(nil, 3, EnhanceYourCalm, "calm"), func() error { return fr.WriteGoAway(3, http2.ErrCodeEnhanceYourCalm, []byte("calm")) }},
		{"WINDOW_UPDATE", AppendWindowUpdate(nil, 3, MaxWindow), func() error { return fr.WriteWindowUpdate(3, MaxWindow) }},
		{"CONTINUATION", AppendContinuation(nil, 3, block, false), func() error { return fr.WriteContinuation(3, false, block) }},
		{"PRIORITY_UPDATE", AppendPriorityUpdate(nil, 3, "u=1, i"), func() error { return fr.WritePriorityUpdate(3, "u=1, i") }},
		{"unknown", AppendFrame(nil, 0xbe, 0x7f, 3, block), func() error { return fr.WriteRawFrame(0xbe, 0x7f, 3, block) }},
	}
	for _, tt := range tests {
		buf.Reset()
		if err := tt.write(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !bytes.Equal(tt.got, buf.Bytes()) {
			t.Errorf("%s:\ngot   %x\nx/net %x", tt.name, tt.got, buf.Bytes())
		}
	}
}
