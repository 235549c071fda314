package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// record is something to print.
type record interface {
	text(p *printer) // prints it as lines of text
}

// printer prints records, as text or as JSON.
type printer struct {
	w     *bufio.Writer
	json  bool
	first error // of the faults that do not end the dump
}

func newPrinter(w io.Writer, json bool) *printer {
	return &printer{w: bufio.NewWriter(w), json: json}
}

func (p *printer) print(r record) {
	if p.json {
		p.object(r)
		return
	}
	r.text(p)
}

// line prints a line of text.
func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p.w, format, args...)
	p.w.WriteByte('\n')
}

// object prints a line of JSON.
func (p *printer) object(v any) {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	e.Encode(v) // its errors come with Flush
}

// note keeps the first fault that does not end the dump.
func (p *printer) note(err error) {
	if p.first == nil {
		p.first = err
	}
}

// finish returns the error that the command ends with: err, or the first fault.
func (p *printer) finish(err error) error {
	if err == nil {
		err = p.first
	}
	var f *fault
	switch {
	case err == nil:
	case !errors.As(err, &f):
		err = fmt.Errorf("dump: %w", err) // the input could not be read
	case p.json:
		p.object(errorRecord{"error", f.in, f.offset, f.line, f.rule})
	}
	if e := p.w.Flush(); err == nil && e != nil {
		err = fmt.Errorf("dump: %w", e)
	}
	return err
}

// errorRecord is the last object when something is wrong with the input.
type errorRecord struct {
	What   string `json:"what"` // error
	Input  string `json:"input"`
	Offset int64  `json:"offset"`
	Line   int    `json:"line,omitempty"`
	Rule   string `json:"rule"`
}

// fault is what is wrong with the input, and where.
type fault struct {
	in     string
	offset int64 // in octets, or
	line   int   // when it is not 0, in lines of hex
	rule   string
}

func (f *fault) Error() string {
	if f.line > 0 {
		return fmt.Sprintf("dump: %s: line %d: %s", f.in, f.line, f.rule)
	}
	return fmt.Sprintf("dump: %s: offset %d: %s", f.in, f.offset, f.rule)
}

// visible returns octets as printable ASCII, with others and backslashes as \xNN.
func visible(b []byte) string {
	s := make([]byte, 0, len(b))
	for _, c := range b {
		if c < ' ' || c > '~' || c == '\\' {
			s = fmt.Appendf(s, "\\x%02x", c)
			continue
		}
		s = append(s, c)
	}
	return string(s)
}
