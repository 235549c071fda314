package hpack

import "slices"

// Integers and string literals, RFC 7541 section 5.

// maxIntegerOctets is how many octets an integer may have behind its prefix;
// four fit 32 bits. RFC 7541 5.1: "Integer encodings that exceed
// implementation limits -- in value or octet length -- MUST be treated as
// decoding errors."
const maxIntegerOctets = 4

// readInteger reads an integer whose prefix is the bits of mask in b[p].
// It returns the integer and where it ended.
func readInteger(b []byte, p int, mask byte) (v uint32, next int, rule Rule) {
	v = uint32(b[p] & mask)
	p++
	if v < uint32(mask) {
		return v, p, 0
	}
	for shift := uint(0); shift < 7*maxIntegerOctets; shift += 7 {
		if p >= len(b) {
			return 0, p, RuleTruncated
		}
		c := b[p]
		p++
		v += uint32(c&0x7f) << shift
		if c < 0x80 {
			return v, p, 0
		}
	}
	return 0, p, RuleInteger
}

// readString appends the string literal at block[p] to buf.
func readString(buf, block []byte, p int) (out []byte, next int, rule Rule) {
	if p >= len(block) {
		return buf, p, RuleTruncated
	}
	coded := block[p] >= 0x80
	n, p, rule := readInteger(block, p, 0x7f)
	if rule != 0 {
		return buf, p, rule
	}
	// Compared before it becomes an int, and before it sizes anything.
	if uint64(n) > uint64(len(block)-p) {
		return buf, p, RuleTruncated
	}
	end := p + int(n)
	if !coded {
		return appendShort(buf, block[p:end:len(block)]), end, 0
	}
	at := len(buf)
	if room := decodedRoom(int(n)); room > cap(buf)-at {
		buf = slices.Grow(buf, room)
	}
	k := decodeHuffman(buf[at:cap(buf)], block[:end], p)
	if k < 0 {
		return buf, end, RuleHuffman
	}
	return buf[:at+k], end, 0
}
