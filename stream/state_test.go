package stream

import (
	"slices"
	"testing"
)

var (
	headers  = []Input{RecvHeaders, RecvHeadersEnd}
	data     = []Input{RecvData, RecvDataEnd}
	recvAny  = []Input{RecvHeaders, RecvHeadersEnd, RecvData, RecvDataEnd, RecvReset, RecvWindowUpdate, RecvPriority}
	recvEnd  = []Input{RecvHeadersEnd, RecvDataEnd}
	sendEnd  = []Input{SendHeadersEnd, SendDataEnd}
	sendBody = []Input{SendHeaders, SendHeadersEnd, SendData, SendDataEnd}
	sendAny  = append(slices.Clone(sendBody), SendReset)
	resets   = []Input{RecvReset, SendReset}
)

// rules is section 5.1 of RFC 9113 again, in its own words and order. Each pair of a state and an input is
// decided by exactly one rule.
var rules = []struct {
	sentence string
	from     []State
	in       []Input
	to       State
	verdict  Verdict
}{
	{`Note that PRIORITY can be sent and received in any stream state.`,
		[]State{Idle}, []Input{RecvPriority}, Idle, OK},
	{`Sending a HEADERS frame as a client, or receiving a HEADERS frame as a server, causes the stream to become "open".`,
		[]State{Idle}, []Input{RecvHeaders, SendHeaders}, Open, OK},
	{`The same HEADERS frame can also cause a stream to immediately become "half-closed".`,
		[]State{Idle}, []Input{RecvHeadersEnd}, HalfClosedRemote, OK},
	{`The same HEADERS frame can also cause a stream to immediately become "half-closed".`,
		[]State{Idle}, []Input{SendHeadersEnd}, HalfClosedLocal, OK},
	{`Receiving any frame other than HEADERS or PRIORITY on a stream in this state MUST be treated as a connection error (Section 5.4.1) of type PROTOCOL_ERROR.`,
		[]State{Idle}, []Input{RecvData, RecvDataEnd, RecvReset, RecvWindowUpdate}, Idle, ProtocolConn},
	{`RST_STREAM frames MUST NOT be sent for a stream in the "idle" state. (6.4; DATA needs "open" or "half-closed (remote)", 6.1)`,
		[]State{Idle}, []Input{SendData, SendDataEnd, SendReset}, Idle, Misuse},

	{`A stream in the "open" state may be used by both peers to send frames of any type.`,
		[]State{Open}, []Input{RecvHeaders, RecvData, RecvWindowUpdate, RecvPriority, SendHeaders, SendData}, Open, OK},
	{`An endpoint sending an END_STREAM flag causes the stream state to become "half-closed (local)";`,
		[]State{Open}, sendEnd, HalfClosedLocal, OK},
	{`an endpoint receiving an END_STREAM flag causes the stream state to become "half-closed (remote)".`,
		[]State{Open}, recvEnd, HalfClosedRemote, OK},
	{`Either endpoint can send a RST_STREAM frame from this state, causing it to transition immediately to "closed".`,
		[]State{Open}, resets, Closed, OK},

	{`A stream that is in the "half-closed (local)" state cannot be used for sending frames other than WINDOW_UPDATE, PRIORITY, and RST_STREAM.`,
		[]State{HalfClosedLocal}, sendBody, HalfClosedLocal, Misuse},
	{`A stream transitions from this state to "closed" when a frame is received with the END_STREAM flag set or when either peer sends a RST_STREAM frame.`,
		[]State{HalfClosedLocal}, append(slices.Clone(recvEnd), resets...), Closed, OK},
	{`An endpoint can receive any type of frame in this state. [...] In this state, a receiver can ignore WINDOW_UPDATE frames`,
		[]State{HalfClosedLocal}, []Input{RecvHeaders, RecvData, RecvWindowUpdate, RecvPriority}, HalfClosedLocal, OK},

	{`If an endpoint receives additional frames, other than WINDOW_UPDATE, PRIORITY, or RST_STREAM, for a stream that is in this state, it MUST respond with a stream error (Section 5.4.2) of type STREAM_CLOSED.`,
		[]State{HalfClosedRemote}, append(slices.Clone(headers), data...), HalfClosedRemote, StreamClosedStream},
	{`other than WINDOW_UPDATE, PRIORITY [...] A stream that is "half-closed (remote)" can be used by the endpoint to send frames of any type.`,
		[]State{HalfClosedRemote}, []Input{RecvWindowUpdate, RecvPriority, SendHeaders, SendData}, HalfClosedRemote, OK},
	{`A stream can transition from this state to "closed" by sending a frame with the END_STREAM flag set or when either peer sends a RST_STREAM frame.`,
		[]State{HalfClosedRemote}, append(slices.Clone(sendEnd), resets...), Closed, OK},

	{`An endpoint MUST NOT send frames other than PRIORITY on a closed stream.`,
		[]State{Closed}, sendAny, Closed, Misuse},
	{`An endpoint MAY treat receipt of any other type of frame on a closed stream as a connection error (Section 5.4.1) of type STREAM_CLOSED`,
		[]State{Closed}, headers, Closed, StreamClosedConn},
	{`An endpoint MAY treat [...] STREAM_CLOSED (DATA costs the stream only: the peer's octets can be in flight without its fault)`,
		[]State{Closed}, data, Closed, StreamClosedStream},
	{`An endpoint that sends a frame with the END_STREAM flag set or a RST_STREAM frame might receive a WINDOW_UPDATE or RST_STREAM frame from its peer in the time before the peer receives and processes the frame that closes the stream.`,
		[]State{Closed}, []Input{RecvReset, RecvWindowUpdate}, Closed, Ignore},
	{`Note that PRIORITY can be sent and received in any stream state.`,
		[]State{Closed}, []Input{RecvPriority}, Closed, OK},
}

