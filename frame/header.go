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

// HeaderAt is ParseHeader(b[at:]). Walking over a buffer of frames with it is
// faster than cutting them off one by one: the next position depends on nothing
// but the length.
func HeaderAt(b []byte, at int) Header {
	return ParseHeader(b[at : at+HeaderLen : at+HeaderLen])
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

// span is a range of numbers: first and as many more.
type span struct{ first, more uint32 }

// has reports whether n is in s. One that is below first wraps to far above.
func (s span) has(n uint32) bool { return n-s.first <= s.more }

// rule is what a frame of one type may be like.
type rule struct {
	length  span  // of the payload, flags aside
	stream  span  // the stream identifier
	extends Flags // flags that add to the least length: PADDED 1 octet, PRIORITY 5
}

// most is what has no upper bound in a range: everything that nine octets can say.
const most = MaxStreamID

// rules has the types we know, and a zero rule for the numbers between them.
// That of SETTINGS fits the empty frame; Check knows the others.
var rules = [...]rule{
	TypeData:           {span{0, most}, span{1, most}, FlagPadded},
	TypeHeaders:        {span{0, most}, span{1, most}, FlagPadded | FlagPriority},
	TypePriority:       {span{5, 0}, span{1, most}, 0},
	TypeRSTStream:      {span{4, 0}, span{1, most}, 0},
	TypeSettings:       {span{0, 0}, span{0, 0}, 0},
	TypePushPromise:    {span{4, most}, span{1, most}, FlagPadded},
	TypePing:           {span{8, 0}, span{0, 0}, 0},
	TypeGoAway:         {span{8, most}, span{0, 0}, 0},
	TypeWindowUpdate:   {span{4, 0}, span{0, most}, 0},
	TypeContinuation:   {span{0, most}, span{1, most}, 0},
	TypePriorityUpdate: {span{4, most}, span{0, 0}, 0},
}

// Plain reports whether h is one of the frames that Check surely passes, which
// nearly all are. Padding, priority, SETTINGS that are not empty and unknown types
// are not plain and may be right all the same. It costs less than a call: a
// reader asks Check about what is not plain.
func (h Header) Plain(maxFrameSize uint32) bool {
	if int(h.Type) >= len(rules) {
		return false
	}
	r := &rules[h.Type]
	return h.Length <= maxFrameSize && r.length.has(h.Length) && r.stream.has(h.StreamID) &&
		h.Flags&(FlagPadded|FlagPriority) == 0
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
	if !h.known() {
		// "Implementations MUST ignore and discard frames of unknown types."
		// (RFC 9113, 4.1)
		return nil
	}
	r := &rules[h.Type]
	// PADDED, 0x08, adds 1 octet; PRIORITY, 0x20, adds 4+1.
	f := uint32(h.Flags & r.extends)
	fits := r.length.has(h.Length) && h.Length >= r.length.first+f>>3+f>>5
	if h.Type == TypeSettings && !h.Flags.Has(FlagAck) {
		// "A SETTINGS frame with a length other than a multiple of 6 octets
		// MUST be treated as a connection error of type FRAME_SIZE_ERROR." With
		// ACK: "When this bit is set, the frame payload of the SETTINGS frame
		// MUST be empty." (6.5)
		fits = h.Length%settingLen == 0
	}
	switch {
	case !fits && h.Type == TypePriority && h.StreamID != 0:
		// "A PRIORITY frame with a length other than 5 octets MUST be treated
		// as a stream error of type FRAME_SIZE_ERROR." (6.3) On stream 0 there
		// is no stream to reset.
		return &errStreamLength
	case !fits:
		return &errLength
	case !r.stream.has(h.StreamID):
		return &errStreamID
	}
	return nil
}

// known reports whether the type of h has a rule.
func (h Header) known() bool { return int(h.Type) < len(rules) && typeNames[h.Type] != "" }
