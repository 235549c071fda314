package bench

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestMain says what is compared, in the form in which benchmark output has such
// facts.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.bench"); f != nil && f.Value.String() != "" {
		fmt.Printf("toolchain: %s\n", runtime.Version())
		fmt.Printf("x-net: golang.org/x/net %s\n", required("golang.org/x/net"))
		fmt.Printf("net-http: of %s\n", runtime.Version())
	}
	os.Exit(m.Run())
}

// required is the version of a module that go.mod asks for.
func required(module string) string {
	b, err := os.ReadFile("../go.mod")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(words) >= 2 && words[0] == module {
			return words[1]
		}
	}
	return "unknown"
}
