package hpack

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

// readString appends the string literal at block[p] to buf.
func readString(buf, block []byte, p int) (out []byte, next int, rule Rule) {
	if p >= len(block) {
		return buf, p, RuleTruncated
	}
	coded := block[p]&0x80 != 0
	n, p, rule := readInteger(block, p, 0x7f)
	if rule != 0 {
		return buf, p, rule
	}
	// Compared before it becomes an int, and before it sizes anything.
	if uint64(n) > uint64(len(block)-p) {
		return buf, p, RuleTruncated
	}
	s := block[p : p+int(n)]
	p += int(n)
	if !coded {
		return append(buf, s...), p, 0
	}
	buf, ok := appendDecoded(buf, s)
	if !ok {
		return buf, p, RuleHuffman
	}
	return buf, p, 0
}
