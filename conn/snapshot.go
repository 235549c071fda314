package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/stream"
)

// Snapshot is what a connection looks like at one moment, for people who want
// to see what it is doing.
type Snapshot struct {
	Role     Role
	Draining bool   // takes no new streams
	Err      *Error // what ended it, nil while it lives

	Peer     PeerSettings    // the peer's SETTINGS
	PeerSeen bool            // they came; before, Peer has initial values
	Ours     []frame.Setting // the SETTINGS we sent
	Acked    bool            // the peer acknowledged them

	SendWindow int64         // octets of DATA we may send on the connection
	RecvWindow int64         // octets of DATA the peer may send
	RecvHeld   int64         // octets of DATA received for which no credit is given or due
	RTT        time.Duration // see [Conn.RTT]
	Opened     int           // streams over the connection's life
	Streams    []StreamSnapshot
}

// StreamSnapshot is a stream that is not closed, or not released.
type StreamSnapshot struct {
	ID          uint32
	State       stream.State
	SendWindow  int64 // may be negative
	RecvWindow  int64
	Queued      int   // octets that wait to be sent
	Unread      int   // octets that the application did not consume
	Received    int64 // octets of content received
	Urgency     uint8
	Incremental bool
}

// Snapshot returns the connection as it is now. It is a copy.
func (c *Conn) Snapshot() Snapshot {
	s := Snapshot{
		Role: c.role, Draining: c.Draining(), Err: c.err,
		Peer: c.settings.peer, PeerSeen: c.settings.seen, Ours: c.settingsList(nil), Acked: c.settings.acked,
		SendWindow: c.send.Available(frame.DefaultWindow), RecvWindow: c.recv.Available(), RecvHeld: c.recv.Outstanding(),
		RTT: c.RTT(), Opened: c.ids.total,
		Streams: make([]StreamSnapshot, 0, c.streams.Len()),
	}
	for st := range c.streams.All() {
		s.Streams = append(s.Streams, StreamSnapshot{
			ID: st.ID, State: st.State,
			SendWindow: st.Send.Available(c.settings.peer.InitialWindowSize), RecvWindow: st.Recv.Available(),
			Queued: st.Queued, Unread: st.Unread, Received: st.Received,
			Urgency: st.Urgency, Incremental: st.Incremental,
		})
	}
	return s
}
