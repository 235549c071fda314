package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// report is what the benchmarks of one or more runs say.
type report struct {
	config []benchfmt.Config // what was compared, and where
	lines  []*line           // in the order of their first appearance
}

// line is a benchmark that was measured beside a peer.
type line struct {
	name  string // without the number of cores
	peer  string // "x/net" or "net/http"
	unit  string // of work: "field", "request"
	cores map[int]values
}

// values are what was measured in each unit, a value for each run.
type values map[string][]float64

// collect reads benchmark output. Without a file it reads stdin.
func collect(files []string, stdin io.Reader, match string) (*report, error) {
	pattern, err := regexp.Compile(match)
	if err != nil {
		return nil, fmt.Errorf("-match: %w", err)
	}
	r := &report{}
	byName := map[string]*line{}
	read := func(in io.Reader, name string) error {
		for b := benchfmt.NewReader(in, name); b.Scan(); {
			switch rec := b.Result().(type) {
			case *benchfmt.SyntaxError:
				return fmt.Errorf("%s:%d: %s", name, rec.Line, rec.Msg)
			case *benchfmt.Result:
				if pattern.MatchString(rec.Name.String()) {
					r.add(byName, rec)
				}
			}
		}
		return nil
	}
	if len(files) == 0 {
		if err := read(stdin, "standard input"); err != nil {
			return nil, err
		}
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		err = read(f, name)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	if len(r.lines) == 0 {
		return nil, errors.New(`no benchmark with a "ratio" in the input; pass what "go test -bench . ./bench" printed`)
	}
	return r, nil
}

// suffix is the number of cores at the end of a name; go test leaves it out for one.
var suffix = regexp.MustCompile(`-(\d+)$`)

func (r *report) add(byName map[string]*line, rec *benchfmt.Result) {
	if _, ok := rec.Value("ratio"); !ok {
		return
	}
	name, cores := rec.Name.String(), 1
	if m := suffix.FindStringSubmatch(name); m != nil {
		name = strings.TrimSuffix(name, m[0])
		cores, _ = strconv.Atoi(m[1])
	}
	l := byName[name]
	if l == nil {
		l = &line{name: name, cores: map[int]values{}}
		byName[name] = l
		r.lines = append(r.lines, l)
	}
	v := l.cores[cores]
	if v == nil {
		v = values{}
		l.cores[cores] = v
	}
	for _, x := range rec.Values {
		value, unit := x.Value, x.Unit
		if x.OrigUnit != "" { // the reader makes seconds of nanoseconds
			value, unit = x.OrigValue, x.OrigUnit
		}
		v[unit] = append(v[unit], value)
		if peer, of, ok := strings.Cut(unit, "-ns/"); ok {
			l.peer, l.unit = peer, of
		}
	}
	for _, c := range rec.Config {
		if !c.File || slices.ContainsFunc(r.config, func(x benchfmt.Config) bool { return x.Key == c.Key }) {
			continue
		}
		r.config = append(r.config, benchfmt.Config{Key: c.Key, Value: slices.Clone(c.Value)})
	}
}

// allCores returns the numbers of cores that anything was measured with, in order.
func (r *report) allCores() (all []int) {
	for _, l := range r.lines {
		for n := range l.cores {
			if !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	slices.Sort(all)
	return all
}

// first returns what was measured with the least number of cores.
func (l *line) first() values {
	best := 0
	for n := range l.cores {
		if best == 0 || n < best {
			best = n
		}
	}
	return l.cores[best]
}

// label is the name without "Summary/", which is about the rows and not what they
// say, and without the peer.
func (l *line) label() string {
	s := strings.TrimSuffix(strings.TrimPrefix(l.name, "Summary/"), "/"+l.peer)
	return strings.ReplaceAll(s, "_", " ") // go test has put them in
}

// median of what was measured in this unit; ok is false when it was not.
func (v values) median(unit string) (m float64, ok bool) {
	all := slices.Clone(v[unit])
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return all[len(all)/2], true
}

// ratio is how many times as fast as the peer: the median and the range.
func (v values) ratio() (median, low, high float64) {
	median, _ = v.median("ratio")
	return median, slices.Min(v["ratio"]), slices.Max(v["ratio"])
}
