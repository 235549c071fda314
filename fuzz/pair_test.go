package fuzz

import (
	"fmt"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/flowcontrol"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// FuzzPair lets a client and a server, both Conns, talk while the fuzzer decides
// what their applications do, how far each side's octets get, and when. Two that
// keep the rules must never find fault with each other, everything sent must
// arrive, and in the end no window may have lost an octet.
func FuzzPair(f *testing.F) {
	f.Add([]byte{0}, []byte{0x00, 0x05, 0xf3, 0x01, 0x06, 0xf4, 0x02})
	f.Add([]byte{0x11}, []byte("a request, with a body and a long answer \x00\x10\x20\x30\x05\x15\x25\x33\x43\x53\x01\x11\x21\x06\x16\xf4\xf4"))
	f.Add([]byte{0x2a}, []byte("\x00\x00\x00\x00\x05\xf3\xf3\x01\x21\x31\x41\x51\x61\x71\x81\x91\xa1\x06\x46\x34\x24\x07\x17\x27\x37"))
	// Small frames on their way to streams that the server resets meanwhile.
	f.Add([]byte{0, 0, 0, 1}, []byte("\x10\x10\x10\x10\x10\x10\x10\xf5\xf3\xf3\xf6\xf4\xf5\xf3\xf2\xf2\xf2\xf2\x91\x81\x71\xf5\xf5\xf5\xf5\xf5\xf5"))
	f.Fuzz(func(t *testing.T, config, ops []byte) {
		if len(ops) > 600 || len(config) > 16 {
			t.Skip("long enough")
		}
		p := newDuo(config)
		err := p.play(ops)
		if err == nil {
			err = p.finish()
		}
		if err != nil {
			if testing.Verbose() {
				t.Logf("client to server\n%s", frames(p.client.wire[len(frame.Preface):]))
				t.Logf("server to client\n%s", frames(p.server.wire))
			}
			t.Fatal(err)
		}
	})
}

// duo is the two of them.
type duo struct {
	client, server *side
	now            time.Duration
	spent          int // resets and PINGs, of which a server bears only so many
}

func newDuo(config []byte) *duo {
	pick := func(i int, choices ...uint32) uint32 {
		if i >= len(config) {
			return 0
		}
		return choices[int(config[i])%len(choices)]
	}
	newSide := func(name string, role conn.Role, i int) *side {
		l := conn.Limits{
			StreamWindow:    pick(i, 0, 100, 1000, 70_000, 1<<20),
			ConnWindow:      pick(i+1, 0, 65_535, 70_000, 1<<24),
			HeaderTableSize: pick(i+2, 0, 64, 5000),
			SendFrameSize:   pick(i+3, 0, 10, 1000, 100_000),
			MaxFrameSize:    pick(i+4, 0, 50_000),
		}
		return &side{name: name, limits: l.WithDefaults(), c: conn.New(conn.Config{Role: role, Limits: l}, start), flows: map[uint32]*flow{}}
	}
	return &duo{client: newSide("client", conn.Client, 0), server: newSide("server", conn.Server, 5), now: start}
}

func (p *duo) play(ops []byte) error {
	for _, op := range ops {
		arg := int(op >> 4)
		var err error
		switch op & 15 {
		case 0:
			err = p.open(arg)
		case 1, 8:
			err = p.act(p.server, arg)
		case 2, 9:
			err = p.act(p.client, arg)
		case 3:
			err = p.deliver(p.client, p.server, arg*arg*arg+1)
		case 4:
			err = p.deliver(p.server, p.client, arg*arg*arg+1)
		case 5:
			p.client.emit(p.now, 1<<uint(arg))
		case 6:
			p.server.emit(p.now, 1<<uint(arg))
		case 7:
			p.now += time.Duration(arg) * time.Millisecond
		case 10:
			p.client.c.SetRecvBudget(int64(arg) * 1000)
		case 11:
			p.server.c.SetRecvBudget(int64(arg) * 1000)
		case 12:
			if p.spent++; p.spent < 40 {
				p.client.c.Ping([8]byte{op})
				p.server.c.Ping([8]byte{op})
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// open starts a request, with content or without.
func (p *duo) open(arg int) error {
	if len(p.client.order) >= 150 {
		return nil
	}
	var f hpack.Fields
	f.AddToken(hpack.TokenMethod, "POST")
	f.AddToken(hpack.TokenScheme, "https")
	f.AddToken(hpack.TokenAuthority, "example.com")
	f.AddToken(hpack.TokenPath, "/"+string(rune('a'+arg)))
	if arg == 15 {
		f.Add("x-filler", filler[:12_000])
	}
	end := arg%4 == 0
	r, err := p.client.c.Open(p.now, &f, end)
	if err == conn.ErrNoCapacity {
		return nil
	}
	if err != nil {
		return fmt.Errorf("Open: %v", err)
	}
	p.client.add(&flow{ref: r, final: true, sentEnd: end})
	return nil
}

// act lets an application do one thing on each of its streams.
func (p *duo) act(s *side, arg int) error {
	for i, w := range s.order {
		if w.released {
			continue
		}
		var err error
		switch (arg + i) & 15 {
		case 0, 1, 2:
			err = s.head(w, arg == 2)
		case 3, 4, 5:
			err = s.queue(w, arg*700, false)
		case 6, 7:
			err = s.queue(w, arg, true)
		case 8:
			err = s.trailers(w)
		case 9, 10, 11:
			s.consume(w, w.unread)
		case 12:
			s.consume(w, w.unread/2)
		case 13:
			if p.spent++; p.spent < 40 && !w.over && !w.sentEnd {
				w.reset = true
				err = s.c.Reset(w.ref, frame.Cancel)
			}
		case 14:
			if w.over || w.sentEnd && w.recvEnd {
				s.release(w)
			} else if w.sentEnd && s == p.server {
				w.reset = true // the rest of the request is of no interest
				s.release(w)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: stream %d: %v: %+v", s.name, w.ref.ID, err, *w)
		}
	}
	return nil
}

// deliver lets at most n octets arrive.
func (p *duo) deliver(from, to *side, n int) error {
	b := from.wire[from.read:]
	b = b[:min(n, len(b))]
	for len(b) > 0 && to.c.WantRead() {
		ev, k, err := to.c.Next(p.now, b, &to.fields)
		if err != nil {
			return fmt.Errorf("%s finds fault with the %s: %v", to.name, from.name, err)
		}
		from.read += k
		b = b[k:]
		if err := to.event(ev); err != nil {
			return fmt.Errorf("%s: %+v: %w", to.name, ev, err)
		}
	}
	return to.signals()
}

// finish lets both applications complete everything and lets go.
func (p *duo) finish() error {
	for round := range 100_000 {
		busy := false
		for _, s := range []*side{p.client, p.server} {
			for _, w := range s.order {
				if w.released {
					continue
				}
				s.consume(w, w.unread)
				if err := s.head(w, false); err != nil {
					return fmt.Errorf("%s: %v: %+v", s.name, err, *w)
				}
				if err := s.queue(w, 0, true); err != nil {
					return fmt.Errorf("%s: %v: %+v", s.name, err, *w)
				}
				if w.over || w.reset || w.recvEnd && w.queued == 0 && s.c.QueuedFor(w.ref) == 0 && !s.c.WantEmit() {
					if !w.over && !w.reset && !w.gotHead && s == p.client {
						return fmt.Errorf("client: a response without a head: %+v", *w)
					}
					s.release(w)
				}
				busy = true
			}
			for s.c.WantEmit() {
				s.emit(p.now, 1<<16)
				busy = true
			}
		}
		for _, d := range [][2]*side{{p.client, p.server}, {p.server, p.client}} {
			if d[0].read < len(d[0].wire) {
				busy = true
			}
			if err := p.deliver(d[0], d[1], 1<<30); err != nil {
				return err
			}
		}
		if !busy {
			return p.settled()
		}
		if round == 99_999 {
			break
		}
	}
	return fmt.Errorf("it never ends: client %d active, server %d", p.client.c.Active(), p.server.c.Active())
}

// settled checks that nothing is left, that streams which nobody reset carried
// everything, and that both windows are whole.
func (p *duo) settled() error {
	if a, b := p.client.c.Active(), p.server.c.Active(); a != 0 || b != 0 {
		return fmt.Errorf("client has %d active streams, server %d", a, b)
	}
	for _, w := range p.client.order {
		o := p.server.flows[w.ref.ID]
		if w.reset || w.over || o == nil || o.reset || o.over {
			continue
		}
		if o.received != w.sent || w.received != o.sent {
			return fmt.Errorf("stream %d: %d of %d octets arrived up, %d of %d down", w.ref.ID, o.received, w.sent, w.received, o.sent)
		}
	}
	for _, d := range [][2]*side{{p.client, p.server}, {p.server, p.client}} {
		view := int64(frame.DefaultWindow) - dataOctets(d[0].wire) + granted(d[1].wire)
		// The window may have grown to what the path carries.
		if w := int64(d[1].limits.ConnWindow); view > max(w, flowcontrol.MaxTarget) || view < w/2 || view != d[1].c.Snapshot().RecvWindow {
			return fmt.Errorf("%s may send %d octets, of a window of %d", d[0].name, view, w)
		}
		if lost, buffered := outstanding(d[1].c); lost != 0 || buffered != 0 {
			return fmt.Errorf("%s: %d octets of the connection window are lost, and %d of the budget", d[1].name, lost, buffered)
		}
	}
	return nil
}
