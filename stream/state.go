package stream

// State is the state of a stream, RFC 9113 section 5.1. The reserved states do not occur: they are entered
// by PUSH_PROMISE only, which a server here never sends and a client refuses.
//
//	                 +--------+
//	          send H |        | recv H
//	      ,----------|  idle  |----------.
//	      |  send H, |        | recv H,  |
//	      |  ES      +--------+ ES       |
//	      |   |                   |      |
//	      |   |      +--------+   |      |
//	      '---|----->|        |<--|------'
//	          |      |  open  |   |
//	          v      |        |   v
//	+----------+     +--------+     +----------+
//	|   half-  |<-----'  |  '------>|   half-  |
//	|  closed  | send ES | recv ES  |  closed  |
//	| (local)  |         |          | (remote) |
//	+----------+         | send R / +----------+
//	     |               | recv R        |
//	     | recv ES /     v               | send ES /
//	     | send R / +--------+  send R / |
//	     | recv R   |        |  recv R   |
//	     '--------->| closed |<----------'
//	                +--------+
//
//	H: HEADERS, with CONTINUATION frames to END_HEADERS; ES: END_STREAM; R: RST_STREAM
type State uint8

const (
	Idle State = iota
	Open
	HalfClosedLocal  // we sent END_STREAM
	HalfClosedRemote // the peer sent END_STREAM
	Closed

	numStates
)

// String returns the RFC's name of the state.
func (s State) String() string {
	return name(stateNames[:], uint8(s))
}

var stateNames = [numStates]string{"idle", "open", "half-closed (local)", "half-closed (remote)", "closed"}

// Input is what happens to a stream: a frame received or sent. HEADERS stands for a whole field section,
// END_STREAM takes effect with END_HEADERS. End means that the frame bears END_STREAM.
type Input uint8

const (
	RecvHeaders Input = iota
	RecvHeadersEnd
	RecvData
	RecvDataEnd
	RecvReset
	RecvWindowUpdate
	RecvPriority
	SendHeaders
	SendHeadersEnd
	SendData
	SendDataEnd
	SendReset

	numInputs
)

// String returns a short name such as "recv HEADERS+END_STREAM".
func (in Input) String() string {
	return name(inputNames[:], uint8(in))
}

var inputNames = [numInputs]string{
	"recv HEADERS", "recv HEADERS+END_STREAM", "recv DATA", "recv DATA+END_STREAM",
	"recv RST_STREAM", "recv WINDOW_UPDATE", "recv PRIORITY",
	"send HEADERS", "send HEADERS+END_STREAM", "send DATA", "send DATA+END_STREAM", "send RST_STREAM",
}

// Verdict says what the connection has to do about an input.
type Verdict uint8

const (
	OK                 Verdict = iota // process it
	Ignore                            // drop it; a field section is decoded and DATA counts on the connection's window nevertheless
	StreamClosedStream                // stream error STREAM_CLOSED
	StreamClosedConn                  // connection error STREAM_CLOSED
	ProtocolConn                      // connection error PROTOCOL_ERROR
	Misuse                            // our own side must not send this here

	numVerdicts
)

// String returns a short name such as "stream error STREAM_CLOSED".
func (v Verdict) String() string {
	return name(verdictNames[:], uint8(v))
}

var verdictNames = [numVerdicts]string{
	"ok", "ignore", "stream error STREAM_CLOSED", "connection error STREAM_CLOSED",
	"connection error PROTOCOL_ERROR", "misuse",
}

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown"
}

// Step is the life of a stream: what input in does to a stream in state s. Unless the verdict is OK the state
// stays as it is; a stream error closes the stream by the SendReset that follows it.
//
// The table knows the state alone. The caller knows what else the RFC makes a difference of: whose stream an
// idle id would be (5.1.1), how many may be open (5.1.2), and that we reset a closed stream ourselves not long
// ago ([Ring]): then whatever comes is ignored.
func Step(s State, in Input) (State, Verdict) {
	r := steps[s][in]
	return r.to, r.verdict
}