func TestRFC9113_5_1_StreamStates(t *testing.T) {
	var decided [numStates][numInputs]bool
	for _, r := range rules {
		for _, s := range r.from {
			for _, in := range r.in {
				if decided[s][in] {
					t.Errorf("%v, %v: two rules", s, in)
				}
				decided[s][in] = true
				if to, v := Step(s, in); to != r.to || v != r.verdict {
					t.Errorf("%v, %v: %v, %v; want %v, %v\n%s", s, in, to, v, r.to, r.verdict, r.sentence)
				}
			}
		}
	}
	for s := range numStates {
		for in := range numInputs {
			if !decided[s][in] {
				t.Errorf("%v, %v: no rule", s, in)
			}
		}
	}
}

// Laws that any table for section 5.1 has, whatever its cells say.
func TestRFC9113_5_1_Laws(t *testing.T) {
	reach := func(s State) int { // closedness never decreases
		return [numStates]int{Idle: 0, Open: 1, HalfClosedLocal: 2, HalfClosedRemote: 2, Closed: 3}[s]
	}
	mirror := map[Input]Input{
		RecvHeaders: SendHeaders, RecvHeadersEnd: SendHeadersEnd,
		RecvData: SendData, RecvDataEnd: SendDataEnd, RecvReset: SendReset,
	}
	other := [numStates]State{Idle: Idle, Open: Open, Closed: Closed,
		HalfClosedLocal: HalfClosedRemote, HalfClosedRemote: HalfClosedLocal}
	for s := range numStates {
		for in := range numInputs {
			to, v := Step(s, in)
			if v != OK && to != s {
				t.Errorf("%v, %v: %v moves the state to %v", s, in, v, to)
			}
			if reach(to) < reach(s) {
				t.Errorf("%v, %v: back to %v", s, in, to)
			}
			if slices.Contains(recvAny, in) && v == Misuse {
				t.Errorf("%v, %v: misuse by receiving", s, in)
			}
			if slices.Contains(sendAny, in) && v != OK && v != Misuse {
				t.Errorf("%v, %v: %v by sending", s, in, v)
			}
		}
		// What we may send, a peer in the mirrored state accepts, and both end in mirrored states.
		for recv, send := range mirror {
			to, v := Step(s, send)
			peer, pv := Step(other[s], recv)
			if (v == OK) != (pv == OK) || v == OK && peer != other[to] {
				t.Errorf("%v, %v: %v, %v; the peer %v: %v, %v", s, send, to, v, other[s], peer, pv)
			}
		}
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	add := func(s string) {
		if s == "" || s == "unknown" || seen[s] {
			t.Errorf("name %q is empty, unknown or used twice", s)
		}
		seen[s] = true
	}
	for s := range numStates {
		add(s.String())
	}
	for in := range numInputs {
		add(in.String())
	}
	for v := range numVerdicts {
		add(v.String())
	}
	if State(99).String() != "unknown" {
		t.Error("a state that does not exist has a name")
	}
}
