package nonet

import (
	"runtime"
	"syscall"
)

// A request that is alone on its connection is answered by the reader itself: to
// start a goroutine costs more than most handlers where the runtime has several
// processors, as it wakes a thread that looks for work. Meanwhile the socket is in
// the server's epoll set (driver_park_linux.go). Whatever comes before the handler
// has returned starts another reader, and the goroutine ends with its handler.

// leader is what this takes of a connection.
type leader struct {
	lone        *stream          // whose handler the reader is to run
	enter, exit func(fd uintptr) // bound once
	in          bool             // whether enter has put the socket into the set
	retreat     int32            // for how many requests it does not lead

	// The parking's.
	ticket uint32 // tells one time in the set from another
	member bool   // the parking's goroutine stays for it
}

// retreat is for how many requests the reader does not lead after it was relieved:
// others came while a handler ran, and the way into the set was for nothing.
const retreat = 64

// leadsPerPeriod is how many requests the readers of a server run in one watchPeriod:
// 20 000 a second. Where there are more, the threads are awake anyway, and a
// goroutine costs less than to enter and leave the set.
const leadsPerPeriod = 200

// leadsLocked takes the request that has arrived, if the reader is to run its
// handler.
func (d *driver) leadsLocked() bool {
	if !d.parks || len(d.arrived) != 1 || d.running != 1 || !d.arrived[0].inEnd || d.within || d.wantWriteLocked() || runtime.GOMAXPROCS(0) == 1 {
		return false
	}
	x := d.leader
	if x == nil {
		x = &leader{enter: d.enter, exit: d.exit}
		d.leader = x
	}
	if x.retreat > 0 {
		x.retreat--
		return false
	}
	if d.srv.watch.leads.Add(1) > leadsPerPeriod {
		return false
	}
	x.lone = d.arrived[0]
	d.arrived[0], d.arrived = nil, d.arrived[:0]
	return true
}

// lead runs the handler that leadsLocked has taken, if it has. False: there is
// another reader now.
func (d *driver) lead() (reads bool) {
	if d.leader == nil || d.leader.lone == nil {
		return true
	}
	st := d.leader.lone
	d.leader.lone = nil
	mine := d.leader.ticket + 1
	if !d.attend(mine) {
		d.start(st)
		return true
	}
	returned := false
	defer func() {
		reads = d.desert(mine)
		d.mu.Lock()
		if !reads {
			d.leader.retreat = retreat
		}
		if !d.wantWriteLocked() && d.core.Active() > 0 { // as in flush
			d.watchLocked()
		}
		d.tryOrKick(d.now())
		if reads && !returned { // the handler has ended the goroutine
			go d.resume()
		}
	}()
	st.serve()
	returned = true
	return reads
}

// attend lets the input of the connection start a reader. False: it can't. mine is
// the ticket that it takes.
func (d *driver) attend(mine uint32) bool {
	rc := d.wire.raw.conn
	if rc.Control(d.leader.enter) != nil || !d.leader.in {
		return false
	}
	// As in park.
	return rc.Control(nothing) == nil || !d.srv.parking.take(d, mine)
}

func nothing(uintptr) {}

func (d *driver) enter(fd uintptr) { d.leader.in = d.srv.parking.add(d, int(fd), true) }

// desert ends what attend began. False: there is another reader.
func (d *driver) desert(mine uint32) bool {
	if !d.srv.parking.take(d, mine) {
		return false
	}
	_ = d.wire.raw.conn.Control(d.leader.exit)
	return true
}

// exit takes the request for a notice back.
func (d *driver) exit(fd uintptr) {
	ev := syscall.EpollEvent{Events: syscall.EPOLLONESHOT, Fd: int32(fd)}
	_ = syscall.EpollCtl(d.srv.parking.set, syscall.EPOLL_CTL_MOD, int(fd), &ev)
}

// leave is the end of the connection.
func (d *driver) leave() {
	if d.leader == nil {
		return
	}
	l := &d.srv.parking
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.leader.member {
		d.leader.member = false
		l.parked--
		l.callLocked()
	}
}
