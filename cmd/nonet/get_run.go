package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/hpack"
)

// getter sends the requests of one command.
type getter struct {
	getOptions
	client   *nonet.Client
	stdout   io.Writer
	progress *progress

	mu     sync.Mutex
	err    error // the first
	times  []time.Duration
	octets int64
	failed int
}

// run sends every request, and reports about repeated ones.
func (g *getter) run(ctx context.Context, urls []string) error {
	start := time.Now()
	work := make(chan string)
	var wg sync.WaitGroup
	for range min(g.at, g.repeat*len(urls)) {
		wg.Go(func() {
			for url := range work {
				g.one(ctx, url)
			}
		})
	}
send:
	for range g.repeat {
		for _, url := range urls {
			select {
			case work <- url:
			case <-ctx.Done():
				break send
			}
		}
	}
	close(work)
	wg.Wait()
	g.progress.end()
	if g.repeat > 1 {
		g.report(time.Since(start))
	}
	if g.err == nil && ctx.Err() != nil {
		return fmt.Errorf("get: %w", errInterrupted)
	}
	return g.err
}

// one sends one request and takes its response.
func (g *getter) one(ctx context.Context, url string) {
	if g.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.timeout)
		defer cancel()
	}
	start := time.Now()
	n, err := g.exchange(ctx, url)
	took := time.Since(start)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.octets += n
	g.times = append(g.times, took)
	if err != nil {
		g.failed++
		if g.err == nil {
			g.err = classify(err)
			if s, ok := g.err.(statusError); ok {
				g.err = statusError{fmt.Errorf("get %s: %w", url, s.error), s.status}
			} else {
				g.err = fmt.Errorf("get %s: %w", url, g.err)
			}
		}
	}
}

func (g *getter) exchange(ctx context.Context, url string) (n int64, err error) {
	s, err := g.client.Request(ctx, g.method, url)
	if err != nil {
		return 0, err
	}
	var writer sync.WaitGroup
	var wrote error
	defer func() {
		if err != nil {
			s.Reset(0)
		}
		writer.Wait()
		if wrote != nil {
			err = wrote // where a reset comes from
		}
		s.Close()
	}()
	for _, f := range g.fields {
		name, value, _ := strings.Cut(f, ":")
		if err := s.AddField(name, strings.TrimSpace(value)); err != nil {
			return 0, err
		}
	}
	if g.head {
		s.OnInform(func(_ int, f *hpack.Fields) { g.printHead(f) })
	}
	if g.hasContent() {
		r, size, err := g.content()
		if err != nil {
			return 0, err
		}
		if size > 0 && len(g.trailers) == 0 && s.AddField("content-length", fmt.Sprint(size)) != nil {
			size = -1
		}
		switch g.method {
		case "GET", "HEAD", "OPTIONS", "TRACE", "DELETE":
			// Response takes one that has not begun for complete.
			if err := s.Flush(); err != nil {
				r.Close()
				return 0, err
			}
		}
		writer.Go(func() {
			defer r.Close()
			wrote = g.write(s, r, size)
		})
	} else if err := s.CloseWrite(); err != nil {
		return 0, err
	}
	if _, err := s.Response(); err != nil {
		return 0, err
	}
	if g.head {
		g.printHead(s.Fields())
	}
	out := g.stdout
	if g.repeat > 1 {
		out = io.Discard
	}
	n, err = io.Copy(out, g.progress.reader(s, "received", s.ContentLength()))
	if err != nil {
		return n, err
	}
	if t := s.Trailers(); g.head && t.Len() > 0 {
		fmt.Fprintln(out)
		g.printFields(t)
	}
	return n, nil
}

// write writes content and trailers. That the response came before the end of
// the content is no error.
func (g *getter) write(s nonet.ClientStream, r io.Reader, size int64) error {
	if _, err := io.Copy(s, g.progress.reader(r, "sent", size)); err != nil {
		if isReset(err) {
			return nil // the response says more
		}
		s.Reset(0)
		return err
	}
	for _, f := range g.trailers {
		name, value, _ := strings.Cut(f, ":")
		if err := s.AppendTrailer(name, strings.TrimSpace(value)); err != nil {
			s.Reset(0)
			return err
		}
	}
	if err := s.CloseWrite(); err != nil && !isReset(err) {
		return err
	}
	return nil
}

func isReset(err error) bool {
	var r *nonet.ResetError
	return errors.As(err, &r)
}

// printHead prints a header section.
func (g *getter) printHead(f *hpack.Fields) {
	if g.repeat > 1 {
		return
	}
	fmt.Fprintf(g.stdout, "HTTP/2 %s\n", f.Get(hpack.TokenStatus))
	g.printFields(f)
	fmt.Fprintln(g.stdout)
}

func (g *getter) printFields(f *hpack.Fields) {
	if g.repeat > 1 {
		return
	}
	for name, value := range f.All() {
		if name[0] != ':' {
			fmt.Fprintf(g.stdout, "%s: %s\n", visible(name), visible(value))
		}
	}
}
