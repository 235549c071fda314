package rig

import (
	"encoding/binary"
	"time"

	"github.com/nonet-h2/nonet/frame"
)

// sending says that content can be sent without waiting for the peer.
func (l *load) sending() bool {
	for i := range l.uploads {
		if l.window > 0 && l.uploads[i].window > 0 {
			return true
		}
	}
	return false
}

func (l *load) read() {
	if l.sending() {
		return
	}
	if l.at > 0 {
		l.end = copy(l.in, l.in[l.at:l.end])
		l.at = 0
	}
	n, err := l.nc.Read(l.in[l.end:])
	if err != nil {
		l.t.Fatal(err)
	}
	l.end += n
}

// parse takes what is complete and returns how many units are done.
func (l *load) parse() (done int) {
	if l.http1 {
		return l.parse1()
	}
	for l.end-l.at >= frame.HeaderLen {
		h := frame.ParseHeader(l.in[l.at:])
		size := frame.HeaderLen + int(h.Length)
		if l.end-l.at < size {
			break
		}
		p := l.in[l.at+frame.HeaderLen : l.at+size]
		l.at += size
		done += l.frame(h, p)
	}
	if l.credit > maxWindow/2 {
		l.out = frame.AppendWindowUpdate(l.out, 0, uint32(l.credit))
		l.credit = 0
		for i := range l.echoes {
			if e := &l.echoes[i]; e.credit > 0 {
				l.out = frame.AppendWindowUpdate(l.out, e.id, uint32(e.credit))
				e.credit = 0
			}
		}
	}
	return done
}

func (l *load) frame(h frame.Header, p []byte) (done int) {
	switch h.Type {
	case frame.TypeData:
		l.credit += int(h.Length)
		l.content += int(h.Length)
		if l.work.Echo {
			return l.echoed(int(h.StreamID/2), int(h.Length))
		}
		fallthrough
	case frame.TypeHeaders:
		if !h.Flags.Has(frame.FlagEndStream) {
			return 0
		}
		if l.work.Echo {
			l.t.Fatal("a stream of messages has ended")
		}
		if l.asked != nil {
			l.took = append(l.took, time.Since(l.epoch)-l.asked.remove(h.StreamID))
		}
		return 1
	case frame.TypeSettings:
		if !h.Flags.Has(frame.FlagAck) {
			s := frame.ParseSettings(p)
			for i := range s.Len() {
				if v := s.At(i); v.ID == frame.SettingInitialWindowSize {
					for j := range l.uploads { // RFC 9113 6.9.2
						l.uploads[j].window += int64(v.Value) - l.initial
					}
					l.initial = int64(v.Value)
				}
			}
			l.out = frame.AppendSettingsAck(l.out)
		}
	case frame.TypePing:
		if !h.Flags.Has(frame.FlagAck) {
			l.out = frame.AppendPing(l.out, true, [8]byte(p))
		}
	case frame.TypeWindowUpdate:
		inc := int64(binary.BigEndian.Uint32(p))
		if h.StreamID == 0 {
			l.window += inc
		}
		for i := range l.uploads {
			if l.uploads[i].id == h.StreamID {
				l.uploads[i].window += inc
			}
		}
	case frame.TypeRSTStream, frame.TypeGoAway:
		l.t.Fatalf("%v: code %v", h, frame.ErrCode(binary.BigEndian.Uint32(p[len(p)-4:])))
	}
	return 0
}

// echoed counts n octets that came back on a stream, whose next message is to wait
// until this one is complete.
func (l *load) echoed(stream, n int) (done int) {
	e := &l.echoes[stream]
	e.credit += n
	if e.got += n; e.got < len(l.work.Send) {
		return 0
	}
	e.got = 0
	l.idle = append(l.idle, stream)
	return 1
}
