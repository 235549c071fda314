package rig

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Asking are clients of one kind that share the work: each has one connection and
// as many goroutines as it has streams at once.
type Asking struct {
	t       testing.TB
	name    string
	work    *Work
	askers  []asker
	workers []worker
}

// worker is a goroutine's, in one run after the other.
type worker struct {
	asker   *asker
	buf     []byte
	message io.ReadWriteCloser
	took    []time.Duration
}

// NewAsking makes clients and has one unit of work done by each goroutine.
func NewAsking(t testing.TB, c Client, url string, w *Work, conns, streams int) *Asking {
	t.Helper()
	a := &Asking{t: t, name: c.Name, work: w, askers: make([]asker, conns)}
	for i := range a.askers {
		a.askers[i] = c.open(url, w)
		for range streams {
			a.workers = append(a.workers, worker{asker: &a.askers[i], buf: make([]byte, min(max(w.Answer, len(w.Send)), len(zeros)))})
		}
		a.one(&a.workers[i*streams]) // the connection, before many ask for one
	}
	a.Run(1)
	return a
}

func (a *Asking) one(w *worker) {
	if err := a.unit(w); err != nil {
		a.t.Error(err)
	}
}

func (a *Asking) unit(w *worker) (err error) {
	start := time.Time{}
	if a.work.Slow {
		start = time.Now()
	}
	switch {
	case a.work.Echo:
		if w.message == nil {
			if w.message, err = w.asker.echo(); err != nil {
				return err
			}
		}
		if _, err := w.message.Write(a.work.Send); err != nil {
			return err
		}
		if _, err := io.ReadFull(w.message, w.buf); err != nil {
			return err
		}
		if !bytes.Equal(w.buf, a.work.Send) {
			return fmt.Errorf("%q came back", w.buf)
		}
	default:
		if err := w.asker.unit(w.buf); err != nil {
			return err
		}
		if a.work.Churn {
			w.asker.drop()
		}
	}
	if a.work.Slow {
		w.took = append(w.took, time.Since(start))
	}
	return nil
}

// Run has n units of work done for each goroutine, by whichever is free.
func (a *Asking) Run(n int) {
	if len(a.workers) == 1 {
		for range n {
			a.one(&a.workers[0])
		}
	} else {
		var left atomic.Int64
		left.Store(int64(n * len(a.workers)))
		var wg sync.WaitGroup
		for i := range a.workers {
			wg.Go(func() {
				for left.Add(-1) >= 0 && !a.t.Failed() {
					a.one(&a.workers[i])
				}
			})
		}
		wg.Wait()
	}
	if a.t.Failed() {
		a.t.FailNow()
	}
}

// Pass is n units of work for each goroutine.
func (a *Asking) Pass(n int) *Pass {
	p := &Pass{Name: a.name, Run: func() { a.Run(n) }, Units: n * len(a.workers)}
	if a.work.Slow {
		p.Took = func() (all []time.Duration) {
			for i := range a.workers {
				all = append(all, a.workers[i].took...)
			}
			return all
		}
	}
	return p
}

// Close ends what is under way.
func (a *Asking) Close() {
	for _, w := range a.workers {
		if w.message != nil {
			w.message.Close()
		}
	}
	for _, c := range a.askers {
		c.close()
	}
}
