package rig

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Work is what is asked for again and again; a unit of it is a request with its
// response, or a message to and fro.
type Work struct {
	Name   string
	Fields [][2]string // of the request, in order
	Upload int         // octets of content, all zero
	Send   []byte      // or this content
	Answer int         // octets of content of the response
	Echo   bool        // Send goes to and fro on a stream that never ends: a unit is one of it
	Churn  bool        // each unit has a connection of its own
	Slow   bool        // how long units take is of interest
	Waits  bool        // the handler has to wait, so it can't run inline
}

// HelloText is what /hello answers.
const HelloText = "hello world\n"

var get = [][2]string{
	{":method", "GET"}, {":scheme", "http"}, {":authority", "127.0.0.1:8080"}, {":path", "/hello"},
	{"accept", "*/*"}, {"user-agent", "bench/1.0"},
}

// Post returns the fields of a POST request and others.
func Post(path string, more ...[2]string) [][2]string {
	f := slices.Clone(get)
	f[0][1], f[3][1] = "POST", path
	return append(f, more...)
}

func getPath(path string) [][2]string {
	f := slices.Clone(get)
	f[3][1] = path
	return f
}

// Hello is the smallest work.
var Hello = Work{Name: "hello", Fields: get, Answer: len(HelloText)}

// Small are works whose units are requests or messages without much content.
var Small = []Work{
	Hello,
	{Name: "headers-2KB", Fields: manyFields(), Answer: len(HelloText)},
	{Name: "slow-20%", Fields: getPath("/slow"), Answer: len(HelloText), Slow: true, Waits: true},
	{Name: "messages-100B", Fields: Post("/echo", [2]string{"te", "trailers"}), Send: bytes.Repeat([]byte("m"), 100), Echo: true, Waits: true},
}

// Large are works that move content.
var Large = []Work{
	{Name: "download-16MiB", Fields: getPath(fmt.Sprint("/bytes/", 16<<20)), Answer: 16 << 20, Waits: true},
	{Name: "upload-4MiB", Fields: Post("/sink", [2]string{"content-length", strconv.Itoa(4 << 20)}), Upload: 4 << 20, Answer: len("4194304"), Waits: true},
}

// Churn is a connection for each request.
var Churn = Work{Name: "churn", Fields: get, Answer: len(HelloText), Churn: true}

// Burn is work of 20 µs in the handler.
var Burn = Work{Name: "burn-20µs", Fields: getPath("/burn"), Answer: len(HelloText)}

// manyFields are those of a request with 2 KB of fields, most of them in cookies.
func manyFields() (f [][2]string) {
	f = slices.Clone(get)
	for i := range 12 {
		f = append(f, [2]string{"cookie", fmt.Sprintf("part%d=%s", i, strings.Repeat(string(rune('a'+i)), 120))})
	}
	return f
}

// content returns how much content a request has.
func (w *Work) content() int { return max(w.Upload, len(w.Send)) }

// piece returns up to limit octets of the content, of which left are not sent.
func (w *Work) piece(left, limit int) []byte {
	n := min(left, limit)
	if w.Send == nil {
		return zeros[:min(n, len(zeros))]
	}
	return w.Send[len(w.Send)-left:][:n]
}

var zeros [64 << 10]byte

// Units is how many a stream has in a pass: what begins and ends a pass counts for
// little, and it ends soon.
func Units(w *Work, conns, streams int) int {
	switch {
	case max(w.Upload, w.Answer) > 1<<20, streams*conns > 4000:
		return 1
	case streams*conns > 500:
		return 2
	case w.Churn, streams > 1:
		return 4
	}
	return 64
}
