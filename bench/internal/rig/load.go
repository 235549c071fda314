package rig

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"golang.org/x/net/http2/hpack"
)

// load is one connection that asks, with as little work of its own as can be: what
// it costs counts for both servers that are compared. It keeps some streams going
// at once and allocates nothing once warm.
type load struct {
	t       testing.TB
	nc      net.Conn
	work    *Work
	http1   bool
	first   []byte // the header block of the first request, or all of a request of HTTP/1.1
	next    []byte // of all that follow: everything is in the table
	id      uint32 // of the next stream
	in, out []byte
	at, end int      // unread octets of in
	body    int      // of a response of HTTP/1.1, not read yet
	uploads []upload // by stream, if the work has content
	echoes  []echo   // by stream, if the work is messages
	idle    []int    // those of echoes on which no message is under way
	window  int64    // the peer's for the connection
	initial int64    // and for a new stream
	credit  int      // octets received since the last WINDOW_UPDATE
	content int      // octets of content received
	asked   *asked
	took    []time.Duration // of requests that ended, when asked is in use
	epoch   time.Time
}

// upload is a request whose content is not sent yet.
type upload struct {
	id     uint32
	left   int
	window int64
}

// echo is a stream on which messages go to and fro.
type echo struct {
	id     uint32
	got    int // octets of the message that comes back
	credit int // octets received since the last WINDOW_UPDATE
}

const maxWindow = frame.MaxWindow

func newLoad(t testing.TB, w *Work, http1 bool) *load {
	l := &load{t: t, work: w, http1: http1, in: make([]byte, 64<<10), epoch: time.Now()}
	if w.Slow {
		l.asked = new(asked)
		l.took = make([]time.Duration, 0, 1<<16)
	}
	if http1 {
		l.first = http1Request(w)
		l.next = l.first
		return l
	}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block) // everything goes into its table
	encode := func() []byte {
		block.Reset()
		for _, x := range w.Fields {
			enc.WriteField(hpack.HeaderField{Name: x[0], Value: x[1]})
		}
		return bytes.Clone(block.Bytes())
	}
	l.first, l.next = encode(), encode()
	if !bytes.Equal(encode(), l.next) {
		t.Fatal("the request does not settle in the table")
	}
	return l
}

// begin starts on a new connection. The peer's SETTINGS may be unread.
func (l *load) begin(nc net.Conn) {
	l.nc, l.id, l.at, l.end, l.credit = nc, 1, 0, 0, 0
	l.window, l.initial = frame.DefaultWindow, frame.DefaultWindow
	if l.http1 {
		l.window, l.initial = maxWindow, maxWindow
		return
	}
	l.out = append(l.out[:0], frame.Preface...)
	l.out = frame.AppendSettings(l.out, frame.Setting{ID: frame.SettingInitialWindowSize, Value: maxWindow}, frame.Setting{ID: frame.SettingEnablePush})
	l.out = frame.AppendWindowUpdate(l.out, 0, maxWindow-frame.DefaultWindow)
}

// settle waits for the peer's SETTINGS.
func (l *load) settle() {
	if l.http1 {
		return
	}
	l.flush()
	for l.end < frame.HeaderLen || l.in[3] != byte(frame.TypeSettings) {
		l.read()
	}
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
	if i := len(l.idle); i > 0 {
		l.out = frame.AppendData(l.out, l.echoes[l.idle[i-1]].id, w.Send, false)
		l.idle = l.idle[:i-1]
		return
	}
	block := l.next
	if l.id == 1 {
		block = l.first
	}
	if l.asked != nil {
		l.asked.add(l.id, time.Since(l.epoch))
	}
	switch {
	case l.http1:
		l.out = append(l.out, block...)
	default:
		l.out = frame.AppendHeaders(l.out, l.id, block, w.content() == 0, frame.MinMaxFrameSize)
	}
	switch {
	case w.Echo:
		l.echoes = append(l.echoes, echo{id: l.id})
		// Not held against the peer's windows: 1000 messages fit into those of all servers.
		l.out = frame.AppendData(l.out, l.id, w.Send, false)
	case w.content() > 0:
		l.uploads = append(l.uploads, upload{l.id, w.content(), l.initial})
	}
	l.id += 2
}

// send appends as much content as the windows allow, up to 64 KiB.
func (l *load) send() {
	for i := 0; i < len(l.uploads) && len(l.out) < len(zeros); {
		u := &l.uploads[i]
		n := int(min(int64(u.left), u.window, l.window, frame.MinMaxFrameSize))
		if n <= 0 {
			i++
			continue
		}
		p := l.work.piece(u.left, n)
		u.left -= n
		if l.http1 {
			l.out = append(l.out, p...)
		} else {
			u.window -= int64(n)
			l.window -= int64(n)
			l.out = frame.AppendData(l.out, u.id, p, u.left == 0)
		}
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
