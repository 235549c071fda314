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
BenchmarkFrame   	  10	         0 allocs	         5.0 ns/frame	        15.0 ratio	        75.0 x/net-ns/frame
BenchmarkFrame   	  10	         0 allocs	         6.0 ns/frame	        11.0 ratio	        66.0 x/net-ns/frame
BenchmarkFrame   	  10	         0 allocs	         7.0 ns/frame	        10.0 ratio	        70.0 x/net-ns/frame
BenchmarkFrame-2   	  10	         0 allocs	         7.0 ns/frame	        9.0 ratio	        63.0 x/net-ns/frame
BenchmarkAlone   	  10	         5.0 ns/frame
BenchmarkSummary/server:_12_octets,_1x1/net/http  	  20	  0.125 allocs/unit	  35.25 net/http-allocs/unit	  1 reads/unit  0.25 writes/unit  2 net/http-reads/unit  3 net/http-writes/unit	  50000 net/http-ns/unit	  100000 ns/unit	  0.5 ratio  1500 p99-µs  2500 net/http-p99-µs
BenchmarkCores-2  	  20	  30 net/http-ns/unit	  10 ns/unit	  3 ratio  1.875 speedup  1.25 net/http-speedup
PASS
ok  	example.org/bench	1.5s
`

const table = `- toolchain: go1.2
- x-net: golang.org/x/net v0.1.0
- goos: linux
- median and range of 3 runs; times and amounts are those on the fewest cores

| benchmark | nonet | peer | ratio, 1 core | ratio, 2 cores | allocations | reads + writes |
|---|--:|--:|--:|--:|--:|--:|
| Frame | 6 ns | 70 ns x/net | 11.00 (10.00–15.00) | 9.00 (9.00–9.00) | 0 |  |
| server: 12 octets, 1x1 | 100 µs | 50 µs net/http | 0.50 (0.50–0.50) | | 0.12 / 35 | 1.25 / 5 |
| Cores | 10 ns | 30 ns net/http | | 3.00 (3.00–3.00) |  |  |

- 99 of 100 units, server: 12 octets, 1x1, 1 core: within 1.5 ms; net/http 2.5 ms
- throughput on two cores by that on one, Cores: 1.88; net/http 1.25
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
	if got := out.String(); !strings.Contains(got, "range of 6 runs") || strings.Contains(got, "octets") {
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
	for _, want := range []string{"<svg", "Frame vs x/net", ">11<", ">9<", "server: 12 octets, 1x1 vs net/http", ">0.5<", "#C05621", "#90BCE4"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("the plot lacks %q", want)
		}
	}
}

func TestInto(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + beginMark + "an old table\n" + endMark + "after\n")
	for range 2 { // again, the same
		var out bytes.Buffer
		if err := run([]string{"-into", file}, strings.NewReader(runs), &out); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if want := "before\n" + beginMark + "\n" + table + "\n" + endMark + "after\n"; err != nil || string(got) != want || out.Len() > 0 {
			t.Errorf("got\n%s%v\nwant\n%s", got, err, want)
		}
	}
	write("no place\n" + endMark)
	if err := run([]string{"-into", file}, strings.NewReader(runs), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "between which") {
		t.Errorf("error %v", err)
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
