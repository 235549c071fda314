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
	if dst == nil {
		return d.discard(block, k, lim)
	}
	dst.Reset()
	left := newBudget(lim)
	p := d.begin(block)
	for p < len(block) {
		if p = d.indexedRun(dst, &left, block, p); p == len(block) {
			break
		}
		var e *desc
		var arena []byte
		if e, arena, p = d.next(block, p, true); e == nil {
			break
		}
		if left = left.after(*e); left.over() {
			break
		}
		dst.copyField(e, arena)
	}
	n, fault := dst.check(k)
	if fault == 0 && !left.over() {
		dst.size = int(int64(orNone(lim.Bytes)) - left.octets)
		d.trim()
		return OK, d.Err()
	}
	v := TooLarge
	if fault == 0 {
		n = len(dst.desc)
	} else {
		v, d.fault = Malformed, fault
	}
	dst.truncate(n)
	return d.refuse(v, left, lim, block, p)
}

// indexedRun decodes instructions of one octet from block[p] on, for which dst
// has room and which leave something of the budget, and returns where the next
// one begins. Most fields of most blocks come this way.
func (d *Decoder) indexedRun(dst *Fields, left *budget, block []byte, p int) int {
	buf, at := dst.buf[:cap(dst.buf)], len(dst.buf)
	n := len(dst.desc)
	list := dst.desc[:n+min(cap(dst.desc)-n, left.fields)]
	octets := left.octets
	for ; p < len(block); p++ {
		e, arena := d.short(block[p])
		if e == nil {
			break
		}
		start, size := int(e.off), int(e.vlen)
		if e.token == 0 {
			start -= int(e.nlen)
			size += int(e.nlen)
		}
		if at+size+slack > len(buf) || n >= len(list) {
			break
		}
		charge := int64(e.size())
		if octets < charge {
			break
		}
		if e.token == TokenCookie {
			if left.crumbs == 0 {
				break
			}
			left.crumbs--
		}
		octets -= charge
		for to := at; ; to, start = to+slack, start+slack {
			copy32((*[slack]byte)(buf[to:to+slack]), (*[slack]byte)(arena[start:start+slack]))
			if to+slack >= at+size {
				break
			}
		}
		at += size
		list[n] = desc{uint32(at) - e.vlen, e.nlen, e.vlen, e.tag}
		n++
	}
	left.octets = octets
	left.fields -= n - len(dst.desc)
	dst.buf, dst.desc = dst.buf[:at], dst.desc[:n]
	return p
}

// discard is Decode for nobody.
func (d *Decoder) discard(block []byte, k Kind, lim Limits) (Verdict, error) {
	v, left, r := OK, newBudget(lim), newRules(k)
	p := d.begin(block)
	for i := 0; p < len(block) && v == OK; i++ {
		e, arena, next := d.next(block, p, true)
		if e == nil {
			break
		}
		p = next
		if left = left.after(*e); left.over() {
			v = TooLarge
		} else if !r.admit(*e, i) {
			if d.fault = r.fault(*e, arena, i); d.fault != 0 {
				v = Malformed
			}
		}
	}
	if v != OK {
		return d.refuse(v, left, lim, block, p)
	}
	d.trim()
	return OK, d.Err()
}

// refuse decodes the rest of a block that is not worth a list, as the table
// must follow it.
func (d *Decoder) refuse(v Verdict, left budget, lim Limits, block []byte, p int) (Verdict, error) {
	for !left.far(lim) {
		if d.err.Rule != 0 {
			return OK, d.Err()
		}
		if p >= len(block) {
			d.trim()
			return v, nil
		}
		var e *desc
		if e, _, p = d.next(block, p, false); e != nil {
			left = left.after(*e)
		}
	}
	d.trim()
	d.fail(0, RuleStopped)
	return FarTooLarge, nil
}
