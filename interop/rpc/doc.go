// Package rpc holds the tests of gRPC on nonet beyond gRPC's own interoperability
// cases: a grpc.Server of grpc-go and handlers of connect-go, served as
// http.Handler, with the clients of both; and gRPC's negative HTTP/2 cases, in
// which a scripted server tries our client, by itself and under connect-go.
//
// NONET_HOST=net/http runs them on net/http's server, which passes them all.
package rpc
