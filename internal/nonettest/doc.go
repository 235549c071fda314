// Package nonettest is the test gear of the engine's pure core.
//
//   - An [Engine] drives one conn.Conn as a driver would, without a network:
//     it feeds octets cut in any way, collects events and signals, and sends
//     what Emit decides.
//   - A [Peer] is the other end of an Engine, played by the test from a
//     script: Send, Want("reason", frames…), WantIdle, Advance, and Do for what
//     the application does. Frames are written as text, as in
//     "HEADERS 1 ES EH :method=GET :path=/"; script.go has the notation.
//   - A [Pair] joins two Engines with a pump that can cut octets anywhere.
//   - Vectors are conversations in text files, which every implementation of
//     HTTP/2 could be held against; vectors.go has their form.
//   - A [Checker] sees every octet that goes in and out of an Engine, parses
//     the output with golang.org/x/net/http2 and its hpack, and holds it
//     against RFC 9113. No test can turn it off.
//
// An Engine asserts after every step that the Conn keeps the invariants which
// the test gave it (Engine.Check), that each stream ends exactly once towards
// the application, and that nothing spins.
package nonettest
