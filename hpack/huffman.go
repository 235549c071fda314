package hpack

import (
	"encoding/binary"
	"errors"
	"slices"
)

// ErrHuffman says that a Huffman string is not one of RFC 7541 5.2: its
// padding is eight bits or longer or is not the start of EOS, or EOS is in it.
var ErrHuffman = errors.New("hpack: invalid Huffman string")

// HuffmanLen returns the number of octets that AppendHuffman writes for s.
func HuffmanLen(s []byte) int {
	n := 0
	for _, c := range s {
		n += int(huffLen[c])
	}
	return (n + 7) / 8
}

// AppendHuffman appends s in the code of RFC 7541 Appendix B.
func AppendHuffman(dst, s []byte) []byte {
	dst, _ = appendHuffman(dst, s, 4*len(s))
	return dst
}

// appendHuffman appends s in Huffman code and reports whether at most limit
// octets were enough. When they were not, what was appended is of no use.
func appendHuffman(dst, s []byte, limit int) ([]byte, bool) {
	at := len(dst)
	dst = slices.Grow(dst, limit+8)
	out := dst[at : at+limit+8]
	var (
		acc uint64 // n bits, left aligned, wait to be written
		n   uint   // at most 7 between two steps
		k   int
	)
	for len(s) >= 4 && k <= limit {
		// Four symbols at once, unless their codes are so long that they
		// might not fit.
		a, b, c, d := s[0], s[1], s[2], s[3]
		bits := uint(huffLen[a]) + uint(huffLen[b]) + uint(huffLen[c]) + uint(huffLen[d])
		if bits > 56 {
			break
		}
		code := uint64(huffCode[a])<<(huffLen[b]&63) | uint64(huffCode[b])
		code = code<<(huffLen[c]&63) | uint64(huffCode[c])
		code = code<<(huffLen[d]&63) | uint64(huffCode[d])
		s = s[4:]
		n += bits
		acc |= code << ((64 - n) & 63)
		binary.BigEndian.PutUint64(out[k:], acc)
		k += int(n >> 3)
		acc <<= n & 56
		n &= 7
	}
	for _, c := range s {
		if k > limit {
			return dst, false
		}
		n += uint(huffLen[c])
		acc |= uint64(huffCode[c]) << ((64 - n) & 63)
		binary.BigEndian.PutUint64(out[k:], acc)
		k += int(n >> 3)
		acc <<= n & 56
		n &= 7
	}
	if n > 0 {
		// "the most significant bits of the code corresponding to the EOS
		// (end-of-string) symbol" fill the last octet (RFC 7541 5.2): ones.
		out[k] = byte(acc>>56) | 0xff>>n
		k++
	}
	return dst[:at+k], k <= limit
}

// DecodeHuffman appends what the Huffman string src stands for. The error is
// nil or ErrHuffman; dst then comes back as it was given.
func DecodeHuffman(dst, src []byte) ([]byte, error) {
	dst, ok := appendDecoded(dst, src)
	if !ok {
		return dst, ErrHuffman
	}
	return dst, nil
}

// appendDecoded is DecodeHuffman.
//
// The reservoir holds the complement of the octets, left aligned. Padding is
// ones, so it is zeros here, and so is the emptiness after the last octet: the
// end of the string needs no case of its own. A table entry of 0 stands for
// twelve bits in which no symbol ends, and consumes nothing, so lookups may go
// on past one.
func appendDecoded(dst, src []byte) ([]byte, bool) {
	at := len(dst)
	// The shortest code has five bits; four lookups write eight octets.
	dst = slices.Grow(dst, len(src)*8/5+8)
	out := dst[at:cap(dst)]
	var (
		bits uint64
		nb   int // how many bits of the reservoir are real; negative: padding was read as part of a symbol
		i, k int
	)
	for {
		if rest := len(src) - i; rest >= 8 {
			bits |= ^binary.BigEndian.Uint64(src[i:]) >> uint(nb&63)
			i += (63 - nb) >> 3
			nb |= 56
		} else if rest > 0 {
			bits |= lastOctets(src, rest) >> uint(nb&63)
			more := min((63-nb)>>3, rest)
			i += more
			nb += 8 * more
		}
		e0 := huffPairs[bits>>52]
		bits <<= e0 & 63
		e1 := huffPairs[bits>>52]
		bits <<= e1 & 63
		e2 := huffPairs[bits>>52]
		bits <<= e2 & 63
		e3 := huffPairs[bits>>52]
		bits <<= e3 & 63
		nb -= int(e0&63 + e1&63 + e2&63 + e3&63)
		// Where an entry has one symbol, the octet of the second is zero.
		c1 := e0 >> 6 & 3
		c2 := c1 + e1>>6&3
		c3 := c2 + e2>>6&3
		text := uint64(e0>>8) | uint64(e1>>8)<<(8*c1&63) | uint64(e2>>8)<<(8*c2&63) | uint64(e3>>8)<<(8*c3&63)
		binary.LittleEndian.PutUint64(out[k:], text)
		k += int(c3 + e3>>6&3)
		if e3 != 0 || nb < 30 && i < len(src) {
			continue
		}
		if bits == 0 {
			// The end, or EOS: "A Huffman-encoded string literal containing
			// the EOS symbol MUST be treated as a decoding error." and "A
			// padding strictly longer than 7 bits MUST be treated as a
			// decoding error." (RFC 7541 5.2)
			if i < len(src) || nb < 0 || nb > 7 {
				return dst, false
			}
			return dst[:at+k], true
		}
		long := huffLong(bits)
		if long == 0 {
			return dst, false
		}
		out[k] = byte(long)
		k++
		bits <<= long >> 8
		nb -= int(long >> 8)
	}
}

// lastOctets returns the complement of the last n octets of src, 1 to 7, left
// aligned.
func lastOctets(src []byte, n int) uint64 {
	if len(src) >= 8 {
		return ^binary.BigEndian.Uint64(src[len(src)-8:]) << uint((64-8*n)&63)
	}
	var w uint64
	for _, c := range src[len(src)-n:] {
		w = w<<8 | uint64(^c)
	}
	return w << uint((64-8*n)&63)
}

// huffLong decodes one symbol of more than twelve bits: symbol | length<<8, or
// 0 when there is none.
func huffLong(bits uint64) uint16 {
	switch {
	case bits>>49 != 0: // not fifteen ones
		return huffLong15[bits>>49&31]
	case bits>>45 != 0: // not nineteen ones
		return huffLong23[bits>>41&255]
	default:
		return huffLong30[bits>>34&2047]
	}
}
