package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/internal/skip"
)

// TestNghttp: nghttp shows every frame it gets.
func TestNghttp(t *testing.T) {
	nghttp := skip.NeedProgram(t, "nghttp")
	for _, tr := range transports {
		for _, k := range kinds {
			t.Run(fmt.Sprintf("%s/%s", tr, k), func(t *testing.T) {
				t.Parallel()
				srv := startRoutes(t, tr, k)
				for _, tt := range []struct {
					path string
					want []string // in this order
				}{
					{"/hello", []string{
						"recv SETTINGS frame", "SETTINGS_MAX_CONCURRENT_STREAMS",
						"recv (stream_id=13) :status: 200", "content-type: text/plain",
						"recv HEADERS frame", "; END_HEADERS", "recv DATA frame <length=12", "; END_STREAM",
					}},
					{"/trailers", []string{
						":status: 200", "recv HEADERS frame", "recv DATA frame",
						"x-body-bytes: 31", "recv HEADERS frame", "; END_STREAM | END_HEADERS",
					}},
					{"/reset/ENHANCE_YOUR_CALM", []string{"recv RST_STREAM frame", "error_code=ENHANCE_YOUR_CALM(0x0b)"}},
					{"/reset/1111", []string{"recv RST_STREAM frame", "(0x457)"}},
					{"/bytes/100000", []string{":status: 200", "recv DATA frame", "; END_STREAM"}},
				} {
					_, stdout, _ := run(t, nghttp, "-nv", srv.url+tt.path)
					rest := stdout
					for _, want := range tt.want {
						i := strings.Index(rest, want)
						if i < 0 {
							t.Errorf("%s: no %q, or not in this order, in\n%s", tt.path, want, stdout)
							break
						}
						rest = rest[i+len(want):]
					}
				}
			})
		}
	}
}

// TestH2load: many requests at once, all of which succeed.
func TestH2load(t *testing.T) {
	h2load := skip.NeedProgram(t, "h2load")
	body := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(body, []byte(strings.Repeat("0123456789", 3000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tr := range transports {
		for _, k := range kinds {
			t.Run(fmt.Sprintf("%s/%s", tr, k), func(t *testing.T) {
				t.Parallel()
				srv := startRoutes(t, tr, k)
				for _, tt := range []struct {
					requests, clients, streams int
					path                       string
					flags                      []string
				}{
					{200, 1, 1, "/hello", nil},
					{5000, 10, 100, "/hello", nil},
					{500, 5, 10, "/", nil},
					{300, 3, 30, "/bytes/100000", nil},
					{300, 3, 10, "/sink", []string{"--data", body}},
					{300, 3, 10, "/echo", []string{"--data", body}},
					{300, 3, 10, "/trailers", nil},
					{300, 3, 1, "/protocol", []string{"--h1"}},
				} {
					args := append(tt.flags, "-n", strconv.Itoa(tt.requests), "-c", strconv.Itoa(tt.clients),
						"-m", strconv.Itoa(tt.streams), srv.url+tt.path)
					_, stdout, stderr := run(t, h2load, args...)
					want := fmt.Sprintf("%d done, %d succeeded, 0 failed, 0 errored, 0 timeout", tt.requests, tt.requests)
					if !strings.Contains(stdout, want) {
						t.Errorf("h2load %s: no %q in\n%s%s", strings.Join(args, " "), want, stdout, stderr)
					}
				}
			})
		}
	}
}

// TestH2loadOneByOne: with one request at a time none waits for a timer, such
// as the peer's delayed acknowledgement of 40 ms.
func TestH2loadOneByOne(t *testing.T) {
	h2load := skip.NeedProgram(t, "h2load")
	longest := regexp.MustCompile(`time for request: +\S+ +([0-9.]+)(us|ms|s) +([0-9.]+)(us|ms|s)`)
	for _, tr := range transports {
		for _, k := range kinds {
			srv := startRoutes(t, tr, k)
			_, stdout, _ := run(t, h2load, "-n", "1000", "-c", "1", "-m", "1", srv.url+"/hello")
			m := longest.FindStringSubmatch(stdout)
			if m == nil || !strings.Contains(stdout, "1000 succeeded") {
				t.Errorf("%s %s: unexpected output:\n%s", tr, k, stdout)
				continue
			}
			mean, _ := strconv.ParseFloat(m[3], 64)
			if m[4] == "s" || m[4] == "ms" && mean > 20 {
				t.Errorf("%s %s: a request takes %s%s on average; something stalls", tr, k, m[3], m[4])
			}
			t.Logf("%s %s: mean %s%s, longest %s%s", tr, k, m[3], m[4], m[1], m[2])
		}
	}
}
