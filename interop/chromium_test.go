package interop

import (
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/internal/skip"
)

// TestChromium: a browser opens the page, whose script writes the protocol it
// came by into it.
func TestChromium(t *testing.T) {
	chromium := skip.NeedProgram(t, "chromium")
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) {
			srv := startRoutes(t, overTLS, k)
			dir := t.TempDir()
			t.Setenv("HOME", dir)
			_, dom, stderr := run(t, chromium,
				"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
				"--no-first-run", "--no-proxy-server", "--disable-background-networking", "--disable-component-update",
				"--disable-sync", "--disable-extensions", "--disable-crash-reporter",
				"--ignore-certificate-errors", "--user-data-dir="+dir,
				"--virtual-time-budget=5000", "--dump-dom", srv.url+"/")
			if !strings.Contains(dom, `This page came by <b id="protocol">h2</b>`) {
				t.Errorf("the page does not say that it came by h2:\n%s\n%s", dom, stderr)
			}
		})
	}
}
