package frame

import "strconv"

// Bounds of what AppendText prints of a payload whose length the peer chose.
const (
	textOctets   = 128 // of debug data or of a priority value
	textSettings = 32
)

// String returns the header as text, such as
// "HEADERS stream=1 len=24 flags=END_STREAM|END_HEADERS".
func (h Header) String() string { return string(appendHeaderText(nil, h)) }

// FlagNames returns the flags of h in the words of its type, such as
// "END_STREAM|END_HEADERS", and those without a name as a number; "" for none.
func (h Header) FlagNames() string { return string(appendFlags(nil, h.Type, h.Flags)) }

// AppendText appends one line of text for a frame, without a line feed: the
// header, then what the payload says.
//
//	SETTINGS stream=0 len=12 HEADER_TABLE_SIZE=8192 MAX_CONCURRENT_STREAMS=100
//	GOAWAY stream=0 len=23 last=30 code=COMPRESSION_ERROR debug="hpack is broken"
//
// DATA and field blocks are not printed. A payload of another length than the
// header says, such as nil when it was not kept, adds nothing; a rule that the
// frame breaks is named after the rest. Octets that are not printable ASCII are
// escaped, so that a line stays a line, and the length of the line is bounded.
func AppendText(dst []byte, h Header, payload []byte) []byte {
	dst = appendHeaderText(dst, h)
	if uint64(len(payload)) != uint64(h.Length) {
		return dst
	}
	err := h.Check(MaxMaxFrameSize)
	if err == nil || err.Reason == ReasonStreamID {
		var e *Error
		if dst, e = appendPayloadText(dst, h, payload); err == nil {
			err = e
		}
	}
	if err != nil {
		dst = append(dst, " error="...)
		dst = append(dst, err.Code.String()...)
		dst = appendQuoted(append(dst, " reason="...), []byte(err.Reason.String()))
	}
	return dst
}

func appendHeaderText(dst []byte, h Header) []byte {
	dst = append(dst, h.Type.String()...)
	dst = appendNumber(dst, " stream=", h.StreamID)
	dst = appendNumber(dst, " len=", h.Length)
	if h.Flags != 0 {
		dst = appendFlags(append(dst, " flags="...), h.Type, h.Flags)
	}
	return dst
}

// appendPayloadText prints p, whose length has passed Check, and returns the
// error of its Parse function.
func appendPayloadText(dst []byte, h Header, p []byte) ([]byte, *Error) {
	var err *Error
	switch h.Type {
	case TypeData:
		_, err = ParseData(h, p)
		dst = appendPadText(dst, h, p)
	case TypeHeaders:
		var hd Headers
		if hd, err = ParseHeaders(h, p); hd.HasPriority {
			dst = appendPriorityText(dst, hd.Priority)
		}
		dst = appendPadText(dst, h, p)
	case TypePriority:
		var pr Priority
		pr, err = ParsePriority(h, p)
		dst = appendPriorityText(dst, pr)
	case TypeRSTStream:
		dst = append(dst, " code="...)
		dst = append(dst, ParseRSTStream(p).String()...)
	case TypeSettings:
		return appendSettingsText(dst, ParseSettings(p))
	case TypePushPromise:
		var pp PushPromise
		if pp, err = ParsePushPromise(h, p); err != &errPadding {
			dst = appendNumber(dst, " promised=", pp.PromisedID)
		}
		dst = appendPadText(dst, h, p)
	case TypePing:
		dst = append(dst, " data="...)
		for _, c := range p {
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
	case TypeGoAway:
		g := ParseGoAway(p)
		dst = appendNumber(dst, " last=", g.LastStreamID)
		dst = append(dst, " code="...)
		dst = append(dst, g.Code.String()...)
		if len(g.Debug) != 0 {
			dst = appendQuoted(append(dst, " debug="...), g.Debug)
		}
	case TypeWindowUpdate:
		var inc uint32
		inc, err = ParseWindowUpdate(h, p)
		dst = appendNumber(dst, " increment=", inc)
	case TypePriorityUpdate:
		var u PriorityUpdate
		u, err = ParsePriorityUpdate(h, p)
		dst = appendNumber(dst, " prioritized=", u.StreamID)
		dst = appendQuoted(append(dst, " value="...), u.Value)
	}
	return dst, err
}

func appendPriorityText(dst []byte, p Priority) []byte {
	dst = appendNumber(dst, " dep=", p.Dependency)
	dst = appendNumber(dst, " weight=", uint32(p.Weight)+1)
	if p.Exclusive {
		dst = append(dst, " exclusive"...)
	}
	return dst
}

func appendPadText(dst []byte, h Header, p []byte) []byte {
	if h.Flags.Has(FlagPadded) {
		dst = appendNumber(dst, " pad=", uint32(p[0]))
	}
	return dst
}

func appendSettingsText(dst []byte, list Settings) ([]byte, *Error) {
	var bad *Error
	for i := range list.Len() {
		s := list.At(i)
		if bad == nil {
			bad = s.Check()
		}
		if i < textSettings {
			dst = append(append(dst, ' '), s.ID.String()...)
			dst = appendNumber(dst, "=", s.Value)
		}
	}
	if n := list.Len() - textSettings; n > 0 {
		dst = appendNumber(dst, " and ", uint32(n))
		dst = append(dst, " more"...)
	}
	return dst, bad
}

// flagName names the single flag f, or returns "" when type t does not define it.
func flagName(t Type, f Flags) string {
	switch {
	case f == FlagAck && (t == TypeSettings || t == TypePing):
		return "ACK"
	case f == FlagEndStream && (t == TypeData || t == TypeHeaders):
		return "END_STREAM"
	case f == FlagEndHeaders && (t == TypeHeaders || t == TypePushPromise || t == TypeContinuation):
		return "END_HEADERS"
	case f == FlagPadded && (t == TypeData || t == TypeHeaders || t == TypePushPromise):
		return "PADDED"
	case f == FlagPriority && t == TypeHeaders:
		return "PRIORITY"
	}
	return ""
}

func appendFlags(dst []byte, t Type, f Flags) []byte {
	at := len(dst)
	var rest Flags
	for bit := Flags(1); bit != 0; bit <<= 1 {
		s := flagName(t, f&bit)
		if s == "" {
			rest |= f & bit
			continue
		}
		if len(dst) > at {
			dst = append(dst, '|')
		}
		dst = append(dst, s...)
	}
	if rest != 0 {
		if len(dst) > at {
			dst = append(dst, '|')
		}
		dst = append(dst, hexNumber(uint32(rest))...)
	}
	return dst
}

func appendNumber(dst []byte, label string, n uint32) []byte {
	return strconv.AppendUint(append(dst, label...), uint64(n), 10)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends the first textOctets of b in quotes, and "..." when there
// are more.
func appendQuoted(dst, b []byte) []byte {
	n := min(len(b), textOctets)
	dst = append(dst, '"')
	for _, c := range b[:n] {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c > '~':
			dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	dst = append(dst, '"')
	if n < len(b) {
		dst = append(dst, "..."...)
	}
	return dst
}
