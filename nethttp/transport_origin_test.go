package nethttp_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// origin is the server's end of one connection.
type origin struct {
	n  *tripNotes
	at string // before the paths of its notes
	no int
	nc net.Conn
	fr *http2.Framer

	greeted, asked bool // our SETTINGS are sent; the client's have come: wmu guards them

	more chan struct{} // out has something
	over chan struct{} // closed when the client is gone
	wmu  sync.Mutex
	out  bytes.Buffer // what fr has written and the client has not read yet
	hbuf bytes.Buffer
	henc *hpack.Encoder

	mu      sync.Mutex
	cond    *sync.Cond
	streams []*arrived
	taken   int
	gone    bool
}

// arrived is one request.
type arrived struct {
	id    uint32
	data  []byte
	ended bool
	reset bool
}

func newOrigin(n *tripNotes, no int, nc net.Conn) *origin {
	o := &origin{n: n, no: no, nc: nc, more: make(chan struct{}, 1), over: make(chan struct{})}
	o.fr = http2.NewFramer(&o.out, nc)
	if no > 1 {
		o.at = fmt.Sprintf("connection %d.", no)
	}
	o.cond = sync.NewCond(&o.mu)
	o.henc = hpack.NewEncoder(&o.hbuf)
	return o
}

// hello begins the connection.
func (o *origin) hello(settings ...http2.Setting) {
	o.write(func() error {
		o.greeted = true
		if o.asked {
			defer o.fr.WriteSettingsAck()
		}
		return o.fr.WriteSettings(append([]http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1 << 20}, {ID: http2.SettingMaxConcurrentStreams, Val: 100}}, settings...)...)
	})
	o.write(func() error { return o.fr.WriteWindowUpdate(0, 1<<20) })
}

func (o *origin) write(f func() error) {
	o.wmu.Lock()
	defer o.wmu.Unlock()
	if err := f(); err != nil {
		panic(err)
	}
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// send sends what was written: a pipe has no room for it.
func (o *origin) send() {
	for {
		select {
		case <-o.more:
		case <-o.over:
			return
		}
		o.wmu.Lock()
		b := bytes.Clone(o.out.Bytes())
		o.out.Reset()
		o.wmu.Unlock()
		if _, err := o.nc.Write(b); err != nil {
			return
		}
	}
}

// close closes the connection when everything was sent.
func (o *origin) close() {
	o.rest()
	o.nc.Close()
}

// read takes what the client sends.
func (o *origin) read() {
	defer func() {
		close(o.over)
		o.mu.Lock()
		o.gone = true
		o.cond.Broadcast()
		o.mu.Unlock()
	}()
	var preface [len(http2.ClientPreface)]byte
	if _, err := io.ReadFull(o.nc, preface[:]); err != nil || string(preface[:]) != http2.ClientPreface {
		o.n.add(o.at+"preface", "wrong")
		return
	}
	dec := hpack.NewDecoder(4096, nil)
	var block []byte
	end := false
	for {
		f, err := o.fr.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				o.write(func() error {
					if o.asked = true; !o.greeted {
						return nil
					}
					return o.fr.WriteSettingsAck()
				})
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				data := f.Data
				o.write(func() error { return o.fr.WritePing(true, data) })
			}
		case *http2.HeadersFrame:
			block, end = append([]byte(nil), f.HeaderBlockFragment()...), f.StreamEnded()
			if f.HeadersEnded() {
				o.fields(dec, f.StreamID, block, end)
			}
		case *http2.ContinuationFrame:
			block = append(block, f.HeaderBlockFragment()...)
			if f.HeadersEnded() {
				o.fields(dec, f.StreamID, block, end)
			}
		case *http2.DataFrame:
			o.change(f.StreamID, func(s *arrived) {
				s.data = append(s.data, f.Data()...)
				s.ended = s.ended || f.StreamEnded()
				if s.ended {
					o.n.add(o.path(s.id)+"body", shown(s.data))
				}
			})
		case *http2.RSTStreamFrame:
			o.change(f.StreamID, func(s *arrived) { s.reset = true })
			o.n.add(o.path(f.StreamID)+"reset", f.ErrCode.String())
		}
	}
}

