package nonet

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/net/http2"

	h2tls "github.com/nonet-h2/nonet/tls"
)

// TestClientCloseComplete: Close after both ends of an exchange takes nothing
// from what is still to be sent of the request.
func TestClientCloseComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cc, p := withServer(t, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 4})
		s := ask(t, cc, "POST", "/")
		s.AppendTrailer("x-end", "1")
		io.WriteString(s, "content")
		s.Flush()
		p.want("HEADERS 1 :method=POST :scheme=http :authority=example.com :path=/")
		p.want(`DATA 1 "cont"`)
		p.respond(1, true)
		if status, err := s.Response(); status != 200 || err != nil {
			t.Fatal(status, err)
		}
		if err := s.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		s.Close()
		p.ok(p.fr.WriteWindowUpdate(1, 100))
		p.want(`DATA 1 "ent"`)
		p.want("HEADERS 1 x-end=1 END_STREAM")
		// The stream is free again.
		synctest.Wait()
		if list := cc.Snapshot().Streams; len(list) != 0 {
			t.Errorf("streams are left: %v", list)
		}
	})
}

// TestClientAuthority: :authority may differ from where the request goes.
func TestClientAuthority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cc, p := withServer(t, nil)
		s := ask(t, cc, "GET", "/")
		for _, bad := range []string{"", "a b", "a/b", "user@host", "a\r\nb", "a#b"} {
			if err := s.SetAuthority(bad); err == nil {
				t.Errorf("%q is accepted", bad)
			}
		}
		if err := s.SetAuthority("other.example:8080"); err != nil {
			t.Fatal(err)
		}
		if s.NetConn() != nil && s.Complete() {
			t.Error("complete before it has begun")
		}
		s.Flush()
		p.want("HEADERS 1 :method=GET :scheme=http :authority=other.example:8080 :path=/")
		if err := s.SetAuthority("late.example"); err != ErrRequestStarted {
			t.Errorf("after the header section: %v", err)
		}
		s.CloseWrite()
		p.respond(1, true)
		if _, err := s.Response(); err != nil || !s.Complete() || s.NetConn() == nil {
			t.Errorf("%v, complete %v", err, s.Complete())
		}
	})
}

type dialKey struct{}

// TestClientDialTLSContext: a program that makes TLS itself, and sees for which
// request.
func TestClientDialTLSContext(t *testing.T) {
	cert := certificate()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Handler: echo, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	go s.ServeTLS(l)
	defer s.Close()
	seen := make(chan any, 1)
	c := &Client{ClientConfig: ClientConfig{DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		seen <- ctx.Value(dialKey{})
		nc, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return TLSClient(nc, h2tls.ClientConfig(&tls.Config{InsecureSkipVerify: true}, "localhost")), nil
	}}}
	defer c.Close()
	for range 2 {
		st, err := c.Request(context.WithValue(t.Context(), dialKey{}, "value"), "POST", "https://"+l.Addr().String()+"/")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(st, strings.Repeat("content", 1<<15))
		if err := st.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if status, body, err := fetch(st); status != 200 || len(body) != 7<<15 || err != nil {
			t.Errorf("%d, %d octets, %v", status, len(body), err)
		}
	}
	if v := <-seen; v != "value" {
		t.Errorf("the dial's context has %v", v)
	}
	if len(seen) > 0 {
		t.Error("a second dial")
	}
}
