package hpack

import "math"

// tally follows a list that is being decoded: what is left of the Limits, and
// what RFC 9113 8.3 lets come.
type tally struct {
	octets, most   int64 // left of Limits.Bytes, and all of it
	fields, crumbs int
	may            uint64 // by token, the pseudo-header fields that have not come yet
	seen           uint64 // Fields.seen of the list
	kind           Kind
	regular        bool // a regular field came, and with it the end of those
}

// init makes t, which is zero, follow a list that begins. It writes field by
// field what is read field by field soon: a copy of the whole would wait for
// those writes to end.
func (t *tally) init(k Kind, lim Limits) {
	t.most = int64(orNone(lim.Bytes))
	t.octets, t.fields, t.crumbs = t.most, orNone(lim.Fields), orNone(lim.Crumbs)
	t.may, t.kind = kindPseudo[k], k
}

// orNone returns a limit, of which 0 is none.
func orNone(limit int) int {
	if limit <= 0 {
		return math.MaxInt
	}
	return limit
}

// kindPseudo is the set of pseudo-header fields of each kind, by token, which is
// below 64 for all of them.
var kindPseudo = [...]uint64{
	Request:  1<<TokenMethod | 1<<TokenScheme | 1<<TokenAuthority | 1<<TokenPath | 1<<TokenProtocol,
	Response: 1 << TokenStatus,
	Trailers: 0,
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
func (t *tally) far() bool {
	return t.octets < 0 && t.octets < -(farTimes-1)*t.most
}

// place says what is wrong with a checked field, or with where it stands.
func (t *tally) place(d *desc) Fault {
	if d.flags&flagPseudo == 0 {
		// "All pseudo-header fields MUST appear in a field block before all
		// regular field lines." (RFC 9113 8.3)
		t.regular = true
	} else {
		bit := uint64(1) << (d.token & 63)
		switch {
		case kindPseudo[t.kind]&bit == 0:
			return FaultPseudo
		case t.may&bit == 0:
			// "The same pseudo-header field name MUST NOT appear more than
			// once in a field block."
			return FaultRepeated
		case t.regular:
			return FaultOrder
		}
		t.may &^= bit
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
