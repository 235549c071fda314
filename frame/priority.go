package frame

import "encoding/binary"

// Priority is the priority signal of RFC 7540, 5.3, which HEADERS and PRIORITY
// frames carry. RFC 9113, 5.3.2 deprecates it: it is read and not followed.
type Priority struct {
	Dependency uint32 // 31 bits
	Exclusive  bool
	Weight     uint8 // as on the wire: 0 means a weight of 1, 255 of 256
}

// parsePriority reads five octets.
func parsePriority(p []byte) Priority {
	x := binary.BigEndian.Uint32(p)
	return Priority{Dependency: x & MaxStreamID, Exclusive: x>>31 != 0, Weight: p[4]}
}

// ParsePriority reads the payload of a PRIORITY frame (RFC 9113, 6.3).
//
// Errors: stream error PROTOCOL_ERROR when the stream depends on itself (RFC
// 7540, 5.3.1).
func ParsePriority(h Header, p []byte) (Priority, *Error) {
	pr := parsePriority(p)
	if pr.Dependency == h.StreamID {
		return pr, &errSelf
	}
	return pr, nil
}

// PriorityUpdate is the payload of a PRIORITY_UPDATE frame.
type PriorityUpdate struct {
	StreamID uint32 // the prioritized stream; 31 bits
	Value    []byte // Priority Field Value, such as "u=1, i"; a view
}

// ParsePriorityUpdate reads the payload of a PRIORITY_UPDATE frame (RFC 9218,
// 7.1). The value is not looked into.
//
// Errors: "If a PRIORITY_UPDATE frame is received with a Prioritized Stream ID
// of 0x00, the recipient MUST respond with a connection error of type
// PROTOCOL_ERROR."
func ParsePriorityUpdate(h Header, p []byte) (PriorityUpdate, *Error) {
	u := PriorityUpdate{StreamID: binary.BigEndian.Uint32(p) & MaxStreamID, Value: p[4:]}
	if u.StreamID == 0 {
		return u, &errPrioritizedID
	}
	return u, nil
}
