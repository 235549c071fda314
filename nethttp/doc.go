// Package nethttp runs net/http handlers on nonet's engine.
//
// [Server] has the shape of [http.Server]: HTTP/2 over TLS, HTTP/2 in cleartext
// (h2c by prior knowledge) and HTTP/1.1 on one port, with one [http.Handler].
// [ConfigureServer] instead makes an http.Server that exists already speak
// HTTP/2 with nonet.
//
// Handlers see what they see of net/http's HTTP/2 server: http.Flusher,
// http.ResponseController, declared trailers and [http.TrailerPrefix], 1xx
// responses, Expect: 100-continue, [http.ErrAbortHandler]. What net/http has no
// way to say is here: [SupportsTrailers], [DeclareTrailer], [AppendTrailer] and
// [Reset], which find the response under any middleware whose writer has
// Unwrap. Why a request was cancelled is the cause of its context, and the error
// of Body.Read and Write: a *[nonet.ResetError] with the error code and the
// side.
//
// HTTP/1.1 is net/http's own server with the same handler.
//
// [Transport] is the client's side: an [http.RoundTripper].
//
// The files:
//
//	server.go, configure.go   Server and ConfigureServer
//	exchange.go               one request: how it starts and ends
//	request.go, names.go      fields to http.Request
//	context.go, body.go       its context and body
//	response.go, header.go    http.ResponseWriter, http.Header to fields
//	copy.go, deadline.go      its ReadFrom, and its deadlines
//	trailers.go               the functions for trailers and resets
//	undeclared.go             trailers of a request that did not announce them
//	http1.go, http1_body.go   the same on HTTP/1.1
//	errors.go, log.go
//	transport.go              Transport: routes and retries
//	transport_dial.go         its connections, HTTP/1.1 by ALPN among them
//	transport_request.go      http.Request to a stream's fields
//	transport_send.go         its body, and how the request ends
//	transport_response.go     a stream to http.Response, and its body
package nethttp
