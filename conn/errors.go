package conn

import (
	"errors"
	"strconv"

	"github.com/nonet-h2/nonet/frame"
)

// Error is a connection error (Stream is 0) or a stream error (RFC 9113 5.4),
// with the side that caused it and a reason from a closed list.
type Error struct {
	Code   frame.ErrCode
	Reason frame.Reason
	Side   Side
	Stream uint32
	// Debug is the additional debug data of the peer's GOAWAY, cut to 64 octets.
	Debug string
}

func (e *Error) Error() string {
	s := "connection error "
	if e.Stream != 0 {
		s = "stream " + strconv.FormatUint(uint64(e.Stream), 10) + " error "
	}
	s += e.Code.String()
	if e.Reason != frame.ReasonNone {
		s += " (" + e.Reason.String() + ")"
	}
	if e.Side == Remote {
		s += " from the peer"
	}
	if e.Debug != "" {
		s += ": " + strconv.Quote(e.Debug)
	}
	return s
}

// Errors of commands. They are the caller's mistakes or news that it has not
// fetched yet; none of them harms the connection.
var (
	// ErrGone: the stream is over or was never there. [Conn.Fate] may say why.
	ErrGone = errors.New("conn: stream is over")
	// ErrOrder: the command does not fit the state of the message, such as
	// DATA before the final header section or anything after the end.
	ErrOrder = errors.New("conn: out of order for this message")
	// ErrNoCapacity: the peer's SETTINGS_MAX_CONCURRENT_STREAMS is reached;
	// the CanOpen signal says when to try again.
	ErrNoCapacity = errors.New("conn: the peer's limit of concurrent streams is reached")
	// ErrGoingAway: the connection accepts no new stream.
	ErrGoingAway = errors.New("conn: connection is going away")
	// ErrNoConnectProtocol: the request has :protocol and the server has not
	// announced SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 3), or not yet.
	ErrNoConnectProtocol = errors.New("conn: the server does not offer extended CONNECT")
	// ErrRole: the command belongs to the other role.
	ErrRole = errors.New("conn: wrong role for this command")
)
