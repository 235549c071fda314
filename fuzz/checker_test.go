package fuzz

import (
	"bytes"
	"fmt"
	"io"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/flowcontrol"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// checker reads everything that a server sends, with x/net's Framer and hpack
// decoder, and holds it against RFC 9113 and against what the peer granted.
type checker struct {
	in     bytes.Buffer
	framer *http2.Framer
	xdec   *xhpack.Decoder
	dec    hpack.Decoder // knows when a table size update is due; x/net's doesn't

	frames  int
	acks    int // of SETTINGS
	pings   int // acknowledged
	goaways int
	goaway  uint32 // the last stream of the latest
	failed  bool   // GOAWAY with an error was sent
	conn    int64  // granted to the peer by WINDOW_UPDATE
	data    int64  // octets of DATA sent
	streams map[uint32]*outStream

	id    uint32 // of the header block that is being read
	end   bool
	block []byte
}

// outStream is what was sent on a stream.
type outStream struct {
	final, end, reset bool
	data              int64 // octets of DATA
	granted           int64 // by WINDOW_UPDATE
}

func newChecker() *checker {
	k := &checker{goaway: frame.MaxStreamID, streams: map[uint32]*outStream{}, xdec: xhpack.NewDecoder(4096, nil)}
	k.framer = http2.NewFramer(io.Discard, &k.in)
	k.framer.SetReuseFrames()
	k.framer.SetMaxReadFrameSize(frame.MinMaxFrameSize)
	return k
}

// read checks the frames of one Emit.
func (k *checker) read(wire []byte, p *peer) error {
	k.in.Reset()
	k.in.Write(wire)
	for k.in.Len() > 0 {
		f, err := k.framer.ReadFrame()
		if err != nil {
			return fmt.Errorf("x/net's Framer: %v (%v)", err, k.framer.ErrorDetail())
		}
		if k.failed {
			return fmt.Errorf("%v after GOAWAY with an error", f)
		}
		if err := k.frame(f, p); err != nil {
			return fmt.Errorf("%v: %w", f, err)
		}
		k.frames++
	}
	if k.id != 0 {
		return fmt.Errorf("stream %d: the batch ends within a header block", k.id)
	}
	return nil
}

func (k *checker) frame(f http2.Frame, p *peer) error {
	id := f.Header().StreamID
	if set, ok := f.(*http2.SettingsFrame); k.frames == 0 && (!ok || set.IsAck()) {
		return fmt.Errorf("the first frame is not SETTINGS (RFC 9113 3.4)")
	}
	if id != 0 && (id > p.maxID || id%2 == 0) {
		return fmt.Errorf("on an idle stream (RFC 9113 5.1)")
	}
	s := k.stream(id)
	switch f := f.(type) {
	case *http2.HeadersFrame:
		k.id, k.end, k.block = id, f.StreamEnded(), append(k.block[:0], f.HeaderBlockFragment()...)
		if f.HeadersEnded() {
			return k.headers(s)
		}
	case *http2.ContinuationFrame:
		k.block = append(k.block, f.HeaderBlockFragment()...)
		if f.HeadersEnded() {
			return k.headers(s)
		}
	case *http2.DataFrame:
		return k.dataFrame(s, f, p)
	case *http2.RSTStreamFrame:
		s.reset = true
	case *http2.WindowUpdateFrame:
		if id == 0 {
			k.conn += int64(f.Increment)
			if frame.DefaultWindow+k.conn-p.data > frame.MaxWindow {
				return fmt.Errorf("the connection window is over 2^31-1 (RFC 9113 6.9.1)")
			}
			return nil
		}
		if s.reset {
			return fmt.Errorf("after RST_STREAM")
		}
		s.granted += int64(f.Increment)
	case *http2.SettingsFrame:
		if f.IsAck() {
			return k.settingsAck(p)
		}
		if k.frames > 0 {
			return fmt.Errorf("a second SETTINGS")
		}
	case *http2.PingFrame:
		if f.IsAck() {
			if k.pings >= len(p.pings) || p.pings[k.pings] != f.Data {
				return fmt.Errorf("acknowledges no PING, or not the next one")
			}
			k.pings++
		}
	case *http2.GoAwayFrame:
		if f.LastStreamID > k.goaway {
			return fmt.Errorf("last stream %d rose from %d (RFC 9113 6.8)", f.LastStreamID, k.goaway)
		}
		k.goaway = f.LastStreamID
		k.goaways++
		k.failed = f.ErrCode != http2.ErrCodeNo
	default:
		return fmt.Errorf("a frame that no server sends")
	}
	return nil
}

func (k *checker) stream(id uint32) *outStream {
	if id == 0 {
		return nil
	}
	s := k.streams[id]
	if s == nil {
		s = &outStream{}
		k.streams[id] = s
	}
	return s
}

// settingsAck puts the peer's settings into effect, in the order of its frames.
func (k *checker) settingsAck(p *peer) error {
	if k.acks >= len(p.settings) {
		return fmt.Errorf("acknowledges no SETTINGS")
	}
	for _, s := range p.settings[k.acks] {
		if s.ID == frame.SettingHeaderTableSize {
			k.dec.SetAllowedTableSize(s.Value)
		}
	}
	k.acks++
	return nil
}

func (k *checker) dataFrame(s *outStream, f *http2.DataFrame, p *peer) error {
	switch {
	case s.reset || s.end:
		return fmt.Errorf("after the end of the stream")
	case !s.final:
		return fmt.Errorf("before the header section (RFC 9113 8.1)")
	}
	for i, b := range f.Data() {
		if b != payloadOctet(f.StreamID, s.data+int64(i)) {
			return fmt.Errorf("payload is not in order at octet %d", s.data+int64(i))
		}
	}
	n := int64(f.Length)
	s.data += n
	k.data += n
	s.end = f.StreamEnded()
	if n > 0 && s.data > int64(p.initial)+p.streams[f.StreamID] && !p.lowered() {
		return fmt.Errorf("%d octets are beyond the stream's window (RFC 9113 6.9.1)", s.data)
	}
	if n > 0 && k.data > p.conn {
		return fmt.Errorf("%d octets are beyond the connection's window (RFC 9113 6.9.1)", k.data)
	}
	return nil
}

// lowered reports whether the initial window was ever lowered: octets sent
// before are rightly beyond it.
func (p *peer) lowered() bool {
	last := uint32(frame.DefaultWindow)
	for _, list := range p.settings {
		for _, s := range list {
			if s.ID == frame.SettingInitialWindowSize {
				if s.Value < last {
					return true
				}
				last = s.Value
			}
		}
	}
	return false
}

// headers checks a whole header block.
func (k *checker) headers(s *outStream) error {
	id := k.id
	k.id = 0
	if s.reset || s.end {
		return fmt.Errorf("after the end of the stream")
	}
	var fields hpack.Fields
	kind := hpack.Response
	if s.final {
		if kind = hpack.Trailers; !k.end {
			return fmt.Errorf("trailers without END_STREAM (RFC 9113 8.1)")
		}
	}
	if v, err := k.dec.Decode(&fields, k.block, kind, hpack.Limits{}); err != nil || v != hpack.OK {
		return fmt.Errorf("header block %x: %v, %v (%v)", k.block, v, err, k.dec.Fault())
	}
	if err := k.xnet(&fields); err != nil {
		return fmt.Errorf("header block %x: %w", k.block, err)
	}
	if kind == hpack.Response {
		status := fields.Get(hpack.TokenStatus)
		if len(status) != 3 {
			return fmt.Errorf("stream %d: status %q", id, status)
		}
		if s.final = status[0] != '1'; !s.final && k.end {
			return fmt.Errorf("END_STREAM on an interim response (RFC 9113 8.1)")
		}
	}
	s.end = k.end
	return nil
}

// xnet decodes the block once more with x/net's decoder, which must find the
// same. It rejects the two size updates that RFC 7541 4.2 asks for when entries
// survive the first, so a connection that sends them is no longer compared.
func (k *checker) xnet(want *hpack.Fields) error {
	if k.xdec == nil {
		return nil
	}
	if len(k.block) > 1 && k.block[0]&0xe0 == 0x20 {
		i := 1
		for k.block[0]&0x1f == 0x1f && k.block[i]&0x80 != 0 {
			i++
		}
		if k.block[0]&0x1f == 0x1f {
			i++
		}
		if i < len(k.block) && k.block[i]&0xe0 == 0x20 {
			k.xdec = nil
			return nil
		}
	}
	list, err := k.xdec.DecodeFull(k.block)
	if err != nil {
		return fmt.Errorf("x/net's decoder: %v", err)
	}
	if len(list) != want.Len() {
		return fmt.Errorf("x/net decodes %d fields, we %d", len(list), want.Len())
	}
	for i, f := range list {
		if f.Name != string(want.Name(i)) || f.Value != string(want.Value(i)) || f.Sensitive != want.Sensitive(i) {
			return fmt.Errorf("x/net decodes %v, we %s: %s", f, want.Name(i), want.Value(i))
		}
	}
	return nil
}

// settled checks a living connection that has nothing to emit and whose streams
// are all released.
func (k *checker) settled(p *peer, c *conn.Conn, l *conn.Limits) error {
	if k.acks != len(p.settings) {
		return fmt.Errorf("%d of %d SETTINGS are acknowledged", k.acks, len(p.settings))
	}
	if k.pings != len(p.pings) {
		return fmt.Errorf("%d of %d PINGs are acknowledged", k.pings, len(p.pings))
	}
	window := int64(l.ConnWindow)
	// It may have grown to what the path carries.
	if view := frame.DefaultWindow + k.conn - p.data; view < window/2 || view > max(window, flowcontrol.MaxTarget) || view != c.Snapshot().RecvWindow {
		return fmt.Errorf("the peer may send %d octets, of a window of %d", view, window)
	}
	if lost, buffered := outstanding(c); lost != 0 || buffered != 0 {
		return fmt.Errorf("%d octets of the connection window are lost, and %d of the budget", lost, buffered)
	}
	return nil
}

// payloadOctet is octet i of what the application sends on a stream.
func payloadOctet(id uint32, i int64) byte { return byte(id)*31 + byte(i) + byte(i>>8) }
