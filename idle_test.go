//go:build linux && amd64

package nonet

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// The budget of a connection that has answered requests and is idle, in octets
// of the heap and of stacks, beyond a bare one: that of a goroutine with its
// first stack that waits for nine octets, over TLS with what crypto/tls keeps.
//
//	 448  the driver, with the wire
//	1280  conn.Conn: 1272, and 8 of the allocator
//	 112  the timer
//	 110  functions bound once, the raw connection, a place in the server's map
//	 600  HPACK: the encoder's index 256, both tables with few short fields
//	   0  stack: no goroutine waits, which is 2500 less than a bare one, over
//	      TLS 4000
//
// Streams, and what is to be written, have given back their memory.
const (
	budgetDriver  = 448  // octets of the struct: a size class
	budgetConn    = 1272 // likewise: above 512 octets the allocator adds 8
	budgetIdle    = 1500
	budgetIdleTLS = -500
)

func TestIdleSizes(t *testing.T) {
	if n := unsafe.Sizeof(driver{}); n > budgetDriver {
		t.Errorf("a driver has %d octets, the budget is %d", n, budgetDriver)
	}
	if n := unsafe.Sizeof(conn.Conn{}); n > budgetConn {
		t.Errorf("a conn.Conn has %d octets, the budget is %d", n, budgetConn)
	}
}

// TestIdleMemory holds idle connections against the budget, each kind in a
// process of its own: the runtime keeps what was in use once.
func TestIdleMemory(t *testing.T) {
	if kind := os.Getenv("NONET_IDLE"); kind != "" {
		serveIdle(t, kind)
		return
	}
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	for _, secure := range []bool{false, true} {
		budget, over := budgetIdle, ""
		if secure {
			budget, over = budgetIdleTLS, " tls"
		}
		bare := idleMemory(t, "bare"+over, secure)
		kinds := []string{"stream" + over}
		if !secure {
			kinds = append(kinds, "inline")
		}
		for _, kind := range kinds {
			octets := idleMemory(t, kind, secure)
			t.Logf("%s: %d octets an idle connection, %d beyond a bare one", kind, octets, octets-bare)
			if octets-bare > budget {
				t.Errorf("%s: an idle connection has %d octets beyond a bare one's %d, the budget is %d", kind, octets-bare, bare, budget)
			}
		}
	}
}

// idleMemory returns the octets that an idle connection takes on a server of
// this kind.
func idleMemory(t *testing.T, kind string, secure bool) int {
	const warm, n = 20, 1000 // what the runtime leaves half used counts little then
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestIdleMemory$")
	child.Env = append(os.Environ(), "NONET_IDLE="+kind)
	child.Stderr = os.Stderr
	in, _ := child.StdinPipe()
	out, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer in.Close()
	var addr string
	lines := bufio.NewReader(out)
	if _, err := fmt.Fscanln(lines, &addr); err != nil {
		t.Fatal(err)
	}
	var ends []net.Conn
	defer func() {
		for _, nc := range ends {
			nc.Close()
		}
	}()
	measure := func(more int) (octets int) {
		for range more {
			ends = append(ends, idleClient(t, addr, secure, kind[:4] != "bare"))
		}
		fmt.Fprintln(in, len(ends))
		if _, err := fmt.Fscanln(lines, &octets); err != nil {
			t.Fatal(err)
		}
		return octets
	}
	before := measure(warm)
	octets := (measure(n) - before) / n
	for _, nc := range ends {
		if kind[:4] != "bare" {
			askIdle(t, nc, 7) // it goes on where it was
		}
	}
	return octets
}

// serveIdle is the process that is measured. For each line it gets, the number
// of its connections, it says how much memory they take.
func serveIdle(t *testing.T, kind string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(l.Addr())
	kind, secure := strings.CutSuffix(kind, " tls")
	s := &Server{TLSConfig: serverTLS()}
	switch kind {
	case "stream":
		s.Handler = hello
	case "inline":
		s.Inline = hello
	}
	switch {
	case kind == "bare":
		go serveBare(l, secure)
	case secure:
		go s.ServeTLS(l)
	default:
		go s.Serve(l)
	}
	for {
		var conns int
		if _, err := fmt.Scanln(&conns); err != nil {
			return
		}
		if kind != "bare" {
			awaitRest(t, s, conns)
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Println(m.HeapAlloc + m.StackInuse)
	}
}

// serveBare waits on connections, each on a goroutine.
func serveBare(l net.Listener, secure bool) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		if secure {
			nc = tls.Server(nc, serverTLS())
		}
		go func() {
			nc.Write(make([]byte, 200))
			go func() { // on a stack that has not grown
				var nine [frame.HeaderLen]byte
				for err := error(nil); err == nil; {
					_, err = nc.Read(nine[:])
				}
			}()
		}()
	}
}

// idleClient opens a connection and makes three requests one after another, or
// reads what a bare one gets.
func idleClient(t *testing.T, addr string, secure, ours bool) net.Conn {
	nc, err := net.Dial("tcp", addr)
	if err == nil && secure {
		nc = tls.Client(nc, clientTLS())
	}
	switch {
	case err != nil:
	case !ours:
		_, err = io.ReadFull(nc, make([]byte, 200))
	default:
		_, err = io.WriteString(nc, frame.Preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"+"\x00\x00\x00\x04\x01\x00\x00\x00\x00")
		for id := byte(1); id <= 5; id += 2 {
			askIdle(t, nc, id)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

// askIdle makes a request and reads to the end of its response.
func askIdle(t *testing.T, nc net.Conn, id byte) {
	scheme := "\x86"
	if _, ok := nc.(*tls.Conn); ok {
		scheme = "\x87"
	}
	_, err := io.WriteString(nc, "\x00\x00\x06\x01\x05\x00\x00\x00"+string(rune(id))+"\x82"+scheme+"\x84\x41\x01a")
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, nc, id)
}

// awaitRest waits until all connections of s have given back what they can.
func awaitRest(t *testing.T, s *Server, conns int) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		resting := 0
		s.mu.Lock()
		for d := range s.drivers {
			d.mu.Lock()
			if d.core.Slots() == 0 && d.slots == nil && !(d.awake && d.wire.canTry()) && !d.writing {
				resting++
			}
			d.mu.Unlock()
		}
		s.mu.Unlock()
		if resting == conns {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d connections rest", resting, conns)
		}
	}
}
