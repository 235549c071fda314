package hpack

import "slices"

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
// lim before it is copied from a table, or, when it is a literal, before it
// becomes one of dst; when the verdict is not OK, dst holds the fields before the
// one that was refused. A nil dst discards the fields, within the
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
	var t tally
	t.init(k, lim)
	p := d.begin(block)
	for p < len(block) {
		var e *desc
		arena := dst.buf
		literal := block[p] < 0x80
		if literal {
			// A literal is decoded to where it belongs in the list. Unlike an
			// index, it is not much shorter in the block.
			if len(dst.desc) == cap(dst.desc) {
				dst.desc = slices.Grow(dst.desc, 4)
			}
			e = &dst.desc[:cap(dst.desc)][len(dst.desc)]
			e, arena, p = d.literal(e, arena, block, p, true)
		} else if p = d.indexedRun(dst, &t, block, p); p == len(block) || block[p] < 0x80 {
			continue
		} else { // there is something special about it
			e, arena, p = d.long(block, p)
		}
		if e == nil {
			break
		}
		v := OK
		if v, d.fault = t.add(e, arena); v != OK {
			dst.recount()
			return d.refuse(v, &t, lim, block, p)
		}
		if literal {
			dst.buf, dst.desc = arena, dst.desc[:len(dst.desc)+1]
		} else {
			dst.copyField(e, arena)
		}
	}
	dst.size = int(int64(orNone(lim.Bytes)) - t.octets)
	dst.seen = t.seen
	d.trim()
	return OK, d.Err()
}

// indexedRun decodes indexed fields from block[p] on, as long as dst has room, t
// takes them and there is nothing special about them. It returns where the next
// instruction begins. Most fields of most blocks come this way.
func (d *Decoder) indexedRun(dst *Fields, t *tally, block []byte, p int) int {
	n, at := len(dst.desc), len(dst.buf)
	buf := dst.buf[:cap(dst.buf)]
	room := len(buf) - slack
	list := dst.desc[n : n+min(cap(dst.desc)-n, t.fields)]
	i := 0
	for ; i < len(list) && p < len(block); i++ {
		index, next := shortIndex(block, p)
		e, arena := d.indexed(index)
		if e == nil {
			break
		}
		start, size := int(e.off), int(e.vlen)
		if e.token == 0 {
			start -= int(e.nlen)
			size += int(e.nlen)
		}
		charge := int64(e.size())
		if at+size > room || t.octets < charge {
			break
		}
		if e.flags&flagOrdinary == flagChecked {
			if e.token == TokenCookie {
				if t.crumbs == 0 {
					break
				}
				t.crumbs--
			}
			t.may = 0
		} else if e.flags&flagOrdinary != flagChecked|flagPseudo || !t.take(e.token) {
			break
		}
		t.octets -= charge
		t.seen |= 1 << (e.token & 63)
		copyOver(buf, at, arena, start, size)
		at += size
		list[i] = desc{uint32(at) - e.vlen, e.vlen, e.nlen, e.tag}
		p = next
	}
	t.fields -= i
	dst.buf = dst.buf[:at]
	dst.desc = dst.desc[:n+i]
	return p
}

// discard is Decode for nobody.
func (d *Decoder) discard(block []byte, k Kind, lim Limits) (Verdict, error) {
	var t tally
	t.init(k, lim)
	for p := d.begin(block); p < len(block); {
		var e *desc
		var arena []byte
		if e, arena, p = d.next(block, p, true); e == nil {
			break
		}
		v := OK
		if v, d.fault = t.add(e, arena); v != OK {
			return d.refuse(v, &t, lim, block, p)
		}
	}
	d.trim()
	return OK, d.Err()
}

// refuse decodes the rest of a block that is not worth a list, as the table
// must follow it.
func (d *Decoder) refuse(v Verdict, t *tally, lim Limits, block []byte, p int) (Verdict, error) {
	for !t.far(lim) {
		if d.err.Rule != 0 {
			return OK, d.Err()
		}
		if p >= len(block) {
			d.trim()
			return v, nil
		}
		var e *desc
		if e, _, p = d.next(block, p, false); e != nil {
			t.charge(e)
		}
	}
	d.trim()
	d.fail(0, RuleStopped)
	return FarTooLarge, nil
}
