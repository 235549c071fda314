package nonet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nonet-h2/nonet/conn"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// ClientConn is one connection to a server. It comes from [Dial], [DialTLS] or
// [NewClientConn]; a [Client] has its own. It is safe for concurrent use.
type ClientConn struct {
	d       *driver
	number  uint64
	tracer  traceLog
	watch   watch // of a connection without a pool
	done    chan struct{}
	closing atomic.Bool // Close was called
	tls     *tls.ConnectionState

	opened   int           // streams that are open, as the pool knows; d.mu guards it
	rests    time.Duration // since when it has had none; likewise
	err      error         // why the connection has ended; likewise
	told     uint32        // the limit of streams that the pool knows; likewise
	toldOnce bool
	odd      error // its server speaks something else; likewise

	// The reader's.
	woken   []*stream // who is woken after this burst
	greeted bool      // the server has said something

	// A pool's; its mutex guards them.
	pool  *Client
	host  *clientHost
	taken int  // streams that are open, or soon will be
	limit int  // how many the server allows
	heard bool // the server's SETTINGS have come
	out   bool // takes no more
}

// Dial connects to a server that speaks HTTP/2 in cleartext, by prior
// knowledge (RFC 9113 3.3). ctx is for the dial alone; c may be nil.
func Dial(ctx context.Context, network, addr string, c *ClientConfig) (*ClientConn, error) {
	return dialAlone(ctx, c, network, addr, false)
}

// DialTLS connects over TLS to a server that chooses "h2" by ALPN (RFC 9113
// 3.2). ctx is for the dial and the handshake; c may be nil.
func DialTLS(ctx context.Context, network, addr string, c *ClientConfig) (*ClientConn, error) {
	return dialAlone(ctx, c, network, addr, true)
}

// NewClientConn makes a connection of one that the program has already:
// cleartext, or a *[tls.Conn] whose configuration offers "h2". ctx is for the
// handshake, if that is still to come; c may be nil. It owns nc from then on.
func NewClientConn(ctx context.Context, nc net.Conn, c *ClientConfig) (*ClientConn, error) {
	if c == nil {
		c = new(ClientConfig)
	}
	epoch := time.Now()
	if tc, ok := nc.(*tls.Conn); ok {
		if err := handshake(ctx, tc, remote(nc)); err != nil {
			nc.Close()
			return nil, err
		}
	}
	cc := newClientConn(c, nil, nil, clientWire(nc), epoch)
	cc.start()
	return cc, nil
}

// TLSClient is [tls.Client] for [NewClientConn] and ClientConfig.DialTLSContext:
// when the connection is a client's, the records of one batch of frames are
// written at once.
func TLSClient(nc net.Conn, config *tls.Config) *tls.Conn {
	return tls.Client(&cipherConn{Conn: nc}, config)
}

// clientWire returns the wire of a connection that the program has made, and
// whose handshake is done.
func clientWire(nc net.Conn) wire {
	if tc, ok := nc.(*tls.Conn); ok {
		if cipher, ok := tc.NetConn().(*cipherConn); ok {
			cipher.collect()
			return newWire(nc, cipher)
		}
	}
	return newWire(nc, nil)
}

func dialAlone(ctx context.Context, c *ClientConfig, network, addr string, secure bool) (*ClientConn, error) {
	if c == nil {
		c = new(ClientConfig)
	}
	cc, err := dialServer(ctx, c, nil, nil, network, addr, secure)
	if err != nil {
		return nil, err
	}
	cc.start()
	return cc, nil
}

// dialServer opens a connection, which is to be started.
func dialServer(ctx context.Context, c *ClientConfig, p *Client, h *clientHost, network, addr string, secure bool) (*ClientConn, error) {
	epoch := time.Now()
	open := c.DialContext
	whole := secure && c.DialTLSContext != nil
	switch {
	case whole:
		open = c.DialTLSContext
	case open == nil:
		open = new(net.Dialer).DialContext
	}
	nc, err := open(ctx, network, addr)
	switch {
	case err != nil && whole:
		return nil, handshakeError(err, addr)
	case err != nil:
		return nil, fmt.Errorf("nonet: %w", err)
	case secure && !whole:
		nc = TLSClient(nc, h2tls.ClientConfig(c.TLSConfig, hostOf(addr)))
	}
	if tc, ok := nc.(*tls.Conn); ok && secure {
		if err := handshake(ctx, tc, addr); err != nil {
			nc.Close()
			return nil, err
		}
	}
	return newClientConn(c, p, h, clientWire(nc), epoch), nil
}

