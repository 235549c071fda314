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
	for p := d.begin(block); p < len(block); {
		if block[p] >= 0x80 {
			if p = d.indexedRun(dst, &t, block, p); p == len(block) {
				break
			}
		}
		var v Verdict
		if p, v = d.field(dst, &t, block, p); v != OK {
			dst.recount()
			return d.refuse(v, &t, block, p)
		}
	}
	dst.size = int(t.most - t.octets)
	dst.seen = t.seen
	return OK, d.Err()
}

// field decodes the instruction at block[p], of any kind, and adds its field to
// dst unless the verdict of t is against it. It returns where the next
// instruction begins: at the end, when there is an error.
func (d *Decoder) field(dst *Fields, t *tally, block []byte, p int) (next int, v Verdict) {
	var e *desc
	var arena []byte
	literal := block[p] < 0x80
	if literal {
		// A literal is decoded to where it belongs in the list. Unlike an
		// index, it is not much shorter in the block.
		if len(dst.desc) == cap(dst.desc) {
			dst.desc = slices.Grow(dst.desc, 4)
		}
		e = &dst.desc[:cap(dst.desc)][len(dst.desc)]
		e, arena, p = d.literal(e, dst.buf, block, p, true)
	} else {
		e, arena, p = d.long(block, p)
	}
	if e == nil {
		return len(block), OK
	}
	if v, d.fault = t.add(e, arena); v != OK {
		return p, v
	}
	if literal {
		dst.buf = arena
		dst.desc = dst.desc[:len(dst.desc)+1]
	} else {
		dst.copyField(e, arena)
	}
	return p, OK
}

// indexedRun decodes indexed fields from block[p] on, as long as dst has room, t
// takes them and there is nothing special about them. It returns where the next
// instruction begins. Most fields of most blocks come this way, each in some
// eighty machine instructions: too few to spend a call of a function on a field,
// which is why this one is long. What it says of t is what tally.add does.
//
// A field is copied behind the list and becomes one of the list once nothing is
// against it.
func (d *Decoder) indexedRun(dst *Fields, t *tally, block []byte, p int) int {
	n, at := len(dst.desc), len(dst.buf)
	buf := dst.buf[:cap(dst.buf)]
	room := len(buf) - slack
	list := dst.desc[:n+min(cap(dst.desc)-n, t.fields)]
	k := n
	for k < len(list) && uint(p) < uint(len(block)) {
		var e *desc
		var arena []byte
		next := p + 1
		if i := uint32(block[p]) - 0x81; i < staticLen { // see longIndex
			e, arena = staticEntry(i), staticBuf
		} else {
			if i -= staticLen; i == longIndex-staticLen {
				if uint(next) >= uint(len(block)) || block[next] >= 0x80 {
					break
				}
				i += uint32(block[next])
				next++
			}
			if i >= d.tab.count {
				break
			}
			e, arena = d.tab.entry(d.tab.head-1-i), d.tab.arena
		}
		start, size := e.off, e.vlen
		if e.token == 0 {
			start -= e.nlen
			size += e.nlen
		}
		charge := int64(e.size())
		if at+int(size) > room || t.octets < charge {
			break
		}
		copyOver(buf, at, arena, int(start), int(size))
		to := at + int(size)
		list[k] = desc{uint32(to) - e.vlen, e.vlen, e.nlen, e.tag}
		bit := uint64(1) << (e.token & 63)
		if kind := e.flags & flagOrdinary; kind == flagChecked {
			if e.token == TokenCookie {
				if t.crumbs == 0 {
					break
				}
				t.crumbs--
			}
			t.regular = true
		} else if kind == flagChecked|flagPseudo && !t.regular && t.may&bit != 0 {
			t.may &^= bit
		} else {
			break
		}
		t.octets -= charge
		t.seen |= bit
		at, p = to, next
		k++
	}
	t.fields -= k - n
	dst.buf = dst.buf[:at]
	dst.desc = dst.desc[:k]
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
			return d.refuse(v, &t, block, p)
		}
	}
	d.trim()
	return OK, d.Err()
}

// refuse decodes the rest of a block that is not worth a list, as the table
// must follow it.
func (d *Decoder) refuse(v Verdict, t *tally, block []byte, p int) (Verdict, error) {
	for !t.far() {
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
