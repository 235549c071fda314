package flowcontrol

// Recv is our grant to the peer for one stream or for the connection: what it may still send, and what we
// owe it.
//
// An octet of the window is in one of three places, and the sum is always the target:
//
//	available    the peer may send it
//	owed         it came back and is not announced yet; negative while a lowered target takes credit back
//	outstanding  received and not returned
//
// The zero value is a window of nothing; call Init first.
type Recv struct {
	available int64
	owed      int64
	target    int64
}

// Init starts a window. announced is what the peer believes it may send now: our SETTINGS_INITIAL_WINDOW_SIZE
// for a stream, 65535 for the connection. target is the window we want it to have; both are at most
// [MaxWindow]. What target has more is owed, so that the first Update may announce it; what it has less
// is withheld from later returns.
func (w *Recv) Init(announced, target uint32) {
	t := clamp(target)
	*w = Recv{available: clamp(announced), target: t}
	w.owed = t - w.available
}

// Receive takes n octets of a DATA frame from the window, padding and the pad length octet included. It
// answers false, and changes nothing, when the peer has sent more than it was granted:
//
// RFC 9113 6.9.1: "The sender MUST NOT send a flow-controlled frame with a length that exceeds the space
// available in either of the flow-control windows advertised by the receiver."
//
// An empty frame needs no window, also when that is negative.
func (w *Recv) Receive(n int) bool {
	if n > 0 && int64(n) > w.available {
		return false
	}
	w.available -= int64(n)
	return true
}

// Return gives back n octets that were received: consumed, padding, or discarded. More than is outstanding
// is not returned, so a repeated Return cannot widen the window beyond its target.
func (w *Recv) Return(n int) { w.owed += min(int64(n), w.Outstanding()) }

// largeUpdate is an increment that is always worth a frame: waiting for half of a large window would leave
// the peer without credit for a part of each round trip.
const largeUpdate = 1 << 20

// Pending says that Update would announce something.
func (w *Recv) Pending() bool { return w.owed > 0 && (2*w.owed >= w.target || w.owed >= largeUpdate) }

// Update is the increment to announce now in a WINDOW_UPDATE frame, which the caller must send: from here on
// the peer may use it. It is 0 while less than half of the target is owed, and less than 1 MiB, so that a
// frame is worth its octets; a peer that waits has then always more than half of the target in hand or in
// our buffers.
func (w *Recv) Update() uint32 {
	if !w.Pending() {
		return 0
	}
	inc := w.owed
	w.owed = 0
	w.available += inc // at most target, so at most MaxWindow
	return uint32(inc)
}

// Available is what the peer may send now, in octets. Negative after a Shift below what is in flight.
func (w *Recv) Available() int64 { return w.available }

// Owed is what the next Update would announce if it announced everything that came back.
func (w *Recv) Owed() uint32 { return uint32(max(w.owed, 0)) }

// Target is the window that the peer is meant to have.
func (w *Recv) Target() uint32 { return uint32(w.target) }

// Resize changes the target, at most [MaxWindow]. A larger one owes the peer the difference. A smaller one
// cannot take back what was announced: it withholds returns until the difference is made up.
func (w *Recv) Resize(target uint32) {
	t := clamp(target)
	w.owed += t - w.target
	w.target = t
}

// Shift follows a change of our own SETTINGS_INITIAL_WINDOW_SIZE by d octets, for every stream that is open.
// A raise counts from the moment the SETTINGS frame is sent, a reduction only from its acknowledgement:
//
// RFC 9113 6.9.3: "However, the receiver MUST be prepared to receive data that exceeds this window size,
// since the sender might send data that exceeds the lower limit prior to processing the SETTINGS frame."
//
// The target stays, so a raise is set against what is owed and a reduction is owed again. It answers false,
// and changes nothing, when the peer's window would exceed [MaxWindow].
func (w *Recv) Shift(d int64) bool {
	if w.available+d > MaxWindow {
		return false
	}
	w.available += d
	w.owed -= d
	return true
}

// Outstanding returns the octets that were received and not returned.
func (w *Recv) Outstanding() int64 { return w.target - w.available - w.owed }

func clamp(n uint32) int64 { return min(int64(n), MaxWindow) }
