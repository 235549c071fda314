package nonet

import (
	"sync/atomic"
	"time"
)

// dates keeps the text of the date field for the current second. A timer that
// runs only while responses are made ends its life, so that no response looks
// at the clock.
type dates struct{ now atomic.Pointer[string] }

// text returns the time as an IMF-fixdate (RFC 9110 5.6.7).
func (d *dates) text() string {
	if s := d.now.Load(); s != nil {
		return *s
	}
	now := time.Now()
	s := now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	d.now.Store(&s)
	time.AfterFunc(time.Second-time.Duration(now.Nanosecond()), func() { d.now.Store(nil) })
	return s
}
