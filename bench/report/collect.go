package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
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
	name   string
	peer   string // "x/net" or "net/http"
	unit   string // of work: "field", "request"
	values map[string][]float64
}

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

func (r *report) add(byName map[string]*line, rec *benchfmt.Result) {
	if _, ok := rec.Value("ratio"); !ok {
		return
	}
	name := rec.Name.String()
	l := byName[name]
	if l == nil {
		l = &line{name: name, values: map[string][]float64{}}
		byName[name] = l
		r.lines = append(r.lines, l)
	}
	for _, v := range rec.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" { // the reader makes seconds of nanoseconds
			value, unit = v.OrigValue, v.OrigUnit
		}
		l.values[unit] = append(l.values[unit], value)
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

// median of what was measured in this unit; ok is false when it was not.
func (l *line) median(unit string) (m float64, ok bool) {
	v := slices.Clone(l.values[unit])
	if len(v) == 0 {
		return 0, false
	}
	slices.Sort(v)
	return v[len(v)/2], true
}

// ratio is how many times as fast as the peer: the median and the range.
func (l *line) ratio() (median, low, high float64) {
	v := l.values["ratio"]
	median, _ = l.median("ratio")
	return median, slices.Min(v), slices.Max(v)
}
