package hpack_test

import (
	"fmt"

	"github.com/nonet-h2/nonet/hpack"
)

// A list goes out and comes in again.
func Example() {
	var out hpack.Fields
	out.AddToken(hpack.TokenStatus, "200")
	out.AddToken(hpack.TokenContentType, "text/plain")
	out.Add("X-Greeting", "hello")

	var enc hpack.Encoder
	first := enc.AppendBlock(nil, &out)
	second := enc.AppendBlock(nil, &out)
	fmt.Println(len(first), "octets, then", len(second))

	var dec hpack.Decoder
	var in hpack.Fields
	limits := hpack.Limits{Bytes: 16384, Fields: 100, Crumbs: 64}
	for _, block := range [][]byte{first, second} {
		verdict, err := dec.Decode(&in, block, hpack.Response, limits)
		fmt.Printf("%s %v: %s\n", verdict, err, in.GetName("x-greeting"))
	}
	fmt.Print(string(dec.AppendTable(nil)))
	// Output:
	// 25 octets, then 3
	// ok <nil>: hello
	// ok <nil>: hello
	// [62] (s = 47) x-greeting: hello
	// [63] (s = 54) content-type: text/plain
	// table size: 101 of 4096
}

// A tool looks at every field of a block, valid or not.
func ExampleDecoder_Fields() {
	var dec hpack.Decoder
	for f := range dec.Fields([]byte("\x82\x40\x03Foo\x03bar\x00\x01a\x01b")) {
		fmt.Printf("%s: %s\n", f.Name, f.Value)
	}
	fmt.Println(dec.Err())
	// Output:
	// :method: GET
	// Foo: bar
	// a: b
	// <nil>
}

// Fields that a server sends with every response are prepared once.
func ExampleSet_Prepare() {
	var set hpack.Set
	ok := set.Prepare(":status", "200")
	server := set.Prepare("server", "example")

	var enc hpack.Encoder // one for each connection
	enc.UseSet(&set)
	var f hpack.Fields
	for range 2 {
		f.Reset()
		f.AddPrepared(ok)
		f.AddPrepared(server)
		fmt.Printf("%x\n", enc.AppendBlock(nil, &f))
	}
	// Output:
	// 8876852f91d35d05
	// 88be
}
