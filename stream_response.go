package nonet

import (
	"strings"

	"github.com/nonet-h2/nonet/hpack"
)

// SetStatus sets the response's status code, 200 to 999. Default 200. For 1xx
// see [Stream.Inform].
func (s Stream) SetStatus(code int) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	if code < 200 || code > 999 {
		return ErrStatus
	}
	st.status = code
	return nil
}

// SetField sets a field of the response's header section to one value.
func (s Stream) SetField(name, value string) error { return s.field(name, value, true) }

// AddField adds a field to the response's header section, beside those of the
// same name.
func (s Stream) AddField(name, value string) error { return s.field(name, value, false) }

// AddPrepared adds a field of Config.Prepared: the cheapest way for one that
// is in many responses.
func (s Stream) AddPrepared(p hpack.Prepared) error {
	st, err := s.header()
	if err == nil {
		st.hdr.AddPrepared(p)
	}
	return err
}

func (s Stream) field(name, value string, set bool) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	return st.field(name, value, set)
}

// field adds a field to the header section that is sent.
func (st *stream) field(name, value string, set bool) error {
	if err := hpack.CheckValue(value); err != nil {
		return fieldError(err, name)
	}
	t := tokenOf(name)
	if t == hpack.TokenUnknown {
		if err := hpack.CheckName(name); err != nil {
			return fieldError(err, name)
		}
		if set {
			st.deleteField(name)
		}
		st.hdr.Add(name, value)
		return nil
	}
	return st.known(t, value, set)
}

// tokenOf is [hpack.TokenOf] for a name in any case. Most are lower-case.
func tokenOf(name string) hpack.Token {
	t := hpack.TokenOf([]byte(name))
	if t == hpack.TokenUnknown {
		var room [64]byte
		t = hpack.TokenOf(lower(room[:0], name))
	}
	return t
}

// known adds a field whose name has a token; some of them mean something here.
func (st *stream) known(t hpack.Token, value string, set bool) error {
	if st.c != nil {
		if err := checkRequestField(t, value); err != nil {
			return fieldError(err, t.Name())
		}
	}
	switch t {
	case hpack.TokenConnection:
		// RFC 9113 8.2.2: the field is not sent; its meaning, GOAWAY here, is.
		if hasOption(value, "close") {
			st.lastConn = true
		}
		return nil
	case hpack.TokenKeepAlive, hpack.TokenProxyConnection, hpack.TokenTransferEncoding, hpack.TokenUpgrade, hpack.TokenHTTP2Settings:
		return fieldError(ErrConnectionField, t.Name())
	case hpack.TokenContentLength:
		n, ok := parseLength(value)
		if !ok {
			return errLength
		}
		st.declared = n
		set = true
	case hpack.TokenDate:
		set = true
	}
	switch {
	case t.IsPseudo():
		return fieldError(errPseudo, t.Name())
	case set:
		st.hdr.SetToken(t, value)
	default:
		st.hdr.AddToken(t, value)
	}
	return nil
}

// deleteField removes the fields of a name that has no token.
func (st *stream) deleteField(name string) {
	if st.hdr.GetName(name) == nil {
		return
	}
	var kept hpack.Fields
	for i := range st.hdr.Len() {
		if !strings.EqualFold(string(st.hdr.Name(i)), name) {
			kept.AddField(st.hdr.Field(i))
		}
	}
	st.hdr.CopyFrom(&kept)
}

// Inform sends an interim response (RFC 9110 15.2): a status of 100 to 199
// without 101, and the fields of f, which may be nil.
func (s Stream) Inform(status int, f *hpack.Fields) error {
	st, err := s.header()
	if err != nil {
		return err
	}
	if status < 100 || status > 199 || status == 101 {
		return ErrStatus
	}
	var list hpack.Fields
	list.SetTokenBytes(hpack.TokenStatus, statusText(status))
	if f != nil {
		for i := range f.Len() {
			if v := f.Field(i); !v.Token.IsPseudo() {
				list.AddField(v)
			}
		}
	}
	if st.h1 != nil {
		return st.h1.inform(status, &list)
	}
	if st, err = s.lock(); err != nil {
		return err
	}
	d := st.d
	switch {
	case st.over():
		err = st.err
	default:
		st.tookCont = st.tookCont || status == 100
		err = d.core.Headers(st.ref, &list, false)
	}
	d.unlockAndKickFor(st)
	return err
}

// bodiless reports whether the status says that no content follows.
func (st *stream) bodiless() bool { return st.status == 204 || st.status == 304 }

// finishHead completes the header section before it is committed. whole: all
// of the response is there.
func (st *stream) finishHead(whole bool) {
	if st.status == 0 {
		st.status = 200
	}
	if whole && st.declared < 0 && !st.lengthless && st.rtl.Len() == 0 && !st.declares && !st.bodiless() && (st.written > 0 || !st.head) {
		st.declared = st.written
		st.hdr.AddInt(hpack.TokenContentLength, st.written)
	}
	if st.h1 == nil && !st.dateless && st.hdr.Find(hpack.TokenDate) < 0 {
		st.hdr.AddToken(hpack.TokenDate, st.d.srv.dates.text())
	}
	// acceptLocked began the list with 200.
	if st.status != 200 || st.hdr.Find(hpack.TokenStatus) != 0 {
		st.hdr.SetTokenBytes(hpack.TokenStatus, statusText(st.status))
	}
}

// statusText returns three digits.
func statusText(code int) []byte {
	if code == 200 {
		return status200
	}
	return []byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)}
}

var status200 = []byte("200")

// lower appends s with A to Z made lower-case.
func lower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// hasOption reports whether a comma-separated list has the option.
func hasOption(list, option string) bool {
	for o := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(o), option) {
			return true
		}
	}
	return false
}
