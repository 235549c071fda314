// Package peers holds the benchmarks beside engines that are modules of their own;
// it is one, so that only who measures them needs them.
//
//	go test -bench . ./bench/peers -run '^$'
//
// Load, works and columns are those of package bench. Names begin with "h2c", which
// is cleartext (for fasthttp HTTP/1.1's), or "tls"; there all servers have the same
// certificate and use crypto/tls, grpc-go's own transport by its credentials.
//
// grpc_test.go: calls of grpc-go's interop service. grpc.Server is hosted by
// nethttp, by net/http's server, and by grpc-go's own transport, which does without
// net/http's types and is what grpc.Server.Serve uses; nethttp's is measured beside
// each of the others. A unit is a call, or with "stream" a message to and fro on a
// stream for each.
//
// fasthttp_test.go: fasthttp's server, which speaks HTTP/1.1 only, beside a stream
// handler of nonet. Where nonet has a number of streams on a connection, fasthttp has
// that number of connections with a request at a time on each, which is what clients
// of HTTP/1.1 do; nothing is pipelined.
package peers
