package frame

import (
	"encoding/binary"
	"slices"
)

// AppendFrame appends a frame of any type with that payload. Nothing is checked
// and only the reserved bit is masked, so that tools and tests can write frames
// this package has no function for. The payload has at most MaxMaxFrameSize
// octets.
func AppendFrame(dst []byte, t Type, f Flags, id uint32, payload []byte) []byte {
	dst = AppendHeader(dst, Header{uint32(len(payload)), t, f, id})
	return append(dst, payload...)
}

// AppendData appends a DATA frame without padding (RFC 9113, 6.1). The data must
// fit a frame.
func AppendData(dst []byte, id uint32, data []byte, end bool) []byte {
	return append(AppendDataHeader(dst, id, len(data), end), data...)
}

// AppendDataHeader appends the header of a DATA frame whose n octets of data
// will follow from elsewhere.
func AppendDataHeader(dst []byte, id uint32, n int, end bool) []byte {
	return AppendHeader(dst, Header{uint32(n), TypeData, endStream(end), id})
}

// AppendDataPadded appends a DATA frame with the PADDED flag, and pad octets of
// padding after the data: 0 to 255, beyond the octet that holds the number.
func AppendDataPadded(dst []byte, id uint32, data []byte, pad int, end bool) []byte {
	pad = clampPad(pad)
	n := 1 + len(data) + pad
	dst = AppendHeader(dst, Header{uint32(n), TypeData, FlagPadded | endStream(end), id})
	dst = append(dst, byte(pad))
	dst = append(dst, data...)
	return appendZeros(dst, pad)
}

// AppendPriority appends a PRIORITY frame (RFC 9113, 6.3).
func AppendPriority(dst []byte, id uint32, p Priority) []byte {
	dst = AppendHeader(dst, Header{5, TypePriority, 0, id})
	return appendPriority(dst, p)
}

// AppendRSTStream appends a RST_STREAM frame (RFC 9113, 6.4).
func AppendRSTStream(dst []byte, id uint32, code ErrCode) []byte {
	return appendNumberFrame(dst, TypeRSTStream, id, uint32(code))
}

// AppendSettings appends a SETTINGS frame with these settings, in this order
// (RFC 9113, 6.5).
func AppendSettings(dst []byte, settings ...Setting) []byte {
	dst = AppendHeader(dst, Header{uint32(len(settings) * settingLen), TypeSettings, 0, 0})
	for _, s := range settings {
		dst = binary.BigEndian.AppendUint16(dst, uint16(s.ID))
		dst = binary.BigEndian.AppendUint32(dst, s.Value)
	}
	return dst
}

// AppendSettingsAck appends a SETTINGS frame with the ACK flag (RFC 9113, 6.5.3).
func AppendSettingsAck(dst []byte) []byte {
	return AppendHeader(dst, Header{0, TypeSettings, FlagAck, 0})
}

// AppendPing appends a PING frame (RFC 9113, 6.7).
func AppendPing(dst []byte, ack bool, data [8]byte) []byte {
	var flags Flags
	if ack {
		flags = FlagAck
	}
	return append(dst, 0, 0, 8, byte(TypePing), byte(flags), 0, 0, 0, 0,
		data[0], data[1], data[2], data[3], data[4], data[5], data[6], data[7])
}

// AppendGoAway appends a GOAWAY frame (RFC 9113, 6.8). The debug data must fit
// the frame.
func AppendGoAway(dst []byte, last uint32, code ErrCode, debug string) []byte {
	dst = AppendHeader(dst, Header{uint32(8 + len(debug)), TypeGoAway, 0, 0})
	dst = binary.BigEndian.AppendUint32(dst, last&MaxStreamID)
	dst = binary.BigEndian.AppendUint32(dst, uint32(code))
	return append(dst, debug...)
}

// AppendWindowUpdate appends a WINDOW_UPDATE frame for a stream, or for the
// connection when id is 0 (RFC 9113, 6.9). inc is 1 to 2^31-1.
func AppendWindowUpdate(dst []byte, id, inc uint32) []byte {
	return appendNumberFrame(dst, TypeWindowUpdate, id, inc&MaxWindow)
}

// AppendPriorityUpdate appends a PRIORITY_UPDATE frame that gives stream id the
// priority value, such as "u=1, i" (RFC 9218, 7.1).
func AppendPriorityUpdate(dst []byte, id uint32, value string) []byte {
	dst = AppendHeader(dst, Header{uint32(4 + len(value)), TypePriorityUpdate, 0, 0})
	dst = binary.BigEndian.AppendUint32(dst, id&MaxStreamID)
	return append(dst, value...)
}

// appendNumberFrame appends a frame without flags whose payload is a number of
// 32 bits. One append makes room for all of it.
func appendNumberFrame(dst []byte, t Type, id, n uint32) []byte {
	return append(dst, 0, 0, 4, byte(t), 0,
		byte(id>>24)&0x7f, byte(id>>16), byte(id>>8), byte(id),
		byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func endStream(end bool) Flags {
	if end {
		return FlagEndStream
	}
	return 0
}

func endHeaders(end bool) Flags {
	if end {
		return FlagEndHeaders
	}
	return 0
}

func appendPriority(dst []byte, p Priority) []byte {
	x := p.Dependency & MaxStreamID
	if p.Exclusive {
		x |= 1 << 31
	}
	return append(binary.BigEndian.AppendUint32(dst, x), p.Weight)
}

func clampPad(n int) int { return min(max(n, 0), MaxPadding) }

// appendZeros appends n octets of padding: "Padding octets MUST be set to zero
// when sending." (RFC 9113, 6.1)
func appendZeros(dst []byte, n int) []byte {
	dst = slices.Grow(dst, n)
	clear(dst[len(dst) : len(dst)+n])
	return dst[:len(dst)+n]
}
