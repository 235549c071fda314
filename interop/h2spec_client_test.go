package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/summerwind/h2spec/client"
	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/spec"

	"github.com/nonet-h2/nonet"
	suite "github.com/nonet-h2/nonet/interop/host"
	h2tls "github.com/nonet-h2/nonet/tls"
)

// h2specClientCases is how many cases h2spec 2.2.1 has for clients.
const h2specClientCases = 57

// TestH2specClient runs every case that h2spec 2.2.1 has for clients: its
// server misbehaves, and judges what our client does. -run
// 'TestH2specClient/h2c/6.9.1/2' runs one. NONET_RUNS says how often.
func TestH2specClient(t *testing.T) {
	runs := suite.Runs(t)
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			for run := 1; run <= runs; run++ {
				var ran, passed atomic.Int32
				n := eachClientCase(client.Spec(), func(id string, tc *spec.ClientTestCase) {
					t.Run(id, func(t *testing.T) {
						t.Parallel()
						ran.Add(1)
						if runClientCase(t, tr, tc) {
							passed.Add(1)
						}
					})
				})
				if n != h2specClientCases {
					t.Errorf("h2spec has %d cases, want %d", n, h2specClientCases)
				}
				t.Cleanup(func() {
					t.Logf("h2spec for clients on %s, run %d of %d: %d of %d cases passed", tr, run, runs, passed.Load(), ran.Load())
				})
			}
		})
	}
}

func eachClientCase(g *spec.ClientTestGroup, f func(id string, tc *spec.ClientTestCase)) (n int) {
	for _, tc := range g.Tests {
		n++
		f(fmt.Sprintf("%s/%d", g.Section, tc.Seq), tc)
	}
	for _, sub := range g.Groups {
		n += eachClientCase(sub, f)
	}
	return n
}

// runClientCase lets a client ask h2spec's server, which runs one case.
func runClientCase(t *testing.T, tr transport, tc *spec.ClientTestCase) bool {
	c := &config.Config{Host: "127.0.0.1", Timeout: 2 * time.Second, MaxHeaderLen: 4000, TLS: tr == overTLS, Insecure: true}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	verdict := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			verdict <- err
			return
		}
		defer nc.Close()
		if c.TLS {
			cert, err := h2tls.Development()
			if err != nil {
				verdict <- err
				return
			}
			tc := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
			if err := tc.Handshake(); err != nil {
				verdict <- err
				return
			}
			nc = tc
		}
		sc, err := spec.Accept(c, nc)
		if err != nil {
			verdict <- err
			return
		}
		verdict <- tc.Run(c, sc)
	}()

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	open, scheme := nonet.Dial, "http"
	if c.TLS {
		open, scheme = nonet.DialTLS, "https"
	}
	cc, err := open(ctx, "tcp", l.Addr().String(), &nonet.ClientConfig{TLSConfig: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		t.Error(err)
		return false
	}
	defer cc.Close()
	s, err := cc.Request(ctx, "GET", scheme+"://"+l.Addr().String()+"/")
	if err != nil {
		t.Error(err)
		return false
	}
	defer s.Close()
	go io.Copy(io.Discard, s)

	err = <-verdict
	if err == nil {
		return true
	}
	if e, ok := err.(*spec.TestError); ok {
		t.Errorf("%s\n%s\nwant %s\ngot  %s", tc.Desc, tc.Requirement, strings.Join(e.Expected, "\n  or "), e.Actual)
	} else {
		t.Errorf("%s\n%s\n%v", tc.Desc, tc.Requirement, err)
	}
	return false
}