// handshake does the handshake and sees that HTTP/2 was chosen.
func handshake(ctx context.Context, tc *tls.Conn, addr string) error {
	if err := tc.HandshakeContext(ctx); err != nil {
		return handshakeError(err, addr)
	}
	cs := tc.ConnectionState()
	if p := cs.NegotiatedProtocol; p != h2tls.ProtoHTTP2 {
		if p == "" {
			p = "no protocol"
		}
		return notHTTP2("nonet: " + addr + " does not speak HTTP/2: its TLS chose " + p)
	}
	if err := h2tls.CheckHTTP2(cs); err != nil {
		return fmt.Errorf("nonet: TLS with %s: %w", addr, err)
	}
	return nil
}

// handshakeError says in the user's words why there is no TLS.
func handshakeError(err error, addr string) error {
	var re tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("nonet: %w", err)
	case errors.As(err, &re):
		return notHTTP2("nonet: " + addr + " does not speak TLS; if it is a cleartext port, use http")
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		return notHTTP2("nonet: " + addr + " ended the TLS handshake; if it is a cleartext port, use http")
	}
	return fmt.Errorf("nonet: TLS with %s: %w", addr, err)
}

func newClientConn(c *ClientConfig, p *Client, h *clientHost, w wire, epoch time.Time) *ClientConn {
	cc := &ClientConn{number: 1, pool: p, host: h, done: make(chan struct{}), limit: 1}
	if p != nil {
		cc.number = p.number.Add(1)
	}
	if tc, ok := w.nc.(*tls.Conn); ok {
		cs := tc.ConnectionState()
		cc.tls = &cs
	}
	cc.d = newClientDriver(cc, c, w, epoch)
	return cc
}

// start begins to read and write.
func (cc *ClientConn) start() { background(cc.d.runClient) }

// Request makes a request for an http or https URL on this connection,
// whatever host it names. Nothing is sent yet; see [ClientStream]. The end of
// ctx ends the request.
func (cc *ClientConn) Request(ctx context.Context, method, url string) (ClientStream, error) {
	return newRequest(ctx, nil, cc.d, method, url)
}

// Done returns a channel that is closed when the connection has ended.
func (cc *ClientConn) Done() <-chan struct{} { return cc.done }

// Err returns why the connection has ended, and nil while it has not.
func (cc *ClientConn) Err() error {
	select {
	case <-cc.done:
	default:
		return nil
	}
	cc.d.mu.Lock()
	defer cc.d.mu.Unlock()
	return cc.err
}

// Shutdown ends the connection gracefully: no request begins any more, those
// that have begun may go on. It returns when the connection has ended, or with
// the context's error.
func (cc *ClientConn) Shutdown(ctx context.Context) error {
	cc.d.shutdown()
	select {
	case <-cc.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the connection at once.
func (cc *ClientConn) Close() error {
	cc.closing.Store(true)
	cc.d.hangUp()
	<-cc.done
	return nil
}

// ConnSnapshot is what a client's connection looks like at one moment.
type ConnSnapshot struct {
	conn.Snapshot
	LocalAddr, RemoteAddr net.Addr
	Age                   time.Duration
	Waiting               int   // requests that wait for a stream on this connection
	Ended                 error // why the connection has ended; nil: it has not
}

// Snapshot returns what the connection looks like now.
func (cc *ClientConn) Snapshot() ConnSnapshot {
	d := cc.d
	d.mu.Lock()
	defer d.mu.Unlock()
	s := ConnSnapshot{Snapshot: d.core.Snapshot(), LocalAddr: d.wire.nc.LocalAddr(), RemoteAddr: d.wire.nc.RemoteAddr(), Age: d.now(), Ended: cc.err}
	if cc.err != nil && error(s.Err) != cc.err {
		s.Err = nil // it is no error of ours
	}
	for st := d.waiting.head; st != nil; st = st.next {
		s.Waiting++
	}
	return s
}
