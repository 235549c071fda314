// Package bench holds the benchmarks that cross rooms.
//
//	go test -bench . ./bench -run '^$'
//
// takes ten minutes (no benchmark is cut short by go test's time limit). The table
// and the plot of the README are made by
//
//	go test -run '^$' -bench Summary -count 5 -cpu 1,2 -benchtime 0.5s ./bench ./bench/peers |
//		go run ./bench/report -svg bench/summary.svg -into README.md
//
// What golang.org/x/net does too is measured beside it: both work in turn on the
// same octets in one process, and a line gives our time for one unit of work
// (ns/frame, ns/field, …), theirs (x/net-ns/frame), and "ratio", their median
// divided by ours. A ratio of 4 means four times as fast. "allocs" counts those
// of ours in one pass over all the data.
//
//	frame_test.go     frame headers: parse, check, dispatch; payload; frames appended
//	hpack_test.go     blocks: views, validated lists, encoding, prepared fields
//	huffman_test.go   string literals
//	flow_test.go      windows, with many streams that wait
//	request_test.go   whole requests through two Conns joined in memory, and
//	                  through a server's Conn alone
//	loopback_test.go  whole requests over loopback sockets: our servers beside
//	                  net/http's, and large content beside the same octets without
//	                  HTTP/2
//	client_test.go    the same with our clients beside net/http's, also against
//	                  nghttpd; both in cleartext and over TLS
//	cores_test.go     one connection on one core and on two
//	summary_test.go   the few of them that the README shows
//	corpus_test.go    the header lists, made by rule; stories_test.go those that
//	                  were recorded, meta_test.go some with much that is new
//	measure_test.go   how two things in memory are measured beside each other
//	internal/rig      how two things on sockets are, and who asks and who answers
//	peers             beside grpc-go and fasthttp (a module of its own)
//	report            turns the output into a table and a plot (a module of its own)
//
// Over sockets a unit is a request with its response, or a message to and fro. The
// name begins with "h2c" (cleartext) or "tls" and says connections x streams at once
// on each; who is measured stands at its end: "stream", "inline" and "nethttp" are
// servers' handlers, "stream" and "transport" clients. The first four works are done
// with 1, 8, 64 and 1000 streams on 1 and on 16 connections:
//
//	hello           GET, 12 octets
//	headers-2KB     the same with 2 KB of fields, most in 12 cookies
//	slow-20%        every fifth handler sleeps for 1 ms; "p99-µs" is what 99 of 100
//	                units do not exceed
//	messages-100B   each stream sends a message and waits until it has come back
//	download-16MiB, upload-4MiB
//	churn           a connection for each request, with its TLS handshake
//	burn-20µs       handlers that compute
//
// The other end runs in the same process, so times and ratios include what it costs,
// for both that are compared. In loopback_test.go it is a load with as little work
// of its own as can be, and reads and writes (on Linux) are the server's alone; over
// TLS the allocations include those of the load's crypto/tls. In client_test.go it is
// a server of ours, and all figures are of both ends, but not against nghttpd.
// A connection is a goroutine of the load; "-cpu 1,2" shows one core and two.
// "-short" takes 16 connections with 8 streams for all of them.
//
// The tests hold the data against what it should
// be and prove that what is measured works and allocates nothing.
package bench