type step struct {
	to      State
	verdict Verdict
}

// steps is the whole of section 5.1, one row an input. state_test.go holds each rule with its sentence.
var steps = [numStates][numInputs]step{
	Idle: {
		RecvHeaders:      {Open, OK},
		RecvHeadersEnd:   {HalfClosedRemote, OK},
		RecvData:         {Idle, ProtocolConn},
		RecvDataEnd:      {Idle, ProtocolConn},
		RecvReset:        {Idle, ProtocolConn},
		RecvWindowUpdate: {Idle, ProtocolConn},
		RecvPriority:     {Idle, OK},
		SendHeaders:      {Open, OK},
		SendHeadersEnd:   {HalfClosedLocal, OK},
		SendData:         {Idle, Misuse},
		SendDataEnd:      {Idle, Misuse},
		SendReset:        {Idle, Misuse},
	},
	Open: {
		RecvHeaders:      {Open, OK},
		RecvHeadersEnd:   {HalfClosedRemote, OK},
		RecvData:         {Open, OK},
		RecvDataEnd:      {HalfClosedRemote, OK},
		RecvReset:        {Closed, OK},
		RecvWindowUpdate: {Open, OK},
		RecvPriority:     {Open, OK},
		SendHeaders:      {Open, OK},
		SendHeadersEnd:   {HalfClosedLocal, OK},
		SendData:         {Open, OK},
		SendDataEnd:      {HalfClosedLocal, OK},
		SendReset:        {Closed, OK},
	},
	HalfClosedLocal: {
		RecvHeaders:      {HalfClosedLocal, OK},
		RecvHeadersEnd:   {Closed, OK},
		RecvData:         {HalfClosedLocal, OK},
		RecvDataEnd:      {Closed, OK},
		RecvReset:        {Closed, OK},
		RecvWindowUpdate: {HalfClosedLocal, OK}, // could be ignored, but then an overflow would pass
		RecvPriority:     {HalfClosedLocal, OK},
		SendHeaders:      {HalfClosedLocal, Misuse},
		SendHeadersEnd:   {HalfClosedLocal, Misuse},
		SendData:         {HalfClosedLocal, Misuse},
		SendDataEnd:      {HalfClosedLocal, Misuse},
		SendReset:        {Closed, OK},
	},
	HalfClosedRemote: {
		RecvHeaders:      {HalfClosedRemote, StreamClosedStream},
		RecvHeadersEnd:   {HalfClosedRemote, StreamClosedStream},
		RecvData:         {HalfClosedRemote, StreamClosedStream},
		RecvDataEnd:      {HalfClosedRemote, StreamClosedStream},
		RecvReset:        {Closed, OK},
		RecvWindowUpdate: {HalfClosedRemote, OK},
		RecvPriority:     {HalfClosedRemote, OK},
		SendHeaders:      {HalfClosedRemote, OK},
		SendHeadersEnd:   {Closed, OK},
		SendData:         {HalfClosedRemote, OK},
		SendDataEnd:      {Closed, OK},
		SendReset:        {Closed, OK},
	},
	Closed: {
		RecvHeaders:      {Closed, StreamClosedConn},
		RecvHeadersEnd:   {Closed, StreamClosedConn},
		RecvData:         {Closed, StreamClosedStream},
		RecvDataEnd:      {Closed, StreamClosedStream},
		RecvReset:        {Closed, Ignore},
		RecvWindowUpdate: {Closed, Ignore},
		RecvPriority:     {Closed, OK},
		SendHeaders:      {Closed, Misuse},
		SendHeadersEnd:   {Closed, Misuse},
		SendData:         {Closed, Misuse},
		SendDataEnd:      {Closed, Misuse},
		SendReset:        {Closed, Misuse},
	},
}
