// Package fuzz holds the fuzz targets that cross rooms; those of one package
// stand beside its code.
//
//	go test -fuzz=FuzzServerConn ./fuzz   any octets, cut anywhere, at a server
//	go test -fuzz=FuzzRequest ./fuzz      one request of any fields, against the rules of RFC 9113 8.2 and 8.3
//	go test -fuzz=FuzzPair ./fuzz         two Conns that both keep the rules
//
// FuzzServerConn puts a [conn.Conn] into a world of which the fuzzer decides
// everything: the octets that come and how they are cut (machine_test.go), what
// the application does with its streams (app_test.go), and when time passes.
// What must hold whatever comes:
//
//   - nothing panics, and every octet is either consumed or refused by WantRead;
//   - the octets sent are valid frames and header blocks to x/net's Framer and
//     hpack decoder, in an order that RFC 9113 5.1 allows, within the peer's
//     windows, and with at most one GOAWAY that bears an error, which is the last
//     frame (checker_test.go);
//   - each stream that the application is told of is told in order and ends once;
//   - WantEmit tells the truth, and a Deadline that was met is in the past no more;
//   - memory kept is bounded whatever numbers the peer sent (retained_test.go);
//   - when the application lets go of its streams the connection window is whole
//     again, and time alone then ends the connection;
//   - the same octets cut otherwise give the same events and the same output,
//     octet for octet.
//
// FuzzRequest compares with a judge of its own (oracle_test.go); FuzzPair plays
// two sides (side_test.go) that must never find fault with each other.
//
// Seeds are in seeds_test.go and testdata, where inputs that once failed stand
// too. The log of a failing input says every event and frame when the test runs
// with -v. -fuzzminimizetime=20x keeps the fuzzer from polishing what it found.
package fuzz
