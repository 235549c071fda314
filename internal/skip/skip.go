// Package skip says in one uniform way what a test needs and does not find.
//
// A machine that has only Go can run every test: what needs another program is
// skipped. On a machine that must run them all, CI=true in the environment
// turns such a skip into a failure.
package skip

import (
	"os"
	"os/exec"
	"testing"
)

// packages are the Debian packages of the programs, where the names differ.
var packages = map[string]string{
	"nghttp":  "nghttp2-client",
	"h2load":  "nghttp2-client",
	"nghttpd": "nghttp2-server",
	"nghttpx": "nghttp2-proxy",
	"node":    "nodejs",
}

// NeedProgram returns the path of a program. When it is not installed the test
// ends here: skipped, or failed with CI=true.
func NeedProgram(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	pkg, ok := packages[name]
	if !ok {
		pkg = name
	}
	const format = "needs the program %s, which is not installed (Debian package %s)"
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, name, pkg)
	}
	t.Skipf(format, name, pkg)
	return ""
}
