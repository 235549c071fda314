package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// Limits are the bounds of everything that a peer can make a connection hold
// or do. The zero value of a field means its default, which the comment gives
// with its reason; for a duration a negative value means no limit.
type Limits struct {
	// MaxConcurrentStreams is announced as SETTINGS_MAX_CONCURRENT_STREAMS and
	// also bounds the requests that are worked on. Default 100: the least that
	// RFC 9113 6.5.2 recommends, and all a browser uses.
	MaxConcurrentStreams uint32
	// WorkQueue is how many streams beyond MaxConcurrentStreams may wait for
	// their application: those that the peer reset while they were worked on
	// keep their work slot. Past it a new stream is refused with
	// REFUSED_STREAM. Default MaxConcurrentStreams: a browser that cancels a
	// whole page and loads another is still served.
	WorkQueue int
	// HeaderListSize is announced as SETTINGS_MAX_HEADER_LIST_SIZE: octets of
	// names and values plus 32 a field. Default 32 KiB. A larger request is
	// answered with 431; beyond four times as much the connection ends.
	HeaderListSize uint32
	// HeaderFields bounds the fields of a section, cookie crumbs included.
	// Default 100: octet limits alone do not bound one-octet references.
	HeaderFields int
	// CookieCrumbs bounds the cookie fields of a section. Default 64.
	CookieCrumbs int
	// TrailerFields bounds the fields of a trailer section, which shares
	// HeaderListSize with its header section. Default 32.
	TrailerFields int
	// Continuations bounds the CONTINUATION frames of a header block. Default
	// 8, or what HeaderListSize needs plus 4. One of them may be empty.
	Continuations int
	// HeaderTableSize is announced as SETTINGS_HEADER_TABLE_SIZE. Default 4096.
	HeaderTableSize uint32
	// MaxFrameSize is announced as SETTINGS_MAX_FRAME_SIZE. Default 16384: a
	// larger frame gains nothing, since DATA is passed on as it arrives.
	MaxFrameSize uint32
	// SendFrameSize bounds the DATA frames we send, whatever the peer would
	// accept. Default 16384: an urgent frame waits for at most one of them.
	SendFrameSize uint32
	// SettingsPerFrame bounds the settings of a SETTINGS frame. Default 32.
	SettingsPerFrame int
	// StreamWindow is the receive window that a stream begins with, announced
	// as SETTINGS_INITIAL_WINDOW_SIZE; it grows to what the path carries, at
	// most 16 MiB. Default 64 KiB: with MaxConcurrentStreams and RecvBudget it
	// bounds the body octets a connection can make us hold.
	StreamWindow uint32
	// ConnWindow is the receive window that the connection begins with; it
	// grows likewise. Default 1 MiB.
	ConnWindow uint32
	// RecvBudget is how many received and unread octets are credited to the
	// connection window at once; above it credit waits for the application.
	// It also bounds by how much the windows of all streams together grow
	// beyond StreamWindow. Default 32 MiB: two streams can fill a path of
	// 1 Gbit/s and 100 ms, and it is more than MaxConcurrentStreams ×
	// StreamWindow, so that one slow stream starves nobody.
	RecvBudget int64
	// ControlQueue is how many unsent octets of answers (acknowledgements,
	// RST_STREAM, refusals) stop the reading. Default 4096.
	ControlQueue int
	// Interims bounds the 1xx responses of one request (client). Default 16.
	Interims int
	// Requests is after how many requests a server sends a graceful GOAWAY.
	// Default 1 000 000, far from the end of the identifiers; negative: only
	// when identifiers run out.
	Requests int

	// Handshake bounds the time until the client preface and the first
	// SETTINGS have come. Default 10 s.
	Handshake time.Duration
	// SettingsAck bounds the wait for the acknowledgement of our SETTINGS.
	// Default 10 s, then SETTINGS_TIMEOUT.
	SettingsAck time.Duration
	// Block bounds the time a header block, or any frame but DATA, may take to
	// arrive once begun. Default 10 s.
	Block time.Duration
	// BodyIdle bounds the pause within a request body of declared length while
	// the peer has window. Default 30 s. Bodies without a declared length
	// (gRPC streams, WebSockets) may pause for ever.
	BodyIdle time.Duration
	// SendStall bounds the time that a response which holds payload waits for
	// the peer's windows without progress. Default 30 s.
	SendStall time.Duration
	// Idle is how long a connection without streams is kept. Default 120 s.
	Idle time.Duration
	// PingIdle is how long the peer may say nothing while streams are open
	// before it is asked by PING; client only. Default 30 s. A PING is kept
	// back when the peer could take it for one too many (health.go).
	PingIdle time.Duration
	// PingTimeout is how long the peer may say nothing after that; then the
	// connection is over. Default 15 s.
	PingTimeout time.Duration
	// LateData is how long a server ignores late frames on a stream that it
	// reset; a client ignores them for a day. Default 5 s.
	LateData time.Duration
	// Drain bounds a graceful shutdown's wait for the answer to its PING
	// before the final GOAWAY is sent. Default 1 s.
	Drain time.Duration
}

