// Package rpc holds the tests of gRPC on nonet beyond gRPC's own interoperability
// cases: a grpc.Server of grpc-go and handlers of connect-go, served as
// http.Handler, with the clients of both.
//
// NONET_HOST=net/http runs them on net/http's server, which passes them all.
package rpc
