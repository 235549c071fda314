package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// report says how many requests there were and how long they took.
func (g *getter) report(took time.Duration) {
	slices.Sort(g.times)
	n := len(g.times)
	if n == 0 {
		return
	}
	at := func(p int) time.Duration { return g.times[min(n*p/100, n-1)].Round(time.Microsecond) }
	fmt.Fprintf(g.stdout, "%d requests in %v: %.0f a second, %d failed, %s\n",
		n, took.Round(time.Millisecond), float64(n)/took.Seconds(), g.failed, octets(g.octets))
	fmt.Fprintf(g.stdout, "a request took %v at least, %v in the median, %v for 99 %%, %v at most\n", at(0), at(50), at(99), at(100))
}

// progress shows a line about a long transfer, on a terminal.
type progress struct {
	w io.Writer // nil: nowhere

	mu    sync.Mutex
	start time.Time
	last  time.Time
	width int
}

// Until progressDelay a transfer is not long; then the line changes every
// progressPause.
const (
	progressDelay = time.Second
	progressPause = 200 * time.Millisecond
)

// newProgress shows progress on stderr if that is a terminal and content does
// not go there as well.
func newProgress(stdout, stderr io.Writer) *progress {
	p := &progress{start: time.Now()}
	if terminal(stderr) && !terminal(stdout) {
		p.w = stderr
	}
	return p
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// reader passes on what r reads and shows how much of size that was; size -1:
// it is not known.
func (p *progress) reader(r io.Reader, verb string, size int64) io.Reader {
	if p.w == nil {
		return r
	}
	return &progressReader{r: r, p: p, verb: verb, size: size, start: time.Now()}
}

type progressReader struct {
	r     io.Reader
	p     *progress
	verb  string
	size  int64
	n     int64
	start time.Time
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.n += int64(n)
	r.p.show(time.Now(), r)
	return n, err
}

func (p *progress) show(now time.Time, r *progressReader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.start) < progressDelay || now.Sub(p.last) < progressPause {
		return
	}
	p.last = now
	line := progressLine(r.verb, r.n, r.size, now.Sub(r.start))
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(p.width-len(line), 0)))
	p.width = len(line)
}

// end clears the line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
	}
}

func progressLine(verb string, n, size int64, took time.Duration) string {
	const bar = 30
	rate := octets(int64(float64(n) / max(took.Seconds(), 0.001)))
	if size <= 0 {
		return fmt.Sprintf("%s %s, %s/s", verb, octets(n), rate)
	}
	done := int(bar * min(n, size) / size)
	return fmt.Sprintf("%s [%s%s] %d%% of %s, %s/s", verb, strings.Repeat("=", done), strings.Repeat(" ", bar-done),
		100*min(n, size)/size, octets(size), rate)
}

// octets is an amount for people.
func octets(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d octets", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
