package hpack

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// ErrHuffman says that a Huffman string is not one of RFC 7541 5.2: its
// padding is eight bits or longer or is not the start of EOS, or EOS is in it.
var ErrHuffman = errors.New("hpack: invalid Huffman string")

// DecodeHuffman appends what the Huffman string src stands for. The error is
// nil or ErrHuffman; dst then comes back as it was given.
func DecodeHuffman(dst, src []byte) ([]byte, error) {
	dst, ok := appendDecoded(dst, src[:len(src):len(src)])
	if !ok {
		return dst, ErrHuffman
	}
	return dst, nil
}

// decodedSlack is how many octets a step of decodeHuffman may write beyond the
// decoded ones.
const decodedSlack = 10

// appendDecoded is DecodeHuffman. It may read the octets behind src, up to its
// capacity, and makes nothing of them.
func appendDecoded(dst, src []byte) ([]byte, bool) {
	at := len(dst)
	// The shortest code has five bits.
	if n := len(src)*8/5 + decodedSlack; n > cap(dst)-at {
		dst = slices.Grow(dst, n)
	}
	n := decodeHuffman(dst[at:cap(dst)], src)
	if n < 0 {
		return dst, false
	}
	return dst[:at+n], true
}

// decodeHuffman decodes src to the start of out, which has room for it, and
// returns how many octets there are; -1: src is not valid.
//
// The reservoir holds the complement of the octets, left aligned. Padding is
// ones, so it is zeros here, and so is the emptiness behind the last octet: the
// end of the string needs no case of its own.
//
//	63          52                   64-n                   0
//	+------------+---------------------+--------------------+
//	| next index |  complemented bits  |       zeros        |
//	+------------+---------------------+--------------------+
//
// Twelve bits hold one whole symbol or two, unless a code longer than twelve
// bits begins there, or the padding: then huffStep says 0, which consumes
// nothing, so that the other lookups of four do no harm.
func decodeHuffman(out, src []byte) int {
	var (
		reservoir uint64
		n         uint // how many of its bits are real, modulo 64
		i, k      int
	)
	if cap(src) >= 8 {
		i = min(8, len(src))
		n = 8 * uint(i)
		reservoir = ^binary.BigEndian.Uint64(src[:8]) >> (64 - n) << (64 - n)
	} else {
		i = len(src)
		n = 8 * uint(i)
		reservoir = complement(src)
	}
	for {
		if reservoir>>54 != 0 {
			// Four lookups consume at most 48 bits and write at most 8 octets.
			text, sum := (*[decodedSlack]byte)(out[k:]), uint(0)
			reservoir, sum = lookup(text, reservoir, sum)
			reservoir, sum = lookup(text, reservoir, sum)
			reservoir, sum = lookup(text, reservoir, sum)
			reservoir, sum = lookup(text, reservoir, sum)
			k += int(sum >> 6)
			n -= sum
		} else {
			if reservoir>>34 == 0 {
				break // thirty ones: the end, or EOS
			}
			long := longSymbol(reservoir)
			if long == 0 {
				return -1
			}
			out[k] = byte(long)
			k++
			reservoir <<= long >> 8 & 63
			n -= uint(long >> 8)
		}
		if rest := len(src) - i; rest >= 8 {
			reservoir |= ^binary.BigEndian.Uint64(src[i:]) >> (n & 63)
			i += int(^n >> 3 & 7)
			n |= 56
		} else if rest > 0 {
			last := ^binary.BigEndian.Uint64(src[len(src)-8:]) << (64 - 8*uint(rest))
			reservoir |= last >> (n & 63)
			more := min(int(^n>>3&7), rest)
			i += more
			n += 8 * uint(more)
		}
	}
	// "A padding strictly longer than 7 bits MUST be treated as a decoding
	// error. A padding not corresponding to the most significant bits of the
	// code for the EOS symbol MUST be treated as a decoding error. A
	// Huffman-encoded string literal containing the EOS symbol MUST be treated
	// as a decoding error." (RFC 7541 5.2)
	//
	// An n of 64 is 0 here: eight octets of padding and nothing before them.
	if reservoir != 0 || n&63 > 7 || i < len(src) || k == 0 && i > 0 {
		return -1
	}
	return k
}

// lookup decodes one symbol or two. sum is of what was found since text began.
func lookup(text *[decodedSlack]byte, reservoir uint64, sum uint) (uint64, uint) {
	x := reservoir >> 52
	step := uint(huffStep[x])
	binary.LittleEndian.PutUint16(text[sum>>6&7:], huffText[x])
	return reservoir << (step & 63), sum + step
}

// longSymbol decodes the code of 13 to 30 bits at the start of the reservoir,
// which is not thirty ones: symbol | length<<8, or 0 when there is none. What
// kind of code it is follows from the number of ones that it begins with.
func longSymbol(reservoir uint64) uint16 {
	at := huffLongAt[bits.LeadingZeros64(reservoir)&31]
	return huffLong[uint8(reservoir>>(at&63))+uint8(at>>8)]
}

// complement returns the complement of up to seven octets, left aligned. Those
// in the middle are read twice.
func complement(src []byte) uint64 {
	n := uint(len(src))
	switch {
	case n >= 4:
		head, tail := ^binary.BigEndian.Uint32(src), ^binary.BigEndian.Uint32(src[n-4:])
		return uint64(head)<<32 | uint64(tail)<<(64-8*n)
	case n > 0:
		return uint64(^src[0])<<56 | uint64(^src[n/2])<<(56-n/2*8) | uint64(^src[n-1])<<(64-8*n)
	}
	return 0
}
