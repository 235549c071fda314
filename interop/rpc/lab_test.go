package rpc

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/nonet-h2/nonet/interop/host"
)

// lab is a gRPC server that writes its frames itself, by a script: it may do
// what no server should.
type lab struct {
	t   *testing.T
	url string
	// answer gets each request of a connection when it is complete, on a
	// goroutine of its own.
	answer   func(c *labConn, id uint32)
	settings []http2.Setting // of every connection but the first

	mu    sync.Mutex
	conns []*labConn
}

func startLab(t *testing.T, answer func(c *labConn, id uint32), settings ...http2.Setting) *lab {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, url: "http://" + ln.Addr().String(), answer: answer, settings: settings}
	t.Cleanup(func() {
		ln.Close()
		for _, c := range l.all() {
			c.nc.Close()
		}
	})
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			c := &labConn{
				lab: l, nc: nc, fr: http2.NewFramer(nc, nc), window: 65535,
				credit: map[uint32]int64{0: 65535}, body: make(map[uint32][]byte),
			}
			c.cond.L = &c.mu
			c.enc = hpack.NewEncoder(&c.buf)
			l.mu.Lock()
			l.conns = append(l.conns, c)
			c.number = len(l.conns)
			l.mu.Unlock()
			go c.serve()
		}
	}()
	return l
}

func (l *lab) all() []*labConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*labConn(nil), l.conns...)
}

// labConn is one connection of a lab.
type labConn struct {
	lab    *lab
	number int // from 1
	nc     net.Conn
	enc    *hpack.Encoder

	mu     sync.Mutex
	cond   sync.Cond
	fr     *http2.Framer // mu is for what is written
	buf    bytes.Buffer
	credit map[uint32]int64 // what may be sent, by stream; 0: the connection
	window int64            // what a new stream may be sent
	body   map[uint32][]byte
	taken  int  // requests
	open   int  // streams
	most   int  // how many of them there were at once
	pings  int  // not acknowledged yet
	away   bool // GOAWAY was sent
	gone   bool
}

// serve reads what the client sends and gives it back its credit.
func (c *labConn) serve() {
	defer func() {
		c.mu.Lock()
		c.gone = true
		c.cond.Broadcast()
		c.mu.Unlock()
		c.nc.Close()
	}()
	if _, err := io.ReadFull(c.nc, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	var settings []http2.Setting
	if c.number > 1 {
		settings = c.lab.settings
	}
	c.write(func() { c.fr.WriteSettings(settings...) })
	for {
		f, err := c.fr.ReadFrame()
		if err != nil {
			return
		}
		c.write(func() { c.take(f) })
	}
}

// take takes a frame; mu is held.
func (c *labConn) take(f http2.Frame) {
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			return
		}
		if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
			c.window = int64(v)
		}
		c.fr.WriteSettingsAck()
	case *http2.PingFrame:
		if f.IsAck() {
			c.pings--
		} else {
			c.fr.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		c.credit[id] += int64(f.Increment)
	case *http2.HeadersFrame:
		c.taken++
		c.open++
		c.most = max(c.most, c.open)
		c.credit[id] += c.window
	case *http2.DataFrame:
		if n := f.Header().Length; n > 0 {
			c.fr.WriteWindowUpdate(0, n)
			c.fr.WriteWindowUpdate(id, n)
		}
		c.body[id] = append(c.body[id], f.Data()...)
		if f.StreamEnded() {
			go c.lab.answer(c, id)
		}
	}
}

// write is for what writes frames: one at a time.
func (c *labConn) write(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.cond.Broadcast()
}

// await waits for something, false: the connection is gone. A client that
// keeps it waiting too long fails the test, and loses its connection.
func (c *labConn) await(f func() bool) bool {
	defer time.AfterFunc(host.Patience, func() {
		c.lab.t.Errorf("connection %d: nothing came of waiting for %v", c.number, host.Patience)
		c.nc.Close()
	}).Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !f() && !c.gone {
		c.cond.Wait()
	}
	return f()
}

// headers sends a header or trailer section: names and values in turn.
func (c *labConn) headers(id uint32, end bool, kv ...string) {
	c.write(func() {
		c.buf.Reset()
		for i := 0; i < len(kv); i += 2 {
			c.enc.WriteField(hpack.HeaderField{Name: kv[i], Value: kv[i+1]})
		}
		if end {
			c.open--
		}
		c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.buf.Bytes(), EndStream: end, EndHeaders: true})
	})
}

func (c *labConn) head(id uint32) {
	c.headers(id, false, ":status", "200", "content-type", "application/grpc")
}

func (c *labConn) ok(id uint32) { c.headers(id, true, "grpc-status", "0") }

// data sends content in frames of at most size octets, each with so much
// padding, as the client's windows allow.
func (c *labConn) data(id uint32, b []byte, size, padding int) {
	pad := make([]byte, padding)
	for len(b) > 0 {
		part := b[:min(len(b), size)]
		cost := int64(len(part))
		if padding > 0 {
			cost += int64(padding) + 1
		}
		if !c.await(func() bool { return c.credit[0] >= cost && c.credit[id] >= cost }) {
			return
		}
		c.write(func() {
			c.credit[0] -= cost
			c.credit[id] -= cost
			if padding > 0 {
				c.fr.WriteDataPadded(id, false, part, pad)
			} else {
				c.fr.WriteData(id, false, part)
			}
		})
		b = b[len(part):]
	}
}

func (c *labConn) reset(id uint32, code http2.ErrCode) {
	c.write(func() {
		c.open--
		c.fr.WriteRSTStream(id, code)
	})
}

// goAway sends GOAWAY and a PING: who acknowledges that has read both.
func (c *labConn) goAway(last uint32) {
	c.write(func() {
		c.fr.WriteGoAway(last, http2.ErrCodeNo, nil)
		c.away = true
		c.pingLocked()
	})
}

func (c *labConn) ping() { c.write(c.pingLocked) }

func (c *labConn) pingLocked() {
	c.pings++
	c.fr.WritePing(false, [8]byte{byte(c.pings)})
}

// reply returns the message that answers the request, framed.
func (c *labConn) reply(id uint32) []byte {
	c.mu.Lock()
	body := c.body[id]
	c.mu.Unlock()
	in := new(testgrpc.SimpleRequest)
	if len(body) < 5 || proto.Unmarshal(body[5:], in) != nil || len(in.GetPayload().GetBody()) != largeRequest {
		c.lab.t.Errorf("a request of %d octets, with %d of payload", len(body), len(in.GetPayload().GetBody()))
	}
	return framed(&testgrpc.SimpleResponse{Payload: &testgrpc.Payload{Body: make([]byte, in.ResponseSize)}})
}

// serveWell answers as a server should.
func (c *labConn) serveWell(id uint32) {
	c.head(id)
	c.data(id, c.reply(id), 16384, 0)
	c.ok(id)
}

// framed is a message with gRPC's five octets before it.
func framed(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
}
