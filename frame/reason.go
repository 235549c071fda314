package frame

// Scope tells what an error ends (RFC 9113, 5.4).
type Scope uint8

// Scopes.
const (
	// ConnectionScope: GOAWAY, and the connection is closed (RFC 9113, 5.4.1).
	ConnectionScope Scope = iota
	// StreamScope: RST_STREAM, other streams go on (RFC 9113, 5.4.2).
	StreamScope
)

// String returns "connection" or "stream".
func (s Scope) String() string {
	if s == StreamScope {
		return "stream"
	}
	return "connection"
}

// Error is a rule that the peer broke: what it ends, with which code, and which
// rule it was. Errors are shared by everyone and must not be changed; returning
// one allocates nothing.
type Error struct {
	Scope  Scope
	Code   ErrCode
	Reason Reason
}

// Error returns a line such as
// "connection error FRAME_SIZE_ERROR: frame too large".
func (e *Error) Error() string {
	return e.Scope.String() + " error " + e.Code.String() + ": " + e.Reason.String()
}

// The errors this package returns.
var (
	errTooLarge      = Error{ConnectionScope, FrameSizeError, ReasonFrameTooLarge}
	errLength        = Error{ConnectionScope, FrameSizeError, ReasonFrameLength}
	errStreamLength  = Error{StreamScope, FrameSizeError, ReasonFrameLength}
	errStreamID      = Error{ConnectionScope, ProtocolError, ReasonStreamID}
	errPadding       = Error{ConnectionScope, ProtocolError, ReasonPadding}
	errSelf          = Error{StreamScope, ProtocolError, ReasonSelfDependency}
	errZero          = Error{ConnectionScope, ProtocolError, ReasonZeroIncrement}
	errStreamZero    = Error{StreamScope, ProtocolError, ReasonZeroIncrement}
	errSetting       = Error{ConnectionScope, ProtocolError, ReasonSettingValue}
	errSettingWindow = Error{ConnectionScope, FlowControlError, ReasonSettingValue}
	errPromisedID    = Error{ConnectionScope, ProtocolError, ReasonPromisedID}
	errPrioritizedID = Error{ConnectionScope, ProtocolError, ReasonPrioritizedID}
)

// Reason names the rule that was broken. The list is closed: metrics count by
// it, GOAWAY carries its text as debug data, and nothing compares strings.
type Reason uint8

// Reasons. A new one goes before reasonCount, and its text into reasonNames.
const (
	ReasonNone           Reason = iota
	ReasonFrameTooLarge         // more than SETTINGS_MAX_FRAME_SIZE
	ReasonFrameLength           // a length that the type and flags do not allow
	ReasonStreamID              // stream 0 where a stream is needed, or the reverse
	ReasonPadding               // padding longer than the room for it
	ReasonSelfDependency        // a stream depends on itself
	ReasonZeroIncrement         // WINDOW_UPDATE by 0
	ReasonSettingValue          // a setting's value out of its range
	ReasonPromisedID            // a promised stream with identifier 0 or odd
	ReasonPrioritizedID         // PRIORITY_UPDATE for stream 0

	// Package conn's.
	ReasonPreface            // the client preface is not HTTP/2's
	ReasonFirstFrame         // the first frame is not SETTINGS
	ReasonInterleaved        // another frame within a header block
	ReasonContinuation       // CONTINUATION without a header block before it
	ReasonPush               // PUSH_PROMISE, or leave for it, where push is off
	ReasonIdleStream         // a frame on a stream that was never opened
	ReasonStreamOrder        // an identifier below one that was opened
	ReasonClosedStream       // a frame on a stream that is closed
	ReasonCompression        // HPACK could not decode a header block
	ReasonConnWindow         // DATA beyond the connection's window
	ReasonStreamWindow       // DATA beyond the stream's window
	ReasonWindowOverflow     // a window of more than 2^31-1
	ReasonUnsolicitedAck     // acknowledgements of SETTINGS that were not sent
	ReasonGoAwayRose         // GOAWAY with a larger last stream than before
	ReasonRole               // a frame that only the other role sends
	ReasonRefused            // more streams than are allowed
	ReasonMalformed          // a malformed message
	ReasonContentLength      // content that does not fit content-length
	ReasonTooManySettings    // more settings in a frame than are looked at
	ReasonBlockTooLarge      // a header block of too many octets or frames
	ReasonListTooLarge       // a field section far beyond the limit
	ReasonInterims           // more interim responses than are looked at
	ReasonResetFlood         // streams that made us work for nothing
	ReasonSettingsFlood      // SETTINGS at too high a rate
	ReasonPingFlood          // PING at too high a rate
	ReasonUselessFlood       // frames that carry nothing at too high a rate
	ReasonControlRatio       // far more octets of control frames than of content
	ReasonHandshakeTimeout   // no preface and SETTINGS in time
	ReasonSettingsTimeout    // SETTINGS were not acknowledged in time
	ReasonFrameTimeout       // a frame or header block was not finished in time
	ReasonWriteTimeout       // the peer did not read in time
	ReasonSilence            // the peer did not answer PING
	ReasonInadequateSecurity // a TLS version or cipher suite that HTTP/2 forbids
	ReasonInternal           // a fault of our own

	reasonCount
)

