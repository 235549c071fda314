package frame

import (
	"encoding/binary"
	"slices"
)

// AppendHeaders appends a field block as a HEADERS frame, and as many
// CONTINUATION frames as it needs when the block is larger than maxFrameSize
// (RFC 9113, 4.3). maxFrameSize is the peer's SETTINGS_MAX_FRAME_SIZE; zero
// means its initial value.
func AppendHeaders(dst []byte, id uint32, block []byte, end bool, maxFrameSize int) []byte {
	size := frameSize(maxFrameSize)
	h := Header{0, TypeHeaders, endStream(end), id}
	for len(block) > size {
		h.Length = uint32(size)
		dst = append(AppendHeader(dst, h), block[:size]...)
		block = block[size:]
		h.Type, h.Flags = TypeContinuation, 0
	}
	h.Length = uint32(len(block))
	h.Flags |= FlagEndHeaders
	return append(AppendHeader(dst, h), block...)
}

// FrameHeaders makes frames of a field block that stands at the end of dst
// already, at dst[at+9:]: the nine octets from at on were left free for the
// header, which FrameHeaders writes. A block larger than maxFrameSize is moved
// apart to make room for the headers of CONTINUATION frames. It returns dst with
// the octets that this added. maxFrameSize is as in [AppendHeaders], and so is
// the result.
func FrameHeaders(dst []byte, at int, id uint32, end bool, maxFrameSize int) []byte {
	size := frameSize(maxFrameSize)
	n := len(dst) - at - HeaderLen
	h := Header{uint32(n), TypeHeaders, endStream(end) | FlagEndHeaders, id}
	if n > size {
		dst = splitBlock(dst, at, id, size)
		h.Length = uint32(size)
		h.Flags &^= FlagEndHeaders
	}
	AppendHeader(dst[:at], h)
	return dst
}

// splitBlock moves the fragments after the first, the last one first, and
// writes the CONTINUATION headers between them.
func splitBlock(dst []byte, at int, id uint32, size int) []byte {
	block := at + HeaderLen
	end := len(dst)
	more := (end - block - 1) / size // fragments after the first
	dst = slices.Grow(dst, more*HeaderLen)[:end+more*HeaderLen]
	flags := FlagEndHeaders
	for i := more; i > 0; i-- {
		from := block + i*size
		to := from + i*HeaderLen
		copy(dst[to:], dst[from:end])
		AppendHeader(dst[:to-HeaderLen], Header{uint32(end - from), TypeContinuation, flags, id})
		end, flags = from, 0
	}
	return dst
}

// AppendContinuation appends a CONTINUATION frame (RFC 9113, 6.10). The fragment
// must fit a frame.
func AppendContinuation(dst []byte, id uint32, block []byte, end bool) []byte {
	return AppendFrame(dst, TypeContinuation, endHeaders(end), id, block)
}

// AppendHeadersFrame appends a single HEADERS frame with every field it may
// have: the priority fields when hd.HasPriority, and padding of 0 to 255 octets
// unless pad is negative. flags may hold END_STREAM and END_HEADERS; PADDED and
// PRIORITY follow from the other arguments. The fragment must fit the frame.
func AppendHeadersFrame(dst []byte, id uint32, hd Headers, pad int, flags Flags) []byte {
	h := Header{uint32(len(hd.Block)), TypeHeaders, flags &^ (FlagPadded | FlagPriority), id}
	if hd.HasPriority {
		h.Flags |= FlagPriority
		h.Length += 5
	}
	dst = appendPadLen(dst, h, pad)
	if hd.HasPriority {
		dst = appendPriority(dst, hd.Priority)
	}
	return appendZeros(append(dst, hd.Block...), clampPad(pad))
}

// AppendPushPromise appends a PUSH_PROMISE frame (RFC 9113, 6.6), with padding
// of 0 to 255 octets unless pad is negative. The fragment must fit the frame;
// end says whether it ends the field block.
func AppendPushPromise(dst []byte, id uint32, pp PushPromise, pad int, end bool) []byte {
	dst = appendPadLen(dst, Header{uint32(4 + len(pp.Block)), TypePushPromise, endHeaders(end), id}, pad)
	dst = binary.BigEndian.AppendUint32(dst, pp.PromisedID&MaxStreamID)
	return appendZeros(append(dst, pp.Block...), clampPad(pad))
}

// appendPadLen appends the header h and, unless pad is negative, the Pad Length
// field, counting both it and the padding into the frame.
func appendPadLen(dst []byte, h Header, pad int) []byte {
	if pad < 0 {
		return AppendHeader(dst, h)
	}
	pad = clampPad(pad)
	h.Flags |= FlagPadded
	h.Length += uint32(1 + pad)
	return append(AppendHeader(dst, h), byte(pad))
}

// frameSize brings a maximum frame size into its range; small positive values
// are kept, for tests.
func frameSize(n int) int {
	if n <= 0 {
		return MinMaxFrameSize
	}
	return min(n, MaxMaxFrameSize)
}
