package bench

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"golang.org/x/net/http2/hpack"
)

// work is what a load asks for again and again.
type work struct {
	name   string
	fields [][2]string // of the request
	upload int         // octets of content
	answer int         // octets of content of the response
	echo   int         // messages of this size go to and fro on one stream for ever: a unit is one of them
}

var get = [][2]string{
	{":method", "GET"}, {":scheme", "http"}, {":authority", "127.0.0.1:8080"}, {":path", "/hello"},
	{"accept", "*/*"}, {"user-agent", "bench/1.0"},
}

// load is one connection that asks, with as little work of its own as can be: what
// it costs counts for both servers that are compared. It keeps some streams going
// at once and allocates nothing once warm.
type load struct {
	t       testing.TB
	nc      net.Conn
	work    *work
	first   []byte // the header block of the first request
	next    []byte // of all that follow: everything is in the table
	id      uint32 // of the next stream
	in, out []byte
	at, end int      // unread octets of in
	uploads []upload // by stream, if the work has any
	window  int64    // the peer's for the connection
	initial int64    // and for a new stream
	credit  int      // octets received since the last WINDOW_UPDATE
	echoed  int      // octets of messages that came back
	asked   []time.Duration
	took    []time.Duration // of requests that ended, when asked is in use
	epoch   time.Time
}

// upload is a request whose content is not sent yet.
type upload struct {
	id     uint32
	left   int
	window int64
}

// ioCalls counts the system calls of the load, as they are counted for the process.
type ioCalls struct{ reads, writes atomic.Int64 }

// countedConn is the load's socket.
type countedConn struct {
	net.Conn
	calls *ioCalls
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.calls.writes.Add(1)
	return c.Conn.Write(p)
}

const maxWindow = frame.MaxWindow

func dialLoad(t testing.TB, addr string, secure bool, w *work, c *ioCalls) *load {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	nc = &countedConn{nc, c}
	if secure {
		nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	}
	l := &load{t: t, nc: nc, work: w, id: 1, in: make([]byte, 64<<10), window: frame.DefaultWindow, initial: frame.DefaultWindow, epoch: time.Now()}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block) // everything goes into its table
	encode := func() []byte {
		block.Reset()
		for _, x := range w.fields {
			enc.WriteField(hpack.HeaderField{Name: x[0], Value: x[1]})
		}
		return bytes.Clone(block.Bytes())
	}
	l.first, l.next = encode(), encode()
	if !bytes.Equal(encode(), l.next) {
		t.Fatal("the request does not settle in the table")
	}
	l.out = append(l.out, frame.Preface...)
	l.out = frame.AppendSettings(l.out, frame.Setting{ID: frame.SettingInitialWindowSize, Value: maxWindow}, frame.Setting{ID: frame.SettingEnablePush})
	l.out = frame.AppendWindowUpdate(l.out, 0, maxWindow-frame.DefaultWindow)
	l.flush()
	for l.id == 1 && l.in[3] != byte(frame.TypeSettings) {
		l.read()
	}
	return l
}

// run has n units of work done, of which streams at once are on their way.
func (l *load) run(n, streams int) {
	started, done := 0, 0
	for done < n {
		for started < n && started-done < streams {
			l.ask()
			started++
		}
		l.send()
		l.flush()
		l.read()
		done += l.parse()
	}
}

// ask begins a unit of work.
func (l *load) ask() {
	w := l.work
	if w.echo > 0 && l.id > 1 {
		l.out = frame.AppendData(l.out, l.id-2, zeros[:w.echo], false)
		return
	}
	block := l.next
	if l.id == 1 {
		block = l.first
	}
	l.out = frame.AppendHeaders(l.out, l.id, block, w.upload == 0 && w.echo == 0, frame.MinMaxFrameSize)
	if w.upload > 0 {
		l.uploads = append(l.uploads, upload{l.id, w.upload, l.initial})
	}
	if l.asked != nil {
		l.asked[l.id/2%uint32(len(l.asked))] = time.Since(l.epoch)
	}
	l.id += 2
	if w.echo > 0 {
		l.ask()
	}
}

var zeros [64 << 10]byte

