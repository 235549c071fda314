// Package stream is one stream's life (RFC 9113 section 5.1) and the set of a connection's streams.
//
//   - [Step] is the RFC's state drawing as a complete table: state and input to state and verdict.
//   - [Stream] is the record of one stream. [Table] holds the records of a connection, by id and by slot,
//     with pointers that stay valid until the stream is removed.
//   - [Queue] says which stream sends next: by urgency, then in order or in turn (RFC 9218). Streams that
//     wait for their window stand aside and cost nothing until it opens.
//   - [Ring] remembers the last streams that we reset, so that what the peer sent before it knew is ignored.
//
// Nothing here allocates once it has grown to the number of streams in use, and closed streams take no
// room: an id at or below the highest seen and not in the table is closed.
//
// The package decides nothing about messages, errors or limits: that is package conn, which also keeps the
// numbers of each record true. Not safe for concurrent use.
package stream