var reasonNames = [reasonCount]string{
	ReasonNone:               "no reason",
	ReasonFrameTooLarge:      "frame too large",
	ReasonFrameLength:        "wrong frame length",
	ReasonStreamID:           "wrong stream identifier",
	ReasonPadding:            "padding exceeds payload",
	ReasonSelfDependency:     "stream depends on itself",
	ReasonZeroIncrement:      "window increment of zero",
	ReasonSettingValue:       "setting value out of range",
	ReasonPromisedID:         "wrong promised stream identifier",
	ReasonPrioritizedID:      "wrong prioritized stream identifier",
	ReasonPreface:            "no HTTP/2 connection preface",
	ReasonFirstFrame:         "first frame is not SETTINGS",
	ReasonInterleaved:        "frame within a header block",
	ReasonContinuation:       "CONTINUATION without HEADERS",
	ReasonPush:               "server push is off",
	ReasonIdleStream:         "frame on an idle stream",
	ReasonStreamOrder:        "stream identifiers went back",
	ReasonClosedStream:       "frame on a closed stream",
	ReasonCompression:        "HPACK decoding failed",
	ReasonConnWindow:         "connection window exceeded",
	ReasonStreamWindow:       "stream window exceeded",
	ReasonWindowOverflow:     "window overflow",
	ReasonUnsolicitedAck:     "unsolicited SETTINGS acknowledgement",
	ReasonGoAwayRose:         "last stream of GOAWAY went up",
	ReasonRole:               "frame of the other role",
	ReasonRefused:            "too many streams",
	ReasonMalformed:          "malformed message",
	ReasonContentLength:      "content-length mismatch",
	ReasonTooManySettings:    "too many settings",
	ReasonBlockTooLarge:      "header block too large",
	ReasonListTooLarge:       "header list too large",
	ReasonInterims:           "too many interim responses",
	ReasonResetFlood:         "too many resets",
	ReasonSettingsFlood:      "too many SETTINGS frames",
	ReasonPingFlood:          "too many PING frames",
	ReasonUselessFlood:       "too many useless frames",
	ReasonControlRatio:       "too many control octets",
	ReasonHandshakeTimeout:   "handshake timeout",
	ReasonSettingsTimeout:    "SETTINGS acknowledgement timeout",
	ReasonFrameTimeout:       "frame timeout",
	ReasonWriteTimeout:       "write timeout",
	ReasonSilence:            "no answer to PING",
	ReasonInadequateSecurity: "inadequate TLS security",
	ReasonInternal:           "internal error",
}

// String returns a few words, such as "frame too large".
func (r Reason) String() string {
	if s := name(reasonNames[:], uint32(r)); s != "" {
		return s
	}
	return "reason " + hexNumber(uint32(r))
}
