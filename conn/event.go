package conn

import "github.com/nonet-h2/nonet/frame"

// Ref names a stream for good. Stream identifiers never repeat within a
// connection, so the ID is also the generation; Slot is small, is reused, and
// indexes whatever slice a driver keeps beside the Conn.
type Ref struct{ Slot, ID uint32 }

// Side says who caused something.
type Side uint8

const (
	Nobody Side = iota
	Local       // this endpoint: the engine or its application
	Remote      // the peer
)

// String returns "nobody", "local" or "remote".
func (s Side) String() string {
	switch s {
	case Local:
		return "local"
	case Remote:
		return "remote"
	}
	return "nobody"
}

// Kind says what an [Event] tells.
type Kind uint8

const (
	// None: the octets were consumed and there is nothing to tell.
	None Kind = iota
	// Headers: a request (server) or a final response (client) is in dst.
	Headers
	// Info: an interim (1xx) response is in dst. Client only.
	Info
	// Data: Data is payload of the stream. Payload arrives as it comes, so one
	// DATA frame may be several events; End is set on the last of them.
	Data
	// Trailers: the trailer section is in dst; End is always set.
	Trailers
	// Reset: the stream is over, by the peer's RST_STREAM (Side Remote) or by a
	// stream error that the peer's frame caused (Side Local).
	Reset
	// Pong: the peer answered our PING; Data is its eight octets.
	Pong
)

// Event is what one call of [Conn.Next] found. Data aliases the octets given
// to Next, or storage of the Conn, and is valid until the next call of Next.
type Event struct {
	Kind   Kind
	End    bool // END_STREAM: the peer sends nothing more on this stream
	Side   Side // Reset: who reset the stream
	Reason frame.Reason
	Code   frame.ErrCode // Reset
	Ref    Ref
	Data   []byte
}

// Signals are facts about a stream, or about the connection (zero Ref), that
// arise outside one event. They are coalesced: a signal raised twice before it
// was fetched is told once.
type Signals uint16

const (
	// Ended: the stream is over and no Reset event told so: a timer, a GOAWAY
	// or the end of the connection. [Conn.Fate] says more.
	Ended Signals = 1 << iota
	// TrailersSent: the trailers left in an Emit; their Fields are the caller's again.
	TrailersSent
	// CanOpen: Open may succeed again (client).
	CanOpen
	// SettingsChanged: the peer's SETTINGS changed; [Conn.Peer] has them.
	SettingsChanged
	// GoAway: the peer sent GOAWAY.
	GoAway
	// Drained: a shutdown is complete: no stream is left, and none will come.
	Drained
)

// Cut is a place in a [Batch] where payload belongs: after Buf[:At], N octets
// of the stream's queued payload, which follow those of earlier cuts.
type Cut struct {
	At  int
	Ref Ref
	N   int
	// End: nothing follows on this stream in our direction but trailers that
	// are already in Buf.
	End bool
}

// Batch collects what [Conn.Emit] decided to send: frame headers, control
// frames and header blocks in Buf, and the places where payload goes in Cuts.
type Batch struct {
	Buf  []byte
	Cuts []Cut
	// Payload is the sum of N over Cuts, in octets.
	Payload int
}

// Reset empties the batch and keeps its memory.
func (w *Batch) Reset() { w.Buf, w.Cuts, w.Payload = w.Buf[:0], w.Cuts[:0], 0 }
