package hpack

import "math"

// tally follows a list that is being decoded: what is left of the Limits, and
// what RFC 9113 8.3 lets come.
type tally struct {
	octets         int64
	fields, crumbs int
	kind           Kind
	may            uint16 // the pseudo-header fields that may come next
	came           uint16 // those that have come
	seen           uint64 // Fields.seen of the list
}

// init makes t follow a list that begins. It writes field by field what is read
// field by field soon: a copy of the whole would wait for those writes to end.
func (t *tally) init(k Kind, lim Limits) {
	t.octets, t.fields, t.crumbs = int64(orNone(lim.Bytes)), orNone(lim.Fields), orNone(lim.Crumbs)
	t.kind, t.may, t.came, t.seen = k, kindPseudo[k], 0, 0
}

// orNone returns a limit, of which 0 is none.
func orNone(limit int) int {
	if limit <= 0 {
		return math.MaxInt
	}
	return limit
}

// kindPseudo is the set of pseudo-header fields of each kind, by the bits of
// their tokens.
var kindPseudo = [...]uint16{
	Request:  1<<TokenMethod | 1<<TokenScheme | 1<<TokenAuthority | 1<<TokenPath | 1<<pseudoProtocol,
	Response: 1 << TokenStatus,
	Trailers: 0,
}

// pseudoProtocol stands for TokenProtocol, which is not below 16.
const pseudoProtocol = 0

// take takes a pseudo-header field, unless it may not come.
func (t *tally) take(k Token) bool {
	bit := uint16(1) << (k & 15)
	if k > 15 || t.may&bit == 0 {
		return false
	}
	t.may &^= bit
	t.came |= bit
	return true
}

// add charges the next field, whose octets stand in arena, and says whether it
// may be where it is. An entry that came when nobody asked (Decoder.Fields) is
// checked here, once.
func (t *tally) add(d *desc, arena []byte) (Verdict, Fault) {
	if t.charge(d); t.octets < 0 || t.fields < 0 || t.crumbs < 0 {
		return TooLarge, FaultNone
	}
	if d.flags&flagChecked == 0 {
		d.check(arena)
	}
	if fault := t.place(d); fault != FaultNone {
		return Malformed, fault
	}
	t.seen |= 1 << (d.token & 63)
	return OK, FaultNone
}

// charge counts a field against the limits.
func (t *tally) charge(d *desc) {
	t.octets -= int64(d.size())
	t.fields--
	if d.token == TokenCookie {
		t.crumbs--
	}
}

// far reports whether so much more came than Limits.Bytes that it is not worth
// the decoding.
func (t *tally) far(lim Limits) bool {
	return lim.Bytes > 0 && t.octets < -(farTimes-1)*int64(lim.Bytes)
}

// place says what is wrong with a checked field, or with where it stands.
func (t *tally) place(d *desc) Fault {
	if d.flags&flagPseudo == 0 {
		// "All pseudo-header fields MUST appear in a field block before all
		// regular field lines." (RFC 9113 8.3)
		t.may = 0
	} else {
		k := d.token
		if k == TokenProtocol {
			k = pseudoProtocol
		}
		switch {
		case kindPseudo[t.kind]>>k&1 == 0:
			return FaultPseudo
		case t.came>>k&1 != 0:
			// "The same pseudo-header field name MUST NOT appear more than
			// once in a field block."
			return FaultRepeated
		case !t.take(k):
			return FaultOrder
		}
	}
	return Fault(d.flags & flagFault)
}

// recount finds the size and the tokens of a list.
func (f *Fields) recount() {
	f.size, f.seen = 0, 0
	for _, d := range f.desc {
		f.note(d)
	}
}
