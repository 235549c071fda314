// Package bench holds the benchmarks that cross rooms.
//
//	go test -bench . ./bench -run '^$'
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
//	request_test.go   whole requests through two Conns joined in memory, and
//	                  through a server's Conn alone
//	loopback_test.go  whole requests over loopback sockets, beside net/http's server:
//	                  servers_test.go are the servers, load_test.go is who asks
//	corpus_test.go    the header lists, made by rule; stories_test.go those that
//	                  were recorded, meta_test.go some with much that is new
//	measure_test.go   how two things are measured beside each other
//
// The load of the loopback benchmarks runs in the same process, so their times and
// ratios include what asking costs; allocations, reads and writes are the server's
// alone. "-cpu 1,2" shows one core and two.
//
// The tests hold the data against what it should
// be and prove that what is measured works and allocates nothing.
package bench
