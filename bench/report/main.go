// Command report turns the output of the benchmarks into a table and a plot.
//
//	go test -bench . -count 10 ./bench -run '^$' >runs.txt
//	go run ./bench/report -svg ratios.svg runs.txt >ratios.md
//
// Each benchmark that has a peer beside it in the same run, which is what its
// "ratio" says, becomes a line: our median time, the peer's, and for each number of
// cores ("-cpu 1,2") the median ratio and its range over the runs; allocations and
// system calls, ours / the peer's. The versions that were compared stand above the
// table. Ratios of different runs are never mixed with times of others: every ratio
// was measured within one run.
//
// With -into the table replaces what a file has between two lines:
//
//	<!-- benchmarks: written by go run ./bench/report -into -->
//	<!-- end of benchmarks -->
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	fs.SetOutput(stdout)
	svg := fs.String("svg", "", "draw the ratios into this `file`")
	match := fs.String("match", "", "only benchmarks whose name matches this regular `expression`")
	target := fs.String("into", "", "put the table into this `file`, between its two lines for it, instead of printing it")
	fs.Usage = func() {
		fmt.Fprintln(stdout, "usage: report [flags] [FILE...]   output of go test -bench; without a file, standard input")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	r, err := collect(fs.Args(), stdin, *match)
	if err != nil {
		return err
	}
	if *svg != "" {
		if err := r.plot(*svg); err != nil {
			return err
		}
	}
	if *target == "" {
		return r.markdown(stdout)
	}
	var text bytes.Buffer
	if err := r.markdown(&text); err != nil {
		return err
	}
	return into(*target, text.Bytes())
}
