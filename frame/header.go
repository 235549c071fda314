package frame

import "encoding/binary"

// Header is a frame header (RFC 9113, 4.1):
//
//	Length (24), Type (8), Flags (8), Reserved (1), Stream Identifier (31)
type Header struct {
	Length   uint32 // of the payload, in octets
	Type     Type
	Flags    Flags
	StreamID uint32 // 31 bits
}

// ParseHeader reads the first nine octets of b, which must be there. The
// reserved bit "MUST be ignored when receiving" (RFC 9113, 4.1) and is masked.
func ParseHeader(b []byte) Header {
	_ = b[HeaderLen-1]
	x := binary.BigEndian.Uint64(b)
	return Header{
		Length:   uint32(x >> 40),
		Type:     Type(x >> 32),
		Flags:    Flags(x >> 24),
		StreamID: binary.BigEndian.Uint32(b[5:]) & MaxStreamID,
	}
}

// AppendHeader appends h in nine octets: the low 24 bits of Length, and 31 bits
// of StreamID, since the reserved bit "MUST remain unset (0x00) when sending"
// (RFC 9113, 4.1).
func AppendHeader(dst []byte, h Header) []byte {
	return append(dst,
		byte(h.Length>>16), byte(h.Length>>8), byte(h.Length),
		byte(h.Type), byte(h.Flags),
		byte(h.StreamID>>24)&0x7f, byte(h.StreamID>>16), byte(h.StreamID>>8), byte(h.StreamID))
}

// rule is what Check knows of a type. The zero rule lets everything pass.
type rule struct {
	least   uint32 // octets of payload that must be there, flags aside
	exact   bool   // least is the only length allowed
	extends Flags  // flags that add to least: PADDED 1 octet, PRIORITY 5
	zero    *Error // on stream 0
	nonzero *Error // on any other
}

// rules has an entry for each type up to 0x1f. Those not named here, and all
// types above, are unknown: "Implementations MUST ignore and discard frames of
// unknown types" (RFC 9113, 4.1).
var rules = [32]rule{
	TypeData:           {extends: FlagPadded, zero: &errStreamID},
	TypeHeaders:        {extends: FlagPadded | FlagPriority, zero: &errStreamID},
	TypePriority:       {least: 5, exact: true, zero: &errStreamID},
	TypeRSTStream:      {least: 4, exact: true, zero: &errStreamID},
	TypeSettings:       {nonzero: &errStreamID},
	TypePushPromise:    {least: 4, extends: FlagPadded, zero: &errStreamID},
	TypePing:           {least: 8, exact: true, nonzero: &errStreamID},
	TypeGoAway:         {least: 8, nonzero: &errStreamID},
	TypeWindowUpdate:   {least: 4, exact: true},
	TypeContinuation:   {zero: &errStreamID},
	TypePriorityUpdate: {least: 4, nonzero: &errStreamID},
}

// Check applies the rules that the header alone decides: the length, then the
// stream identifier. maxFrameSize is our SETTINGS_MAX_FRAME_SIZE. It returns
// nil for a frame of an unknown type that is not too large.
//
// "An endpoint MUST send an error code of FRAME_SIZE_ERROR if a frame exceeds
// the size defined in SETTINGS_MAX_FRAME_SIZE, exceeds any limit defined for the
// frame type, or is too small to contain mandatory frame data." (RFC 9113, 4.2)
// Every such error is a connection error, as 4.2 allows for all frames, except
// PRIORITY on a stream with a length other than 5 (6.3).
func (h Header) Check(maxFrameSize uint32) *Error {
	if h.Length > maxFrameSize {
		return &errTooLarge
	}
	if int(h.Type) >= len(rules) {
		return nil
	}
	r := &rules[h.Type]
	// PADDED, 0x08, adds 1 octet; PRIORITY, 0x20, adds 4+1.
	f := uint32(h.Flags & r.extends)
	least := r.least + f>>3 + f>>5
	if h.Length < least || r.exact && h.Length != least {
		return h.lengthError()
	}
	// "A SETTINGS frame with a length other than a multiple of 6 octets MUST be
	// treated as a connection error of type FRAME_SIZE_ERROR." With ACK: "When
	// this bit is set, the frame payload of the SETTINGS frame MUST be empty."
	// (6.5)
	if h.Type == TypeSettings && (h.Length%6 != 0 || h.Length != 0 && h.Flags.Has(FlagAck)) {
		return &errLength
	}
	if h.StreamID == 0 {
		return r.zero
	}
	return r.nonzero
}

// lengthError: "A PRIORITY frame with a length other than 5 octets MUST be
// treated as a stream error of type FRAME_SIZE_ERROR." (6.3) On stream 0 there
// is no stream to reset: "any frame with a stream identifier of 0" is a
// connection error (4.2).
func (h Header) lengthError() *Error {
	if h.Type == TypePriority && h.StreamID != 0 {
		return &errStreamLength
	}
	return &errLength
}
