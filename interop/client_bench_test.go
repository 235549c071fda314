//go:build unix

package interop

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nonet-h2/nonet"
)

// BenchmarkClient asks nghttpd for 12 octets, again and again, from 1, 8 and
// 100 goroutines over one connection: with the stream API, and with net/http's
// client. cpu-ns/op is the CPU time of this process per request, idle spinning
// of the scheduler included.
func BenchmarkClient(b *testing.B) {
	url := startNghttpd(b, overTCP) + "/hello"
	ctx := context.Background()
	c := &nonet.Client{ClientConfig: nonet.ClientConfig{MaxConns: 1}}
	defer c.Close()
	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	for _, who := range []struct {
		name string
		get  func(buf []byte) error
	}{
		{"nonet", func(buf []byte) error {
			s, err := c.Request(ctx, "GET", url)
			if err != nil {
				return err
			}
			defer s.Close()
			if _, err := s.Response(); err != nil {
				return err
			}
			return drain(s, buf)
		}},
		{"nethttp", func(buf []byte) error {
			r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
			if err != nil {
				return err
			}
			res, err := tr.RoundTrip(r)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			return drain(res.Body, buf)
		}},
	} {
		for _, n := range []int{1, 8, 100} {
			b.Run(fmt.Sprintf("%s/%d", who.name, n), func(b *testing.B) {
				b.ReportAllocs()
				var left atomic.Int64
				left.Store(int64(b.N))
				var wg sync.WaitGroup
				before := cpuTime()
				for range n {
					wg.Go(func() {
						buf := make([]byte, 100)
						for left.Add(-1) >= 0 {
							if err := who.get(buf); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

func drain(r io.Reader, buf []byte) error {
	for {
		if _, err := r.Read(buf); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// cpuTime is the CPU time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
