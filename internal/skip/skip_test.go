package skip

import (
	"fmt"
	"runtime"
	"testing"
)

// ending is a testing.TB that remembers how the test ended.
type ending struct {
	testing.TB
	how string
}

func (e *ending) Helper() {}

func (e *ending) Skipf(format string, args ...any) { e.end("skip", format, args) }

func (e *ending) Fatalf(format string, args ...any) { e.end("fail", format, args) }

func (e *ending) end(how, format string, args []any) {
	e.how = how + ": " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// outcome runs NeedProgram in a goroutine, because both ends leave it.
func outcome(t *testing.T, name string) (how, path string) {
	e := &ending{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = NeedProgram(e, name)
	}()
	<-done
	return e.how, path
}

func TestNeedProgram(t *testing.T) {
	t.Setenv("CI", "")
	if how, path := outcome(t, "go"); how != "" || path == "" {
		t.Errorf("go: %q, path %q", how, path)
	}
	t.Setenv("PATH", t.TempDir())
	const curl = "needs the program curl, which is not installed (Debian package curl)"
	const h2load = "needs the program h2load, which is not installed (Debian package nghttp2-client)"
	if how, _ := outcome(t, "curl"); how != "skip: "+curl {
		t.Errorf("missing curl: %q", how)
	}
	t.Setenv("CI", "true")
	if how, _ := outcome(t, "h2load"); how != "fail: "+h2load {
		t.Errorf("missing h2load with CI=true: %q", how)
	}
}
