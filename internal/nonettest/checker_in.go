package nonettest

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// inbound is what the endpoint has consumed: parsed by hand, for it may be
// wrong in any way. What it breaks is the endpoint's business; the Checker only
// has to know what the endpoint may answer.
type inbound struct {
	skip    int // octets of the preface still to come
	carry   []byte
	have    bool // h is the header of the current frame
	h       http2.FrameHeader
	left    int // octets of its payload still to come
	payload []byte
	broken  bool // what follows is no HTTP/2

	blockID uint32 // the field block that is open
	blockES bool

	settings []inSettings // received and not acknowledged
	latest   wireSettings
	pings    [][8]byte // received and not answered
}

// inSettings are the values after one SETTINGS frame of the peer.
type inSettings struct {
	wireSettings
	tableMin uint32 // the smallest table size in the frame
}

func (in *inbound) init(server bool) {
	in.latest = wireSettings{table: 4096, frame: 16384, window: defaultWindow, streams: -1}
	if server {
		in.skip = len(preface)
	}
}

// Input takes octets that the endpoint consumed.
func (k *Checker) Input(b []byte) {
	in := &k.in
	for len(b) > 0 && !in.broken {
		if in.skip > 0 {
			at := len(preface) - in.skip
			if b[0] != preface[at] {
				in.broken = true
			}
			in.skip--
			b = b[1:]
			continue
		}
		if !in.have {
			n := min(9-len(in.carry), len(b))
			in.carry = append(in.carry, b[:n]...)
			b = b[n:]
			if len(in.carry) < 9 {
				return
			}
			c := in.carry
			in.h = http2.FrameHeader{
				Length: uint32(c[0])<<16 | uint32(c[1])<<8 | uint32(c[2]), Type: http2.FrameType(c[3]), Flags: http2.Flags(c[4]),
				StreamID: binary.BigEndian.Uint32(c[5:]) & maxWindow,
			}
			in.carry, in.payload = in.carry[:0], in.payload[:0]
			in.have, in.left = true, int(in.h.Length)
			k.inHeader(in.h)
		}
		n := min(in.left, len(b))
		if in.h.Type != http2.FrameData && len(in.payload) < 4096 {
			in.payload = append(in.payload, b[:n]...)
		}
		in.left -= n
		b = b[n:]
		if in.left == 0 {
			in.have = false
			k.inFrame(in.h, in.payload)
		}
	}
}

// InFrame returns how many octets of a DATA frame's payload are still to come.
func (k *Checker) InFrame() int {
	if k.in.have && k.in.h.Type == http2.FrameData {
		return k.in.left
	}
	return 0
}

// inHeader takes a frame header: flow control counts from here, and stream
// errors may be answered.
func (k *Checker) inHeader(h http2.FrameHeader) {
	switch h.Type {
	case http2.FrameData, http2.FrameHeaders, http2.FrameContinuation, http2.FrameWindowUpdate, http2.FramePriority:
		k.touched[h.StreamID] = true
	}
	if h.Type == http2.FrameData {
		k.recvConn -= int64(h.Length)
		if s := k.streams[h.StreamID]; s != nil {
			s.recv -= int64(h.Length)
		}
	}
}

// inFrame takes a complete frame.
func (k *Checker) inFrame(h http2.FrameHeader, p []byte) {
	in := &k.in
	s := k.streams[h.StreamID]
	switch h.Type {
	case http2.FrameData:
		if s != nil && h.Flags.Has(http2.FlagDataEndStream) {
			k.inEnd(h.StreamID, s)
		}
	case http2.FrameHeaders:
		in.blockID, in.blockES = h.StreamID, h.Flags.Has(http2.FlagHeadersEndStream)
		if h.Flags.Has(http2.FlagHeadersEndHeaders) {
			k.inBlock()
		}
	case http2.FrameContinuation:
		if h.Flags.Has(http2.FlagContinuationEndHeaders) {
			k.inBlock()
		}
	case http2.FrameRSTStream:
		if s != nil {
			s.inReset = true
			k.over(h.StreamID, s)
		}
	case http2.FrameSettings:
		k.inSettings(h, p)
	case http2.FramePing:
		if len(p) == 8 && !h.Flags.Has(http2.FlagPingAck) {
			in.pings = append(in.pings, [8]byte(p))
		}
	case http2.FrameWindowUpdate:
		if len(p) != 4 {
			return
		}
		inc := int64(binary.BigEndian.Uint32(p) & maxWindow)
		if h.StreamID == 0 {
			k.sendConn += inc
		} else if s != nil {
			s.send += inc
		}
	}
}

func (k *Checker) inSettings(h http2.FrameHeader, p []byte) {
	in := &k.in
	if h.Flags.Has(http2.FlagSettingsAck) {
		if len(k.ownNext) > 0 {
			next := k.ownNext[0]
			k.ownNext = k.ownNext[1:]
			k.own = next
		}
		return
	}
	next := inSettings{in.latest, in.latest.table}
	for ; len(p) >= 6; p = p[6:] {
		v := binary.BigEndian.Uint32(p[2:])
		switch http2.SettingID(binary.BigEndian.Uint16(p)) {
		case http2.SettingHeaderTableSize:
			next.table, next.tableMin = v, min(next.tableMin, v)
		case http2.SettingMaxFrameSize:
			next.frame = v
		case http2.SettingInitialWindowSize:
			next.window = v
		case http2.SettingMaxConcurrentStreams:
			next.streams = int64(v)
		}
	}
	in.latest = next.wireSettings
	in.settings = append(in.settings, next)
}

// inBlock takes the end of a field block.
func (k *Checker) inBlock() {
	in := &k.in
	id := in.blockID
	s := k.streams[id]
	if s == nil && k.server && id%2 == 1 && id > k.highest {
		s = &wireStream{}
		k.streams[id], k.highest = s, id
	}
	if s != nil && in.blockES {
		k.inEnd(id, s)
	}
}

func (k *Checker) inEnd(id uint32, s *wireStream) {
	s.inEnd = true
	k.over(id, s)
}
