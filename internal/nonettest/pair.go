package nonettest

import (
	"testing"

	"github.com/nonet-h2/nonet/conn"
)

// Pair is a client's and a server's Engine, joined by two pipes. Nothing moves
// by itself.
type Pair struct {
	Client, Server *Engine
	ToServer       []byte // on the wire
	ToClient       []byte
}

// NewPair returns a Pair that has exchanged nothing. Payload is made and checked
// (Engine.Pattern).
func NewPair(tb testing.TB, client, server conn.Config) *Pair {
	client.Role, server.Role = conn.Client, conn.Server
	p := &Pair{Client: NewEngine(tb, client), Server: NewEngine(tb, server)}
	for _, e := range []*Engine{p.Client, p.Server} {
		e.Pattern, e.Wire.Quiet = true, true
	}
	return p
}

// Pump moves at most n octets each way, after each side sent one batch of about
// max octets. It reports whether anything moved.
func (p *Pair) Pump(n, max int) bool {
	p.Client.TB.Helper()
	moved := false
	for _, way := range []struct {
		from, to *Engine
		wire     *[]byte
	}{{p.Client, p.Server, &p.ToServer}, {p.Server, p.Client, &p.ToClient}} {
		if way.from.Conn.WantEmit() {
			moved = way.from.Emit(max) > 0 || moved
		}
		way.from.Drain()
		*way.wire = append(*way.wire, way.from.Take()...)
		k := min(n, len(*way.wire))
		way.to.Feed((*way.wire)[:k])
		*way.wire = (*way.wire)[k:]
		moved = moved || k > 0
	}
	return moved
}

// Settle pumps until nothing moves.
func (p *Pair) Settle() {
	p.Client.TB.Helper()
	for range 1 << 20 {
		if !p.Pump(1<<20, 0) {
			return
		}
	}
	p.Client.TB.Fatal("the pair never settles")
}
