package nonet

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/nonet-h2/nonet/frame"
)

func (s *Server) serveOpening(o *opening, c *tls.Config, wait bool) error {
	nc := o.nc
	o.accepted, o.seen = time.Now(), nc
	if err := s.add(o); err != nil {
		nc.Close()
		return err
	}
	if h := s.limits.of(&s.Config).Handshake; h > 0 {
		nc.SetDeadline(o.accepted.Add(h))
	}
	err := o.open(c)
	switch {
	case err != nil:
		nc.Close()
		o.tell(ConnClosed)
	case o.h1 != nil:
		nc.SetDeadline(time.Time{})
		s.remove(o)
		o.tell(ConnHTTP1)
		done, ok := s.http1().give(o)
		if !ok {
			nc.Close()
			o.tell(ConnClosed)
			return ErrServerClosed
		}
		if wait {
			<-done
		}
		return nil
	default:
		nc.SetDeadline(time.Time{})
		d := o.h2
		s.begin(o, d)
		if !wait {
			// TLS and the search for the protocol have left a large stack.
			background(func() { d.relay(d.run(o.prefix[:o.n])) })
			return nil
		}
		rest, err := d.run(o.prefix[:o.n])
		for rest {
			rest, err = d.readOn()
		}
		return d.endServer(err)
	}
	s.remove(o)
	s.logEnd(err, nc)
	return err
}

// endServer follows the end of an HTTP/2 connection.
func (d *driver) endServer(err error) error {
	d.leave()
	d.tellClosed()
	d.srv.removeDriver(d)
	d.srv.logEnd(err, d.wire.nc)
	return err
}

func (s *Server) logEnd(err error, nc net.Conn) {
	if err != nil && !s.isClosing() {
		s.logger().Debug("nonet: connection ended", "error", err, "remote", remote(nc))
	}
}

// begin prepares for run. From here on the connection is its driver, and the
// opening is forgotten.
func (s *Server) begin(o *opening, d *driver) {
	d.base = o.context(d.wire.nc)
	if c := d.wire.raw.cipher; c != nil {
		c.d.Store(d)
	}
	s.mu.Lock()
	delete(s.conns, o)
	// Whoever closes the server may have found the opening here, and close the
	// socket only now.
	d.parks = d.pauses && !s.closing && o.own()
	if s.drivers == nil {
		s.drivers = make(map[*driver]struct{})
	}
	s.drivers[d] = struct{}{}
	closing := s.closing
	s.mu.Unlock()
	if closing {
		d.shutdown()
	}
	if o.inadequate != nil {
		d.mu.Lock()
		d.core.Fail(frame.InadequateSecurity, frame.ReasonInadequateSecurity)
		d.failLocked(o.inadequate, d.now())
		d.signalsLocked()
		d.armLocked(d.now())
		d.unlockAndKick()
	}
}

func remote(nc net.Conn) string {
	if a := nc.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// add notes a new connection, if the server takes any.
func (s *Server) add(o *opening) error {
	if err := s.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrServerClosed
	}
	if s.conns == nil {
		s.conns = make(map[*opening]struct{})
	}
	s.conns[o] = struct{}{}
	return nil
}

// check finds what would make each request fail.
func (s *Server) check() error {
	if s.Handler == nil && s.Inline == nil {
		return errNoHandler
	}
	return nil
}

func (s *Server) remove(o *opening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, o)
	s.goneLocked()
}

func (s *Server) removeDriver(d *driver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.drivers, d)
	s.goneLocked()
}

func (s *Server) goneLocked() {
	if s.closing && len(s.conns) == 0 && len(s.drivers) == 0 && s.gone != nil {
		close(s.gone)
		s.gone = nil
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}
