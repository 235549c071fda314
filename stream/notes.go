package stream

import (
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// Notes is what package conn writes down about a stream beside the state of
// the protocol. Its meaning stands where it is used.
type Notes struct {
	Trailers *hpack.Fields // follow the queued octets; the application's again once sent

	Unread   int    // octets passed on and not consumed
	ListSize int    // octets of the header section, which trailers share a limit with
	Progress int    // octets sent since LastSent
	Interims uint16 // 1xx responses received

	Signals uint16 // raised and not fetched
	Retry   bool   // the peer did not process the request
	Side    uint8  // who ended the stream before its time
	Code    frame.ErrCode
	After   frame.ErrCode // code of the RST_STREAM that follows END_STREAM, with a flag

	lists [numLists]listLinks
}

// ListKind says which [List] a list is: a stream is in at most one of a kind.
type ListKind uint8

const (
	ListUpdates ListKind = iota
	ListSignals

	numLists
)

type listLinks struct {
	next, prev *Stream
	in         bool
}

// List is a list of streams in the order in which they were added. Its links
// are in the streams, so nothing allocates. Set Kind before use.
type List struct {
	Kind       ListKind
	head, tail *Stream
}

// Empty reports whether no stream is in the list.
func (l *List) Empty() bool { return l.head == nil }

// Front returns the stream that was added first, or nil.
func (l *List) Front() *Stream { return l.head }

// Add puts s at the end, unless it is in the list.
func (l *List) Add(s *Stream) {
	k := &s.lists[l.Kind]
	if k.in {
		return
	}
	k.in, k.prev = true, l.tail
	if l.tail == nil {
		l.head = s
	} else {
		l.tail.lists[l.Kind].next = s
	}
	l.tail = s
}

// Remove takes s out, if it is in the list.
func (l *List) Remove(s *Stream) {
	k := &s.lists[l.Kind]
	if !k.in {
		return
	}
	if k.prev == nil {
		l.head = k.next
	} else {
		k.prev.lists[l.Kind].next = k.next
	}
	if k.next == nil {
		l.tail = k.prev
	} else {
		k.next.lists[l.Kind].prev = k.prev
	}
	*k = listLinks{}
}
