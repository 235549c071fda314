package hpack

import (
	"bytes"
	"fmt"
	"math/bits"
)

// maxShort is the longest code that the table of pairs decodes.
const maxShort = 12

// generateHuffmanDecode makes the tables of decodeHuffman. Their indices are
// complemented bits.
func generateHuffmanDecode() []byte {
	var codes [256]uint32
	var lens [256]int
	for sym := range 256 {
		codes[sym], lens[sym] = huffmanCode(sym)
	}
	// symbol returns the symbol whose code starts v, which holds n bits; length
	// 0 when no whole code is there.
	symbol := func(v uint32, n int) (sym, length int) {
		for s := range 256 {
			if lens[s] <= n && codes[s] == v>>(n-lens[s]) {
				return s, lens[s]
			}
		}
		return 0, 0
	}

	step := make([]int, 1<<maxShort)
	text := make([]int, 1<<maxShort)
	for i := range step {
		v := ^uint32(i) & (1<<maxShort - 1)
		a, n := symbol(v, maxShort)
		if n == 0 {
			continue
		}
		step[i], text[i] = n|1<<6, a
		if b, m := symbol(v&(1<<(maxShort-n)-1), maxShort-n); m != 0 {
			step[i], text[i] = n+m|2<<6, a|b<<8
		}
	}

	// By the number of ones that a long code begins with: how many bits follow
	// behind the first zero, at most.
	var behind [32]int
	for i := range behind {
		behind[i] = -1
	}
	ones := func(sym int) int { return bits.LeadingZeros32(^(codes[sym] << (32 - lens[sym]))) }
	for sym, n := range lens {
		if n > maxShort {
			behind[ones(sym)] = max(behind[ones(sym)], n-ones(sym)-1)
		}
	}
	// That zero is a one in the complement, so that the bits down to the last
	// of them are a number from 1<<behind up to twice that.
	at := make([]int, len(behind))
	var long []int
	for lead, w := range behind {
		if w < 0 {
			continue
		}
		at[lead] = 63 - lead - w | (len(long)-1<<w)&0xff<<8
		for v := range 1 << w {
			prefix := uint32(1<<lead-1) << (1 + w)
			sym, n := symbol(prefix|^uint32(v)&(1<<w-1), lead+1+w)
			long = append(long, n<<8|sym)
		}
	}
	long = append(long, make([]int, 256-len(long))...)

	var b bytes.Buffer
	b.WriteString(generated)
	print := func(comment, decl string, perLine int, values []int) {
		fmt.Fprintf(&b, "// %s\nvar %s{", comment, decl)
		for i, v := range values {
			if i%perLine == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "%#x, ", v)
		}
		b.WriteString("\n}\n\n")
	}
	print("huffStep says what twelve complemented bits hold: how many of them are whole codes | how many codes<<6.",
		"huffStep = [4096]uint8", 16, step)
	print("huffText holds the symbols of those codes: first | second<<8.", "huffText = [4096]uint16", 16, text)
	print("huffLongAt says, by the number of ones at the start of a long code, how far to shift the reservoir\n// and what to add, modulo 256: shift | add<<8. Then huffLong has the symbol: symbol | length<<8.",
		"huffLongAt = [32]uint16", 8, at)
	print("huffLong holds the symbols with codes longer than twelve bits.", "huffLong = [256]uint16", 16, long)
	return b.Bytes()
}
