package stream

import (
	"time"

	"github.com/nonet-h2/nonet/flowcontrol"
)

// Stream is the record of one stream. Package conn owns every exported field; Table and Queue own the rest.
// A record belongs to its stream from Table.Add to Table.Remove, then it is cleared and serves another.
type Stream struct {
	ID   uint32 // 0: the record is free
	Slot uint32 // where the record is: Table.At(Slot)

	State       State
	Urgency     uint8 // RFC 9218: 0 first, 7 last. Change with Queue.Reprioritize
	Incremental bool  // RFC 9218: shares with its equals instead of going in order
	End         bool  // END_STREAM follows the queued octets
	Flags       Flags

	Send flowcontrol.Send // what the peer grants us
	Recv flowcontrol.Recv // what we grant the peer

	Queued int // octets that are ready and not emitted

	ContentLength int64 // declared by the peer's content-length; -1: none
	Received      int64 // octets of content received, to hold against ContentLength

	Tuned    time.Duration // when octets that count towards the next increment of Recv began to come
	LastRecv time.Duration // when the peer last made progress on this stream
	LastSent time.Duration // when we last did

	Notes

	links
}

// Flags are facts about a stream that package conn notes down; their meaning stands there.
type Flags uint32

// Has says that all of x are set.
func (f Flags) Has(x Flags) bool { return f&x == x }

// DefaultUrgency is the urgency of a stream about which nothing was said (RFC 9218 4.1).
const DefaultUrgency = 3

// NoContentLength is the ContentLength of a message that declares none.
const NoContentLength = -1
