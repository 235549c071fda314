package nethttp

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/hpack"
)

var paths = []string{
	"/", "/a/b", "/a?b", "/a?", "/?", "/a?b?c", "/a%20b", "/a%2Fb", "/%zz", "/a%", "//a", "//a/b?c", "///", "/a//b", "/..", "/a/../b",
	"/a;b", "/a:b", "/a@b", "/a+b", "/a,b=c", "/ä", "/a b", "/a\"b", "/[", "/a#b", "/~a_b-c.d", "/a?b=%zz&c", "/a?ä", "/a?b c", "*", "", "a",
	"http://a/b", "/a\x7f", "/a?\x7f", "/a!b", "/$&'()", "?", "/a?#",
}

// FuzzPath: a path is parsed as url.ParseRequestURI does.
func FuzzPath(f *testing.F) {
	for _, p := range paths {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		var x exchange
		ok := x.parse(path)
		want, err := url.ParseRequestURI(path)
		if ok != (err == nil) {
			t.Fatalf("%q is parsed: %t; url.ParseRequestURI: %v", path, ok, err)
		}
		if ok && !reflect.DeepEqual(x.url, *want) {
			t.Errorf("%q is %#v, want %#v", path, x.url, *want)
		}
	})
}

// TestNames: names have net/http's form.
func TestNames(t *testing.T) {
	for tok := hpack.Token(1); tok.Name() != "" || tok < 62; tok++ {
		name := tok.Name()
		if name == "" {
			continue
		}
		if got := headerName(tok, []byte(name)); got != http.CanonicalHeaderKey(name) {
			t.Errorf("%s is %s", name, got)
		}
	}
	for _, name := range []string{"x", "x-y", "-x", "x-", "x--y", "1a-b", "a_b", "x.y-z", "~", "dnt"} {
		if got, want := string(appendCanonical(nil, []byte(name))), http.CanonicalHeaderKey(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// A trailer field with thousands of names, which HPACK's table makes an octet on
// the wire, becomes no map of thousands.
func TestAnnouncedTrailers(t *testing.T) {
	names := make([]string, 5000)
	for i := range names {
		names[i] = fmt.Sprintf("x%d", i)
	}
	h := http.Header{"Trailer": {strings.Join(names[:100], ","), strings.Join(names, ", ")}}
	got := announced(h)
	if len(got) != maxAnnounced || h["Trailer"] != nil {
		t.Errorf("%d names, the field is %q", len(got), h["Trailer"])
	}
	if _, ok := got["X99"]; !ok {
		t.Error("one of the first is missing")
	}
}
