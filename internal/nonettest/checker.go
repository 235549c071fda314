package nonettest

import (
	"bytes"
	"fmt"
	"math"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	preface       = http2.ClientPreface
	defaultWindow = 65535
	maxWindow     = math.MaxInt32
)

// Checker watches both directions of one endpoint: the octets that it consumed
// and those that it sent. Input may be anything; output has to be right. It
// shares no code with the engine: frames are parsed by x/net's Framer and
// field sections by its hpack.
type Checker struct {
	// Lines has every frame sent as text (line.go), unless Quiet.
	Lines []string
	Quiet bool

	server bool // the endpoint is the server
	in     inbound

	buf     bytes.Buffer
	fr      *http2.Framer
	dec     *hpack.Decoder
	fields  []hpack.HeaderField
	block   []byte // the field block that is being collected
	blockID uint32
	blockES bool
	conts   int

	started bool // the endpoint's SETTINGS are out
	prefix  int  // octets of the preface that a client still has to send
	dead    bool // an error GOAWAY is out
	last    uint32
	away    bool

	streams  map[uint32]*wireStream
	touched  map[uint32]bool // closed streams on which the peer sent something that may be answered
	closed   []uint32        // closed since the last Output
	highest  uint32          // the highest id that the client opened
	sendConn int64           // what the endpoint may send
	recvConn int64           // what the peer may send
	peer     wireSettings    // the peer's, as far as acknowledged
	own      wireSettings    // the endpoint's, as the peer must assume
	ownNext  []wireSettings  // sent and not acknowledged
	tableMin uint32          // smallest table size acknowledged since the last block
	tableNow uint32          // the encoder's table size as the decoder knows it
}

// wireSettings are the settings that rules of the wire depend on.
type wireSettings struct {
	table, frame, window uint32
	streams              int64 // -1: no limit
}

// wireStream is a stream that is not closed.
type wireStream struct {
	inEnd, inReset   bool
	outEnd, outReset bool
	final            bool  // the endpoint sent a final header section
	send             int64 // beyond the initial window
	recv             int64
}

// NewChecker returns a Checker of a server's or a client's octets.
func NewChecker(server bool) *Checker {
	initial := wireSettings{table: 4096, frame: 16384, window: defaultWindow, streams: -1}
	k := &Checker{
		server: server, streams: map[uint32]*wireStream{}, touched: map[uint32]bool{},
		sendConn: defaultWindow, recvConn: defaultWindow, last: math.MaxUint32,
		peer: initial, own: initial, tableMin: math.MaxUint32, tableNow: 4096,
	}
	k.in.init(server)
	if !server {
		k.prefix = len(preface)
	}
	k.fr = http2.NewFramer(nil, &k.buf)
	k.fr.SetReuseFrames()
	k.dec = hpack.NewDecoder(4096, func(f hpack.HeaderField) { k.fields = append(k.fields, f) })
	return k
}

// Output takes octets that the endpoint sends: whole frames. The error is the
// first rule that they break.
func (k *Checker) Output(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if k.dead {
		return fmt.Errorf("%d octets after an error GOAWAY", len(b))
	}
	if n := min(k.prefix, len(b)); n > 0 {
		at := len(preface) - k.prefix
		if string(b[:n]) != preface[at:at+n] {
			return fmt.Errorf("preface is %q", b[:n])
		}
		k.prefix -= n
		b = b[n:]
	}
	k.buf.Write(b)
	for k.buf.Len() > 0 {
		if k.dead {
			return fmt.Errorf("%d octets after an error GOAWAY", k.buf.Len())
		}
		k.fr.SetMaxReadFrameSize(k.peer.frame)
		f, err := k.fr.ReadFrame()
		if err != nil {
			return fmt.Errorf("x/net Framer: %w (%v)", err, k.fr.ErrorDetail())
		}
		if err := k.frame(f); err != nil {
			return fmt.Errorf("%v: %w", f.Header(), err)
		}
	}
	if k.block != nil {
		return fmt.Errorf("output ends within a field block")
	}
	k.prune()
	return nil
}

// Finish reports what is missing at the end of a conversation: streams that
// never ended, acknowledgements never sent.
func (k *Checker) Finish() error {
	if k.dead || k.in.broken {
		return nil
	}
	k.prune()
	for id, s := range k.streams {
		return fmt.Errorf("stream %d has not ended: in end %v, out end %v", id, s.inEnd, s.outEnd)
	}
	if n := len(k.in.settings); n > 0 {
		return fmt.Errorf("%d SETTINGS are not acknowledged", n)
	}
	if n := len(k.in.pings); n > 0 {
		return fmt.Errorf("%d PINGs are not answered", n)
	}
	return nil
}

