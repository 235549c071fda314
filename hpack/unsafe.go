package hpack

import "unsafe"

// copyOver copies n octets from src[from:] to dst[to:] without a check of any
// index, first 16 and then in steps of slack, so that it reads and writes beyond
// the n: less than slack octets for n above 0, and 16 for none.
//
// All of them are there. The octets of a field stand in table.arena or in
// staticBuf, which have slack octets behind the last field's, and the caller has
// compared to+n+slack with the length of dst. The octets of src that are no
// field's are overwritten in dst by the next field, or stand beyond the length of
// the list's arena.
func copyOver(dst []byte, to int, src []byte, from, n int) {
	d := unsafe.Add(unsafe.Pointer(unsafe.SliceData(dst)), to)
	s := unsafe.Add(unsafe.Pointer(unsafe.SliceData(src)), from)
	*(*[16]byte)(d) = *(*[16]byte)(s)
	for done := 16; done < n; done += slack {
		*(*[16]byte)(unsafe.Add(d, done)) = *(*[16]byte)(unsafe.Add(s, done))
		*(*[16]byte)(unsafe.Add(d, done+16)) = *(*[16]byte)(unsafe.Add(s, done+16))
	}
}
