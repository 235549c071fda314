package conn

import (
	"time"

	"github.com/nonet-h2/nonet/frame"
)

// abuse counts what a peer does for nothing (limits.go has the prices).
type abuse struct {
	resets, settings, pings, useless bucket

	late       int   // frames that may be on their way on streams we reset
	lateData   int64 // octets of DATA likewise
	updates    int   // WINDOW_UPDATE frames received
	dataSent   int   // DATA frames sent
	lateResets int   // RST_STREAM frames received on closed streams
	ctl        int64 // octets of control frames received
	useful     int64 // octets of DATA, received and sent, and of header blocks received
}

// control charges the octets of any frame that is not DATA or part of a header
// block, and unknown ones for being there.
func (a *abuse) control(now time.Duration, h frame.Header) *frame.Error {
	a.ctl += frame.HeaderLen + int64(h.Length)
	if a.ctl/controlRatio > a.useful+controlSlack {
		return errControlRatio
	}
	switch h.Type {
	case frame.TypeSettings, frame.TypePing, frame.TypeGoAway, frame.TypeWindowUpdate, frame.TypeRSTStream, frame.TypePriorityUpdate:
		return nil
	case frame.TypePriority:
		return a.idle(now, costPriority)
	}
	return a.idle(now, costUnknown+int32(h.Length/costUnknownPer))
}

// idle charges a frame that carries nothing.
func (a *abuse) idle(now time.Duration, cost int32) *frame.Error {
	if !a.useless.take(now, price{idleBurst, idleRate}, cost) {
		return errIdleFlood
	}
	return nil
}

// expect notes that we reset a stream on which the peer may have as much
// on its way.
func (a *abuse) expect(window int64) {
	a.late += latePerReset
	a.lateData += max(window, 0)
}

// discarded charges DATA on a closed stream, unless it was to be expected. A
// message stream or an upload that we reset may have a whole window on its
// way, in frames of any size.
func (a *abuse) discarded(now time.Duration, n int64) *frame.Error {
	if n > 0 && n <= a.lateData {
		a.lateData -= n
		return nil
	}
	return a.closed(now)
}

// closed charges a frame on a closed stream, unless it was to be expected.
func (a *abuse) closed(now time.Duration) *frame.Error {
	if a.late > 0 {
		a.late--
		return nil
	}
	return a.idle(now, costClosed)
}

// lateReset charges RST_STREAM frames on closed streams beyond what the streams
// and the DATA that we sent explain: a server lets one follow an answer that
// was complete before the request was (RFC 9113 8.1), and some answer each late
// frame so (6.1).
func (a *abuse) lateReset(now time.Duration, streams int) *frame.Error {
	if a.lateResets++; a.lateResets > streams+a.dataSent {
		return a.closed(now)
	}
	return nil
}

// reset charges a stream that made us work for nothing.
func (a *abuse) reset(now time.Duration, cost int32) *frame.Error {
	if !a.resets.take(now, price{resetBurst, resetRate}, cost) {
		return errResetFlood
	}
	return nil
}

// windowUpdate charges WINDOW_UPDATE frames beyond what the streams and the
// DATA that we sent explain.
func (a *abuse) windowUpdate(now time.Duration, streams int) *frame.Error {
	if a.updates++; a.updates > freeUpdates+updatesPerStream*streams+updatesPerData*a.dataSent {
		return a.idle(now, costWindowUpdate)
	}
	return nil
}