func (k *Checker) frame(f http2.Frame) error {
	h := f.Header()
	if !k.started {
		if sf, ok := f.(*http2.SettingsFrame); !ok || sf.IsAck() {
			return fmt.Errorf("the first frame is not SETTINGS (RFC 9113 3.4)")
		}
		k.started = true
	}
	if hf, ok := f.(*http2.HeadersFrame); ok {
		return k.headers(h, hf.HeaderBlockFragment(), hf.StreamEnded(), hf.HeadersEnded())
	}
	if cf, ok := f.(*http2.ContinuationFrame); ok {
		k.conts++
		return k.fragment(cf.HeaderBlockFragment(), cf.HeadersEnded())
	}
	if k.block != nil {
		return fmt.Errorf("within a field block (RFC 9113 4.3)")
	}
	k.line(f)
	switch f := f.(type) {
	case *http2.DataFrame:
		return k.data(h, f.StreamEnded())
	case *http2.RSTStreamFrame:
		return k.reset(h.StreamID)
	case *http2.SettingsFrame:
		return k.settings(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			return nil
		}
		if len(k.in.pings) == 0 || k.in.pings[0] != f.Data {
			return fmt.Errorf("acknowledges a PING that was not received, or out of order")
		}
		k.in.pings = k.in.pings[1:]
	case *http2.GoAwayFrame:
		return k.goAway(f)
	case *http2.WindowUpdateFrame:
		return k.windowUpdate(h.StreamID, int64(f.Increment))
	case *http2.PriorityUpdateFrame:
		s := k.streams[f.PrioritizedStreamID]
		if k.server || s == nil {
			return fmt.Errorf("of a server, or for a stream that is not open (RFC 9218 7.1)")
		}
	default:
		return fmt.Errorf("an endpoint of this engine never sends it")
	}
	return nil
}

func (k *Checker) goAway(f *http2.GoAwayFrame) error {
	if k.away && f.LastStreamID > k.last {
		return fmt.Errorf("last stream rises from %d (RFC 9113 6.8)", k.last)
	}
	if k.server && f.LastStreamID > k.highest && f.LastStreamID != math.MaxInt32 {
		return fmt.Errorf("last stream %d was never opened", f.LastStreamID)
	}
	k.away, k.last = true, f.LastStreamID
	k.dead = f.ErrCode != http2.ErrCodeNo
	return nil
}

// settings follows the endpoint's SETTINGS and its acknowledgements.
func (k *Checker) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		if len(k.in.settings) == 0 {
			return fmt.Errorf("acknowledges SETTINGS that were not received")
		}
		next := k.in.settings[0]
		k.in.settings = k.in.settings[1:]
		k.tableMin = min(k.tableMin, next.tableMin)
		k.peer = next.wireSettings
		k.dec.SetAllowedMaxDynamicTableSize(k.peer.table)
		return nil
	}
	next := k.own
	if n := len(k.ownNext); n > 0 {
		next = k.ownNext[n-1]
	}
	err := f.ForeachSetting(func(s http2.Setting) error {
		if s.ID == http2.SettingInitialWindowSize {
			next.window = s.Val
		}
		if s.ID == http2.SettingMaxFrameSize {
			next.frame = s.Val
		}
		if !k.server && s.ID == http2.SettingEnablePush && s.Val != 0 {
			return fmt.Errorf("push is enabled")
		}
		return s.Valid()
	})
	k.ownNext = append(k.ownNext, next)
	return err
}

func (k *Checker) windowUpdate(id uint32, inc int64) error {
	if id == 0 {
		if k.recvConn += inc; k.recvConn > maxWindow {
			return fmt.Errorf("the connection window is %d (RFC 9113 6.9.1)", k.recvConn)
		}
		return nil
	}
	s := k.streams[id]
	if s == nil {
		return fmt.Errorf("stream is idle or closed (RFC 9113 5.1)")
	}
	window := k.own.window
	for _, w := range k.ownNext {
		window = max(window, w.window)
	}
	if s.recv += inc; s.recv+int64(window) > maxWindow {
		return fmt.Errorf("the stream's window is %d (RFC 9113 6.9.1)", s.recv+int64(window))
	}
	return nil
}

func (k *Checker) data(h http2.FrameHeader, end bool) error {
	s := k.streams[h.StreamID]
	switch {
	case s == nil:
		return fmt.Errorf("stream is idle or closed (RFC 9113 5.1)")
	case s.outEnd || s.outReset || s.inReset:
		return fmt.Errorf("stream is over: sent END_STREAM %v, sent RST_STREAM %v, received RST_STREAM %v (RFC 9113 5.1)", s.outEnd, s.outReset, s.inReset)
	case !s.final:
		return fmt.Errorf("before the header section (RFC 9113 8.1)")
	}
	n := int64(h.Length)
	k.sendConn -= n
	s.send -= n
	if n > 0 && k.sendConn < 0 {
		return fmt.Errorf("overruns the connection window by %d (RFC 9113 6.9.1)", -k.sendConn)
	}
	if w := s.send + int64(k.peer.window); n > 0 && w < 0 {
		return fmt.Errorf("overruns the stream's window by %d (RFC 9113 6.9.1)", -w)
	}
	if end {
		s.outEnd = true
		k.over(h.StreamID, s)
	}
	return nil
}

func (k *Checker) reset(id uint32) error {
	s := k.streams[id]
	if s == nil || s.outReset || s.inReset || s.inEnd && s.outEnd {
		if !k.touched[id] {
			return fmt.Errorf("stream is idle or closed and the peer sent nothing on it (RFC 9113 5.1, 5.4.2)")
		}
		delete(k.touched, id)
		return nil
	}
	delete(k.touched, id)
	s.outReset = true
	k.over(id, s)
	return nil
}

// over notes that a stream may be closed; it is forgotten after this Output.
func (k *Checker) over(id uint32, s *wireStream) {
	if s.inReset || s.outReset || s.inEnd && s.outEnd {
		k.closed = append(k.closed, id)
	}
}

func (k *Checker) prune() {
	for _, id := range k.closed {
		delete(k.streams, id)
		delete(k.touched, id)
	}
	k.closed = k.closed[:0]
}
