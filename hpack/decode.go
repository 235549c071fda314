package hpack

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
var kindPseudo = [...]uint8{
	Request:  1<<TokenMethod | 1<<TokenScheme | 1<<TokenAuthority | 1<<TokenPath | 1<<pseudoProtocol,
	Response: 1 << pseudoStatus,
	Trailers: 0,
}

const (
	pseudoStatus   = 0
	pseudoProtocol = 7
)

// pseudoBit returns the bit of a pseudo-header field's token.
func pseudoBit(t Token) uint8 {
	switch t {
	case TokenStatus:
		return 1 << pseudoStatus
	case TokenProtocol:
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

// sink takes the decoded fields one after the other.
type sink struct {
	dst     *Fields // nil: nobody wants them
	lim     Limits
	kind    Kind
	verdict Verdict
	fault   Fault
	pseudo  uint8 // pseudo-header fields seen
	regular bool  // a regular field was seen
	size    uint64
	fields  int
	crumbs  int
}

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
	p, ok := d.begin(block)
	if !ok {
		return OK, d.Err()
	}
	s := sink{dst: dst, kind: k, lim: lim}
	for p < len(block) && s.verdict != FarTooLarge {
		c := block[p]
		if c >= 0x80 {
			i, next, rule := readInteger(block, p, 0x7f)
			if rule != 0 {
				d.fail(p, rule)
				return OK, d.Err()
			}
			e, arena := d.indexed(i)
			if e == nil {
				d.fail(p, RuleIndex)
				return OK, d.Err()
			}
			p = next
			if e.flags&flagChecked == 0 {
				e.flags |= flagChecked | flags(check(e, arena))
			}
			if s.admit(e) && dst != nil {
				dst.copyField(e, arena)
			}
			continue
		}
		// The literal is assembled where it will stay if it is admitted.
		buf := d.scratch[:0]
		if dst != nil {
			buf = dst.buf
		}
		mark := len(buf)
		f, buf, next, rule := d.literal(buf, block, p)
		if rule != 0 {
			d.fail(p, rule)
			return OK, d.Err()
		}
		p = next
		f.flags |= flagChecked | flags(check(&f, buf))
		if c >= 0x40 {
			d.tab.insert(f, buf)
		}
		if dst == nil {
			s.admit(&f)
			d.scratch = buf
			scribble(buf)
		} else if dst.buf = buf; s.admit(&f) {
			dst.push(f)
		} else {
			scribble(buf[mark:])
			dst.buf = buf[:mark]
		}
	}
	d.trim()
	d.fault = s.fault
	if s.verdict == FarTooLarge {
		d.err = Error{Rule: RuleStopped}
	}
	return s.verdict, nil
}

// admit charges a field and holds it against the rules. It reports whether the
// field belongs in the list.
func (s *sink) admit(d *desc) bool {
	s.size += uint64(d.nlen) + uint64(d.vlen) + entryOverhead
	s.fields++
	if d.token == TokenCookie {
		s.crumbs++
	}
	if limit := s.lim; limit.Bytes > 0 && s.size > uint64(limit.Bytes) ||
		limit.Fields > 0 && s.fields > limit.Fields || limit.Crumbs > 0 && s.crumbs > limit.Crumbs {
		s.over()
		return false
	}
	if s.verdict != OK {
		return false
	}
	fault := Fault(d.flags & flagFault)
	if d.token.IsPseudo() {
		bit := pseudoBit(d.token)
		switch {
		case kindPseudo[s.kind]&bit == 0:
			fault = FaultPseudo
		case s.pseudo&bit != 0:
			fault = FaultRepeated
		case s.regular:
			fault = FaultOrder
		}
		s.pseudo |= bit
	} else {
		s.regular = true
	}
	if fault != 0 {
		s.verdict, s.fault = Malformed, fault
		return false
	}
	return true
}

// over notes that a limit was passed. A list that was malformed before stays
// so.
func (s *sink) over() {
	if limit := s.lim.Bytes; limit > 0 && s.size > farTimes*uint64(limit) {
		s.verdict = FarTooLarge
	} else if s.verdict == OK {
		s.verdict = TooLarge
	}
}
