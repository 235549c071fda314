package fuzz

import (
	"github.com/nonet-h2/nonet/frame"
)

// peer reads the octets that the Conn was fed, as a bookkeeper: it knows what
// the peer granted and sent, and judges nothing. Where the Conn ignored a frame
// the peer's grants are an upper bound.
type peer struct {
	octets []byte
	at     int // octets[:at] are the preface and whole frames

	settings [][]frame.Setting // each SETTINGS but acknowledgements
	pings    [][8]byte         // to be acknowledged
	maxID    uint32            // the highest identifier on a HEADERS frame

	initial uint32           // SETTINGS_INITIAL_WINDOW_SIZE
	conn    int64            // granted to the connection in total
	streams map[uint32]int64 // granted by WINDOW_UPDATE, without the initial window
	data    int64            // octets of DATA payload sent, padding included
}

func newPeer(octets []byte) *peer {
	return &peer{octets: octets, initial: frame.DefaultWindow, conn: frame.DefaultWindow, streams: map[uint32]int64{}}
}

// advance takes note of the frames that end at or before pos.
func (p *peer) advance(pos int) {
	for _, end := range frameEnds(p.octets[:pos], p.at) {
		if p.at >= len(frame.Preface) {
			h := frame.ParseHeader(p.octets[p.at:])
			p.note(h, p.octets[p.at+frame.HeaderLen:end])
		}
		p.at = end
	}
	// A HEADERS frame is there as soon as its header is.
	if rest := p.octets[p.at:pos]; p.at >= len(frame.Preface) && len(rest) >= frame.HeaderLen {
		if h := frame.ParseHeader(rest); h.Type == frame.TypeHeaders {
			p.maxID = max(p.maxID, h.StreamID)
		}
	}
}

func (p *peer) note(h frame.Header, b []byte) {
	switch {
	case h.Type == frame.TypeHeaders:
		p.maxID = max(p.maxID, h.StreamID)
	case h.Type == frame.TypeData:
		p.data += int64(h.Length)
	case h.Type == frame.TypePing && len(b) == 8 && !h.Flags.Has(frame.FlagAck):
		p.pings = append(p.pings, [8]byte(b))
	case h.Type == frame.TypeWindowUpdate && len(b) == 4:
		inc, _ := frame.ParseWindowUpdate(h, b)
		if h.StreamID == 0 {
			p.conn += int64(inc)
		} else {
			p.streams[h.StreamID] += int64(inc)
		}
	case h.Type == frame.TypeSettings && len(b)%6 == 0 && !h.Flags.Has(frame.FlagAck):
		var list []frame.Setting
		for i := range frame.ParseSettings(b).Len() {
			s := frame.ParseSettings(b).At(i)
			list = append(list, s)
			if s.ID == frame.SettingInitialWindowSize {
				p.initial = s.Value
			}
		}
		p.settings = append(p.settings, list)
	}
}

// whole reports whether octets[:pos] ends with a whole frame.
func (p *peer) whole(pos int) bool { return p.at == pos }

// frameEnds returns where the preface and each whole frame of b end, from the
// boundary at on.
func frameEnds(b []byte, at int) (ends []int) {
	if at == 0 {
		if len(b) < len(frame.Preface) {
			return nil
		}
		at = len(frame.Preface)
		ends = append(ends, at)
	}
	for len(b)-at >= frame.HeaderLen {
		n := frame.HeaderLen + int(frame.ParseHeader(b[at:]).Length)
		if n > len(b)-at {
			break
		}
		at += n
		ends = append(ends, at)
	}
	return ends
}
