package hpack

import (
	"encoding/binary"
	"slices"
)

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
