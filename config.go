package nonet

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

// Config is what servers are told. The zero value of each field is its
// default. It must not be changed once a server runs.
type Config struct {
	// Limits bound what peers can make a connection hold or do.
	// Limits.Handshake runs from the moment a connection is accepted until TLS,
	// the client preface and the first SETTINGS are through.
	Limits conn.Limits
	// WindowMemory is by how many octets the receive windows of all connections
	// together may grow beyond what they begin with (Limits.StreamWindow); what
	// peers send and handlers do not read is held in memory up to the windows.
	// Default 256 MiB.
	WindowMemory int64
	// WriteStall is how long a write may wait for a peer that takes no octets
	// before the connection is closed. Default 10 s; negative: for ever.
	WriteStall time.Duration
	// EnableConnectProtocol lets requests with :protocol through (RFC 8441).
	EnableConnectProtocol bool
	// DisableHTTP1 serves HTTP/2 only.
	DisableHTTP1 bool
	// Prepared is the set of the fields that handlers add with
	// [Stream.AddPrepared]; nil: none.
	Prepared *hpack.Set
	// Logger gets a line for a handler's panic and, at debug level, for a
	// connection that ended by an error. Default [slog.Default].
	Logger *slog.Logger
	// Trace gets one line for each frame in either direction, and one for each
	// field. Writes to it are not concurrent. Default: none, at no cost.
	Trace io.Writer
}

const (
	defaultWriteStall   = 10 * time.Second
	defaultWindowMemory = 256 << 20
	// lingerTime and lingerOctets bound what is still read and thrown away
	// after our last octet was sent, so that the peer gets it: closing a socket
	// that holds unread input resets the connection.
	lingerTime   = time.Second
	lingerOctets = 1 << 20
)

// sharedLimits are the limits that all connections of a server share.
type sharedLimits struct {
	once sync.Once
	full *conn.Limits
}

// of returns those of c.
func (l *sharedLimits) of(c *Config) *conn.Limits {
	l.once.Do(func() { l.full = c.Limits.For(conn.Server) })
	return l.full
}

func (c *Config) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.Default()
}

func (c *Config) windowMemory() int64 {
	if c.WindowMemory == 0 {
		return defaultWindowMemory
	}
	return c.WindowMemory
}

func (c *Config) writeStall() time.Duration {
	switch {
	case c.WriteStall == 0:
		return defaultWriteStall
	case c.WriteStall < 0:
		return 0
	}
	return c.WriteStall
}
