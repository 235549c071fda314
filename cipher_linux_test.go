package nonet

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/frame"
)

// What TLS has read is not in the socket any more, and neither is what came with
// it: these are about what the reader must not wait for.

// collectedTLS is a client's TLS that has had one answer. Its records are written by
// flush of what it returns beside it.
func collectedTLS(t *testing.T, addr string) (*tls.Conn, *cipherConn) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	cipher := &cipherConn{Conn: nc}
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	tc := tls.Client(cipher, clientTLS())
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	cipher.collect()
	io.WriteString(tc, frame.Preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"+"\x00\x00\x00\x04\x01\x00\x00\x00\x00"+getFrame(1))
	if err := cipher.flush(); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, tc, 1)
	return tc, cipher
}

// getFrame is GET of / on a stream.
func getFrame(id byte) string {
	return "\x00\x00\x06\x01\x05\x00\x00\x00" + string(rune(id)) + "\x82\x87\x84\x41\x01a"
}

// awaitEnd reads to the end of the response on a stream.
func awaitEnd(t *testing.T, nc net.Conn, id byte) {
	t.Helper()
	var err error
	h := make([]byte, frame.HeaderLen)
	for end := false; err == nil && !end; {
		if _, err = io.ReadFull(nc, h); err == nil {
			fh := frame.ParseHeader(h)
			end = fh.StreamID == uint32(id) && fh.Flags.Has(frame.FlagEndStream)
			_, err = io.CopyN(io.Discard, nc, int64(fh.Length))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// pushing writes what it has collected before each read.
type pushing struct{ *cipherConn }

func (c pushing) Read(p []byte) (int, error) {
	c.flush()
	return c.cipherConn.Read(p)
}

// TestTLSWithHandshake: a request that TLS has read with the end of the handshake is
// answered, also if the reader is asked to rest before its first read.
func TestTLSWithHandshake(t *testing.T) {
	for _, rest := range []bool{false, true} {
		s := &Server{TLSConfig: serverTLS(), Handler: hello}
		t.Cleanup(func() { s.Close() })
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			nc, err := l.Accept()
			l.Close()
			o := &opening{srv: s, nc: nc, seen: nc, accepted: time.Now(), listener: l}
			if err := errors.Join(err, s.add(o), o.open(s.TLSConfig)); err != nil {
				t.Error(err)
				return
			}
			d := o.h2
			s.begin(o, d)
			d.feed(nil, false)
			if rest {
				d.mu.Lock()
				d.rouseLocked()
				d.mu.Unlock()
			}
			d.relay(d.readOn())
		}()
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(10 * time.Second))
		cipher := &cipherConn{Conn: nc}
		cipher.collect()
		tc := tls.Client(pushing{cipher}, clientTLS())
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		io.WriteString(tc, frame.Preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"+getFrame(1))
		if err := cipher.flush(); err != nil {
			t.Fatal(err)
		}
		awaitEnd(t, tc, 1)
	}
}

// TestTLSRecordsTogether: a request in a record that TLS has read together with the
// one before is not left there while the reader runs the handler of that one.
func TestTLSRecordsTogether(t *testing.T) {
	severalProcessors(t)
	var n atomic.Int32
	second := make(chan struct{})
	s := &Server{TLSConfig: serverTLS(), Handler: func(s Stream) {
		switch n.Add(1) {
		case 2:
			<-second
		case 3:
			close(second)
		}
		s.WriteString("yes")
	}}
	tc, cipher := collectedTLS(t, loopback(t, s))
	awaitCount(t, "connections are parked", 1, func() int { return parkedOf(s) })
	io.WriteString(tc, getFrame(3))
	io.WriteString(tc, getFrame(5))
	if err := cipher.flush(); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, tc, 3) // the other may be before it
}

// TestTLSPieces: a record that comes octet by octet is read, also by a reader that
// rests in between.
func TestTLSPieces(t *testing.T) {
	s := &Server{TLSConfig: serverTLS(), Handler: hello}
	tc, cipher := collectedTLS(t, loopback(t, s))
	awaitCount(t, "connections are parked", 1, func() int { return parkedOf(s) })
	io.WriteString(tc, getFrame(3))
	cipher.next()
	for _, c := range *cipher.left {
		cipher.Conn.Write([]byte{c})
	}
	awaitEnd(t, tc, 3)
}

// TestTLSCut: the end of the connection is noticed that comes together with a part of
// a record, while it is parked and while its reader waits.
func TestTLSCut(t *testing.T) {
	t.Parallel()
	for _, forgets := range []bool{true, false} {
		s := &Server{TLSConfig: serverTLS(), Handler: hello, ConnState: func(net.Conn, ConnState) {}, ForgetsConns: forgets}
		tc, cipher := collectedTLS(t, loopback(t, s))
		awaitCount(t, "connections", 1, func() int { return connsOf(s) })
		s.mu.Lock()
		drivers := slices.Collect(maps.Keys(s.drivers))
		s.mu.Unlock()
		awaitResting(t, drivers[0])
		io.WriteString(tc, getFrame(3))
		cipher.next()
		sock := cipher.Conn.(*net.TCPConn)
		cork(t, sock)
		sock.Write((*cipher.left)[:10])
		sock.CloseWrite()
		awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
	}
}

// cork lets the end of the connection go in one packet with what is written before.
func cork(t *testing.T, c *net.TCPConn) {
	t.Helper()
	rc, err := c.SyscallConn()
	if err == nil {
		err = rc.Control(func(fd uintptr) {
			if err := syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTLSClosedByCallback: a callback of the TLS configuration knows the connection,
// and may close it while it is parked.
func TestTLSClosedByCallback(t *testing.T) {
	found := make(chan net.Conn, 1)
	c := serverTLS()
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		found <- hello.Conn
		return nil, nil
	}
	s := &Server{TLSConfig: c, Handler: hello}
	collectedTLS(t, loopback(t, s))
	awaitCount(t, "connections are parked", 1, func() int { return parkedOf(s) })
	(<-found).Close()
	awaitCount(t, "connections are left", 0, func() int { return connsOf(s) })
}

// TestTLSAnyPieces: content that goes both ways is what it was, wherever the network
// has cut the records and put them together.
func TestTLSAnyPieces(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			s := &Server{TLSConfig: serverTLS(), Handler: echo}
			c := clientTLS()
			c.MaxVersion = version
			addr := loopback(t, s)
			relay := listenFor(t, func(nc net.Conn) {
				to, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				defer to.Close()
				go cutAnywhere(nc, to)
				cutAnywhere(to, nc)
			})
			cc, err := DialTLS(t.Context(), "tcp", relay, &ClientConfig{TLSConfig: c})
			if err != nil {
				t.Fatal(err)
			}
			defer cc.Close()
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { sendBack(t, cc, 1<<20) })
			}
			wg.Wait()
		})
	}
}

// cutAnywhere copies in pieces of any size up to two records'.
func cutAnywhere(to io.Writer, from io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			k := min(len(b), 1+rand.IntN(1<<rand.IntN(16)))
			if _, err := to.Write(b[:k]); err != nil {
				return
			}
			b = b[k:]
		}
		if err != nil {
			return
		}
	}
}

// sendBack sends n octets in pieces of any size, which the server is to send back.
func sendBack(t *testing.T, cc *ClientConn, n int) {
	want := make([]byte, n)
	for i := range want {
		want[i] = byte(rand.Uint32())
	}
	cs, err := cc.Request(t.Context(), "POST", "https://localhost/")
	if err != nil {
		t.Error(err)
		return
	}
	defer cs.Close()
	go func() {
		cutAnywhere(cs, bytes.NewReader(want))
		cs.CloseWrite()
	}()
	got, err := io.ReadAll(cs)
	if err != nil {
		t.Error(err)
	} else if !bytes.Equal(got, want) {
		t.Error("the content is not what was sent")
	}
}
