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
	if h := s.Limits.WithDefaults().Handshake; h > 0 {
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
		s.begin(o)
		if wait {
			return o.drive()
		}
		// The small stack of a new goroutine is what an idle connection keeps.
		background(func() { o.drive() })
		return nil
	}
	return o.ended(err)
}

// ended follows the end of a connection.
func (o *opening) ended(err error) error {
	s := o.srv
	s.remove(o)
	if err != nil && !s.isClosing() {
		s.logger().Debug("nonet: connection ended", "error", err, "remote", remote(o.nc))
	}
	return err
}

// drive runs an HTTP/2 connection.
func (o *opening) drive() error {
	err := o.h2.run(o.prefix[:o.n])
	o.h2.tellClosed()
	return o.ended(err)
}

// begin prepares for drive.
func (s *Server) begin(o *opening) {
	d := o.h2
	d.base = o.context(d.nc)
	s.mu.Lock()
	o.driver = d
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

func (s *Server) goneLocked() {
	if s.closing && len(s.conns) == 0 && s.gone != nil {
		close(s.gone)
		s.gone = nil
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}
