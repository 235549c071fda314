package rig

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// Bare is the same octets without HTTP/2: one side writes all content of a work in
// pieces of 64 KiB, the other reads them. An octet asks for a download, and one
// says that an upload has arrived.
func Bare(t testing.TB, secure bool, w *Work) *Pass {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		l = tls.NewListener(l, TLSConfig())
	}
	upload := w.content() > 0
	size := max(w.content(), w.Answer)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		for buf := make([]byte, len(zeros)); ; {
			var one [1]byte
			if upload {
				err = skip(nc, size, buf)
			} else {
				_, err = io.ReadFull(nc, one[:])
			}
			if err != nil {
				return
			}
			if upload {
				_, err = nc.Write(one[:])
			} else {
				err = fill(nc, size)
			}
			if err != nil {
				return
			}
		}
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	calls := new(Calls)
	nc = &countedConn{nc, calls}
	if secure {
		nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	}
	t.Cleanup(func() { nc.Close(); l.Close() })
	buf := make([]byte, len(zeros))
	return &Pass{Name: "bare", Units: 1, Own: calls, Run: func() {
		var one [1]byte
		var err error
		if upload {
			if err = fill(nc, size); err == nil {
				_, err = io.ReadFull(nc, one[:])
			}
		} else if _, err = nc.Write(one[:]); err == nil {
			err = skip(nc, size, buf)
		}
		if err != nil {
			t.Fatal(err)
		}
	}}
}

func fill(w io.Writer, n int) error {
	for n > 0 {
		k, err := w.Write(zeros[:min(n, len(zeros))])
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

func skip(r io.Reader, n int, buf []byte) error {
	for n > 0 {
		k, err := r.Read(buf[:min(n, len(buf))])
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}
