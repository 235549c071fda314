package conn

import "github.com/nonet-h2/nonet/frame"

// What a peer can do wrong, beyond what package frame checks. Shared values:
// to return one allocates nothing.
var (
	errPreface         = fault(frame.ProtocolError, frame.ReasonPreface)
	errFirstFrame      = fault(frame.ProtocolError, frame.ReasonFirstFrame)
	errInterleaved     = fault(frame.ProtocolError, frame.ReasonInterleaved)
	errPadding         = fault(frame.ProtocolError, frame.ReasonPadding)
	errContinuation    = fault(frame.ProtocolError, frame.ReasonContinuation)
	errPush            = fault(frame.ProtocolError, frame.ReasonPush)
	errIdle            = fault(frame.ProtocolError, frame.ReasonIdleStream)
	errOrderOfIDs      = fault(frame.ProtocolError, frame.ReasonStreamOrder)
	errClosed          = fault(frame.StreamClosed, frame.ReasonClosedStream)
	errCompression     = fault(frame.CompressionError, frame.ReasonCompression)
	errConnWindow      = fault(frame.FlowControlError, frame.ReasonConnWindow)
	errWindowOverflow  = fault(frame.FlowControlError, frame.ReasonWindowOverflow)
	errUnsolicitedAck  = fault(frame.ProtocolError, frame.ReasonUnsolicitedAck)
	errConnectSetting  = fault(frame.ProtocolError, frame.ReasonSettingValue)
	errGoAwayRose      = fault(frame.ProtocolError, frame.ReasonGoAwayRose)
	errRole            = fault(frame.ProtocolError, frame.ReasonRole)
	errTooManySettings = fault(frame.EnhanceYourCalm, frame.ReasonTooManySettings)
	errBlockTooLarge   = fault(frame.EnhanceYourCalm, frame.ReasonBlockTooLarge)
	errListTooLarge    = fault(frame.EnhanceYourCalm, frame.ReasonListTooLarge)
	errResetFlood      = fault(frame.EnhanceYourCalm, frame.ReasonResetFlood)
	errSettingsFlood   = fault(frame.EnhanceYourCalm, frame.ReasonSettingsFlood)
	errPingFlood       = fault(frame.EnhanceYourCalm, frame.ReasonPingFlood)
	errIdleFlood       = fault(frame.EnhanceYourCalm, frame.ReasonUselessFlood)
	errControlRatio    = fault(frame.EnhanceYourCalm, frame.ReasonControlRatio)

	streamClosed       = streamFault(frame.StreamClosed, frame.ReasonClosedStream)
	streamWindow       = streamFault(frame.FlowControlError, frame.ReasonStreamWindow)
	streamOverflow     = streamFault(frame.FlowControlError, frame.ReasonWindowOverflow)
	streamMalformed    = streamFault(frame.ProtocolError, frame.ReasonMalformed)
	streamLength       = streamFault(frame.ProtocolError, frame.ReasonContentLength)
	streamListTooLarge = streamFault(frame.EnhanceYourCalm, frame.ReasonListTooLarge)
	streamInterims     = streamFault(frame.EnhanceYourCalm, frame.ReasonInterims)
)

func fault(code frame.ErrCode, why frame.Reason) *frame.Error {
	return &frame.Error{Scope: frame.ConnectionScope, Code: code, Reason: why}
}

func streamFault(code frame.ErrCode, why frame.Reason) *frame.Error {
	return &frame.Error{Scope: frame.StreamScope, Code: code, Reason: why}
}
