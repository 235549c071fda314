package nonet

import (
	"context"
	"net"
	"strings"
	"time"
)

// hostKey says which connections a request can use.
type hostKey struct {
	secure    bool
	authority string
}

// clientHost is the connections to one host. The client's mutex guards it.
type clientHost struct {
	c       *Client
	key     hostKey
	conns   []*ClientConn // that take requests
	dialing int
	stop    func()    // ends the dial that goes on; nil: none does
	failed  time.Time // when a dial failed last
	head    *waiter   // requests without a connection, first come, first served
	tail    *waiter
	waiting int
}

// waiter is a request that waits for a connection. The client's mutex guards
// it until wake has a value.
type waiter struct {
	host       *clientHost // in whose queue it is; nil: in none
	next, prev *waiter
	ctx        context.Context // the request's, for its values
	dead       bool            // the request was given up
	cc         *ClientConn
	err        error
	wake       chan struct{}
}

// dialPause is how long no connection is opened ahead of need after a dial
// that failed.
const dialPause = time.Second

// acquire returns a connection with a place for one more stream, and takes it.
// It waits for one; giveUp and the end of the client end the wait. Without
// connection and error the request was given up.
func (c *Client) acquire(ctx context.Context, w *waiter, secure bool, authority string) (*ClientConn, error) {
	c.mu.Lock()
	switch {
	case c.closing:
		c.mu.Unlock()
		return nil, ErrClientClosed
	case w.dead:
		c.mu.Unlock()
		return nil, nil
	}
	h := c.hosts[hostKey{secure, withoutPort(authority, secure)}]
	if h == nil {
		h = &clientHost{c: c, key: hostKey{secure, strings.Clone(withoutPort(authority, secure))}}
		if c.hosts == nil {
			c.hosts = make(map[hostKey]*clientHost)
		}
		c.hosts[h.key] = h
	}
	if h.head == nil {
		if cc := h.leastLocked(); cc != nil {
			cc.taken++
			h.growLocked()
			c.mu.Unlock()
			return cc, nil
		}
	}
	wake := make(chan struct{}, 1)
	w.ctx, w.cc, w.err, w.wake = ctx, nil, nil, wake
	h.pushLocked(w)
	h.growLocked()
	c.mu.Unlock()
	<-wake
	return w.cc, w.err
}

// giveUp ends a wait, or keeps it from beginning.
func (c *Client) giveUp(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.dead = true
	if w.host != nil {
		w.host.removeLocked(w)
		w.wake <- struct{}{}
	}
}

// freed notes that n streams of the connection have ended.
func (c *Client) freed(cc *ClientConn, n int) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cc.taken -= n
	cc.host.serveLocked()
}

// limit notes how many streams the server allows.
func (c *Client) limit(cc *ClientConn, n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cc.heard, cc.limit = true, int(min(n, 1<<20))
	cc.host.serveLocked()
	cc.host.growLocked()
}

// drop lets the connection take no more requests.
func (c *Client) drop(cc *ClientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cc.out {
		return
	}
	cc.out = true
	h := cc.host
	for i, x := range h.conns {
		if x == cc {
			h.conns = append(h.conns[:i], h.conns[i+1:]...)
			break
		}
	}
	h.growLocked()
	h.tidyLocked()
}

// leastLocked returns the connection with the fewest streams of those that
// have a place, or nil.
func (h *clientHost) leastLocked() (best *ClientConn) {
	for _, cc := range h.conns {
		if cc.taken < cc.limit && (best == nil || cc.taken < best.taken) {
			best = cc
		}
	}
	return best
}

// serveLocked gives free places to those that wait.
func (h *clientHost) serveLocked() {
	for h.head != nil {
		cc := h.leastLocked()
		if cc == nil {
			return
		}
		w := h.head
		h.removeLocked(w)
		cc.taken++
		w.cc = cc
		w.wake <- struct{}{}
	}
}

// growLocked opens another connection if requests wait, or soon will.
func (h *clientHost) growLocked() {
	if h.c.closing || h.dialing > 0 || len(h.conns) >= h.c.maxConns() {
		return
	}
	taken, limit, young := 0, 0, false
	for _, cc := range h.conns {
		taken += cc.taken
		limit += cc.limit
		young = young || !cc.heard
	}
	switch {
	case len(h.conns) == 0 && h.head == nil:
		return
	case young:
		return // its server has not said yet how much it allows
	case h.head == nil && (limit == 0 || 4*taken < 3*limit):
		return
	case len(h.conns) > 0 && !h.failed.IsZero() && time.Since(h.failed) < dialPause:
		return
	}
	h.dialing++
	ctx := context.Background()
	if h.head != nil {
		ctx = context.WithoutCancel(h.head.ctx)
	}
	background(func() { h.dial(ctx) })
}

// dial opens a connection.
func (h *clientHost) dial(ctx context.Context) {
	c := h.c
	ctx, cancel := context.WithTimeout(ctx, c.dialTimeout())
	defer cancel()
	c.mu.Lock()
	if h.stop = cancel; c.closing {
		cancel()
	}
	c.mu.Unlock()
	cc, err := dialServer(ctx, &c.ClientConfig, c, h, "tcp", withPort(h.key.authority, h.key.secure), h.key.secure)
	c.mu.Lock()
	h.dialing, h.stop = h.dialing-1, nil
	closing := c.closing
	switch {
	case err == nil && !closing:
		if c.conns == nil {
			c.conns = make(map[*ClientConn]struct{})
		}
		c.conns[cc] = struct{}{}
		h.failed = time.Time{}
		h.conns = append(h.conns, cc)
		h.serveLocked()
	case err != nil:
		h.failed = time.Now()
		if len(h.conns) == 0 {
			h.failLocked(err)
			break
		}
		time.AfterFunc(dialPause, h.dialAgain)
	}
	h.tidyLocked()
	c.mu.Unlock()
	if err == nil {
		cc.start()
		if closing {
			cc.Close()
		}
	}
}

// dialAgain follows the pause after a dial that failed: nothing else may happen
// that would open a connection for those who wait.
func (h *clientHost) dialAgain() {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	if h.head != nil {
		h.growLocked()
	}
}

// ended follows the end of a connection.
func (c *Client) ended(cc *ClientConn) {
	c.drop(cc)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, cc)
}

// failLocked tells everybody who waits.
func (h *clientHost) failLocked(err error) {
	for w := h.head; w != nil; w = h.head {
		h.removeLocked(w)
		w.err = err
		w.wake <- struct{}{}
	}
}

// tidyLocked forgets a host that nothing is left of.
func (h *clientHost) tidyLocked() {
	if len(h.conns) == 0 && h.dialing == 0 && h.head == nil && h.c.hosts[h.key] == h {
		delete(h.c.hosts, h.key)
	}
}

func (h *clientHost) pushLocked(w *waiter) {
	w.host, w.prev, w.next = h, h.tail, nil
	if h.tail == nil {
		h.head = w
	} else {
		h.tail.next = w
	}
	h.tail = w
	h.waiting++
}

func (h *clientHost) removeLocked(w *waiter) {
	if w.prev == nil {
		h.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		h.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.host, w.next, w.prev = nil, nil, nil
	h.waiting--
}

// hostOf returns the host of an address with a port.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}
