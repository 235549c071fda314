// Package routes is what `nonet serve` serves and what the tests with other
// people's software ask for: a handful of resources, each of which shows one
// thing that a response can do.
//
//	/            a page that lists the others; also the answer to POST, after the whole body was read
//	/hello       text/plain, "hello world\n", content-length 12
//	/echo        the request's body as it comes, and the trailer x-echo-bytes
//	/bytes/N     N octets
//	/sink        POST or PUT: reads the body, answers how many octets it had
//	/trailers    a short text, and two trailers about it
//	/reset/CODE  RST_STREAM with that error code, a name or a number
//	/protocol    "HTTP/2" or "HTTP/1.1"
//
// [Stream], [Inline] and [HTTP] are the same routes for the three kinds of handler. On
// the inline path, what reads a body or writes more than 16 KiB goes on as a
// stream handler.
package routes
