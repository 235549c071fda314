// Package interop holds the tests of nonet with other people's software: the
// conformance suite h2spec, curl, nghttp, h2load and Chromium, and the frames a
// server answers with, read by the framer of golang.org/x/net. The client meets
// h2spec's misbehaving server, net/http's, nghttpd, nginx, HAProxy and Node.js.
//
// Handlers of net/http and gRPC have packages of their own: programs, rpc, and
// grpcserver, which is a program too. host serves them.
//
// It is a module of its own, so that what these tests require is not required
// by users of the engine. Every test starts its own server on a free port of
// 127.0.0.1, with the routes of `nonet serve` or with a small handler.
//
// A test that needs a program which is not installed is skipped and says so;
// `go test -v -run . | grep SKIP` lists them. With CI=true in the environment
// it fails instead. NONET_RUNS=10 repeats the conformance suite and
// gRPC's cases ten times.
package interop
