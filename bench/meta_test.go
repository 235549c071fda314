package bench

import (
	"fmt"
	"testing"
)

// grpcMeta are unary calls with the metadata of a mesh: 12 fields, of which a
// token, a trace and a request id are long, and two of them new each time.
func grpcMeta(n int) (lists [][]string) {
	r := source()
	for _, list := range grpcRequests(n) {
		list = append(list[:len(list)-2], // without grpc-timeout
			"authorization", fmt.Sprintf("Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.%0200x", 0x5eed),
			"traceparent", fmt.Sprintf("00-%016x%016x-%016x-01", r.Uint64(), r.Uint64(), r.Uint64()),
			"x-request-id", fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16),
			"x-tenant", "emea-retail-42",
			"grpc-accept-encoding", "identity,gzip")
		lists = append(lists, list)
	}
	return lists
}

// BenchmarkDecodeMeta is BenchmarkDecodeViews and BenchmarkDecodeFields for
// requests with much that is new in each.
func BenchmarkDecodeMeta(b *testing.B) {
	c := newCorpus("grpc-meta", grpcMeta(1000))
	b.Run("views", func(b *testing.B) { beside(b, c.fields, "field", c.decodeViews(b), c.xDecode(b)) })
	b.Run("fields", func(b *testing.B) { beside(b, c.fields, "field", c.decodeFields(b), c.xDecode(b)) })
}

func TestMeta(t *testing.T) {
	c := newCorpus("grpc-meta", grpcMeta(1000))
	if len(c.blocks) != 1000 || c.fields != 12*len(c.blocks) {
		t.Errorf("%d blocks, %d fields", len(c.blocks), c.fields)
	}
	for name, pass := range map[string]func(){"views": c.decodeViews(t), "fields": c.decodeFields(t)} {
		pass()
		if n := testing.AllocsPerRun(2, pass); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
