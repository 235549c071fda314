package main

import (
	"bytes"
	"fmt"
	"os"
)

// The lines between which a file has what this program writes.
const (
	beginMark = "<!-- benchmarks: written by go run ./bench/report -into -->\n"
	endMark   = "<!-- end of benchmarks -->\n"
)

// into puts text between the marks of a file, in place of what was there.
func into(file string, text []byte) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(old, []byte(beginMark))
	_, after, ended := bytes.Cut(rest, []byte(endMark))
	if !ok || !ended {
		return fmt.Errorf("%s: has not the lines %q and %q, between which the table goes", file, beginMark, endMark)
	}
	var b bytes.Buffer
	for _, p := range [][]byte{before, []byte(beginMark), []byte("\n"), text, []byte("\n"), []byte(endMark), after} {
		b.Write(p)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
