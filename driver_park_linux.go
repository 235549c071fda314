package nonet

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// parking waits for the input of a server's connections that rest, without a
// goroutine for each: their sockets are in an epoll set of our own, and the set is
// one file to the runtime's. A socket that somebody else closes leaves the set
// without a word, so only connections that nobody else knows are parked
// (opening.own).
//
// It is one for each server, as what serves in a bubble of testing/synctest goes
// on only on goroutines of that. The file is closed when the server is no more.
type parking struct {
	mu      sync.Mutex
	err     error // no set could be made
	set     int
	file    *os.File // the set
	conn    syscall.RawConn
	at      []*driver // by socket
	parked  int       // connections in the set, and once more those that may be in it soon (leader.member)
	running bool      // run
	called  bool      // run was asked to end

	// run's.
	ready  func(fd uintptr) bool // look, bound once
	events [64]syscall.EpollEvent
	n      int // of events
}

// park lets the input of a connection without a reader start one. False: it can't.
func (d *driver) park() bool {
	if !d.parks || !d.wire.raw.drained() {
		return false
	}
	in := false
	open := d.wire.raw.conn.Control(func(fd uintptr) { in = d.srv.parking.add(d, int(fd), false) }) == nil
	if !open || !in {
		return false
	}
	// Perhaps it was closed meanwhile, and whoever did it has not found it here.
	if d.wire.raw.conn.Control(nothing) != nil {
		d.unpark()
	}
	return true
}

// unpark starts the reader of a parked connection that was closed.
func (d *driver) unpark() {
	if d.srv != nil && d.srv.parking.remove(d) {
		go d.resume()
	}
}

// add parks d, whose socket is open. Each time is for one event. leads:
// it is in only while its reader runs a handler, and may be again at once.
func (l *parking) add(d *driver, fd int, leads bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil && !l.openLocked() {
		return false
	}
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: int32(fd)}
	err := syscall.EpollCtl(l.set, syscall.EPOLL_CTL_MOD, fd, &ev)
	if err == syscall.ENOENT {
		err = syscall.EpollCtl(l.set, syscall.EPOLL_CTL_ADD, fd, &ev)
	}
	if err != nil {
		return false
	}
	for fd >= len(l.at) {
		l.at = append(l.at, nil)
	}
	l.at[fd] = d
	d.place = int32(fd) + 1
	l.countLocked()
	if x := d.leader; x != nil {
		x.ticket++
		if leads && !x.member {
			x.member = true
			l.countLocked()
		}
	}
	return true
}

// countLocked counts one more that waits, or may wait at once.
func (l *parking) countLocked() {
	l.parked++
	if !l.running {
		l.running = true
		l.answerLocked()
		go l.run()
	}
}

// openLocked makes the set.
func (l *parking) openLocked() bool {
	if l.err != nil {
		return false
	}
	var err error
	if l.set, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err == nil {
		err = l.useLocked()
	}
	l.err = err
	return err == nil
}

// useLocked lets the runtime watch the set. It does not where a user has no more
// watches, of which package os says nothing until there is a deadline; then run
// would never wait.
func (l *parking) useLocked() error {
	if err := syscall.SetNonblock(l.set, true); err != nil {
		return err
	}
	file := os.NewFile(uintptr(l.set), "epoll")
	err := file.SetReadDeadline(time.Time{})
	if err == nil {
		l.conn, err = file.SyscallConn()
	}
	if err != nil {
		file.Close()
		return err
	}
	l.file, l.ready = file, l.look
	return nil
}

// remove takes d out, if it is in.
func (l *parking) remove(d *driver) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.removeLocked(d) {
		return false
	}
	l.callLocked()
	return true
}

// take is remove, if d is in as it was when it got this ticket.
func (l *parking) take(d *driver, ticket uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return d.leader.ticket == ticket && l.removeLocked(d)
}

// callLocked ends run if it has nothing to wait for.
func (l *parking) callLocked() {
	if l.parked == 0 {
		l.called = true
		l.file.SetReadDeadline(time.Unix(1, 0))
	}
}

// answerLocked lets run wait again.
func (l *parking) answerLocked() {
	if l.called {
		l.called = false
		l.file.SetReadDeadline(time.Time{})
	}
}

func (l *parking) removeLocked(d *driver) bool {
	if d.place == 0 {
		return false
	}
	// Since it was closed, another may have got its number.
	if at := &l.at[d.place-1]; *at == d {
		*at = nil
	}
	d.place = 0
	l.parked--
	return true
}

// run starts the readers of those for which there is input, as long as any are
// parked or may be soon.
func (l *parking) run() {
	for {
		l.n = 0
		_ = l.conn.Read(l.ready)
		if !l.deliver() {
			return
		}
	}
}

// look fetches events. False: there are none, wait and call again.
func (l *parking) look(fd uintptr) bool {
	n, _ := syscall.EpollWait(int(fd), l.events[:], 0)
	l.n = max(n, 0)
	return n > 0
}

// deliver reports whether any are parked still.
func (l *parking) deliver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ev := range l.events[:l.n] {
		// What was parked before under the same number may wake another one.
		if d := l.at[ev.Fd]; d != nil {
			l.removeLocked(d)
			go d.resume()
		}
	}
	if l.parked == 0 {
		l.running = false
		return false
	}
	l.answerLocked()
	return true
}
