package hpack

import "math"

// budget is what is left of Limits.
type budget struct {
	octets         int64
	fields, crumbs int
}

func newBudget(lim Limits) budget {
	return budget{int64(orNone(lim.Bytes)), orNone(lim.Fields), orNone(lim.Crumbs)}
}

// orNone returns a limit, of which 0 is none.
func orNone(limit int) int {
	if limit <= 0 {
		return math.MaxInt
	}
	return limit
}

// after returns what is left after one more field.
func (b budget) after(d desc) budget {
	b.octets -= int64(d.size())
	b.fields--
	if d.token == TokenCookie {
		b.crumbs--
	}
	return b
}

// over reports whether a limit was passed.
func (b budget) over() bool { return b.octets < 0 || b.fields < 0 || b.crumbs < 0 }

// far reports whether so much more came than Limits.Bytes that it is not worth
// the decoding.
func (b budget) far(lim Limits) bool {
	return lim.Bytes > 0 && b.octets < -(farTimes-1)*int64(lim.Bytes)
}

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

// rules holds the fields of a list against what RFC 9113 8.2 and 8.3 say, one
// after the other.
type rules struct {
	kind   Kind
	pseudo uint16 // the pseudo-header fields that may come yet
	count  int    // how many have come
}

func newRules(k Kind) rules { return rules{kind: k, pseudo: kindPseudo[k]} }

// admit reports whether field i may stand where it does.
func (r *rules) admit(d desc, i int) bool {
	switch d.flags & (flagFault | flagChecked | flagPseudo) {
	case flagChecked:
		return true
	case flagChecked | flagPseudo:
		bit := pseudoBit(d.token)
		if r.pseudo&bit != 0 && r.count == i {
			r.pseudo &^= bit
			r.count++
			return true
		}
	}
	return false
}

// fault returns what is wrong with field i, which was not admitted; nothing, if
// it had not been checked yet.
func (r *rules) fault(d desc, arena []byte, i int) Fault {
	if d.flags&flagChecked == 0 {
		d.check(arena)
		if r.admit(d, i) {
			return FaultNone
		}
	}
	if d.flags&flagPseudo != 0 {
		switch bit := pseudoBit(d.token); {
		case kindPseudo[r.kind]&bit == 0:
			return FaultPseudo
		case r.pseudo&bit == 0:
			return FaultRepeated
		case r.count != i: // a regular field was there before
			return FaultOrder
		}
	}
	return Fault(d.flags & flagFault)
}

// check finds which tokens are in a decoded list, and holds it against the
// rules: what they say is wrong with field n.
func (f *Fields) check(k Kind) (n int, fault Fault) {
	r := newRules(k)
	seen := uint64(0)
	for i := range f.desc {
		d := &f.desc[i]
		seen |= 1 << (d.token & 63)
		if !r.admit(*d, i) {
			if fault := r.fault(*d, f.buf, i); fault != 0 {
				return i, fault
			}
		}
	}
	f.seen = seen
	return 0, 0
}

// truncate leaves the first n fields of a decoded list.
func (f *Fields) truncate(n int) {
	if n < len(f.desc) {
		start, _ := f.desc[n].span()
		f.buf, f.desc = f.buf[:start], f.desc[:n]
	}
	f.size, f.seen = 0, 0
	for _, d := range f.desc {
		f.note(d)
	}
}