// WithDefaults returns l with every zero field replaced by its default.
func (l Limits) WithDefaults() Limits {
	// What is counted in an int has to fit one of 32 bits.
	def(&l.MaxConcurrentStreams, 100)
	l.MaxConcurrentStreams = min(l.MaxConcurrentStreams, 1<<28)
	def(&l.WorkQueue, int(l.MaxConcurrentStreams))
	l.WorkQueue = min(l.WorkQueue, 1<<28)
	def(&l.HeaderListSize, 32<<10)
	l.HeaderListSize = min(l.HeaderListSize, 1<<28)
	def(&l.HeaderFields, 100)
	def(&l.CookieCrumbs, 64)
	def(&l.TrailerFields, 32)
	def(&l.Continuations, max(8, (int(l.HeaderListSize)+frame.MinMaxFrameSize-1)/frame.MinMaxFrameSize+4))
	def(&l.HeaderTableSize, 4096)
	def(&l.MaxFrameSize, frame.MinMaxFrameSize)
	def(&l.SendFrameSize, frame.MinMaxFrameSize)
	def(&l.SettingsPerFrame, 32)
	def(&l.StreamWindow, 64<<10)
	def(&l.ConnWindow, 1<<20)
	def(&l.RecvBudget, 32<<20)
	def(&l.ControlQueue, 4096)
	def(&l.Interims, 16)
	def(&l.Requests, 1_000_000)
	def(&l.Handshake, 10*time.Second)
	def(&l.SettingsAck, 10*time.Second)
	def(&l.Block, 10*time.Second)
	def(&l.BodyIdle, 30*time.Second)
	def(&l.SendStall, 30*time.Second)
	def(&l.Idle, 120*time.Second)
	def(&l.PingIdle, 30*time.Second)
	def(&l.PingTimeout, 15*time.Second)
	def(&l.LateData, 5*time.Second)
	def(&l.Drain, time.Second)
	l.MaxFrameSize = min(max(l.MaxFrameSize, frame.MinMaxFrameSize), 1<<20)
	l.SendFrameSize = min(max(l.SendFrameSize, 1), frame.MaxMaxFrameSize)
	l.StreamWindow = min(l.StreamWindow, frame.MaxWindow)
	l.ConnWindow = min(max(l.ConnWindow, frame.DefaultWindow), frame.MaxWindow)
	return l
}

// For returns l with its defaults for connections of one role, for Config.Shared.
// It is not to be changed.
func (l Limits) For(role Role) *Limits {
	l = l.WithDefaults()
	if role == Server {
		l.PingIdle = -1
	} else {
		l.LateData = clientLateData
	}
	return &l
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

func (l *Limits) list(k hpack.Kind) hpack.Limits {
	n := l.HeaderFields
	if k == hpack.Trailers {
		n = l.TrailerFields
	}
	return hpack.Limits{Bytes: int(l.HeaderListSize), Fields: n, Crumbs: l.CookieCrumbs}
}

// blockSize is how many encoded octets a header block may have. HPACK enlarges
// a list by less than a quarter; up to twice the limit, a list that is too
// large is still decoded and answered with 431, which costs its sender only
// that request.
func (l *Limits) blockSize() int { return 2 * int(l.HeaderListSize) }

// Bounds of state that has a fixed size.
const (
	pingRing  = 16 // unanswered PINGs of the peer; when full, reading stops
	debugSize = 64 // octets of the peer's GOAWAY debug data that are kept
	carrySize = 1 << 10

	// trimAfter is how long a connection without streams keeps the memory of
	// streams: a pause between requests costs no allocation.
	trimAfter = time.Second

	// clientLateData is LateData of a client. RFC 9113 5.1: "Endpoints SHOULD
	// NOT use timers for this purpose": what was on its way when a download was
	// given up may take minutes on a slow path, and an error of the connection
	// would end all other requests.
	clientLateData = 24 * time.Hour
)

// Costs of what a peer may do for nothing. Each bucket holds burst tokens and
// regains rate a second; taking from an empty one ends the connection with
// ENHANCE_YOUR_CALM.
const (
	// Resets: streams that made us work and whose answer had not begun, whoever
	// reset them. A completed request gives one token back.
	resetBurst, resetRate = 200, 20
	costResetByPeer       = 1
	costStreamError       = 4 // we had to reset it for the peer's fault
	costRefused           = 1
	costMalformed         = 4

	// SETTINGS, and PING while we had sent no HEADERS or DATA since the last.
	settingsBurst, settingsRate = 50, 1
	pingBurst, pingRate         = 50, 1

	// Frames that carry nothing: empty DATA, PRIORITY, unknown types,
	// WINDOW_UPDATE beyond what the DATA we sent explains, frames on closed
	// streams.
	idleBurst, idleRate = 1000, 100
	costEmptyData       = 10 // 100 in a burst
	costPriority        = 1
	costUnknown         = 1
	costUnknownPer      = 4096 // one more for so many octets
	costClosed          = 2
	latePerReset        = 4 // frames on closed streams that are free for each stream we reset, besides DATA within its window
	costContinuation    = 2 // from the third on
	costListTooLarge    = 10
	costWindowUpdate    = 1
	freeUpdates         = 5  // WINDOW_UPDATE frames that are free of charge
	updatesPerStream    = 2  // more of them for a stream opened
	updatesPerData      = 20 // more of them for a DATA frame sent

	// The backstop: octets of control frames may not exceed eight times the
	// useful octets (DATA either way and field blocks) and a mebibyte.
	controlSlack, controlRatio = 1 << 20, 8
)
