// Package hpack is HPACK, header compression for HTTP/2: the whole of RFC 7541.
//
// Octets become fields in two ways. [Decoder.Decode] is what a connection
// uses: it fills an owned [Fields] list, bounded before anything is copied and
// validated as RFC 9113 8.2 and 8.3 say. [Decoder.Fields] is what tools use:
// it yields every field of a block, valid or not, as a view that lives until
// the next step.
//
// Fields become octets with [Encoder.AppendBlock]. A field that a program
// sends again and again is prepared once, in a [Set].
//
// A name that the engine knows has a [Token], a small number. It is found
// once, when a name arrives or is added, and travels with the field: nothing
// above compares well-known names as strings.
//
// The files, bottom up:
//
//	token.go, token_tables.go            well-known names, the static table
//	huffman.go, huffman_tables.go        Appendix B, decoded
//	huffman_encode.go, huffman_codes.go  Appendix B, encoded
//	primitive.go, primitive_append.go    integers and strings, section 5
//	table.go                             the dynamic table, sections 2.3.2 and 4
//	fields.go, edit.go                   the owned list
//	decoder.go, instruction.go           size updates; section 6
//	decode.go, rules.go                  lists, their limits, RFC 9113 8.3
//	validate.go                          names and values, RFC 9113 8.2
//	encoder.go                           section 6 from the other side
//	index.go                             where the encoder finds its entries
//	policy.go                            what it indexes, what it Huffman codes
//	prepared.go                          fields encoded in advance
//	convert.go, dump.go, inspect.go      for people and tools
//
// Nothing here locks: a Decoder, an Encoder and a Fields belong to one
// goroutine at a time. Blocks must be decoded in the order they arrived, all
// of them, and must leave in the order they were encoded, all of them: each
// block changes the table that the next one refers to.
//
//go:generate go test -run TestTablesCurrent -update .
package hpack
