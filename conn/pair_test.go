package conn_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

var (
	seed  = flag.Uint64("seed", 0, "run TestRandomPair with this seed only")
	seeds = flag.Int("seeds", 150, "how many seeds TestRandomPair tries")
)

// TestRandomPair lets a client and a server do random things to each other,
// over pipes that cut octets anywhere. After every step the invariants hold;
// every octet goes through the Checker; no side ever sees a connection error;
// in the end each stream has ended once on both sides and every credit is back.
func TestRandomPair(t *testing.T) {
	if *seed != 0 {
		newChaos(t, *seed).run(2000)
		return
	}
	n := *seeds
	if testing.Short() || raceEnabled {
		n = 20
	}
	for i := range n {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) { newChaos(t, uint64(i+1)).run(400) })
	}
}

// chaos is a pair and the applications on both sides.
type chaos struct {
	*nonettest.Pair
	t    *testing.T
	rnd  *rand.Rand
	sent map[*nonettest.Engine]map[uint32]*message
}

// message is what one side sends on a stream.
type message struct {
	final, ended, reset bool
}

func newChaos(t *testing.T, seed uint64) *chaos {
	rnd := rand.New(rand.NewPCG(seed, 99))
	pick := func(of ...uint32) uint32 { return of[rnd.IntN(len(of))] }
	limits := func() conn.Limits {
		return conn.Limits{
			MaxConcurrentStreams: pick(0, 0, 5, 1), StreamWindow: pick(0, 100, 1000, 65535, 300000), ConnWindow: pick(0, 65535, 1<<20),
			HeaderTableSize: pick(0, 0, 100, 4096, 65536), MaxFrameSize: pick(0, 20000), SendFrameSize: pick(0, 10, 1000, 40000),
			RecvBudget: int64(pick(0, 1, 5000)), Requests: -1, SendStall: -1, BodyIdle: -1, Idle: -1, Block: -1, SettingsAck: -1, Handshake: -1,
		}
	}
	c := &chaos{t: t, rnd: rnd, Pair: nonettest.NewPair(t, conn.Config{Limits: limits()}, conn.Config{Limits: limits()})}
	c.sent = map[*nonettest.Engine]map[uint32]*message{c.Client: {}, c.Server: {}}
	for _, e := range c.both() {
		e.Check = conn.Invariants
		e.Slice = func(n int) int { return 1 + rnd.IntN(min(n, 5000)) }
		e.App = func(ev conn.Event, _ *hpack.Fields) {
			if ev.Kind == conn.Headers && e == c.Server {
				c.sent[e][ev.Ref.ID] = &message{}
			}
		}
	}
	return c
}

func (c *chaos) both() []*nonettest.Engine { return []*nonettest.Engine{c.Client, c.Server} }

func (c *chaos) run(steps int) {
	c.t.Helper()
	for range steps {
		c.step()
	}
	c.finish()
}

func (c *chaos) step() {
	e := c.both()[c.rnd.IntN(2)]
	switch c.rnd.IntN(20) {
	case 0, 1, 2, 3, 4, 5:
		c.Pump(1+c.rnd.IntN(3000), 1+c.rnd.IntN(20000))
	case 6:
		c.Pump(1+c.rnd.IntN(10), 100)
	case 7:
		c.Settle()
	case 8, 9, 10:
		c.open()
	case 11:
		e.Advance(time.Duration(c.rnd.IntN(int(2 * time.Second))))
	case 12:
		if c.rnd.IntN(4) == 0 {
			e.Conn.SetRecvBudget(int64(c.rnd.IntN(100000)))
		}
	case 13:
		if c.rnd.IntN(4) == 0 {
			e.Conn.Ping([8]byte{1, 2, 3})
		}
	default:
		c.command(e)
	}
	for _, e := range c.both() {
		e.Drain()
		if e.Err != nil {
			c.t.Fatalf("connection error: %v", e.Err)
		}
	}
}

func (c *chaos) open() {
	end := ""
	if c.rnd.IntN(3) == 0 {
		end = "ES "
	}
	method := "$get "
	if c.rnd.IntN(8) == 0 {
		method = ":method=HEAD :scheme=http :path=/ :authority=a "
	}
	before := len(c.Client.Streams)
	err := c.Client.Do("open " + end + method + c.fields())
	if err == nil {
		for id := range c.Client.Streams {
			if c.sent[c.Client][id] == nil {
				c.sent[c.Client][id] = &message{final: true, ended: end != ""}
			}
		}
	} else if err != conn.ErrNoCapacity && err != conn.ErrGoingAway || len(c.Client.Streams) != before {
		c.t.Fatalf("open: %v", err)
	}
}

