package rig

import (
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Calls counts system calls, those in vain too.
type Calls struct{ reads, writes atomic.Int64 }

// countedConn is a load's socket.
type countedConn struct {
	net.Conn
	calls *Calls
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.calls.writes.Add(1)
	return c.Conn.Write(p)
}

// Loads are a number of connections that share the work.
type Loads struct {
	all     []*load
	addr    string
	config  *tls.Config // nil: cleartext
	streams int
	calls   Calls
}

// Options say what Loads are like.
type Options struct {
	Secure  bool // over TLS
	HTTP1   bool // HTTP/1.1: as many connections as there would be streams
	Conns   int
	Streams int // at once, on each connection
}

// NewLoads connects to a server and has one unit of work done on each connection.
func NewLoads(t testing.TB, addr string, w *Work, o Options) *Loads {
	t.Helper()
	ls := &Loads{addr: addr, streams: o.Streams}
	if o.HTTP1 {
		o.Conns, ls.streams = o.Conns*o.Streams, 1
	}
	if o.Secure {
		ls.config = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
		if o.HTTP1 {
			ls.config.NextProtos = nil
		}
	}
	for range o.Conns {
		l := newLoad(t, w, o.HTTP1)
		ls.all = append(ls.all, l)
		ls.dial(l)
		if !w.Churn {
			l.settle()
		}
		l.run(1, 1)
		want := w.Answer
		if w.Echo {
			want = len(w.Send)
		}
		if l.content != want {
			t.Fatalf("%s: %d octets came for the first unit of work, want %d", w.Name, l.content, want)
		}
		if w.Churn {
			l.nc.Close()
		}
	}
	return ls
}

func (ls *Loads) dial(l *load) {
	nc, err := net.Dial("tcp", ls.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	nc = &countedConn{nc, &ls.calls}
	if ls.config != nil {
		nc = tls.Client(nc, ls.config)
	}
	l.begin(nc)
}

// Run has n units of work done over each connection.
func (ls *Loads) Run(n int) {
	if len(ls.all) == 1 {
		ls.work(ls.all[0], n)
		return
	}
	var wg sync.WaitGroup
	for _, l := range ls.all {
		wg.Go(func() { ls.work(l, n) })
	}
	wg.Wait()
	if t := ls.all[0].t; t.Failed() {
		t.FailNow()
	}
}

func (ls *Loads) work(l *load, n int) {
	if !l.work.Churn {
		l.run(n, ls.streams)
		return
	}
	for range n {
		ls.dial(l)
		l.run(1, 1)
		l.nc.Close()
	}
}

// Pass is n units of work for each stream.
func (ls *Loads) Pass(name string, n int) *Pass {
	p := &Pass{Name: name, Run: func() { ls.Run(n * ls.streams) }, Units: n * ls.streams * len(ls.all), Own: &ls.calls}
	if ls.all[0].work.Slow {
		p.Took = func() []time.Duration {
			var all []time.Duration
			for _, l := range ls.all {
				all = append(all, l.took...)
			}
			return all
		}
	}
	return p
}

// Content returns how many octets of content came.
func (ls *Loads) Content() (n int) {
	for _, l := range ls.all {
		n += l.content
	}
	return n
}

// Close closes the connections.
func (ls *Loads) Close() {
	for _, l := range ls.all {
		l.nc.Close()
	}
}

// percentile returns what p of a hundred did not exceed.
func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*p/100]
}
