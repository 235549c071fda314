package rig

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// Main runs tests, and says first what benchmarks compare, in the form in which
// their output has such facts: this tree, net/http, and modules of a go.mod file.
func Main(m *testing.M, file string, modules ...string) int {
	flag.Parse()
	if f := flag.Lookup("test.bench"); f == nil || f.Value.String() == "" {
		return m.Run()
	}
	fmt.Printf("nonet: %s\n", output("git", "describe", "--always", "--dirty"))
	fmt.Printf("net/http: of %s\n", runtime.Version())
	for _, module := range modules {
		fmt.Printf("%s: %s\n", module, required(file, module))
	}
	return m.Run()
}

// output is the first line that a program prints, "unknown" without it.
func output(name string, args ...string) string {
	b, err := exec.Command(name, args...).Output()
	line, _, _ := strings.Cut(string(b), "\n")
	if err != nil || line == "" {
		return "unknown"
	}
	return line
}

// required is the version of a module that a go.mod file asks for.
func required(file, module string) string {
	b, err := os.ReadFile(file)
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
