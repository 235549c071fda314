package flowcontrol

// MaxWindow is the largest flow-control window, in octets.
//
// RFC 9113 6.9.1: "A sender MUST NOT allow a flow-control window to exceed 2^31-1 octets."
const MaxWindow = 1<<31 - 1

// Send is the peer's grant for one stream or for the connection: what we may still send.
//
// A window is initial + delta. For a stream, initial is the peer's current SETTINGS_INITIAL_WINDOW_SIZE and
// the caller passes it each time; for the connection it is always 65535, because a SETTINGS frame cannot
// change that window (RFC 9113 6.9.2). delta is every increment received minus every octet sent. When the
// setting changes, all windows have changed and no Send was touched.
//
// The zero value is a stream that has just been opened.
type Send struct {
	delta int64 // from -(2^31-1) to 2^31-1: Grant bounds it above, the caller's n <= Available below
}

// Available is the number of octets that may be sent now. It is negative after the peer lowered its
// initial window below what was already sent:
//
// RFC 9113 6.9.2: "A sender MUST track the negative flow-control window and MUST NOT send new
// flow-controlled frames until it receives WINDOW_UPDATE frames that cause the flow-control window to
// become positive."
func (w *Send) Available(initial uint32) int64 { return int64(initial) + w.delta }

// Sent takes n octets of sent DATA, padding included, from the window. n is at most Available.
func (w *Send) Sent(n int) { w.delta -= int64(n) }

// Grant adds the increment of a WINDOW_UPDATE frame. It answers false, and changes nothing, when the window
// would exceed [MaxWindow]:
//
// RFC 9113 6.9.1: "If a sender receives a WINDOW_UPDATE that causes a flow-control window to exceed this
// maximum, it MUST terminate either the stream or the connection, as appropriate."
func (w *Send) Grant(initial uint32, inc uint32) bool {
	if int64(initial)+w.delta+int64(inc) > MaxWindow {
		return false
	}
	w.delta += int64(inc)
	return true
}

// Delta is the difference between the window and the initial window, in octets. Streams that share an
// initial window are ordered by it.
func (w *Send) Delta() int64 { return w.delta }

// Peak bounds the delta of all streams of a connection from above, so that most changes of
// SETTINGS_INITIAL_WINDOW_SIZE are checked without a visit to the streams:
//
// RFC 9113 6.9.2: "An endpoint MUST treat a change to SETTINGS_INITIAL_WINDOW_SIZE that causes any
// flow-control window to exceed the maximum size as a connection error of type FLOW_CONTROL_ERROR."
//
// Note every stream after a Grant. When Fits says no, the bound may be stale (the stream that set it has
// sent, or has gone): start again from the zero value, Note every live stream, and ask once more. The
// second answer is exact. A peer pays for each such walk with a new grant.
//
// The zero value is the bound of a connection without streams: a new stream has delta 0.
type Peak struct {
	max int64
}

// Note raises the bound to the delta of w.
func (p *Peak) Note(w *Send) { p.max = max(p.max, w.delta) }

// Fits says that no stream's window exceeds [MaxWindow] under this initial window.
func (p *Peak) Fits(initial uint32) bool { return int64(initial)+p.max <= MaxWindow }
