package frame

import "encoding/binary"

// unpad returns p without the Pad Length field and the padding, when h has the
// PADDED flag; otherwise p. need is the length of the fixed fields that must
// remain.
//
// "If the length of the padding is the length of the frame payload or greater,
// the recipient MUST treat this as a connection error of type PROTOCOL_ERROR."
// (RFC 9113, 6.1) Padding that leaves no room for the fixed fields is treated in
// the same way. What the padding holds is not looked at: "A receiver is not
// obligated to verify padding" (6.1).
func unpad(h Header, p []byte, need int) ([]byte, *Error) {
	if !h.Flags.Has(FlagPadded) {
		return p, nil
	}
	n := len(p) - 1 - int(p[0])
	if n < need {
		return nil, &errPadding
	}
	return p[1 : 1+n], nil
}

// ParseData returns the data of a DATA frame without padding, a view of p (RFC
// 9113, 6.1). The whole payload counts for flow control, padding included.
//
// Errors: connection error PROTOCOL_ERROR when the padding is too long.
func ParseData(h Header, p []byte) ([]byte, *Error) {
	return unpad(h, p, 0)
}

// Headers is the payload of a HEADERS frame.
type Headers struct {
	Block       []byte   // field block fragment; a view
	HasPriority bool     // the PRIORITY flag was set
	Priority    Priority // zero without that flag
}

// ParseHeaders reads the payload of a HEADERS frame (RFC 9113, 6.2).
//
// Errors: connection error PROTOCOL_ERROR when the padding is too long; stream
// error PROTOCOL_ERROR when the stream depends on itself (RFC 7540, 5.3.1), in
// which case the result is complete: the block must still be decoded to keep
// the compression state in step (RFC 9113, 4.3).
func ParseHeaders(h Header, p []byte) (Headers, *Error) {
	if !h.Flags.Has(FlagPriority) {
		b, err := unpad(h, p, 0)
		return Headers{Block: b}, err
	}
	b, err := unpad(h, p, 5)
	if err != nil {
		return Headers{}, err
	}
	pr := parsePriority(b)
	if pr.Dependency == h.StreamID {
		err = &errSelf
	}
	return Headers{Block: b[5:], HasPriority: true, Priority: pr}, err
}

// PushPromise is the payload of a PUSH_PROMISE frame.
type PushPromise struct {
	PromisedID uint32 // 31 bits
	Block      []byte // field block fragment; a view
}

// ParsePushPromise reads the payload of a PUSH_PROMISE frame (RFC 9113, 6.6).
//
// Errors: connection error PROTOCOL_ERROR when the padding is too long, or when
// the promised stream is 0 or odd: only servers promise, and "those initiated by
// the server MUST use even-numbered stream identifiers" (5.1.1).
func ParsePushPromise(h Header, p []byte) (PushPromise, *Error) {
	b, err := unpad(h, p, 4)
	if err != nil {
		return PushPromise{}, err
	}
	id := binary.BigEndian.Uint32(b) & MaxStreamID
	if id == 0 || id&1 != 0 {
		err = &errPromisedID
	}
	return PushPromise{PromisedID: id, Block: b[4:]}, err
}
