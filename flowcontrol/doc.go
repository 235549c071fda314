// Package flowcontrol keeps the credit of RFC 9113 section 5.2 and 6.9 as plain numbers.
//
// Small values without pointers:
//
//   - [Send] is what the peer lets us send on one stream or on the connection. It is kept as a difference
//     from the peer's initial window, so that a change of SETTINGS_INITIAL_WINDOW_SIZE touches no stream;
//     [Peak] tells, without visiting the streams, that such a change overflows none of them.
//   - [Recv] is what we let the peer send: the window it sees, and the increments owed to it.
//   - [Budget] decides when the connection's credit goes back: on receipt while the octets held for the
//     application fit a budget, on consumption above it.
//   - [Grow] says how large a receive window should be for what the path carries, [RTT] how long that path is.
//
// The package answers with numbers and booleans. It knows no frame and no error code: package conn turns
// an overrun into FLOW_CONTROL_ERROR and an increment into WINDOW_UPDATE.
//
// The law that the tests hold it to: initial window + every increment announced − octets received = what
// the peer may still send, on both levels, always. Credit is neither lost (the connection would stall) nor
// given twice (memory would have no bound).
package flowcontrol
