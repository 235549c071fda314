package conn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

const (
	k        = 1 << 10
	probe    = "PING text=nnt?%00%00%00%01"
	probeAck = "PING ACK text=nnt?%00%00%00%01"
)

// upload returns a server with a request on stream 1 whose content has begun.
func upload(t *testing.T, l conn.Limits) *nonettest.Peer {
	p := greeted(t, conn.Config{Limits: l})
	p.Advance(time.Second)
	p.Send("HEADERS 1 EH $post")
	return p
}

// send sends n octets on stream 1 that are consumed at once.
func send(p *nonettest.Peer, n int) {
	p.TB.Helper()
	for ; n > 0; n -= 16 * k {
		p.Send(fmt.Sprint("DATA 1 len=", min(n, 16*k)))
	}
}

func consume(p *nonettest.Peer, n int) { p.Do(fmt.Sprint("consume 1 ", n)) }

// measured brings a stream to where the round-trip time is known: 64 KiB were
// received in no time, and the probe took rtt.
func measured(t *testing.T, l conn.Limits, rtt time.Duration) *nonettest.Peer {
	p := upload(t, l)
	send(p, 32*k)
	consume(p, 32*k)
	p.Want("not before 64 KiB", fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	send(p, 32*k)
	consume(p, 32*k)
	p.Want("the round trip is measured", probe, fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	if p.Conn.RTT() != 0 {
		t.Errorf("round-trip time %v before the answer", p.Conn.RTT())
	}
	p.Advance(rtt)
	p.Send(probeAck)
	if last := p.Events[len(p.Events)-1]; strings.HasPrefix(last, "pong") {
		t.Error("the answer to a probe is told as an event")
	}
	if got := p.Conn.RTT(); got != rtt {
		t.Errorf("round-trip time %v, want %v", got, rtt)
	}
	return p
}

func TestWindowDoubles(t *testing.T) {
	p := measured(t, conn.Limits{}, 100*time.Millisecond)
	send(p, 32*k)
	consume(p, 32*k)
	p.Want("half a window in a round trip", fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	p.Advance(90 * time.Millisecond)
	send(p, 32*k)
	consume(p, 32*k)
	p.Want("half a window in less than a round trip", fmt.Sprint("WINDOW_UPDATE 1 inc=", (32+64)*k))
	if got := p.Conn.RecvGrown(); got != 64*k {
		t.Errorf("grown by %d", got)
	}
	p.Advance(110 * time.Millisecond)
	send(p, 64*k)
	consume(p, 64*k)
	p.Want("half a window in more than a round trip", fmt.Sprint("WINDOW_UPDATE 1 inc=", 64*k))
	p.Do("headers 1 $ok ES", "release 1")
	if got := p.Conn.RecvGrown(); got != 0 {
		t.Errorf("grown by %d without a stream", got)
	}
}

func TestWindowOfASlowReader(t *testing.T) {
	p := measured(t, conn.Limits{}, 100*time.Millisecond)
	for range 8 {
		send(p, 32*k)
		p.Advance(120 * time.Millisecond)
		consume(p, 32*k)
		if p.Emit(0); p.Conn.RecvGrown() != 0 {
			t.Fatal("a window grew that the application does not read fast")
		}
	}
}

func TestWindowsGrowWithinTheBudget(t *testing.T) {
	p := measured(t, conn.Limits{RecvBudget: 100 * k}, time.Second)
	p.Advance(2 * time.Second)
	send(p, 32*k)
	consume(p, 32*k)
	p.Want("half a window in two round trips", fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	send(p, 32*k)
	consume(p, 32*k)
	p.Want("half of the budget at most", fmt.Sprint("WINDOW_UPDATE 1 inc=", (32+50)*k))
	send(p, 57*k)
	consume(p, 57*k)
	p.Want("half of what is left", fmt.Sprint("WINDOW_UPDATE 1 inc=", (57+25)*k))
	p.Do("budget 0")
	send(p, 100*k)
	consume(p, 100*k)
	p.WantIdle("memory is scarce: what came back is not granted again")
	send(p, 7*k)
	consume(p, 7*k)
	p.Want("the window is 64 KiB again", fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	if got := p.Conn.RecvGrown(); got != 0 {
		t.Errorf("grown by %d", got)
	}
}

// A server too measures the round trip while DATA comes, and no other time.
func TestProbesOfServers(t *testing.T) {
	p := measured(t, conn.Limits{}, 100*time.Millisecond)
	upload := func() {
		t.Helper()
		p.Advance(time.Second)
		send(p, 32*k)
		consume(p, 32*k)
	}
	for range 9 {
		upload()
		p.Want("not within ten seconds", fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	}
	p.Advance(time.Second)
	p.WantIdle("not without DATA")
	upload()
	p.Want("every ten seconds", "PING text=nnt?%00%00%00%02", fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	p.Advance(10 * time.Second)
	upload()
	p.Want("one at a time", fmt.Sprint("WINDOW_UPDATE 1 inc=", 32*k))
	p.Send("PING ACK text=nnt?%00%00%00%02")
	if got := p.Conn.RTT(); got < 100*time.Millisecond || got > 2*time.Second {
		t.Errorf("round-trip time %v: a long sample counts little", got)
	}
}
