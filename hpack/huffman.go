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
	at, out := len(dst), dst
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
// octets: the shortest code has five bits, so that twice as many are enough but
// for the last of them, and the two octets that a lookup writes there.
func decodedRoom(n int) int { return 2*n + 4 }

// decodeHuffman decodes block[start:] to the start of out, which has room for
// it, and returns how many octets there are; -1: it is not valid.
//
// The reservoir holds the complement of the octets, left aligned. Padding is
// ones, so it is zeros here, and so is the emptiness behind the last octet: the
// end of the string needs no case of its own.
//
//	63          52                   64-n                   0
//	+------------+---------------------+--------------------+
//	| next index |  complemented bits  |  more of them, or 0|
//	+------------+---------------------+--------------------+
//
// Twelve bits hold one whole symbol or two, unless a code longer than twelve
// bits begins there, or the padding: then huffStep says 0, which consumes
// nothing, so that a lookup too many does no harm.
//
// A string of up to seven octets is all in the reservoir, and six lookups are
// enough for most of them: whatever their length, the same steps.
func decodeHuffman(out, block []byte, start int) int {
	octets := len(block) - start
	_ = out[decodedRoom(octets)-1] // as store2 wants
	if octets >= 8 {
		end := block[len(block)-8:]
		return decodeLong(out, end, complement(end, 8-octets), octets)
	}
	all := complementFew(block, start)
	reservoir, sum := all, uint(0)
	reservoir, sum = lookup(out, reservoir, sum)
	reservoir, sum = lookup(out, reservoir, sum)
	reservoir, sum = lookup(out, reservoir, sum)
	reservoir, sum = lookup(out, reservoir, sum)
	reservoir, sum = lookup(out, reservoir, sum)
	reservoir, sum = lookup(out, reservoir, sum)
	if reservoir != 0 {
		return decodeLong(out, huffPadding[:], all, octets)
	}
	return decoded(reservoir, 8*octets-int(sum&63), sum)
}

// decodeLong is decodeHuffman for a string of so many octets, of which the first
// eight are in the reservoir. end is of the string's last eight octets, with the
// others before them, or huffPadding when there are less.
//
// i tells which octets to load next, counted from end[0]. n is how many bits are
// in the reservoir, without the octet that is loaded again; only its last six
// bits are kept right, and sum's last six are to be subtracted from it. Bits are
// loaded only while one of the string's is left, which is before end[8]; n is at
// most 63, so that 8*i is at most 63+63 then, and i at most 15.
func decodeLong(out, end []byte, reservoir uint64, octets int) int {
	i, n, sum := 15-octets, uint(56), uint(0)
	for {
		// At least 52 bits are real here. Four lookups consume at most 48, and
		// more bits come in while the fourth waits for the tables.
		for reservoir>>54 != 0 {
			reservoir, sum = lookup(out, reservoir, sum)
			reservoir, sum = lookup(out, reservoir, sum)
			reservoir, sum = lookup(out, reservoir, sum)
			x := reservoir >> 52
			store2(out, sum>>6, huffText[x])
			n -= sum
			sum &^= 63
			reservoir |= complement(end, i) >> (n & 63)
			i += int(^n >> 3 & 7)
			n |= 56
			step := uint(huffStep[x])
			reservoir <<= step & 63
			sum += step
		}
		if reservoir>>34 == 0 {
			break // thirty ones: the end, or EOS
		}
		long := longSymbol(reservoir)
		if long == 0 {
			return -1
		}
		store2(out, sum>>6, long)
		reservoir <<= long >> 8 & 63
		n -= sum + uint(long>>8)
		sum = sum&^63 + 1<<6
		reservoir |= complement(end, i) >> (n & 63)
		i += int(^n >> 3 & 7)
		n |= 56
	}
	return decoded(reservoir, 8*(8-i)+int((n-sum)&63), sum)
}

// decoded returns what decodeHuffman does when nothing is found any more, with
// so many bits left.
//
// "A padding strictly longer than 7 bits MUST be treated as a decoding error. A
// padding not corresponding to the most significant bits of the code for the EOS
// symbol MUST be treated as a decoding error. A Huffman-encoded string literal
// containing the EOS symbol MUST be treated as a decoding error." (RFC 7541 5.2)
//
// Less than none are left when the last code is cut short and the emptiness
// behind it made it whole.
func decoded(reservoir uint64, left int, sum uint) int {
	if reservoir != 0 || left < 0 || left > 7 {
		return -1
	}
	return int(sum >> 6)
}

// lookup decodes one symbol or two. sum is of the steps so far: how many
// symbols<<6 | how many bits.
func lookup(out []byte, reservoir uint64, sum uint) (uint64, uint) {
	x := reservoir >> 52
	store2(out, sum>>6, huffText[x])
	step := uint(huffStep[x])
	return reservoir << (step & 63), sum + step
}

// complement returns the complement of eight octets from end[i] on, zeros where
// end ends; i may be negative.
func complement(end []byte, i int) uint64 {
	at := i & (i >> (bits.UintSize - 1)) // min(i, 0), without a branch
	half := 4 * uint(i-at) & 63          // i is below 16: see decodeLong
	return ^load8(end, at) << half << half
}

// complementFew is complement for block[start:], of up to seven octets.
func complementFew(block []byte, start int) uint64 {
	n := len(block) - start
	switch {
	case len(block) >= 8: // with what stands before it in the block
		return ^load8(block, len(block)-8) << (64 - 8*n)
	case n >= 4: // two halves that overlap
		head, tail := binary.BigEndian.Uint32(block[start:]), binary.BigEndian.Uint32(block[len(block)-4:])
		return uint64(^head)<<32 | uint64(^tail)<<(64-8*n)
	case n > 0: // the first, the one in the middle and the last
		first, middle, last := block[start], block[start+n/2], block[len(block)-1]
		return uint64(^first)<<56 | uint64(^middle)<<(56-8*(n/2)) | uint64(^last)<<(64-8*n)
	}
	return 0
}

// huffPadding is what stands behind a string for decodeLong when the whole
// string is in the reservoir.
var huffPadding = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// longSymbol decodes the code of 13 to 30 bits at the start of the reservoir,
// which is not thirty ones: symbol | length<<8, or 0 when there is none. What
// kind of code it is follows from the number of ones that it begins with.
func longSymbol(reservoir uint64) uint16 {
	at := huffLongAt[bits.LeadingZeros64(reservoir)&31]
	return huffLong[uint8(reservoir>>(at&63))+uint8(at>>8)]
}
