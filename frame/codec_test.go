package frame

import "testing"

// definedFlags are the flags that a type defines; the others are ignored.
func definedFlags(t Type) Flags {
	switch t {
	case TypeData:
		return FlagEndStream | FlagPadded
	case TypeHeaders:
		return FlagEndStream | FlagEndHeaders | FlagPadded | FlagPriority
	case TypePushPromise:
		return FlagEndHeaders | FlagPadded
	case TypeContinuation:
		return FlagEndHeaders
	case TypeSettings, TypePing:
		return FlagAck
	}
	return 0
}

// splitFrame cuts the first frame off b.
func splitFrame(t testing.TB, b []byte) (h Header, p, rest []byte) {
	t.Helper()
	if len(b) < HeaderLen {
		t.Fatalf("%d octets are no frame: %x", len(b), b)
	}
	h = ParseHeader(b)
	if b = b[HeaderLen:]; uint64(len(b)) < uint64(h.Length) {
		t.Fatalf("%v: only %d octets of payload", h, len(b))
	}
	return h, b[:h.Length], b[h.Length:]
}

// parse applies Check and the Parse function of the type, as a connection does,
// and returns what it gave: a value of the type's own, the payload when there is
// no function for it.
func parse(h Header, p []byte, maxFrameSize uint32) (any, *Error) {
	if err := h.Check(maxFrameSize); err != nil {
		return nil, err
	}
	var v any
	var err *Error
	switch h.Type {
	case TypeData:
		v, err = ParseData(h, p)
	case TypeHeaders:
		v, err = ParseHeaders(h, p)
	case TypePriority:
		v, err = ParsePriority(h, p)
	case TypeRSTStream:
		v = ParseRSTStream(p)
	case TypeSettings:
		list := ParseSettings(p)
		v = list
		for s := range list.All() {
			if err = s.Check(); err != nil {
				break
			}
		}
	case TypePushPromise:
		v, err = ParsePushPromise(h, p)
	case TypePing:
		v = ParsePing(p)
	case TypeGoAway:
		v = ParseGoAway(p)
	case TypeWindowUpdate:
		v, err = ParseWindowUpdate(h, p)
	case TypePriorityUpdate:
		v, err = ParsePriorityUpdate(h, p)
	default:
		v = p
	}
	return v, err
}

// encode is the reverse of parse. pad is the Pad Length, -1 without PADDED.
func encode(dst []byte, h Header, v any, pad int) []byte {
	switch v := v.(type) {
	case Headers:
		return AppendHeadersFrame(dst, h.StreamID, v, pad, h.Flags&(FlagEndStream|FlagEndHeaders))
	case Priority:
		return AppendPriority(dst, h.StreamID, v)
	case ErrCode:
		return AppendRSTStream(dst, h.StreamID, v)
	case Settings:
		if h.Flags.Has(FlagAck) {
			return AppendSettingsAck(dst)
		}
		var list []Setting
		for s := range v.All() {
			list = append(list, s)
		}
		return AppendSettings(dst, list...)
	case PushPromise:
		return AppendPushPromise(dst, h.StreamID, v, pad, h.Flags.Has(FlagEndHeaders))
	case [8]byte:
		return AppendPing(dst, h.Flags.Has(FlagAck), v)
	case GoAway:
		return AppendGoAway(dst, v.LastStreamID, v.Code, string(v.Debug))
	case uint32:
		return AppendWindowUpdate(dst, h.StreamID, v)
	case PriorityUpdate:
		return AppendPriorityUpdate(dst, v.StreamID, string(v.Value))
	case []byte:
		switch {
		case h.Type == TypeData && pad >= 0:
			return AppendDataPadded(dst, h.StreamID, v, pad, h.Flags.Has(FlagEndStream))
		case h.Type == TypeData:
			return AppendData(dst, h.StreamID, v, h.Flags.Has(FlagEndStream))
		case h.Type == TypeContinuation:
			return AppendContinuation(dst, h.StreamID, v, h.Flags.Has(FlagEndHeaders))
		}
		return AppendFrame(dst, h.Type, h.Flags, h.StreamID, v)
	}
	panic("no such value")
}

// padOf returns the Pad Length of a frame that passed Check, or -1.
func padOf(h Header, p []byte) int {
	if h.Flags&definedFlags(h.Type)&FlagPadded == 0 {
		return -1
	}
	return int(p[0])
}

// canonical returns the frame as this package would send it: reserved bits and
// padding 0, flags without meaning cleared for the types it knows.
func canonical(h Header, p []byte) []byte {
	switch known := h.Type <= TypeContinuation || h.Type == TypePriorityUpdate; {
	case known:
		h.Flags &= definedFlags(h.Type)
	default:
		return AppendFrame(nil, h.Type, h.Flags, h.StreamID, p)
	}
	b := AppendFrame(nil, h.Type, h.Flags, h.StreamID, p)
	p = b[HeaderLen:]
	if n := padOf(h, p); n >= 0 {
		clear(p[len(p)-n:])
	}
	switch h.Type {
	case TypePushPromise:
		if h.Flags.Has(FlagPadded) {
			p = p[1:]
		}
		p[0] &= 0x7f
	case TypeGoAway, TypeWindowUpdate, TypePriorityUpdate:
		p[0] &= 0x7f
	}
	return b
}
