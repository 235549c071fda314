package bench

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/bench/internal/rig"
	"github.com/nonet-h2/nonet/internal/skip"
)

// BenchmarkClient is the same work as the clients do it: the stream API and
// nethttp.Transport beside net/http's Transport, against the same server of ours
// in the same process. Allocations, reads and writes are those of both ends.
func BenchmarkClient(b *testing.B) {
	for _, secure := range []bool{false, true} {
		for i := range rig.Small {
			w := &rig.Small[i]
			eachShape(func(conns, streams int) {
				b.Run(fmt.Sprintf("%s/%s/%dx%d", rig.Transport(secure), w.Name, conns, streams), func(b *testing.B) {
					eachClient(b, secure, w, conns, streams)
				})
			})
		}
		b.Run(fmt.Sprintf("%s/hello/1x100", rig.Transport(secure)), func(b *testing.B) { eachClient(b, secure, &rig.Hello, 1, 100) })
		for i := range rig.Large {
			w := &rig.Large[i]
			b.Run(fmt.Sprintf("%s/%s/1x1", rig.Transport(secure), w.Name), func(b *testing.B) { eachClient(b, secure, w, 1, 1) })
		}
		for _, conns := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/churn/%dx1", rig.Transport(secure), conns), func(b *testing.B) { eachClient(b, secure, &rig.Churn, conns, 1) })
		}
	}
}

func eachClient(b *testing.B, secure bool, w *rig.Work, conns, streams int) {
	for _, c := range rig.Clients() {
		b.Run(c.Name, func(b *testing.B) { clients(b, c, secure, w, conns, streams) })
	}
}

// clients measures one kind beside net/http's.
func clients(b *testing.B, c rig.Client, secure bool, w *rig.Work, conns, streams int) {
	url := serve(b, secure, w)
	us := rig.NewAsking(b, c, url, w, conns, streams)
	defer us.Close()
	them := rig.NewAsking(b, rig.NetHTTPClient(), url, w, conns, streams)
	defer them.Close()
	n := rig.Units(w, conns, streams)
	rig.Beside(b, us.Pass(n), them.Pass(n))
}

// serve starts the server that costs least.
func serve(t testing.TB, secure bool, w *rig.Work) (url string) {
	s := rig.Inline(secure)
	if w.Waits {
		s = rig.Streams(secure)
	}
	if secure {
		return "https://" + s.Start(t)
	}
	return "http://" + s.Start(t)
}

// BenchmarkNghttpd is clients against nghttpd, a server in C that is a process of
// its own: "ns" is the CPU time of this process, which is the client's alone, as
// allocations, reads and writes are.
func BenchmarkNghttpd(b *testing.B) {
	w := rig.Hello
	for _, secure := range []bool{false, true} {
		url := startNghttpd(b, secure)
		for _, streams := range []int{1, 8, 100} { // nghttpd allows no more
			for _, c := range rig.Clients() {
				b.Run(fmt.Sprintf("%s/hello/1x%d/%s", rig.Transport(secure), streams, c.Name), func(b *testing.B) {
					cpuOfClients(b, c, url, &w, streams)
				})
			}
		}
	}
}

// cpuOfClients measures one kind beside net/http's by the CPU time of the process.
func cpuOfClients(b *testing.B, c rig.Client, url string, w *rig.Work, streams int) {
	us := rig.NewAsking(b, c, url, w, 1, streams)
	defer us.Close()
	them := rig.NewAsking(b, rig.NetHTTPClient(), url, w, 1, streams)
	defer them.Close()
	const each = 100 // requests of a goroutine: so many that its start is nothing beside them
	a, x := us.Pass(each), them.Pass(each)
	a.Clock, x.Clock = rig.CPU, rig.CPU
	rig.Beside(b, a, x)
}

// startNghttpd runs nghttpd until the test ends.
func startNghttpd(t testing.TB, secure bool) (url string) {
	program := skip.NeedProgram(t, "nghttpd")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello"), []byte(rig.HelloText), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	args := []string{"-d", dir, "-a", "127.0.0.1", strconv.Itoa(addr.Port)}
	if secure {
		key, cert := certFiles(t)
		args = append(args, key, cert)
		url = "https://" + addr.String()
	} else {
		args = append(args, "--no-tls")
		url = "http://" + addr.String()
	}
	cmd := exec.Command(program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		nc, err := net.Dial("tcp", addr.String())
		if err == nil {
			nc.Close()
			return url
		}
		if time.Now().After(end) {
			t.Fatalf("nghttpd does not listen: %v", err)
		}
	}
}

// certFiles writes the certificate of all servers and its key for programs that read
// files.
func certFiles(t testing.TB) (key, cert string) {
	c := rig.TLSConfig().Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("key.pem", "PRIVATE KEY", der), write("cert.pem", "CERTIFICATE", c.Certificate[0])
}

// TestClients: every work is done by every kind of client.
func TestClients(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, w := range slices.Concat(rig.Small, rig.Large, []rig.Work{rig.Churn}) {
			url := serve(t, secure, &w)
			for _, c := range append(rig.Clients(), rig.NetHTTPClient()) {
				for _, shape := range testShapes(&w) {
					t.Run(fmt.Sprintf("%s/%s/%s/%dx%d", rig.Transport(secure), w.Name, c.Name, shape[0], shape[1]), func(t *testing.T) {
						asks(t, c, url, &w, shape[0], shape[1])
					})
				}
			}
		}
	}
}

// TestNghttpd: every kind of client gets its answers, over TLS too.
func TestNghttpd(t *testing.T) {
	w := rig.Hello
	for _, secure := range []bool{false, true} {
		url := startNghttpd(t, secure)
		for _, c := range append(rig.Clients(), rig.NetHTTPClient()) {
			t.Run(rig.Transport(secure)+"/"+c.Name, func(t *testing.T) { asks(t, c, url, &w, 1, 3) })
		}
	}
}

// asks has clients do some work; what comes back is checked by them.
func asks(t *testing.T, c rig.Client, url string, w *rig.Work, conns, streams int) {
	a := rig.NewAsking(t, c, url, w, conns, streams)
	defer a.Close()
	p := a.Pass(2)
	p.Run()
	if want := p.Units + conns*(streams+1); w.Slow && len(p.Took()) != want { // what NewAsking had done, too
		t.Errorf("%d of %d units were timed", len(p.Took()), want)
	}
}
