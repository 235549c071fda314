package frame

import (
	"errors"
	"strconv"
	"strings"
)

// Numbers of the protocol.
const (
	// HeaderLen is the length of a frame header, in octets (RFC 9113, 4.1).
	HeaderLen = 9

	// MinMaxFrameSize is the initial and the smallest value of
	// SETTINGS_MAX_FRAME_SIZE, MaxMaxFrameSize the largest; in octets of
	// payload (RFC 9113, 6.5.2).
	MinMaxFrameSize = 1 << 14
	MaxMaxFrameSize = 1<<24 - 1

	// DefaultWindow is the initial size of every flow-control window,
	// MaxWindow the size that none may exceed; in octets (RFC 9113, 6.9).
	DefaultWindow = 1<<16 - 1
	MaxWindow     = 1<<31 - 1

	// MaxStreamID is the largest stream identifier (RFC 9113, 5.1.1).
	MaxStreamID = 1<<31 - 1

	// MaxPadding is the largest value of the Pad Length field, in octets.
	MaxPadding = 255

	// Preface is what a client sends before its first frame (RFC 9113, 3.4).
	Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// Type is the type of a frame (RFC 9113, section 6).
type Type uint8

// Types of frames.
const (
	TypeData           Type = 0x0
	TypeHeaders        Type = 0x1
	TypePriority       Type = 0x2
	TypeRSTStream      Type = 0x3
	TypeSettings       Type = 0x4
	TypePushPromise    Type = 0x5
	TypePing           Type = 0x6
	TypeGoAway         Type = 0x7
	TypeWindowUpdate   Type = 0x8
	TypeContinuation   Type = 0x9
	TypePriorityUpdate Type = 0x10 // RFC 9218, 7.1
)

var typeNames = [...]string{
	TypeData:           "DATA",
	TypeHeaders:        "HEADERS",
	TypePriority:       "PRIORITY",
	TypeRSTStream:      "RST_STREAM",
	TypeSettings:       "SETTINGS",
	TypePushPromise:    "PUSH_PROMISE",
	TypePing:           "PING",
	TypeGoAway:         "GOAWAY",
	TypeWindowUpdate:   "WINDOW_UPDATE",
	TypeContinuation:   "CONTINUATION",
	TypePriorityUpdate: "PRIORITY_UPDATE",
}

// String returns the RFC's name, such as "RST_STREAM", or "UNKNOWN(0x1f)".
func (t Type) String() string {
	if s := name(typeNames[:], uint32(t)); s != "" {
		return s
	}
	return "UNKNOWN(" + hexNumber(uint32(t)) + ")"
}

// Flags are the flags of a frame. Their meaning depends on the type; those a
// type does not define are ignored on receipt (RFC 9113, 4.1).
type Flags uint8

// Flags of frames.
const (
	FlagEndStream  Flags = 0x1  // DATA, HEADERS
	FlagAck        Flags = 0x1  // SETTINGS, PING
	FlagEndHeaders Flags = 0x4  // HEADERS, PUSH_PROMISE, CONTINUATION
	FlagPadded     Flags = 0x8  // DATA, HEADERS, PUSH_PROMISE
	FlagPriority   Flags = 0x20 // HEADERS
)

// Has reports whether every flag of g is set in f.
func (f Flags) Has(g Flags) bool { return f&g == g }

// ErrCode is the reason why a stream or a connection ended, as RST_STREAM and
// GOAWAY carry it (RFC 9113, section 7). Every 32-bit number is a legal code.
type ErrCode uint32

// Error codes.
const (
	NoError            ErrCode = 0x0
	ProtocolError      ErrCode = 0x1
	InternalError      ErrCode = 0x2
	FlowControlError   ErrCode = 0x3
	SettingsTimeout    ErrCode = 0x4
	StreamClosed       ErrCode = 0x5
	FrameSizeError     ErrCode = 0x6
	RefusedStream      ErrCode = 0x7
	Cancel             ErrCode = 0x8
	CompressionError   ErrCode = 0x9
	ConnectError       ErrCode = 0xa
	EnhanceYourCalm    ErrCode = 0xb
	InadequateSecurity ErrCode = 0xc
	HTTP11Required     ErrCode = 0xd
)

var errCodeNames = [...]string{
	NoError:            "NO_ERROR",
	ProtocolError:      "PROTOCOL_ERROR",
	InternalError:      "INTERNAL_ERROR",
	FlowControlError:   "FLOW_CONTROL_ERROR",
	SettingsTimeout:    "SETTINGS_TIMEOUT",
	StreamClosed:       "STREAM_CLOSED",
	FrameSizeError:     "FRAME_SIZE_ERROR",
	RefusedStream:      "REFUSED_STREAM",
	Cancel:             "CANCEL",
	CompressionError:   "COMPRESSION_ERROR",
	ConnectError:       "CONNECT_ERROR",
	EnhanceYourCalm:    "ENHANCE_YOUR_CALM",
	InadequateSecurity: "INADEQUATE_SECURITY",
	HTTP11Required:     "HTTP_1_1_REQUIRED",
}

// String returns the RFC's name, such as "PROTOCOL_ERROR", or a number such as
// "0x457".
func (c ErrCode) String() string {
	if s := name(errCodeNames[:], uint32(c)); s != "" {
		return s
	}
	return hexNumber(uint32(c))
}

// ParseErrCode is the reverse of [ErrCode.String]: a name in upper or lower
// case, or a number, decimal or hexadecimal with 0x.
func ParseErrCode(s string) (ErrCode, error) {
	for c, n := range errCodeNames {
		if strings.EqualFold(s, n) {
			return ErrCode(c), nil
		}
	}
	digits, base := s, 10
	if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		digits, base = s[2:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errors.New("error code " + strconv.Quote(s) + " has more than 32 bits")
	}
	if err != nil {
		return 0, errors.New("unknown error code " + strconv.Quote(s) + ": want a name such as CANCEL or a number such as 0x8")
	}
	return ErrCode(n), nil
}

// name returns names[n], or "" when there is none.
func name(names []string, n uint32) string {
	if n < uint32(len(names)) {
		return names[n]
	}
	return ""
}

// hexNumber writes n as Go does, with at least two digits.
func hexNumber(n uint32) string {
	s := strconv.FormatUint(uint64(n), 16)
	if len(s) < 2 {
		s = "0" + s
	}
	return "0x" + s
}
