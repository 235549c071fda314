// Package conn is one HTTP/2 connection (RFC 9113) as a pure value: octets and
// time go in; at most one event per frame, signals, and octets come out.
//
// A [Conn] reads no socket, clock or random source, starts no goroutine, takes
// no lock and allocates nothing per frame. Payload never enters it: it moves
// lengths, and a driver keeps the octets. The same Conn plays both roles.
//
// The methods of a Conn are of four kinds:
//
//   - getters: [Conn.Peer], [Conn.Fate], [Conn.Deadline], [Conn.WantEmit], [Conn.WantRead], [Conn.RTT], [Conn.Snapshot], …
//   - input, from the network and the clock: [Conn.Next], [Conn.Body], [Conn.Expire], [Conn.SetRecvBudget]
//   - commands, from the application: [Conn.Open], [Conn.Headers], [Conn.Queue], [Conn.Trailers],
//     [Conn.Consumed], [Conn.Reset], [Conn.Release], [Conn.Ping], [Conn.Shutdown], [Conn.Fail]
//   - output: [Conn.Emit] and [Conn.Signal]
//
// After any input or command, a driver asks WantEmit, and drains Signal. The
// one rule for whoever drives it: what Emit appended goes to the wire in the
// order of the Emit calls, whole, for HPACK's state is in it.
//
// A Conn is not safe for concurrent use.
package conn
