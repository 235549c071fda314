package interop

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	suite "github.com/nonet-h2/nonet/interop/host"
	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// h2specCases is how many cases h2spec 2.2.1 has in strict mode.
const h2specCases = 146

// TestH2spec runs every case of h2spec 2.2.1, strict, as a subtest named by
// its section: -run 'TestH2spec/h2c/stream/http2/6.9.1/2'. NONET_RUNS says how
// often.
func TestH2spec(t *testing.T) {
	runs := suite.Runs(t)
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			for _, k := range kinds {
				t.Run(string(k), func(t *testing.T) {
					t.Parallel()
					srv := startRoutes(t, tr, k)
					for run := 1; run <= runs; run++ {
						h2spec(t, srv, fmt.Sprintf("%s/%s run %d of %d", tr, k, run, runs))
					}
				})
			}
		})
	}
}

// h2spec runs all cases against a server, in parallel with others.
func h2spec(t *testing.T, srv *server, label string) {
	var ran, passed atomic.Int32
	all := 0
	for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
		all += eachCase(group, func(id string, tc *spec.TestCase) {
			t.Run(id, func(t *testing.T) {
				t.Parallel()
				ran.Add(1)
				if runCase(t, srv, tc) {
					passed.Add(1)
				}
			})
		})
	}
	if all != h2specCases {
		t.Errorf("h2spec has %d cases, want %d", all, h2specCases)
	}
	t.Cleanup(func() {
		t.Logf("h2spec on %s: %d of %d cases passed", label, passed.Load(), ran.Load())
	})
}

// eachCase calls f with each case of a group and of the groups below it, and
// returns their number. Like h2spec it numbers a group's ordinary cases first,
// then the strict ones.
func eachCase(g *spec.TestGroup, f func(id string, tc *spec.TestCase)) (n int) {
	for _, list := range [][]*spec.TestCase{g.Tests, g.StrictTests} {
		for _, tc := range list {
			n++
			f(fmt.Sprintf("%s/%d", g.ID(), n), tc)
		}
	}
	for _, sub := range g.Groups {
		n += eachCase(sub, f)
	}
	return n
}

// runCase runs one case on a connection of its own and reports whether it
// passed. A case that h2spec skips has not.
func runCase(t *testing.T, srv *server, tc *spec.TestCase) bool {
	c := &config.Config{
		Host: "127.0.0.1", Port: srv.port, Path: "/",
		Timeout: 2 * time.Second, MaxHeaderLen: 4000, Strict: true,
		TLS: srv.transport == overTLS, Insecure: true,
	}
	nc, err := spec.Dial(c)
	if err != nil {
		t.Errorf("%s\ncould not connect: %v", tc.Desc, err)
		return false
	}
	defer nc.Close()
	err = tc.Run(c, nc)
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
