package hpack

import (
	"math"
	"slices"
)

// Kind says what a field list belongs to, which decides the pseudo-header
// fields it may have.
type Kind uint8

// The kinds of lists.
const (
	Request  Kind = iota // :method, :scheme, :authority, :path, :protocol
	Response             // :status
	Trailers             // none
)

// kindPseudo is the set of pseudo-header fields of each kind, as bits by
// pseudoBit.
var kindPseudo = [...]uint16{
	Request:  1<<TokenMethod | 1<<TokenScheme | 1<<TokenAuthority | 1<<TokenPath | 1<<pseudoProtocol,
	Response: 1 << TokenStatus,
	Trailers: 0,
}

const pseudoProtocol = 0 // no token is 0

// pseudoBit returns the bit of a pseudo-header field's token.
func pseudoBit(t Token) uint16 {
	if t == TokenProtocol {
		return 1 << pseudoProtocol
	}
	return 1 << t
}

// Limits bounds a field list. Zero means no limit.
type Limits struct {
	Bytes  int // octets of names and values and 32 for each field, as SETTINGS_MAX_HEADER_LIST_SIZE counts
	Fields int // fields, cookie crumbs included
	Crumbs int // cookie fields
}

// farTimes is how many times Limits.Bytes a block may hold before it is no
// longer decoded.
const farTimes = 4

// Verdict is what became of a block that was decoded without an error.
type Verdict uint8

// The verdicts.
const (
	OK          Verdict = iota
	Malformed           // a field broke RFC 9113 8.2 or 8.3: Decoder.Fault tells which rule
	TooLarge            // over a limit
	FarTooLarge         // over four times Limits.Bytes: decoding stopped and the connection cannot go on
)

// String returns the verdict in words.
func (v Verdict) String() string {
	switch v {
	case OK:
		return "ok"
	case Malformed:
		return "malformed"
	case TooLarge:
		return "too large"
	}
	return "far too large"
}

// Fault tells why the last Decode answered Malformed.
func (d *Decoder) Fault() Fault { return d.fault }

// Decode decodes a block into dst, which it resets first. The block is decoded
// to its end whatever is wrong with its fields, so that the table stays in
// step: only FarTooLarge and an error stop it. Each field is charged against
// lim before it is copied; when the verdict is not OK, dst holds the fields
// before the one that was refused. A nil dst discards the fields, within the
// same limits.
//
// Decode checks each field (RFC 9113 8.2) and the order, number and kind of
// pseudo-header fields (8.3). Which of them must be there, and what their
// values may be, is not its business.
//
// A non-nil error is an *Error, a connection error of type COMPRESSION_ERROR;
// it is valid until the Decoder is used again.
func (d *Decoder) Decode(dst *Fields, block []byte, k Kind, lim Limits) (Verdict, error) {
	d.fault = 0
	var a admission
	a.start(k, lim)
	if dst == nil {
		return d.discard(&a, block)
	}
	dst.Reset()
	p := d.begin(block)
	buf, list, seen, seenHigh := dst.buf, dst.desc, uint64(0), uint64(0)
	var e *desc
	for p < len(block) {
		var arena []byte
		e, arena = d.short(block[p])
		if p++; e == nil {
			if e, arena, p = d.next(block, p-1, true); e == nil {
				break
			}
		}
		if !(a.charge(e) && e.plain()) && !a.special(e, arena) {
			break
		}
		start, n := int(e.off), int(e.vlen)
		if e.token == 0 {
			start -= int(e.nlen)
			n += int(e.nlen)
		}
		at := len(buf)
		if n <= slack && at+slack <= cap(buf) {
			copy32((*[slack]byte)(buf[at:at+slack]), (*[slack]byte)(arena[start:start+slack]))
			buf = buf[:at+n]
		} else {
			buf = append(slices.Grow(buf, n+slack), arena[start:start+n]...)
		}
		list = append(list, desc{uint32(at+n) - e.vlen, e.nlen, e.vlen, e.tag})
		seen |= 1 << e.token
		seenHigh |= 1 << (e.token - 64)
	}
	dst.buf, dst.desc = buf, list
	dst.seen[0], dst.seen[1] = seen, seenHigh
	dst.size = int(a.used())
	if a.verdict != OK {
		dst.size -= int(e.size())
		return d.refuse(&a, block, p)
	}
	d.trim()
	return OK, d.Err()
}

