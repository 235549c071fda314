package hpack

import "slices"

// HuffmanLen returns the number of octets that AppendHuffman writes for s.
func HuffmanLen(s []byte) int {
	n := 0
	for _, c := range s {
		n += int(huffCode[c] & 63)
	}
	return (n + 7) / 8
}

// AppendHuffman appends s in the code of RFC 7541 Appendix B.
func AppendHuffman(dst, s []byte) []byte {
	at := len(dst)
	if len(s)+huffmanSlack > cap(dst)-at {
		dst = slices.Grow(dst, len(s)+huffmanSlack)
	}
	n, ok := putHuffman(dst[at:cap(dst)], s)
	if !ok {
		return appendNoText(dst, s)
	}
	return dst[:at+n]
}

// appendNoText is AppendHuffman for what becomes longer: a code has up to thirty
// bits.
func appendNoText(dst, s []byte) []byte {
	at := len(dst)
	dst = slices.Grow(dst, 4*len(s)+huffmanSlack)
	n, _ := putHuffman(dst[at:cap(dst)], s)
	return dst[:at+n]
}

// huffmanSlack is how many octets behind the result putHuffman may overwrite.
const huffmanSlack = 8

// putHuffman writes s to out in Huffman code and returns how many octets that
// took, or false when out is not huffmanSlack octets longer than that.
//
// Bits gather at the top of acc. Codes of text have at most fifteen bits, and
// four of them hardly ever more than 49 in all, so four go in at once and out
// with one store of eight octets; the next store overwrites what was not full.
//
// An entry of huffCode has a code at the top and its length at the bottom. The
// length may stay in acc behind the code until the store. A shift counts
// modulo 64, so whole entries may be added to n, the number of bits in acc.
func putHuffman(out, s []byte) (k int, ok bool) {
	// The loop has no register left for capacities of their own.
	out, s = out[:len(out):len(out)], s[:len(s):len(s)]
	var acc, n uint64 // n is at most 7 between two steps
	i := 0
	for ; i+4 <= len(s); i += 4 {
		q := at4(s, i)
		a := huffCode[q[0]]
		bits, to := acc|a>>(n&63), n+a
		b := huffCode[q[1]]
		bits, to = bits|b>>(to&63), to+b
		c := huffCode[q[2]]
		bits, to = bits|c>>(to&63), to+c
		d := huffCode[q[3]]
		bits, to = bits|d>>(to&63), (to+d)&0xff
		if to > 56 {
			return putLong(out, s[i:], acc, n, k)
		}
		if k+8 > len(out) {
			return 0, false
		}
		store8(out, k, bits)
		k += int(to >> 3)
		acc = bits &^ 0xff << (to & 56)
		n = to & 7
	}
	var a, b, c uint64
	if last := len(s) - 1 - i; last >= 0 { // the same steps for one, two and three
		a, b, c = huffCode[s[i]], huffCode[s[i+(last+1)/2]], huffCode[s[len(s)-1]]
		b &= -uint64((last + 1) / 2)
		c &= -uint64(last / 2)
	}
	bits, to := acc|a>>(n&63), n+a
	bits, to = bits|b>>(to&63), to+b
	bits, to = bits|c>>(to&63), (to+c)&0xff
	if to > 56 {
		return putLong(out, s[i:], acc, n, k)
	}
	if k+8 > len(out) {
		return 0, false
	}
	// "the most significant bits of the code corresponding to the EOS
	// (end-of-string) symbol" fill the last octet (RFC 7541 5.2): ones.
	store8(out, k, bits|^uint64(0)>>to)
	return k + int(to+7)>>3, true
}

// putLong is putHuffman from where codes are long, one by one.
func putLong(out, s []byte, acc, n uint64, k int) (int, bool) {
	for _, c := range s {
		e := huffCode[c]
		acc |= e &^ 63 >> (n & 63)
		n += e & 63
		if k+8 > len(out) {
			return 0, false
		}
		store8(out, k, acc)
		k += int(n >> 3)
		acc <<= n & 56
		n &= 7
	}
	if n > 0 {
		if k == len(out) {
			return 0, false
		}
		out[k] = byte((acc | ^uint64(0)>>n) >> 56)
		k++
	}
	return k, true
}
