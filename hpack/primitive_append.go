package hpack

import "slices"

// Integers and string literals written, RFC 7541 section 5.

// maxInteger is how many octets appendInteger writes at most.
const maxInteger = 6

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

// appendString appends s as a string literal, Huffman coded as h says.
func appendString(dst, s []byte, h Huffman) []byte {
	if h != HuffmanShorter {
		return appendStringAs(dst, s, h)
	}
	// One pass: the length of most strings takes one octet, which is left out
	// until it is known, and most strings become shorter.
	at := len(dst) + 1
	end := at + len(s) - 1 + huffmanSlack
	dst = slices.Grow(dst, len(s)+huffmanSlack)
	n, ok := putHuffman(dst[at:end], s)
	if !ok || n >= len(s) {
		return appendRaw(dst, s)
	}
	if n < 0x7f {
		dst = dst[:at+n]
		dst[at-1] = 0x80 | byte(n)
		return dst
	}
	var room [maxInteger]byte
	head := appendInteger(room[:0], 0x80, 0x7f, uint32(n))
	dst = slices.Insert(dst[:at+n], at, head[1:]...)
	dst[at-1] = head[0]
	return dst
}

func appendStringAs(dst, s []byte, h Huffman) []byte {
	if h == HuffmanOff {
		return appendRaw(dst, s)
	}
	dst = appendInteger(dst, 0x80, 0x7f, uint32(HuffmanLen(s)))
	return AppendHuffman(dst, s)
}

func appendRaw(dst, s []byte) []byte {
	dst = appendInteger(dst, 0, 0x7f, uint32(len(s)))
	return append(dst, s...)
}
