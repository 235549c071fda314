package hpack

import (
	"encoding/binary"
	"errors"
)

// Fault says why a field list is malformed (RFC 9113 8.1.1): a stream error of
// type PROTOCOL_ERROR.
type Fault uint8

// The faults.
const (
	FaultNone       Fault = iota
	FaultName             // 8.2.1: an octet that no name has, an upper-case letter, or no name at all
	FaultValue            // 8.2.1: a control octet, or white space at the start or the end
	FaultConnection       // 8.2.2: a connection-specific field
	FaultTE               // 8.2.2: te with a value other than "trailers"
	FaultPseudo           // 8.3: a pseudo-header field that is not defined for this kind of list
	FaultRepeated         // 8.3: a pseudo-header field that was there already
	FaultOrder            // 8.3: a pseudo-header field after a regular field
	faultCount
)

var faultText = [faultCount]string{
	"no fault", "invalid field name", "invalid field value", "connection-specific field",
	"te is not trailers", "unexpected pseudo-header field", "repeated pseudo-header field",
	"pseudo-header field after a regular field",
}

// String returns the fault in words.
func (f Fault) String() string {
	if f < faultCount {
		return faultText[f]
	}
	return "unknown fault"
}

var (
	errName  = errors.New("hpack: invalid field name")
	errValue = errors.New("hpack: invalid field value")
)

// CheckName returns an error when name, in any case, is not a token of RFC 9110
// 5.6.2, as every name of a regular field must be.
func CheckName(name string) error {
	if name == "" {
		return errName
	}
	for i := range len(name) {
		if c := name[i]; charKind[c]&charName == 0 && (c < 'A' || c > 'Z') {
			return errName
		}
	}
	return nil
}

// CheckValue returns an error when value is not a field-value of RFC 9110 5.5
// and RFC 9113 8.2.1: when it has a control octet other than a tab, or begins
// or ends with white space.
func CheckValue(value string) error {
	if n := len(value); !allowed(value) || n > 0 && (blank(value[0]) || blank(value[n-1])) {
		return errValue
	}
	return nil
}

// Bits of charKind.
const (
	charName  = 1 << iota // a name may hold it: tchar of RFC 9110 5.6.2 without upper-case letters
	charValue             // a value may hold it: field-vchar, space, tab
)

// validName reports whether a received name is lower-case and a token. RFC 9113
// 8.2.1: "A field name MUST NOT contain characters in the ranges 0x00-0x20,
// 0x41-0x5a, or 0x7f-0xff (all ranges inclusive)", and no colon but the first
// of a pseudo-header field.
func validName(name []byte) bool {
	for _, c := range name {
		if charKind[c]&charName == 0 {
			return false
		}
	}
	return len(name) > 0
}

// validValue: RFC 9113 8.2.1: "A field value MUST NOT contain the zero value
// (ASCII NUL, 0x00), line feed (ASCII LF, 0x0a), or carriage return (ASCII CR,
// 0x0d) at any position. A field value MUST NOT start or end with an ASCII
// whitespace character (ASCII SP or HTAB, 0x20 or 0x09)." The other control
// octets are excluded by RFC 9110 5.5.
func validValue(v []byte) bool {
	n := len(v)
	var odd bool
	switch {
	case n >= 8:
		for i := 0; i < n-8; i += 8 {
			odd = odd || control(binary.LittleEndian.Uint64(v[i:]))
		}
		odd = odd || control(binary.LittleEndian.Uint64(v[n-8:]))
	case n >= 4:
		odd = control(uint64(binary.LittleEndian.Uint32(v)) | uint64(binary.LittleEndian.Uint32(v[n-4:]))<<32)
	case n > 0:
		odd = control(0x2020202020<<24 | uint64(v[0]) | uint64(v[n/2])<<8 | uint64(v[n-1])<<16)
	default:
		return true
	}
	return !blank(v[0]) && !blank(v[n-1]) && (!odd || allowed(v))
}

// control reports whether one of eight octets may be below 0x20, or 0x7f. A
// borrow may also flag an octet behind such a one, never one by itself.
func control(w uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	del := w ^ 0x7f*ones
	return ((w-0x20*ones)&^w|(del-ones)&^del)&tops != 0
}

// allowed reports whether a value may hold each octet of v.
func allowed[T string | []byte](v T) bool {
	for i := range len(v) {
		if charKind[v[i]]&charValue == 0 {
			return false
		}
	}
	return true
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// check finds what is wrong with a field by itself, wherever it stands, and
// notes it in the flags.
func (d *desc) check(arena []byte) {
	fault := FaultNone
	switch d.token {
	case TokenUnknown:
		if d.flags&flagName != 0 {
			break // an entry lent it
		}
		if name := d.name(arena); validName(name) {
			d.flags |= flagName
		} else if fault = FaultName; len(name) > 0 && name[0] == ':' {
			fault = FaultPseudo
		}
	case TokenConnection, TokenKeepAlive, TokenProxyConnection, TokenTransferEncoding, TokenUpgrade, TokenHTTP2Settings:
		// "An endpoint MUST NOT generate an HTTP/2 message containing
		// connection-specific header fields. [...] Any message containing
		// connection-specific header fields MUST be treated as malformed."
		// (RFC 9113 8.2.2)
		fault = FaultConnection
	case TokenTE:
		// "it MUST NOT contain any value other than \"trailers\"."
		if string(d.value(arena)) != "trailers" {
			fault = FaultTE
		}
	}
	if fault == FaultNone && !validValue(d.value(arena)) {
		fault = FaultValue
	}
	d.flags |= flagChecked | flags(fault)
}
