package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// markdown writes what was compared, the table, and what it has no column for.
func (r *report) markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, c := range r.config {
		if c.Key != "pkg" {
			fmt.Fprintf(b, "- %s: %s\n", c.Key, c.Value)
		}
	}
	cores := r.allCores()
	fmt.Fprintf(b, "- median and range of %d runs; times and amounts are those on the fewest cores\n\n", r.runs())
	b.WriteString("| benchmark | nonet | peer |")
	for _, n := range cores {
		fmt.Fprintf(b, " ratio, %s |", coreCount(n))
	}
	b.WriteString(" allocations | reads + writes |\n|---|--:|--:|")
	b.WriteString(strings.Repeat("--:|", len(cores)) + "--:|--:|\n")
	for _, l := range r.lines {
		v := l.first()
		fmt.Fprintf(b, "| %s | %s | %s |", strings.ReplaceAll(l.label(), "|", "\\|"), l.time(v, ""), l.time(v, l.peer+"-"))
		for _, n := range cores {
			if v := l.cores[n]; v == nil {
				b.WriteString(" |")
			} else {
				median, low, high := v.ratio()
				fmt.Fprintf(b, " %.2f (%.2f–%.2f) |", median, low, high)
			}
		}
		fmt.Fprintf(b, " %s | %s |\n", l.both(v, "allocs"), l.both(v, "reads", "writes"))
	}
	r.extras(b, cores)
	return b.Flush()
}

func coreCount(n int) string {
	if n == 1 {
		return "1 core"
	}
	return fmt.Sprintf("%d cores", n)
}

func (r *report) runs() (n int) {
	for _, l := range r.lines {
		n = max(n, len(l.first()["ratio"]))
	}
	return n
}

// time is the median time for a unit of work, ours or the peer's.
func (l *line) time(v values, of string) string {
	ns, ok := v.median(of + "ns/" + l.unit)
	if !ok || l.unit == "" {
		return ""
	}
	text := duration(ns)
	if of != "" {
		text += " " + l.peer
	}
	return text
}

func duration(ns float64) string {
	switch {
	case ns >= 1e6:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	case ns >= 1e3:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	}
	return fmt.Sprintf("%.3g ns", ns)
}

// both is a sum of amounts for a unit of work, ours and the peer's.
func (l *line) both(v values, units ...string) (text string) {
	for _, of := range []string{"", l.peer + "-"} {
		sum, known := 0.0, true
		for _, unit := range units {
			n, ok := v.median(of + unit + "/" + l.unit)
			if !ok {
				n, ok = v.median(of + unit)
			}
			sum, known = sum+n, known && ok
		}
		switch {
		case !known:
		case text == "":
			text = amount(sum)
		default:
			text += " / " + amount(sum)
		}
	}
	return text
}

// amount has two digits behind the point at most, and none from ten on.
func amount(n float64) string {
	if n >= 10 {
		return fmt.Sprintf("%.0f", n)
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", n), "0"), ".")
}

// extras writes a line for what is no time: how long the slowest of a hundred take,
// and what a second core brings.
func (r *report) extras(b *bufio.Writer, cores []int) {
	separate := "\n"
	for _, l := range r.lines {
		for _, n := range cores {
			v := l.cores[n]
			if ours, ok := v.median("p99-µs"); ok {
				theirs, _ := v.median(l.peer + "-p99-µs")
				fmt.Fprintf(b, "%s- 99 of 100 units, %s, %s: within %s; %s %s\n", separate, l.label(), coreCount(n), duration(ours*1e3), l.peer, duration(theirs*1e3))
				separate = ""
			}
			if ours, ok := v.median("speedup"); ok {
				theirs, _ := v.median(l.peer + "-speedup")
				fmt.Fprintf(b, "%s- throughput on two cores by that on one, %s: %.2f; %s %.2f\n", separate, l.label(), ours, l.peer, theirs)
				separate = ""
			}
		}
	}
}
