package hpack

import "strconv"

// AppendTable appends the dynamic table as text, the newest entry first: the
// index of each and its field, then the size as RFC 7541 Appendix C prints it.
func (d *Decoder) AppendTable(dst []byte) []byte {
	d.init()
	return d.tab.appendText(dst)
}

// AppendTable appends the dynamic table as text, like Decoder.AppendTable.
func (e *Encoder) AppendTable(dst []byte) []byte {
	e.init()
	return e.tab.appendText(dst)
}

func (t *table) appendText(dst []byte) []byte {
	for i := range t.count {
		e := t.at(i)
		dst = append(dst, '[')
		dst = strconv.AppendUint(dst, uint64(i+1+staticLen), 10)
		dst = append(dst, "] (s = "...)
		dst = strconv.AppendUint(dst, uint64(e.size()), 10)
		dst = append(dst, ") "...)
		dst = appendVisible(dst, e.name(t.arena))
		dst = append(dst, ": "...)
		dst = appendVisible(dst, e.value(t.arena))
		dst = append(dst, '\n')
	}
	dst = append(dst, "table size: "...)
	dst = strconv.AppendUint(dst, uint64(t.size), 10)
	dst = append(dst, " of "...)
	dst = strconv.AppendUint(dst, uint64(t.max), 10)
	return append(dst, '\n')
}

// appendVisible appends s with control octets and backslashes escaped.
func appendVisible(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	for _, c := range s {
		if c < 0x20 || c >= 0x7f || c == '\\' {
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
