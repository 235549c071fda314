package hpack

// appendInteger appends v with a prefix of the bits of mask; pattern holds the
// bits above the prefix.
func appendInteger(dst []byte, pattern, mask byte, v uint32) []byte {
	if v < uint32(mask) {
		return append(dst, pattern|byte(v))
	}
	dst = append(dst, pattern|mask)
	v -= uint32(mask)
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// appendString appends s as a string literal, Huffman coded when that is
// shorter.
func appendString(dst, s []byte) []byte {
	if len(s) > 1 {
		// The length of most strings takes one octet: leave it room.
		at := len(dst)
		dst = append(dst, 0)
		coded, ok := appendHuffman(dst, s, len(s)-1)
		if ok {
			n := len(coded) - at - 1
			if n < 0x7f {
				coded[at] = 0x80 | byte(n)
				return coded
			}
			var room [maxIntegerOctets + 1]byte
			head := appendInteger(room[:0], 0x80, 0x7f, uint32(n))
			coded = append(coded, head[1:]...)
			copy(coded[at+len(head):], coded[at+1:at+1+n])
			copy(coded[at:], head)
			return coded
		}
		dst = coded[:at]
	}
	dst = appendInteger(dst, 0, 0x7f, uint32(len(s)))
	return append(dst, s...)
}