// send appends as much content as the windows allow, up to 64 KiB.
func (l *load) send() {
	for i := 0; i < len(l.uploads) && len(l.out) < len(zeros); {
		u := &l.uploads[i]
		n := int(min(int64(u.left), u.window, l.window, frame.MinMaxFrameSize))
		if n <= 0 {
			i++
			continue
		}
		u.left -= n
		u.window -= int64(n)
		l.window -= int64(n)
		l.out = frame.AppendData(l.out, u.id, zeros[:n], u.left == 0)
		if u.left == 0 {
			l.uploads = append(l.uploads[:i], l.uploads[i+1:]...)
		}
	}
}

func (l *load) flush() {
	if len(l.out) == 0 {
		return
	}
	if _, err := l.nc.Write(l.out); err != nil {
		l.t.Fatal(err)
	}
	l.out = l.out[:0]
}

// sending says that content can be sent without waiting for the peer.
func (l *load) sending() bool {
	for i := range l.uploads {
		if l.window > 0 && l.uploads[i].window > 0 {
			return true
		}
	}
	return false
}

func (l *load) read() {
	if l.sending() {
		return
	}
	if l.at > 0 {
		l.end = copy(l.in, l.in[l.at:l.end])
		l.at = 0
	}
	n, err := l.nc.Read(l.in[l.end:])
	if err != nil {
		l.t.Fatal(err)
	}
	l.end += n
}

// parse takes the frames that are complete and returns how many units are done.
func (l *load) parse() (done int) {
	for l.end-l.at >= frame.HeaderLen {
		h := frame.ParseHeader(l.in[l.at:])
		size := frame.HeaderLen + int(h.Length)
		if l.end-l.at < size {
			break
		}
		p := l.in[l.at+frame.HeaderLen : l.at+size]
		l.at += size
		done += l.frame(h, p)
	}
	if l.credit > maxWindow/2 {
		l.out = frame.AppendWindowUpdate(l.out, 0, uint32(l.credit))
		if l.work.echo > 0 {
			l.out = frame.AppendWindowUpdate(l.out, l.id-2, uint32(l.credit))
		}
		l.credit = 0
	}
	return done
}

func (l *load) frame(h frame.Header, p []byte) (done int) {
	switch h.Type {
	case frame.TypeData:
		l.credit += int(h.Length)
		if e := l.work.echo; e > 0 {
			before := l.echoed / e
			l.echoed += int(h.Length)
			return l.echoed/e - before
		}
		fallthrough
	case frame.TypeHeaders:
		if !h.Flags.Has(frame.FlagEndStream) {
			return 0
		}
		if l.asked != nil {
			l.took = append(l.took, time.Since(l.epoch)-l.asked[h.StreamID/2%uint32(len(l.asked))])
		}
		return 1
	case frame.TypeSettings:
		if !h.Flags.Has(frame.FlagAck) {
			s := frame.ParseSettings(p)
			for i := range s.Len() {
				if v := s.At(i); v.ID == frame.SettingInitialWindowSize {
					l.initial = int64(v.Value)
				}
			}
			l.out = frame.AppendSettingsAck(l.out)
		}
	case frame.TypePing:
		if !h.Flags.Has(frame.FlagAck) {
			l.out = frame.AppendPing(l.out, true, [8]byte(p))
		}
	case frame.TypeWindowUpdate:
		inc := int64(binary.BigEndian.Uint32(p))
		if h.StreamID == 0 {
			l.window += inc
		}
		for i := range l.uploads {
			if l.uploads[i].id == h.StreamID {
				l.uploads[i].window += inc
			}
		}
	case frame.TypeRSTStream, frame.TypeGoAway:
		l.t.Fatalf("%v: code %v", h, frame.ErrCode(binary.BigEndian.Uint32(p[len(p)-4:])))
	}
	return 0
}

// loads is a number of connections that share the work.
type loads struct {
	all   []*load
	calls ioCalls
}

func newLoads(t testing.TB, addr string, secure bool, w *work, conns int) *loads {
	ls := new(loads)
	for range conns {
		ls.all = append(ls.all, dialLoad(t, addr, secure, w, &ls.calls))
	}
	return ls
}

// run has n units of work done over each connection, with so many streams.
func (ls *loads) run(n, streams int) {
	if len(ls.all) == 1 {
		ls.all[0].run(n, streams)
		return
	}
	var wg sync.WaitGroup
	for _, l := range ls.all {
		wg.Go(func() { l.run(n, streams) })
	}
	wg.Wait()
	if t := ls.all[0].t; t.Failed() {
		t.FailNow()
	}
}

func (ls *loads) close() {
	for _, l := range ls.all {
		l.nc.Close()
	}
}
