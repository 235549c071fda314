package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// markdown writes the table.
func (r *report) markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, c := range r.config {
		if c.Key != "pkg" {
			fmt.Fprintf(b, "- %s: %s\n", c.Key, c.Value)
		}
	}
	fmt.Fprintf(b, "\n| benchmark | nonet | peer | ratio | range of %d | allocations |\n|---|--:|--:|--:|--:|--:|\n", r.runs())
	for _, l := range r.lines {
		median, low, high := l.ratio()
		fmt.Fprintf(b, "| %s | %s | %s | %.2f | %.2f–%.2f | %s |\n", l.label(), l.time(""), l.time(l.peer+"-"), median, low, high, l.allocations())
	}
	return b.Flush()
}

func (r *report) runs() (n int) {
	for _, l := range r.lines {
		n = max(n, len(l.values["ratio"]))
	}
	return n
}

// label is the name, the number of cores at its end.
func (l *line) label() string { return strings.ReplaceAll(l.name, "|", "\\|") }

// time is the median time for a unit of work, ours or the peer's.
func (l *line) time(of string) string {
	ns, ok := l.median(of + "ns/" + l.unit)
	if !ok || l.unit == "" {
		return ""
	}
	text := fmt.Sprintf("%.3g ns", ns)
	switch {
	case ns >= 1e6:
		text = fmt.Sprintf("%.3g ms", ns/1e6)
	case ns >= 1e3:
		text = fmt.Sprintf("%.3g µs", ns/1e3)
	}
	if of != "" {
		text += " " + l.peer
	}
	return text
}

func (l *line) allocations() string {
	for _, unit := range []string{"allocs", "allocs/" + l.unit} {
		if ours, ok := l.median(unit); ok {
			text := fmt.Sprintf("%.2g", ours)
			if theirs, ok := l.median(l.peer + "-" + unit); ok {
				text += fmt.Sprintf(" / %.3g", theirs)
			}
			return text
		}
	}
	return ""
}
