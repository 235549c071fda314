// Package nonet is an HTTP/2 server and client (RFC 9113) that work on streams:
// they read and write content, send trailers, reset with a code of their
// choice, and see the code with which the peer reset. HTTP/1.1 is served on
// the same port with the same handlers.
//
//	srv := &nonet.Server{Addr: "127.0.0.1:8080", Handler: func(s nonet.Stream) {
//		s.SetField("content-type", "text/plain")
//		s.WriteString("hello world\n")
//	}}
//	err := srv.ListenAndServe()
//
// A [Server] serves listeners or single connections. A [Handler] gets a
// [Stream], which is a request and its response. Methods of a Stream come in
// groups:
//
//   - the request: Method, Path, Authority, Field, Fields, Read, Trailers, Context, …
//   - the response: SetStatus, SetField, AddField, Write, Reserve and Commit, Flush, Close, …
//   - what HTTP/2 has more: SupportsTrailers, DeclareTrailer, AppendTrailer, Reset, Inform
//
// A [Client] sends requests over a pool of connections, and a [ClientConn],
// which [Dial] returns, over one. A request is a [ClientStream], with the
// server's verbs:
//
//	s, err := client.Request(ctx, "GET", "https://example.com/")
//	defer s.Close()
//	status, err := s.Response()
//	content, err := io.ReadAll(s)
//
// Methods of a ClientStream come in groups, too:
//
//   - the request: SetField, AddField, Write, Reserve and Commit, Flush, AppendTrailer, CloseWrite
//   - the response: Response, Field, Fields, Read, Trailers, OnInform
//   - its end: Reset, Close, the context, Unprocessed
//
// Under both a driver runs each connection: one goroutine reads, one at
// a time writes, and a mutex guards the protocol's state, which is a
// [github.com/nonet-h2/nonet/conn.Conn]: a pure value that can be embedded
// without this package.
package nonet
