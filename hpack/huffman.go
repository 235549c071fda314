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
	at := len(dst)
	out := dst
	if room := decodedRoom(len(src)); room > cap(dst)-at {
		out = slices.Grow(dst, room)
	}
	n := decodeHuffman(out[at:cap(out)], src, 0)
	if n < 0 {
		return dst, ErrHuffman
	}
	return out[:at+n], nil
}

// decodedRoom returns how much room decodeHuffman wants for a string of n
// octets: the shortest code has five bits, so that twice as many are enough, and
// a step may write beyond them.
func decodedRoom(n int) int { return 2*n + decodedStep }

const decodedStep = 10

// decodeHuffman decodes block[start:] to the start of out, which has room for
// it, and returns how many octets there are; -1: it is not valid.
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
func decodeHuffman(out, block []byte, start int) int {
	var (
		reservoir uint64
		n         uint // how many of its bits are real, modulo 64
		i         = min(start+8, len(block))
		k         int
	)
	n = 8 * uint(i-start)
	switch {
	case n == 64:
		reservoir = ^binary.BigEndian.Uint64(block[start:])
	case len(block) >= 8: // with what stands before it in the block
		reservoir = ^binary.BigEndian.Uint64(block[len(block)-8:]) << (64 - n)
	case n >= 32: // two halves that overlap
		head, tail := binary.BigEndian.Uint32(block[start:]), binary.BigEndian.Uint32(block[len(block)-4:])
		reservoir = uint64(^head)<<32 | uint64(^tail)<<(64-n)
	default:
		for at, c := range block[start:] {
			reservoir |= uint64(^c) << (56 - 8*at)
		}
	}
	for {
		if reservoir>>54 != 0 {
			// Four lookups consume at most 48 bits and write at most 8 octets.
			text, sum := (*[decodedStep]byte)(out[k:]), uint(0)
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
		if rest := len(block) - i; rest >= 8 {
			reservoir |= ^binary.BigEndian.Uint64(block[i:]) >> (n & 63)
			i += int(^n >> 3 & 7)
			n |= 56
		} else if rest > 0 {
			last := ^binary.BigEndian.Uint64(block[len(block)-8:]) << (64 - 8*uint(rest))
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
	if reservoir != 0 || n&63 > 7 || i < len(block) || k == 0 && i > start {
		return -1
	}
	return k
}

// lookup decodes one symbol or two. sum is of what was found since text began.
func lookup(text *[decodedStep]byte, reservoir uint64, sum uint) (uint64, uint) {
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
