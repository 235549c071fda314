package nonet

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// loopback serves on a TCP socket, over TLS if s has a configuration for it, and
// returns its address.
func loopback(t testing.TB, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.TLSConfig != nil {
		go s.ServeTLS(l)
	} else {
		go s.Serve(l)
	}
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// dialLoopback connects to s, which loopback serves at addr.
func dialLoopback(s *Server, addr string) (*ClientConn, error) {
	if s.TLSConfig != nil {
		return DialTLS(context.Background(), "tcp", addr, &ClientConfig{TLSConfig: clientTLS()})
	}
	return Dial(context.Background(), "tcp", addr, nil)
}

// eachSocket runs a test for cleartext and for TLS, whose configuration it gets.
func eachSocket(t *testing.T, f func(*testing.T, *tls.Config)) {
	t.Run("cleartext", func(t *testing.T) { f(t, nil) })
	t.Run("tls", func(t *testing.T) { f(t, serverTLS()) })
}

// get sends GET and returns the content of the answer.
func get(cc *ClientConn, path string) (string, error) {
	cs, err := cc.Request(context.Background(), "GET", "http://a"+path)
	if err != nil {
		return "", err
	}
	defer cs.Close()
	if _, err := cs.Response(); err != nil {
		return "", err
	}
	b, err := io.ReadAll(cs)
	return string(b), err
}

// TestClientAllocs: a small GET allocates nothing after warm-up, on a
// connection and on a pool. The server is in the same process and inline.
func TestClientAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	addr := loopback(t, &Server{Inline: func(s Stream) { s.WriteString("hello world\n") }})
	cc, err := Dial(context.Background(), "tcp", addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	var pool Client
	defer pool.Close()
	ctx, url := context.Background(), "http://"+addr+"/hello"
	buf := make([]byte, 100)
	for name, request := range map[string]func() (ClientStream, error){
		"connection": func() (ClientStream, error) { return cc.Request(ctx, "GET", url) },
		"pool":       func() (ClientStream, error) { return pool.Request(ctx, "GET", url) },
	} {
		get := func() {
			s, err := request()
			if err != nil {
				t.Fatal(err)
			}
			s.SetField("accept", "text/plain")
			if status, err := s.Response(); status != 200 || err != nil {
				t.Fatal(status, err)
			}
			n := 0
			for {
				k, err := s.Read(buf[n:])
				n += k
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if string(buf[:n]) != "hello world\n" {
				t.Fatalf("%q", buf[:n])
			}
			s.Close()
		}
		for range 100 {
			get()
		}
		if n := testing.AllocsPerRun(2000, get); n > 0 {
			t.Errorf("%s: %v allocations a request", name, n)
		}
	}
}
