package bench

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
)

// BenchmarkSummary is the few rows that the README shows, here and in bench/peers.
// They are those of the other benchmarks, under names that read alone.
func BenchmarkSummary(b *testing.B) {
	hello, headers, slow, messages := &rig.Small[0], &rig.Small[1], &rig.Small[2], &rig.Small[3]
	download, upload := &rig.Large[0], &rig.Large[1]

	server := func(name string, ours func(bool) rig.Server, secure bool, w *rig.Work, conns, streams int) {
		row(b, "server", name, ours(secure).Name, secure, conns, streams, "net/http", func(b *testing.B) {
			servers(b, ours, secure, w, conns, streams)
		})
	}
	bare := func(name string, w *rig.Work) {
		row(b, "server", name, "stream", false, 1, 1, "bare", func(b *testing.B) { bareLoop(b, false, w) })
	}
	server("12 octets", rig.Streams, false, hello, 1, 1)
	server("12 octets", rig.Streams, false, hello, 1, 64)
	server("12 octets", rig.Streams, false, hello, 16, 64)
	server("12 octets", rig.Inline, false, hello, 16, 64)
	server("12 octets", adapted, false, hello, 1, 1)
	server("12 octets", adapted, false, hello, 16, 64)
	server("12 octets", rig.Streams, true, hello, 1, 1)
	server("12 octets", adapted, true, hello, 16, 64)
	server("2 KB of fields", adapted, false, headers, 16, 64)
	server("1 of 5 sleeps 1 ms", adapted, false, slow, 16, 64)
	server("messages of 100 octets", adapted, false, messages, 16, 64)
	server("16 MiB down", rig.Streams, false, download, 1, 1)
	bare("16 MiB down", download)
	server("4 MiB up", rig.Streams, false, upload, 1, 1)
	bare("4 MiB up", upload)
	server("4 MiB up", adapted, true, upload, 1, 1)
	server("a connection each", adapted, false, &rig.Churn, 1, 1)
	server("a connection each", adapted, true, &rig.Churn, 1, 1)

	stream, transport := rig.Clients()[0], rig.Clients()[1]
	client := func(name string, c rig.Client, secure bool, w *rig.Work, conns, streams int) {
		row(b, "client", name, c.Name, secure, conns, streams, "net/http", func(b *testing.B) {
			clients(b, c, secure, w, conns, streams)
		})
	}
	client("12 octets", stream, false, hello, 1, 1)
	client("12 octets", stream, false, hello, 1, 100)
	client("12 octets", transport, false, hello, 1, 100)
	client("12 octets", transport, true, hello, 16, 64)
	client("16 MiB down", transport, false, download, 1, 1)
	client("4 MiB up", transport, false, upload, 1, 1)
	if _, err := exec.LookPath("nghttpd"); err == nil {
		for _, secure := range []bool{false, true} {
			row(b, "client", "12 octets from nghttpd, CPU", stream.Name, secure, 1, 100, "net/http", func(b *testing.B) {
				cpuOfClients(b, stream, startNghttpd(b, secure), hello, 100)
			})
		}
	}

	eachCores(b, func(name string, run func(b *testing.B)) {
		b.Run("server: 20 µs of work each, h2c 1x64, "+name+"/net/http", run)
	})
}

// row runs a benchmark whose name says what it is: the report writes it as it is.
func row(b *testing.B, role, what, ours string, secure bool, conns, streams int, peer string, run func(*testing.B)) {
	b.Run(fmt.Sprintf("%s: %s, %s %dx%d, %s/%s", role, what, rig.Transport(secure), conns, streams, ours, peer), run)
}
