//go:build unix

package nonet

import (
	"context"
	"net"
	"testing"
	"time"
)

// awaitResting waits until the reader of d has rested since it parsed last.
func awaitResting(t *testing.T, d *driver) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		rests := !d.awake && !d.roused && d.core.Slots() == 0
		d.mu.Unlock()
		if rests {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the reader does not rest")
		}
	}
}

// TestRest: readers of both sides rest and go on, whoever's goroutine it is, at
// the first pause and after more requests than that.
func TestRest(t *testing.T) {
	t.Parallel()
	s := &Server{Handler: hello}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		l.Close()
		if err == nil {
			err = s.ServeConn(nc)
		}
		ended <- err
	}()
	cc, err := Dial(context.Background(), "tcp", l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var d *driver
	for _, requests := range []int{1, 20, 1, 3} {
		for range requests {
			if _, err := get(cc, "/"); err != nil {
				t.Fatal(err)
			}
		}
		s.mu.Lock()
		for d = range s.drivers {
		}
		s.mu.Unlock()
		awaitResting(t, d)
		awaitResting(t, cc.d)
	}
	if err := cc.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ServeConn returned %v", err)
	}
}

// TestRestDeadline: a deadline that is not ours is the end of the connection.
func TestRestDeadline(t *testing.T) {
	t.Parallel()
	s := &Server{Handler: hello}
	addr := loopback(t, s)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	cc, err := NewClientConn(context.Background(), nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	awaitResting(t, cc.d)
	nc.SetReadDeadline(time.Now())
	<-cc.Done()
}
