package frame

import "encoding/binary"

// ParseRSTStream returns the error code of a RST_STREAM frame (RFC 9113, 6.4).
func ParseRSTStream(p []byte) ErrCode {
	return ErrCode(binary.BigEndian.Uint32(p))
}

// ParsePing returns the opaque data of a PING frame (RFC 9113, 6.7).
func ParsePing(p []byte) [8]byte { return [8]byte(p) }

// GoAway is the payload of a GOAWAY frame.
type GoAway struct {
	LastStreamID uint32 // 31 bits
	Code         ErrCode
	Debug        []byte // any octets, for people to read; a view
}

// ParseGoAway reads the payload of a GOAWAY frame (RFC 9113, 6.8).
func ParseGoAway(p []byte) GoAway {
	return GoAway{
		LastStreamID: binary.BigEndian.Uint32(p) & MaxStreamID,
		Code:         ErrCode(binary.BigEndian.Uint32(p[4:])),
		Debug:        p[8:],
	}
}

// ParseWindowUpdate returns the increment of a WINDOW_UPDATE frame, 1 to 2^31-1
// octets (RFC 9113, 6.9).
//
// Errors: "A receiver MUST treat the receipt of a WINDOW_UPDATE frame with a
// flow-control window increment of 0 as a stream error of type PROTOCOL_ERROR;
// errors on the connection flow-control window MUST be treated as a connection
// error."
func ParseWindowUpdate(h Header, p []byte) (uint32, *Error) {
	inc := binary.BigEndian.Uint32(p) & MaxWindow
	if inc != 0 {
		return inc, nil
	}
	if h.StreamID == 0 {
		return 0, &errZero
	}
	return 0, &errStreamZero
}