// discard is Decode for nobody.
func (d *Decoder) discard(a *admission, block []byte) (Verdict, error) {
	for p := d.begin(block); p < len(block); {
		e, arena, next := d.next(block, p, true)
		if e == nil {
			break
		}
		if p = next; !(a.charge(e) && e.plain()) && !a.special(e, arena) {
			return d.refuse(a, block, p)
		}
	}
	d.trim()
	return OK, d.Err()
}

// refuse decodes the rest of a block, of which a refused the field before p.
func (d *Decoder) refuse(a *admission, block []byte, p int) (Verdict, error) {
	d.fault = a.fault
	for p < len(block) && a.verdict != FarTooLarge {
		var e *desc
		if e, _, p = d.next(block, p, false); e == nil {
			return OK, d.Err()
		}
		a.charge(e)
		a.far()
	}
	d.trim()
	if a.verdict == FarTooLarge {
		d.fail(0, RuleStopped)
	}
	return a.verdict, nil
}

// admission holds the fields of a list against limits and rules, one after the
// other, until one is refused.
type admission struct {
	octets  int64  // what is left of Limits.Bytes
	fields  int64  // what is left of Limits.Fields
	crumbs  int64  // what is left of Limits.Crumbs
	bytes   int64  // what octets began with
	leading int64  // what was left of Limits.Fields at the latest pseudo-header field
	pseudo  uint16 // the pseudo-header fields that may come yet
	kind    Kind
	verdict Verdict
	fault   Fault
}

// start begins a list.
func (a *admission) start(k Kind, lim Limits) {
	a.kind, a.pseudo = k, kindPseudo[k]
	a.octets, a.fields, a.crumbs = orNone(lim.Bytes), orNone(lim.Fields), orNone(lim.Crumbs)
	a.bytes, a.leading = a.octets, a.fields
}

// orNone returns a limit, of which 0 is none.
func orNone(limit int) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	return int64(limit)
}

// charge charges a field and reports whether all limits are kept.
func (a *admission) charge(d *desc) bool {
	a.octets -= int64(d.size())
	a.fields--
	return a.octets|a.fields >= 0
}

// used returns what was charged of Limits.Bytes.
func (a *admission) used() int64 { return a.bytes - a.octets }

// special holds a field against the rules of lists, if it was not plain, and
// says what the list is when a limit was passed. It reports whether the field
// belongs in the list; if not, verdict says what the list is.
func (a *admission) special(d *desc, arena []byte) bool {
	if a.octets|a.fields < 0 {
		a.verdict = TooLarge
		a.far()
		return false
	}
	if d.flags&flagChecked == 0 {
		d.flags |= flagChecked | flags(check(d, arena))
	}
	a.fault = Fault(d.flags & flagFault)
	switch {
	case d.token.IsPseudo():
		bit := pseudoBit(d.token)
		a.leading--
		switch {
		case kindPseudo[a.kind]&bit == 0:
			a.fault = FaultPseudo
		case a.pseudo&bit == 0:
			a.fault = FaultRepeated
		case a.leading != a.fields:
			a.fault = FaultOrder
		}
		a.pseudo &^= bit
	case d.token == TokenCookie:
		if a.crumbs--; a.crumbs < 0 {
			a.verdict, a.fault = TooLarge, 0
		}
	}
	if a.fault != 0 {
		a.verdict = Malformed
	}
	return a.verdict == OK
}

// far notes that a list is so large that it is not worth the decoding.
func (a *admission) far() {
	if (a.used()-1)/farTimes >= a.bytes {
		a.verdict = FarTooLarge
	}
}