func (o *origin) path(id uint32) string { return fmt.Sprintf("%s%d.", o.at, id) }

// fields takes a header or trailer section.
func (o *origin) fields(dec *hpack.Decoder, id uint32, block []byte, end bool) {
	list, err := dec.DecodeFull(block)
	if err != nil {
		panic(err)
	}
	what := "trailer."
	o.mu.Lock()
	if i := slices.IndexFunc(o.streams, func(s *arrived) bool { return s.id == id }); i < 0 {
		what = "field."
		o.streams = append(o.streams, &arrived{id: id})
	}
	o.mu.Unlock()
	for _, f := range list {
		o.n.add(o.path(id)+what+f.Name, f.Value)
	}
	o.change(id, func(s *arrived) {
		if s.ended = end; end {
			o.n.add(o.path(id)+"body", shown(s.data))
		}
	})
}

func (o *origin) change(id uint32, f func(s *arrived)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.streams {
		if s.id == id {
			f(s)
		}
	}
	o.cond.Broadcast()
}

// await waits for something, or ends the script with the connection.
func (o *origin) await(f func() bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !f() {
		if o.gone {
			runtime.Goexit()
		}
		o.cond.Wait()
	}
}

// next waits for the next request.
func (o *origin) next() (id uint32) {
	o.await(func() bool {
		if o.taken == len(o.streams) {
			return false
		}
		id = o.streams[o.taken].id
		o.taken++
		return true
	})
	return id
}

// whole waits for the next request, and until it is complete or reset and the
// client at rest.
func (o *origin) whole() uint32 {
	id := o.next()
	o.ended(id)
	return id
}

func (o *origin) ended(id uint32) {
	o.await(func() bool {
		for _, s := range o.streams {
			if s.id == id {
				return s.ended || s.reset
			}
		}
		return false
	})
	o.rest()
}

// has waits until n octets of content have come.
func (o *origin) has(id uint32, n int) {
	o.await(func() bool {
		for _, s := range o.streams {
			if s.id == id {
				return len(s.data) >= n
			}
		}
		return false
	})
	o.rest()
}

// rest waits until nothing moves.
func (o *origin) rest() { time.Sleep(time.Millisecond) }

// headers sends a header or trailer section: names and values in turn.
func (o *origin) headers(id uint32, end bool, kv ...string) {
	o.write(func() error {
		o.hbuf.Reset()
		for i := 0; i < len(kv); i += 2 {
			o.henc.WriteField(hpack.HeaderField{Name: kv[i], Value: kv[i+1]})
		}
		block := o.hbuf.Bytes()
		first := block[:min(len(block), 16384)]
		block = block[len(first):]
		if err := o.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndStream: end, EndHeaders: len(block) == 0}); err != nil {
			return err
		}
		for len(block) > 0 {
			part := block[:min(len(block), 16384)]
			block = block[len(part):]
			if err := o.fr.WriteContinuation(id, len(block) == 0, part); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *origin) data(id uint32, s string, end bool) {
	for {
		part := s[:min(len(s), 16384)]
		s = s[len(part):]
		o.write(func() error { return o.fr.WriteData(id, end && s == "", []byte(part)) })
		if s == "" {
			return
		}
	}
}

func (o *origin) reset(id uint32, code http2.ErrCode) {
	o.write(func() error { return o.fr.WriteRSTStream(id, code) })
}

func (o *origin) goAway(last uint32, code http2.ErrCode) {
	o.write(func() error { return o.fr.WriteGoAway(last, code, nil) })
}

// ok answers a request.
func (o *origin) ok(id uint32) {
	o.headers(id, false, ":status", "200")
	o.data(id, "ok", true)
}

// serveOK answers every request when it is complete.
func (o *origin) serveOK() {
	o.hello()
	for {
		o.ok(o.whole())
	}
}

// watched is a request body that notes its end.
type watched struct {
	io.Reader
	n *tripNotes
}

func (b watched) Close() error {
	b.n.mu.Lock()
	defer b.n.mu.Unlock()
	b.n.seen["request body"] = "closed"
	return nil
}
