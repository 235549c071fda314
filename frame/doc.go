// Package frame reads and writes HTTP/2 frames: nine octets of header and a
// payload (RFC 9113, section 4 and section 6; PRIORITY_UPDATE from RFC 9218,
// section 7.1).
//
// It works on octets that the caller holds and knows nothing of connections,
// of field compression (a field block is just octets here) or of I/O.
//
// Reading takes three steps, of which none allocates or copies:
//
//  1. [ParseHeader] turns nine octets into a [Header].
//  2. [Header.Check] applies every rule that the nine octets decide alone:
//     length and stream identifier. A frame that breaks one can be refused
//     before a single octet of its payload has come.
//  3. One of the Parse functions gives a view of the complete payload. Views
//     alias the payload and live as long as it does. A Parse function relies
//     on a header that passed Check and on len(p) == Length; without that it
//     may panic.
//
// Writing is done by the Append functions. Each appends whole frames to a
// slice, as append does, and returns it. They write what they are told: keeping
// to the peer's limits and to the order of frames is the caller's task.
// Identifiers are cut to 31 bits, the reserved bit is sent as 0.
//
// Errors are values of type *[Error]: a scope, a code, and a [Reason] out of a
// closed list. They all exist before the first frame is read.
//
// The package also owns the words every other package uses: [Type], [Flags],
// [ErrCode], [SettingID], and the protocol's numbers. [AppendText] prints a
// frame as a line of text.
package frame
