package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/hpack"
)

// corpus is the header lists of one direction of one connection or several.
type corpus struct {
	name   string
	blocks []block
	fields int // in all blocks
	raw    int // octets of all names and values
}

// block is one header section in every form that a benchmark needs.
type block struct {
	kind  hpack.Kind
	first bool // of its connection
	list  []xhpack.HeaderField
	own   *hpack.Fields
	wire  []byte // as x/net's encoder makes it
}

// newCorpus encodes lists of name, value, name, value, … An empty list stands
// between connections.
//
// A connection's first block begins with two table size updates, 0 and then
// 4096: they empty the table, so that the octets can be decoded again and again
// with the same decoder.
func newCorpus(name string, lists [][]string) *corpus {
	c := &corpus{name: name}
	var buf bytes.Buffer
	enc := xhpack.NewEncoder(&buf)
	first := true
	for _, list := range lists {
		if len(list) == 0 {
			first = true
			continue
		}
		bl := block{kind: hpack.Trailers, own: new(hpack.Fields), first: first}
		if first {
			enc.SetMaxDynamicTableSize(0)
			enc.SetMaxDynamicTableSize(4096)
		}
		first = false
		buf.Reset()
		for i := 0; i < len(list); i += 2 {
			f := xhpack.HeaderField{Name: list[i], Value: list[i+1]}
			switch f.Name {
			case ":method":
				bl.kind = hpack.Request
			case ":status":
				bl.kind = hpack.Response
			}
			bl.list = append(bl.list, f)
			bl.own.Add(f.Name, f.Value)
			if err := enc.WriteField(f); err != nil {
				panic(err) // a bytes.Buffer has no errors
			}
			c.raw += len(f.Name) + len(f.Value)
		}
		bl.wire = bytes.Clone(buf.Bytes())
		c.fields += len(bl.list)
		c.blocks = append(c.blocks, bl)
	}
	return c
}

// octets returns how many the encoded blocks have.
func (c *corpus) octets() (n int) {
	for i := range c.blocks {
		n += len(c.blocks[i].wire)
	}
	return n
}

// corpora returns all of them: those made here and the recorded stories.
func corpora(tb testing.TB) []*corpus {
	tb.Helper()
	return []*corpus{
		stories(tb),
		newCorpus("grpc-req", grpcRequests(1000)),
		newCorpus("grpc-resp", grpcResponses(1000)),
		newCorpus("browser-req", browserRequests(400)),
		newCorpus("browser-resp", browserResponses(400)),
	}
}

// source returns the same numbers in every run.
func source() *rand.Rand { return rand.New(rand.NewPCG(9113, 7541)) }

// grpcRequests are unary calls of a few methods of one service, as grpc-go
// sends them: 8 fields, of which grpc-timeout is new each time.
func grpcRequests(n int) (lists [][]string) {
	r := source()
	methods := []string{"SayHello", "SayHello", "SayHello", "GetOrder"}
	for range n {
		lists = append(lists, []string{
			":method", "POST", ":scheme", "http", ":path", "/shop.orders.v1.OrderService/" + methods[r.IntN(len(methods))],
			":authority", "orders.backend.internal:8443", "content-type", "application/grpc",
			"user-agent", "grpc-go/1.76.0", "te", "trailers",
			"grpc-timeout", fmt.Sprintf("%du", 900_000+r.IntN(100_000)),
		})
	}
	return lists
}

// grpcResponses are the header and trailer sections of n unary answers.
func grpcResponses(n int) (lists [][]string) {
	for range n {
		lists = append(lists,
			[]string{":status", "200", "content-type", "application/grpc"},
			[]string{"grpc-status", "0", "grpc-message", ""})
	}
	return lists
}

// browserRequests are what a Chromium sends to one site: a page and what it is
// made of, with seven cookie crumbs.
func browserRequests(n int) (lists [][]string) {
	r := source()
	kinds := []struct{ ext, accept, dest, priority string }{
		{"js", "*/*", "script", "u=1"},
		{"css", "text/css,*/*;q=0.1", "style", "u=0"},
		{"webp", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image", "u=4, i"},
		{"json", "application/json", "empty", "u=1, i"},
	}
	session := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	for i := range n {
		k := kinds[r.IntN(len(kinds))]
		list := []string{
			":method", "GET", ":authority", "static.www.example.com", ":scheme", "https",
			":path", fmt.Sprintf("/assets/%08x/%s-%04d.%s", r.Uint32(), k.dest, r.IntN(300), k.ext),
			"sec-ch-ua-platform", `"Linux"`,
			"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
			"sec-ch-ua", `"Chromium";v="142", "Not_A Brand";v="99"`,
			"sec-ch-ua-mobile", "?0", "accept", k.accept,
			"sec-fetch-site", "same-origin", "sec-fetch-mode", "no-cors", "sec-fetch-dest", k.dest,
			"referer", "https://www.example.com/products/list?category=outdoor&sort=price&page=2",
			"accept-encoding", "gzip, deflate, br, zstd", "accept-language", "en-GB,en;q=0.9",
			"priority", k.priority,
			"cookie", "session=" + session, "cookie", "theme=dark.comfortable.sans",
			"cookie", "consent=analytics.yes.marketing.no.preferences.yes-2026-03-01T10:00:00Z", "cookie", "_ga=GA1.2.1234567890.1700000000",
			"cookie", "_gid=GA1.2.987654321.1700000000", "cookie", "cart=01J9Z3W8-3-items-4217",
			"cookie", fmt.Sprintf("seen=product-%06d", 4000+i/40),
		}
		if r.IntN(3) == 0 {
			list = append(list, "if-none-match", fmt.Sprintf(`"%x"`, r.Uint64()))
		}
		lists = append(lists, list)
	}
	return lists
}

// browserResponses are the answers of a site behind a cache.
func browserResponses(n int) (lists [][]string) {
	r := source()
	types := []string{"text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/webp", "application/json"}
	for i := range n {
		list := []string{
			":status", "200", "content-type", types[r.IntN(len(types))],
			"content-length", fmt.Sprint(200 + r.IntN(90_000)),
			"date", fmt.Sprintf("Mon, 23 Nov 2026 10:%02d:%02d GMT", i/60%60, i%60),
			"last-modified", fmt.Sprintf("Tue, %02d Sep 2026 08:%02d:00 GMT", 1+r.IntN(28), r.IntN(60)),
			"etag", fmt.Sprintf(`"%x"`, r.Uint64()), "accept-ranges", "bytes",
			"cache-control", "public, max-age=31536000, immutable", "age", fmt.Sprint(r.IntN(100_000)),
			"vary", "accept-encoding", "server", "edge/2.1",
			"strict-transport-security", "max-age=63072000; includeSubDomains; preload",
			"x-content-type-options", "nosniff", "x-cache-status", []string{"HIT", "HIT", "MISS"}[r.IntN(3)],
			"alt-svc", `h3=":443"; ma=86400`, "timing-allow-origin", "*",
		}
		if r.IntN(5) == 0 {
			list = append(list, "set-cookie", fmt.Sprintf("seen=%d; path=/; secure; httponly", i))
		}
		lists = append(lists, list)
	}
	return lists
}
