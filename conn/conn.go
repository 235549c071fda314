package conn

import (
	"time"

	"github.com/nonet-h2/nonet/flowcontrol"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/stream"
)

// Role says which end of the connection a Conn is.
type Role uint8

const (
	Server Role = iota
	Client
)

// Config is what a Conn is made with. Its zero value is a server with the
// default limits.
type Config struct {
	Role   Role
	Limits Limits
	// Shared, when it is not nil, stands for Limits: what [Limits.For] returned
	// for this Role. Connections that have it do not each keep their limits.
	Shared *Limits
	// EnableConnectProtocol announces SETTINGS_ENABLE_CONNECT_PROTOCOL and
	// lets requests with :protocol through (RFC 8441). Server only.
	EnableConnectProtocol bool
	// Prepared is the set whose prepared fields the encoder may meet; nil: none.
	Prepared *hpack.Set
}

// Conn is one HTTP/2 connection. Make one with [New]. Its parts are small
// states, a file each; the whole of a Conn belongs to whoever calls it.
type Conn struct {
	role    Role
	connect bool // we announced SETTINGS_ENABLE_CONNECT_PROTOCOL
	rest    bool // the last stream ended: idle starts at the next input or output

	sentFrame bool // HEADERS or DATA left since the peer's last PING
	// answers counts the octets of out that answer the peer's faults.
	answers int32

	lim *Limits
	now time.Duration

	in  input         // next.go: where in the input we are
	dec hpack.Decoder // the peer's field sections
	enc hpack.Encoder // ours

	streams stream.Table
	ids     identifiers // ids.go: which streams are idle, open or closed
	queue   stream.Queue
	updates stream.List // streams that owe a WINDOW_UPDATE
	signals signals     // signal.go

	send   flowcontrol.Send // the peer's grant for the connection
	recv   flowcontrol.Recv // our grant
	budget flowcontrol.Budget
	tuning tuning           // window.go: how our grants grow
	peak   flowcontrol.Peak // how far a stream's send window is above the initial one, at most

	settings settings // settings.go
	pings    pings    // ping.go
	health   health   // health.go
	leaving  leaving  // goaway.go
	timers   timers   // timers.go
	abuse    abuse    // abuse.go

	out []byte // HEADERS and RST_STREAM in call order, encoded, not yet emitted
	err *Error
}

// New returns a Conn at the start of its connection; the handshake timer runs
// from now.
func New(cfg Config, now time.Duration) *Conn {
	c := &Conn{role: cfg.Role, connect: cfg.EnableConnectProtocol && cfg.Role == Server, lim: cfg.Shared, now: now}
	if c.lim == nil {
		c.lim = cfg.Limits.For(cfg.Role)
	}
	c.enc.UseSet(cfg.Prepared)
	c.dec.SetAllowedTableSize(max(c.lim.HeaderTableSize, defaultTableSize))
	c.recv.Init(frame.DefaultWindow, c.lim.ConnWindow)
	c.budget.SetLimit(c.lim.RecvBudget)
	c.updates.Kind, c.signals.list.Kind = stream.ListUpdates, stream.ListSignals
	c.settings.init(c.role)
	c.ids.init(c.role)
	c.timers.init(c.lim, now)
	if c.role == Client {
		c.in.phase = phaseHeader
	}
	return c
}

// Active returns the number of streams that are open or half-closed.
func (c *Conn) Active() int { return c.ids.active }

// Unreleased returns the number of streams that the application was told of
// and has not released.
func (c *Conn) Unreleased() int { return c.ids.unreleased }

// Slots returns one more than the highest Ref.Slot in use, or that was in use
// since the connection was last without streams for a second.
func (c *Conn) Slots() int { return c.streams.Slots() }

// Err returns the error of ours that ended the connection; nil while it lives,
// after a graceful end, and whatever the peer's GOAWAY says: see PeerGoAway.
func (c *Conn) Err() *Error { return c.err }

// WantRead reports whether there is room for more input. It is false while too
// many answers to the peer's frames are unsent: Next consumes nothing until
// the next Emit, so a peer that does not read is not read from.
func (c *Conn) WantRead() bool {
	return len(c.pings.due) < pingRing && int(c.answers) < c.lim.ControlQueue && c.settings.acks < settingsBurst
}

// WantEmit reports whether Emit has something to append.
func (c *Conn) WantEmit() bool {
	switch {
	case c.leaving.phase == errorSent:
		return false
	case len(c.out) > 0, !c.settings.sent, c.settings.acks > 0, len(c.pings.due) > 0, c.pings.own, c.leaving.pending():
		return true
	case c.err != nil:
		return false
	}
	if c.health.due || c.recv.Pending() || !c.updates.Empty() || c.queue.CanUnblock(c.settings.peer.InitialWindowSize) {
		return true
	}
	s := c.queue.Front()
	return s != nil && (s.Queued == 0 || c.send.Available(frame.DefaultWindow) > 0)
}

// Done reports that nothing more will be read or sent once the octets of the
// last Emit are written: the socket can be closed.
func (c *Conn) Done() bool {
	return c.leaving.phase == errorSent || c.leaving.phase == finalSent && c.ids.active == 0 && !c.WantEmit()
}

// Draining reports whether the connection takes no new streams: either side
// sent GOAWAY, or a shutdown has begun.
func (c *Conn) Draining() bool { return c.leaving.phase != staying || c.leaving.peer }

// Fate returns how the stream ended: the code, who ended it, and whether a
// request can be retried because the peer did not process it (RFC 9113 8.7).
// It is known until Release; a stream that ended well or still lives has
// NO_ERROR and Nobody.
func (c *Conn) Fate(r Ref) (code frame.ErrCode, side Side, retry bool) {
	if s := c.get(r); s != nil {
		return s.Code, Side(s.Side), s.Retry
	}
	return frame.NoError, Nobody, false
}

// QueuedFor returns how many payload octets of the stream wait to be emitted.
func (c *Conn) QueuedFor(r Ref) int {
	if s := c.get(r); s != nil {
		return s.Queued
	}
	return 0
}

// get returns the record that r names, or nil when it is gone. A dead record,
// whose stream is over on the wire, is still there until Release.
func (c *Conn) get(r Ref) *stream.Stream {
	if s := c.streams.At(r.Slot); s != nil && s.ID == r.ID {
		return s
	}
	return nil
}

func ref(s *stream.Stream) Ref { return Ref{Slot: s.Slot, ID: s.ID} }
