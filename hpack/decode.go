package hpack

import "math"

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
	if dst != nil {
		dst.Reset()
	}
	d.fault = 0
	p, ok := d.begin(block)
	if !ok {
		return OK, d.Err()
	}
	a := newAdmission(k, lim)
	for p < len(block) {
		e, arena := d.short(block[p])
		if p++; e == nil {
			if e, arena, p = d.next(block, p-1, true); e == nil {
				return OK, d.Err()
			}
		}
		if !a.admit(e, arena) {
			return d.refuse(&a, block, p)
		}
		if dst != nil {
			dst.copyField(e, arena)
		}
	}
	d.trim()
	return OK, nil
}

// refuse decodes the rest of a block, of which a refused the field before p.
func (d *Decoder) refuse(a *admission, block []byte, p int) (Verdict, error) {
	d.fault = a.fault
	for p < len(block) && a.verdict != FarTooLarge {
		var e *desc
		if e, _, p = d.next(block, p, false); e == nil {
			return OK, d.Err()
		}
		a.octets -= int64(e.size())
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
	crumbs  int    // what is left of Limits.Crumbs
	bytes   int    // Limits.Bytes
	pseudo  uint16 // the pseudo-header fields that may come yet
	kind    Kind
	regular bool // a regular field was seen
	verdict Verdict
	fault   Fault
}

func newAdmission(k Kind, lim Limits) admission {
	a := admission{octets: math.MaxInt64, fields: math.MaxInt64, crumbs: math.MaxInt, bytes: lim.Bytes, kind: k, pseudo: kindPseudo[k]}
	if lim.Bytes > 0 {
		a.octets = int64(lim.Bytes)
	}
	if lim.Fields > 0 {
		a.fields = int64(lim.Fields)
	}
	if lim.Crumbs > 0 {
		a.crumbs = lim.Crumbs
	}
	return a
}

// admit charges a field and holds it against the rules. It reports whether the
// field belongs in the list; if not, verdict says what the list is.
func (a *admission) admit(d *desc, arena []byte) bool {
	a.octets -= int64(d.size())
	a.fields--
	if a.octets|a.fields < 0 {
		a.verdict = TooLarge
		a.far()
		return false
	}
	if d.flags&(flagFault|flagChecked|flagSpecial) == flagChecked {
		a.regular = true
		return true
	}
	return a.special(d, arena)
}

// special is admit for a field that was not checked yet or has a fault, a
// pseudo-header field, and a cookie.
func (a *admission) special(d *desc, arena []byte) bool {
	if d.flags&flagChecked == 0 {
		d.flags |= flagChecked | flags(check(d, arena))
	}
	fault := Fault(d.flags & flagFault)
	switch {
	case d.token.IsPseudo():
		bit := pseudoBit(d.token)
		switch {
		case kindPseudo[a.kind]&bit == 0:
			fault = FaultPseudo
		case a.pseudo&bit == 0:
			fault = FaultRepeated
		case a.regular:
			fault = FaultOrder
		}
		a.pseudo &^= bit
	case d.token == TokenCookie:
		a.regular = true
		if a.crumbs--; a.crumbs < 0 {
			a.verdict = TooLarge
			return false
		}
	default:
		a.regular = true
	}
	if fault != 0 {
		a.verdict, a.fault = Malformed, fault
		return false
	}
	return true
}

// far notes that a list is so large that it is not worth the decoding.
func (a *admission) far() {
	if a.bytes > 0 && a.octets < -(farTimes-1)*int64(a.bytes) {
		a.verdict = FarTooLarge
	}
}
