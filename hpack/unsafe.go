package hpack

import (
	"encoding/binary"
	"unsafe"
)

// The octets of fields, and their descriptions, are taken from where the tables
// say that they stand, without a check of any index. With the build tag
// nonetpoison each of these indices is checked.

// octetsAt returns n octets of an arena: those of a desc, which stand in it as
// whoever made the desc had just written them there, with slack octets behind
// them, so that this is no pointer to the end even when n is 0. The arena is the
// table's, staticBuf, or what literal returns. n is below 1<<30, as no string is
// as long (see maxIntegerOctets): there is no check left that can fail.
func octetsAt(arena []byte, from, n uint32) []byte {
	if poisoned {
		_ = arena[from : uint64(from)+uint64(n)]
	}
	return (*[1 << 30]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(arena)), from))[:n:n]
}

// inRing returns the place of the entry numbered s. The length of a ring is a
// power of two, so that the number modulo the length is a place in it; an empty
// one has no places, and nobody has the number of an entry then.
func inRing(ring []desc, s uint32) *desc {
	i := s & uint32(len(ring)-1)
	if poisoned {
		_ = ring[i]
	}
	return (*desc)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(ring)), uintptr(i)*unsafe.Sizeof(desc{})))
}

// at32 returns b[i:i+32], for table.insert, which compares both ends with what
// there is.
func at32(b []byte, i int) *[slack]byte {
	if poisoned {
		_ = b[i:cap(b)][:slack]
	}
	return (*[slack]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}

// copyOver copies n octets from src[from:] to dst[to:], first 16 and then in
// steps of slack, so that it reads and writes beyond the n: less than slack
// octets for n above 0, and 16 for none.
//
// All of them are there. The octets of a field stand in table.arena or in
// staticBuf, which have slack octets behind the last field's, and the caller has
// compared to+n+slack with the length of dst. The octets of src that are no
// field's are overwritten in dst by the next field, or stand beyond the length of
// the list's arena.
func copyOver(dst []byte, to int, src []byte, from, n int) {
	if poisoned {
		_, _ = dst[to:to+n+slack], src[from:from+n+slack]
	}
	d := unsafe.Add(unsafe.Pointer(unsafe.SliceData(dst)), to)
	s := unsafe.Add(unsafe.Pointer(unsafe.SliceData(src)), from)
	*(*[16]byte)(d) = *(*[16]byte)(s)
	for n > 16 {
		d, s, n = unsafe.Add(d, 16), unsafe.Add(s, 16), n-slack
		copy32((*[slack]byte)(d), (*[slack]byte)(s))
		d, s = unsafe.Add(d, 16), unsafe.Add(s, 16)
	}
}

// Loads and stores without a check of the index, for the innermost loops of the
// Huffman code, where the checks cost a tenth of the time. Each says why its
// caller stays in bounds; alignment and the order of octets are encoding/binary's
// business.

// load8 returns the eight octets that begin i octets behind b[0], or before it
// when i is negative, as a big-endian number.
//
// decodeLong loads from 8-octets at the lowest, which is its string's first
// octet, up to 0, which is the last eight octets of the string or huffPadding.
// complementFew loads the last eight octets of a block that has as many.
func load8(b []byte, i int) uint64 {
	return binary.BigEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

// store2 sets b[i:i+2] to v, little-endian.
//
// In the Huffman decoder i is how many symbols were found. Each has five bits or
// more, and the first of them is the string's own, as no code is all ones and
// there is nothing else behind the string. So a string of n octets has at most
// (8*n+4)/5 symbols, and decodedRoom(n), which decodeHuffman checks, is at least
// two more.
func store2(b []byte, i uint, v uint16) {
	binary.LittleEndian.PutUint16((*[2]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:], v)
}

// at4 returns s[i:i+4], for 0 <= i <= len(s)-4, which is the condition of
// putHuffman's loop.
func at4(s []byte, i int) *[4]byte {
	return (*[4]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), i))
}

// store8 sets b[i:i+8] to v, big-endian, for 0 <= i <= len(b)-8: putHuffman
// compares i+8 with len(b) before it stores, and its i only grows from 0.
func store8(b []byte, i int, v uint64) {
	binary.BigEndian.PutUint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:], v)
}
