// Package proxy is an edge in front of one HTTP/1.1 application: an
// http.Handler, to be served by package nethttp, that forwards each request in
// HTTP/1.1 and brings the response back. The client speaks HTTP/2 or HTTP/1.1,
// the application always sees HTTP/1.1.
//
// A request is never copied as octets. What the client sent is checked, and a
// new request is built from its parts; on any doubt it is refused. A response
// is checked octet by octet before net/http parses it ([Config] has no switch
// for that): one that could be read in two ways is answered with 502 and its
// connection is closed. A client's HTTP/1.1 is parsed by net/http, which is less
// strict: it takes LF for CRLF, joins folded fields, ignores a content-length
// beside chunks, and ignores transfer-encoding in HTTP/1.0; what the application
// gets is in one form all the same.
//
// What the application sees:
//
//   - the method, the target and the content as the client sent them. An
//     absolute target becomes origin-form; content without a content-length,
//     or with announced trailers, is chunked;
//   - Host: the one the client asked for, not the backend's own. A request
//     without a host is refused;
//   - X-Forwarded-For, -Host and -Proto: the peer's address, the host, and
//     http or https, whatever the client said. Every other X-Forwarded-*,
//     Forwarded and X-Real-Ip is dropped: they are the client's claims;
//   - Via with what was received and this edge's name (RFC 9110 7.6.3);
//   - TE: trailers when the client sent it. Other fields of the connection are
//     dropped in both directions (RFC 9110 7.6.1), names with "_" and Expect
//     too: the edge itself answers 100 (Continue), as it reads all content;
//   - Upgrade only when a request of HTTP/1.1 without content asks for a
//     WebSocket. Nothing is passed on until the backend has answered 101.
//
// What crosses the hop: trailers in both directions, those that may stand in
// a trailer section; interim responses but 100; content as it comes, both ways
// at once. A client that gives up, or resets its stream, closes the connection
// to the backend, without the last chunk. A backend that fails in mid-response
// becomes RST_STREAM(INTERNAL_ERROR), or the end of an HTTP/1.1 connection,
// never an end that looks complete. Content that a backend delimits by closing
// cannot be told from cut content, except by a reset.
//
// Answers of the edge itself: 400 for a request that is in doubt, 417 for an
// unknown expectation, 421 for a host that is not in [Config.Hosts], 501 for
// CONNECT, TRACE and methods with lower-case letters, 503 above
// [Config.MaxRequests], 502 and 504 for a backend that is down, answers garbage
// or not at all, each with one line in the log.
package proxy
