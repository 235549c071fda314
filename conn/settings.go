package conn

import (
	"math"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/stream"
)

// defaultTableSize is SETTINGS_HEADER_TABLE_SIZE before any SETTINGS.
const defaultTableSize = 4096

// PeerSettings are the peer's settings (RFC 9113 6.5.2), or their initial
// values before its SETTINGS came.
type PeerSettings struct {
	HeaderTableSize       uint32
	MaxConcurrentStreams  uint32 // math.MaxUint32: no limit was set
	InitialWindowSize     uint32
	MaxFrameSize          uint32
	MaxHeaderListSize     uint32 // advisory; math.MaxUint32: no limit was set
	EnablePush            bool
	EnableConnectProtocol bool
	NoRFC7540Priorities   bool
}

// settings is what both sides told each other.
type settings struct {
	sent, acked bool  // ours
	seen        bool  // the peer's first
	strayAck    bool  // an acknowledgement of nothing came
	acks        int32 // the peer's, not acknowledged yet
	peer        PeerSettings
	early       earlyPriority
}

// earlyPriority is the latest PRIORITY_UPDATE for a stream that was idle.
type earlyPriority struct {
	id uint32
	p  Priority
}

func (st *settings) init(r Role) {
	st.peer = PeerSettings{
		HeaderTableSize:      defaultTableSize,
		MaxConcurrentStreams: math.MaxUint32,
		InitialWindowSize:    frame.DefaultWindow,
		MaxFrameSize:         frame.MinMaxFrameSize,
		MaxHeaderListSize:    math.MaxUint32,
		EnablePush:           r == Server,
	}
	if r == Client {
		st.peer.MaxConcurrentStreams = 100 // assumed until the server's SETTINGS come
	}
}

// window is the receive window that a new stream has: a smaller one than the
// default binds the peer only once it acknowledged it (RFC 9113 6.9.3).
func (st *settings) window(l *Limits) uint32 {
	if st.acked {
		return l.StreamWindow
	}
	return max(l.StreamWindow, frame.DefaultWindow)
}

// updated gives a new stream the priority that was sent ahead of it.
func (st *settings) updated(s *stream.Stream) {
	if st.early.id == s.ID {
		s.Urgency, s.Incremental = st.early.p.Urgency, st.early.p.Incremental
	}
}

// Peer returns the peer's settings, and whether they came yet.
func (c *Conn) Peer() (PeerSettings, bool) { return c.settings.peer, c.settings.seen }

// recvSettings applies SETTINGS in order (RFC 9113 6.5.3).
func (c *Conn) recvSettings(h frame.Header, p frame.Settings) *frame.Error {
	if h.Flags.Has(frame.FlagAck) {
		return c.recvSettingsAck()
	}
	if !c.abuse.settings.take(c.now, price{settingsBurst, settingsRate}, 1) {
		return errSettingsFlood
	}
	for i := range p.Len() {
		if e := c.apply(p.At(i)); e != nil {
			return e
		}
	}
	first := !c.settings.seen
	c.settings.seen = true
	c.acknowledge()
	c.timers.handshake = 0
	if first && c.role == Client {
		c.limitUnset(p)
	}
	c.raiseConn(SettingsChanged)
	if c.role == Client {
		c.raiseConn(CanOpen)
	}
	return nil
}

// acknowledge notes that SETTINGS are to be acknowledged. Field sections that
// wait in c.out were encoded before, and must be decoded before:
//
// RFC 9113 4.3.1: "Once an endpoint acknowledges a change to
// SETTINGS_HEADER_TABLE_SIZE that reduces the maximum below the current size
// of the dynamic table, its HPACK encoder MUST start the next field block with
// a Dynamic Table Size Update instruction".
func (c *Conn) acknowledge() {
	if len(c.out) == 0 {
		c.settings.acks++
		return
	}
	c.out = frame.AppendSettingsAck(c.out)
	c.answers += frame.HeaderLen
}

// limitUnset drops the assumed limit of concurrent streams when the server's
// first SETTINGS has none.
func (c *Conn) limitUnset(p frame.Settings) {
	for i := range p.Len() {
		if p.At(i).ID == frame.SettingMaxConcurrentStreams {
			return
		}
	}
	c.settings.peer.MaxConcurrentStreams = math.MaxUint32
}

