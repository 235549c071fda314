package nonet

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// serve connects a client to a server of ours over a pipe.
func connectClient(t *testing.T, s *Server, c *ClientConfig) *ClientConn {
	t.Helper()
	nc, sc := net.Pipe()
	go s.ServeConn(sc)
	cc, err := NewClientConn(context.Background(), nc, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close(); s.Close() })
	return cc
}

func TestClientGet(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cc := connectClient(t, &Server{Handler: func(s Stream) {
			s.SetField("x-path", string(s.Path()))
			io.WriteString(s, "hello\n")
			s.AppendTrailer("x-end", "yes")
		}}, nil)
		s, err := cc.Request(t.Context(), "GET", "http://example.com/a?b#c")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		status, err := s.Response()
		if status != 200 || err != nil {
			t.Fatal(status, err)
		}
		b, err := io.ReadAll(s)
		if string(b) != "hello\n" || err != nil || string(s.Field("X-Path")) != "/a?b" || string(s.Trailers().GetName("x-end")) != "yes" {
			t.Fatalf("%q %v %q %q", b, err, s.Field("x-path"), s.Trailers().GetName("x-end"))
		}
		synctest.Wait()
	})
}