// fields are random regular fields, some of which come again, some are long.
func (c *chaos) fields() string {
	var b strings.Builder
	for range c.rnd.IntN(5) {
		fmt.Fprintf(&b, "n%d={v*%d} ", c.rnd.IntN(20), c.rnd.IntN(4)*c.rnd.IntN(100))
	}
	return b.String()
}

// command does something with a random stream of e.
func (c *chaos) command(e *nonettest.Engine) {
	id := c.pick(e)
	app, m := e.Streams[id], c.sent[e][id]
	if app == nil || m == nil || app.Done {
		return
	}
	var cmd string
	switch k := c.rnd.IntN(12); {
	case app.Over || m.reset || m.ended && app.End:
		cmd = fmt.Sprintf("release %d", id)
	case k == 0:
		cmd = fmt.Sprintf("release %d", id)
	case k == 1:
		m.reset = true
		cmd = fmt.Sprintf("reset %d %d", id, c.rnd.IntN(14))
	case k < 5 && app.Unread > 0:
		cmd = fmt.Sprintf("consume %d %d", id, 1+c.rnd.IntN(app.Unread))
	case m.ended:
		return
	case !m.final && c.rnd.IntN(4) == 0:
		cmd = fmt.Sprintf("headers %d :status=103 %s", id, c.fields())
	case !m.final:
		m.final = true
		if m.ended = c.rnd.IntN(4) == 0; m.ended {
			cmd = fmt.Sprintf("headers %d ES $ok %s", id, c.fields())
		} else {
			cmd = fmt.Sprintf("headers %d $ok %s", id, c.fields())
		}
	case c.rnd.IntN(3) == 0:
		m.ended = true
		cmd = fmt.Sprintf("trailers %d %s", id, c.fields())
	default:
		cmd = fmt.Sprintf("queue %d %d", id, c.rnd.IntN(3)*c.rnd.IntN(30000))
		if m.ended = c.rnd.IntN(5) == 0; m.ended {
			cmd += " ES"
		}
	}
	if err := e.Do(cmd); err != nil {
		c.t.Fatalf("%s: %v", cmd, err)
	}
}

// pick returns a stream of e that is not released; the lowest of a few.
func (c *chaos) pick(e *nonettest.Engine) (id uint32) {
	for range 3 {
		x := uint32(1 + 2*c.rnd.IntN(len(c.Client.Streams)+1))
		if app := e.Streams[x]; app != nil && !app.Done && (id == 0 || x < id) {
			id = x
		}
	}
	return id
}

// finish ends everything in an orderly way and looks whether all is over.
func (c *chaos) finish() {
	c.t.Helper()
	if c.rnd.IntN(2) == 0 {
		c.both()[c.rnd.IntN(2)].Do("shutdown")
	}
	for range 1000 {
		c.Settle()
		left := 0
		for _, e := range c.both() {
			for id := uint32(1); id < uint32(2*len(c.Client.Streams)+2); id += 2 {
				if app := e.Streams[id]; app != nil && !app.Done {
					left++
					c.command(e)
					if app.Unread > 0 && !app.Done {
						e.Do(fmt.Sprintf("consume %d %d", id, app.Unread))
					}
					if app := e.Streams[id]; !app.Done && (app.Over || c.rnd.IntN(10) == 0) {
						e.Do(fmt.Sprintf("release %d", id))
					}
				}
			}
		}
		for _, e := range c.both() {
			if e.Err != nil {
				c.t.Fatalf("connection error: %v", e.Err)
			}
		}
		if left == 0 {
			break
		}
	}
	c.Settle()
	for name, e := range map[string]*nonettest.Engine{"client": c.Client, "server": c.Server} {
		if live, _ := conn.Streams(e.Conn); live != 0 {
			c.t.Errorf("%s: %d streams are left", name, live)
		}
		if err := e.Wire.Finish(); err != nil {
			c.t.Errorf("%s: %v", name, err)
		}
		if got := conn.Outstanding(e.Conn); got != 0 {
			c.t.Errorf("%s: %d octets of credit are lost", name, got)
		}
	}
}