func (c *Conn) apply(v frame.Setting) *frame.Error {
	if e := v.Check(); e != nil {
		return e
	}
	peer := &c.settings.peer
	switch v.ID {
	case frame.SettingHeaderTableSize:
		peer.HeaderTableSize = v.Value
		c.enc.SetMaxTableSize(v.Value)
	case frame.SettingEnablePush:
		if c.role == Client && v.Value != 0 {
			return errPush // RFC 9113 6.5.2: a server MUST NOT set it to 1
		}
		peer.EnablePush = v.Value == 1
	case frame.SettingMaxConcurrentStreams:
		peer.MaxConcurrentStreams = v.Value
	case frame.SettingInitialWindowSize:
		return c.setInitialWindow(v.Value)
	case frame.SettingMaxFrameSize:
		peer.MaxFrameSize = v.Value
	case frame.SettingMaxHeaderListSize:
		peer.MaxHeaderListSize = v.Value
	case frame.SettingEnableConnectProtocol:
		if peer.EnableConnectProtocol && v.Value == 0 {
			return errConnectSetting // RFC 8441 3: not 0 after 1
		}
		peer.EnableConnectProtocol = v.Value == 1
	case frame.SettingNoRFC7540Priorities:
		peer.NoRFC7540Priorities = v.Value == 1
	}
	return nil // RFC 9113 6.5.2: unknown settings are ignored
}

// setInitialWindow changes every stream's send window at once, at no cost a
// stream: a window is this value and the stream's own difference.
func (c *Conn) setInitialWindow(n uint32) *frame.Error {
	c.settings.peer.InitialWindowSize = n
	if c.peak.Fits(n) {
		return nil
	}
	// The peak is an upper bound; look, and know it exactly from then on.
	c.peak = c.peakNow()
	if !c.peak.Fits(n) {
		// RFC 9113 6.9.2: a change that causes any window to exceed the
		// maximum size is a connection error of type FLOW_CONTROL_ERROR.
		return errWindowOverflow
	}
	return nil
}

func (c *Conn) recvSettingsAck() *frame.Error {
	if !c.settings.sent || c.settings.acked {
		if c.settings.strayAck {
			return errUnsolicitedAck
		}
		c.settings.strayAck = true
		return nil
	}
	c.settings.acked = true
	c.timers.settingsAck = 0
	c.health.rtt.Sample(c.now - c.health.settings)
	c.dec.SetAllowedTableSize(c.lim.HeaderTableSize)
	if d := int64(c.lim.StreamWindow) - frame.DefaultWindow; d < 0 {
		for s := range c.streams.All() {
			s.Recv.Shift(d) // the peer just did the same to its side
			if !c.over(s) {
				c.credit(s, 0) // what was consumed meanwhile is due only now
			}
		}
	}
	return nil
}

// appendSettings writes our SETTINGS, the first frame of the connection
// (RFC 9113 3.4), and raises the connection window.
func (c *Conn) appendSettings(dst []byte, now time.Duration) []byte {
	if c.role == Client {
		dst = append(dst, frame.Preface...)
	}
	c.settings.sent = true
	c.health.settings = now
	c.timers.set(&c.timers.settingsAck, now, c.lim.SettingsAck)
	return frame.AppendSettings(dst, c.settingsList(make([]frame.Setting, 0, 8))...)
}

// settingsList appends the settings that we send.
func (c *Conn) settingsList(list []frame.Setting) []frame.Setting {
	l := c.lim
	if c.role == Client {
		list = append(list, frame.Setting{ID: frame.SettingEnablePush, Value: 0})
	} else {
		list = append(list, frame.Setting{ID: frame.SettingMaxConcurrentStreams, Value: l.MaxConcurrentStreams},
			frame.Setting{ID: frame.SettingNoRFC7540Priorities, Value: 1})
	}
	if c.connect {
		list = append(list, frame.Setting{ID: frame.SettingEnableConnectProtocol, Value: 1})
	}
	list = append(list, frame.Setting{ID: frame.SettingMaxHeaderListSize, Value: l.HeaderListSize})
	for _, v := range []struct {
		frame.Setting
		initial uint32
	}{
		{frame.Setting{ID: frame.SettingHeaderTableSize, Value: l.HeaderTableSize}, defaultTableSize},
		{frame.Setting{ID: frame.SettingInitialWindowSize, Value: l.StreamWindow}, frame.DefaultWindow},
		{frame.Setting{ID: frame.SettingMaxFrameSize, Value: l.MaxFrameSize}, frame.MinMaxFrameSize},
	} {
		if v.Value != v.initial {
			list = append(list, v.Setting)
		}
	}
	return list
}
