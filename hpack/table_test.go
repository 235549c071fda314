package hpack

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// A table against the simplest model: a slice of pairs.
func TestTableModel(t *testing.T) {
	r := rand.New(rand.NewPCG(7541, 4))
	for range 200 {
		var tab table
		tab.max = uint32(r.IntN(600))
		top := tab.max
		var model []pair // the newest first
		size := func() (n int) {
			for _, p := range model {
				n += len(p.Name) + len(p.Value) + 32
			}
			return n
		}
		for step := range 300 {
			if r.IntN(20) == 0 {
				tab.setMax(uint32(r.IntN(600)))
				top = max(top, tab.max)
			} else {
				var f Fields
				name := []string{"x", "a-longer-name", "cookie", ":path"}[r.IntN(4)]
				f.Add(name, fmt.Sprintf("%0*d", r.IntN(60), step))
				if r.IntN(30) == 0 {
					f.Reset()
					f.Add(name, fmt.Sprintf("%0*d", r.IntN(700), step))
				}
				fits := f.Size() <= int(tab.max)
				if tab.insert(f.desc[0], f.buf) != fits {
					t.Fatalf("an entry of %d octets in a table of %d", f.Size(), tab.max)
				}
				if model = append([]pair{{name, string(f.Value(0))}}, model...); !fits {
					model = nil
				}
			}
			for size() > int(tab.max) {
				model = model[:len(model)-1]
			}
			checkTable(t, &tab)
			if int(tab.count) != len(model) || int(tab.size) != size() {
				t.Fatalf("%d entries of %d octets, want %d of %d", tab.count, tab.size, len(model), size())
			}
			for i, want := range model {
				e := tab.at(uint32(i))
				if got := (pair{string(e.name(tab.arena)), string(e.value(tab.arena))}); got != want {
					t.Fatalf("entry %d is %v, want %v", i, got, want)
				}
			}
			if tab.at(tab.count) != nil {
				t.Fatal("an entry past the end")
			}
			if len(tab.arena) > 2*int(top)+slack {
				t.Fatalf("an arena of %d octets for a table of %d", len(tab.arena), top)
			}
		}
	}
}

// The numbers of entries wrap: everything goes on, and nothing but one entry is
// forgotten by the index.
func TestTableNumbersWrap(t *testing.T) {
	run := func(head uint32) (octets int) {
		x := newTrip(t)
		x.enc.init()
		x.enc.tab.head = head
		x.dec.tab.head = head + 30
		var set Set
		p := set.Prepare("prepared", "value")
		x.enc.UseSet(&set)
		var f Fields
		for i := range 500 {
			f.Reset()
			f.Add("x", fmt.Sprint(i))
			f.AddPrepared(p)
			f.Add("x", fmt.Sprint(i/2))
			f.Add(fmt.Sprintf("name-%d", i%20), "v")
			octets += len(x.send(&f))
		}
		return octets
	}
	if got, want := run(1<<32-200), run(0); got < want || got > want+50 {
		t.Errorf("%d octets, want about %d", got, want)
	}
}

// What a connection holds that did nothing yet, and one that is used for gRPC.
func TestMemory(t *testing.T) {
	if unsafe.Sizeof(desc{}) != 16 {
		t.Errorf("a description takes %d octets", unsafe.Sizeof(desc{}))
	}
	if n := unsafe.Sizeof(Decoder{}) + unsafe.Sizeof(Encoder{}); n > 512 {
		t.Errorf("an idle connection's codecs take %d octets", n)
	}
	x := newTrip(t)
	var request, response Fields
	grpcRequest(&request, 0)
	for i := range 100 {
		grpcRequest(&request, i)
		x.send(&request)
	}
	if n := cap(x.dec.tab.arena) + 16*len(x.dec.tab.ring) + cap(x.dec.scratch); n > 2048 {
		t.Errorf("a gRPC server's decoder takes %d octets", n)
	}
	y := newTrip(t)
	for range 100 {
		response.Reset()
		response.AddToken(TokenStatus, "200")
		response.AddToken(TokenContentType, "application/grpc")
		y.send(&response)
		response.Reset()
		response.AddToken(TokenGRPCStatus, "0")
		response.AddToken(TokenGRPCMessage, "")
		y.send(&response)
	}
	if n, _ := encoderMemory(&y.enc); n > 1024 {
		t.Errorf("a gRPC server's encoder takes %d octets", n)
	}
}

// grpcRequest makes f the request that a gRPC client sends.
func grpcRequest(f *Fields, i int) {
	f.Reset()
	f.AddToken(TokenMethod, "POST")
	f.AddToken(TokenScheme, "http")
	f.AddToken(TokenPath, "/helloworld.Greeter/SayHello")
	f.AddToken(TokenAuthority, "127.0.0.1:50051")
	f.AddToken(TokenContentType, "application/grpc")
	f.AddToken(TokenUserAgent, "grpc-go/1.80.0")
	f.AddToken(TokenTE, "trailers")
	f.AddToken(TokenGRPCTimeout, fmt.Sprintf("%du", 999000+i))
}
