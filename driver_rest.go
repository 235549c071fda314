package nonet

import (
	"errors"
	"os"
	"time"
)

// A connection on which nothing happens holds little but the stack of the
// goroutine that waits for input. Parsing takes more stack than waiting, and a
// stack does not shrink below what it has grown to. So the reader rests by
// ending, and a new goroutine waits in its place: at the first pause of the
// input, which is the only one of many connections, and whenever the core has
// given back the memory of streams. Where it can be parked (driver_park_linux.go),
// nobody waits in its place.

// errPause ends a read that was not to wait.
var errPause error = pause{}

// pause is an error after which crypto/tls reads on.
type pause struct{}

func (pause) Error() string   { return "nonet: no input yet" }
func (pause) Timeout() bool   { return true }
func (pause) Temporary() bool { return true }

// errRelieved ends a reader that there is another for.
var errRelieved = errors.New("nonet: relieved")

// rouseLocked ends the reader's wait if a new goroutine would wait with less.
func (d *driver) rouseLocked() {
	if d.awake && !d.roused && !d.closed && d.core.Slots() == 0 && d.wire.canTry() {
		d.roused = true
		d.wire.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// rests reports whether the error of a read asks the reader to rest.
func (d *driver) rests(err error) bool {
	pause := err == errPause
	if !pause && !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.roused {
		d.roused = false
		d.wire.nc.SetReadDeadline(time.Time{})
	} else if !pause {
		return false // it is the user's deadline
	}
	d.pauses, d.awake = !pause, false
	d.wire.raw.rested()
	return true
}

// resume is a reader that goes on where another has rested.
func (d *driver) resume() { d.relay(d.readOn()) }

// relay is what follows run and readOn: rest on a new goroutine, or the end.
func (d *driver) relay(rest bool, err error) {
	switch {
	case err == errRelieved:
	case rest && d.park():
	case rest:
		go d.resume()
	case d.cl != nil:
		d.endClient(err)
	default:
		d.endServer(err)
	}
}
