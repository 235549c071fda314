package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const runs = `toolchain: go1.2
x-net: golang.org/x/net v0.1.0
goos: linux
pkg: example.org/bench
BenchmarkFrame-4   	  10	         0 allocs	         5.0 ns/frame	        15.0 ratio	        75.0 x/net-ns/frame
BenchmarkFrame-4   	  10	         0 allocs	         6.0 ns/frame	        11.0 ratio	        66.0 x/net-ns/frame
BenchmarkFrame-4   	  10	         0 allocs	         7.0 ns/frame	        10.0 ratio	        70.0 x/net-ns/frame
BenchmarkAlone-4   	  10	         5.0 ns/frame
BenchmarkHello/1x1/stream-4  	  20	  0.125 allocs/unit	  35.25 net/http-allocs/unit	  50000 net/http-ns/unit	  100000 ns/unit	  0.5 ratio
PASS
ok  	example.org/bench	1.5s
`

const table = `- toolchain: go1.2
- x-net: golang.org/x/net v0.1.0
- goos: linux

| benchmark | nonet | peer | ratio | range of 3 | allocations |
|---|--:|--:|--:|--:|--:|
| Frame-4 | 6 ns | 70 ns x/net | 11.00 | 10.00–15.00 | 0 |
| Hello/1x1/stream-4 | 100 µs | 50 µs net/http | 0.50 | 0.50–0.50 | 0.12 / 35.2 |
`

func TestTable(t *testing.T) {
	var out bytes.Buffer
	if err := run(nil, strings.NewReader(runs), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != table {
		t.Errorf("got\n%s\nwant\n%s", out.String(), table)
	}
	file := filepath.Join(t.TempDir(), "runs.txt")
	if err := os.WriteFile(file, []byte(runs), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := run([]string{"-match", "Frame", file, file}, nil, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "range of 6") || strings.Contains(got, "Hello") {
		t.Errorf("two files, frames only:\n%s", got)
	}
}

func TestPlot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ratios.svg")
	if err := run([]string{"-svg", file}, strings.NewReader(runs), new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "Frame-4  11.0", "Hello/1x1/stream-4  0.5", "#C05621"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("the plot lacks %q", want)
		}
	}
}

func TestBadInput(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		args           []string
	}{
		{"nothing", "", `no benchmark with a "ratio"`, nil},
		{"no ratio", "BenchmarkAlone-4 10 5.0 ns/frame\n", `no benchmark with a "ratio"`, nil},
		{"a failure among the lines", "BenchmarkFrame-4 --- FAIL: BenchmarkFrame\n", "standard input:1: ", nil},
		{"a ratio of nothing", "BenchmarkFrame-4 10 0 ratio\n", "can't be drawn", []string{"-svg", filepath.Join(t.TempDir(), "x.svg")}},
		{"no such file", "", "no such file", []string{"nothing.txt"}},
		{"a bad expression", runs, "-match: ", []string{"-match", "("}},
		{"a bad flag", runs, "flag provided but not defined", []string{"-x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := run(tt.args, strings.NewReader(tt.in), new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
