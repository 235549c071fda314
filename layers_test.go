package nonet_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/nonet-h2/nonet"

// floors is the house: a room imports only rooms of lower floors. Packages
// below a listed directory belong to its room.
var floors = map[string]int{
	"frame": 0, "hpack": 0, "flowcontrol": 0, "tls": 0, "internal/syscount": 0,
	"stream": 1,
	"conn":   2,
	".":      3, "internal/nonettest": 3,
	"nethttp": 4,
	"proxy":   5, "internal/routes": 5,
	"cmd": 6, "bench": 6, "fuzz": 6, "interop": 6,
	// Imports no room; only tests may import it.
	"internal/skip": 0,
}

// pure are the rooms that know no socket, clock, goroutine or lock.
var pure = []string{"frame", "hpack", "flowcontrol", "stream", "conn"}

// pureImports are what a pure room may import besides rooms of lower floors.
var pureImports = []string{
	"bytes", "cmp", "encoding/binary", "errors", "fmt", "iter", "math", "math/bits",
	"slices", "strconv", "strings", "time", "unsafe",
}

// timeNames are what a pure room may use of package time: amounts, no clock.
var timeNames = []string{
	"Duration", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour",
}

// source is a parsed file of the product (no test) and the room it is in.
type source struct {
	name string // slash-separated, from the module's root
	room string // a key of floors
	file *ast.File
	fset *token.FileSet
}

func TestLayers(t *testing.T) {
	var sources []source
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		s, err := parse(name)
		if err != nil {
			t.Error(err)
			continue
		}
		sources = append(sources, s)
	}
	if len(sources) == 0 {
		t.Fatal("no source files found")
	}
	for _, fault := range check(sources) {
		t.Error(fault)
	}
}

func parse(name string) (source, error) {
	room, ok := roomOf(path.Dir(name))
	if !ok {
		return source{}, fmt.Errorf("%s: the package stands on no floor; give it one in layers_test.go", name)
	}
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		return source{}, err
	}
	return parseText(name, room, text)
}

func parseText(name, room string, text []byte) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	return source{name, room, file, fset}, err
}

// roomOf returns the room that a directory belongs to.
func roomOf(dir string) (room string, ok bool) {
	for room = dir; room != "."; room = path.Dir(room) {
		if _, ok := floors[room]; ok {
			return room, true
		}
	}
	return ".", dir == "."
}

// check returns the faults of all files.
func check(sources []source) (faults []string) {
	var unsafeIn []string
	for _, s := range sources {
		at := func(pos token.Pos, format string, args ...any) {
			faults = append(faults, fmt.Sprintf("%s: %s", s.fset.Position(pos), fmt.Sprintf(format, args...)))
		}
		isPure := slices.Contains(pure, s.room)
		for _, spec := range s.file.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			if dir, ok := inModule(target); ok {
				if fault := checkRoom(s.room, dir); fault != "" {
					at(spec.Pos(), "%s", fault)
				}
				continue
			}
			switch {
			case isPure && target == "golang.org/x/net/http2/hpack" && s.room == "hpack":
			case isPure && !slices.Contains(pureImports, target):
				at(spec.Pos(), "pure package %s imports %s", s.room, target)
			case isPure && target == "unsafe":
				unsafeIn = append(unsafeIn, s.name)
			case s.room == "." && target == "net/http" && !named(s, "http1"):
				at(spec.Pos(), "only http1*.go imports net/http")
			}
		}
		if isPure {
			checkPure(s, at)
		}
		// Goroutines of the root: a connection's, a request's, the accept loop's.
		if s.room == "." && !named(s, "driver", "server", "http1") {
			checkGo(s, func(pos token.Pos) { at(pos, "go statement outside of driver*.go, server*.go and http1*.go") })
		}
	}
	if len(unsafeIn) > 1 {
		faults = append(faults, fmt.Sprintf("unsafe is imported by %d files of pure packages, want at most one: %s",
			len(unsafeIn), strings.Join(unsafeIn, ", ")))
	}
	return faults
}

// named reports whether a file's name begins with one of the words.
func named(s source, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(path.Base(s.name), w) })
}

// inModule returns the directory of an import path of the module.
func inModule(target string) (dir string, ok bool) {
	if target == module {
		return ".", true
	}
	return strings.CutPrefix(target, module+"/")
}

// checkRoom says what is wrong when room imports the package in dir.
func checkRoom(room, dir string) string {
	to, ok := roomOf(dir)
	switch {
	case !ok:
		return fmt.Sprintf("%s stands on no floor; give it one in layers_test.go", dir)
	case to == "internal/skip":
		return "only tests import internal/skip"
	case to == room:
		return ""
	case floors[to] > floors[room]:
		return fmt.Sprintf("import goes up: %s (floor %d) imports %s (floor %d)", room, floors[room], to, floors[to])
	case floors[to] == floors[room]:
		return fmt.Sprintf("import goes sideways: %s and %s are on floor %d", room, to, floors[to])
	}
	return ""
}

// checkPure finds what a pure package must not contain.
func checkPure(s source, at func(token.Pos, string, ...any)) {
	checkGo(s, func(pos token.Pos) { at(pos, "go statement in pure package %s", s.room) })
	clock := ""
	for _, spec := range s.file.Imports {
		if spec.Path.Value != `"time"` {
			continue
		}
		clock = "time"
		if spec.Name != nil {
			clock = spec.Name.Name
		}
		if clock == "." {
			at(spec.Pos(), "dot import of time in pure package %s", s.room)
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				at(n.Pos(), "init function in pure package %s", s.room)
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && clock != "" && x.Name == clock && !slices.Contains(timeNames, n.Sel.Name) {
				at(n.Pos(), "time.%s in pure package %s", n.Sel.Name, s.room)
			}
		}
		return true
	})
}

func checkGo(s source, found func(token.Pos)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			found(g.Pos())
		}
		return true
	})
}

// TestLayersFinds feeds the check one violation of each rule.
func TestLayersFinds(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // part of the only fault, "" for none
	}{
		{"conn/a.go", `import _ "github.com/nonet-h2/nonet/stream"`, ""},
		{"cmd/nonet/a.go", `import _ "github.com/nonet-h2/nonet"; import _ "github.com/nonet-h2/nonet/cmd/x"; import _ "os"`, ""},
		{"conn/a.go", `import "time"; const d = time.Second`, ""},
		{"hpack/a.go", `import _ "golang.org/x/net/http2/hpack"; import _ "unsafe"`, ""},
		{"driver_read.go", `func f() { go f() }`, ""},
		{"stream/a.go", `import _ "github.com/nonet-h2/nonet/conn"`, "goes up"},
		{"conn/a.go", `import _ "github.com/nonet-h2/nonet"`, "goes up"},
		{"frame/a.go", `import _ "github.com/nonet-h2/nonet/hpack"`, "sideways"},
		{"proxy/a.go", `import _ "github.com/nonet-h2/nonet/nethttp"`, ""},
		{"proxy/a.go", `import _ "github.com/nonet-h2/nonet/internal/routes"`, "sideways"},
		{"conn/a.go", `import _ "github.com/nonet-h2/nonet/attic"`, "no floor"},
		{"a.go", `import _ "github.com/nonet-h2/nonet/internal/skip"`, "only tests"},
		{"conn/a.go", `import _ "sync"`, "imports sync"},
		{"conn/a.go", `import _ "golang.org/x/net/http2/hpack"`, "imports golang.org"},
		{"conn/a.go", `import "time"; var x = time.Now()`, "time.Now"},
		{"conn/a.go", `import clock "time"; func f() { clock.Sleep(0) }`, "time.Sleep"},
		{"conn/a.go", `import "time"; var t *time.Timer`, "time.Timer"},
		{"conn/a.go", `import . "time"`, "dot import"},
		{"frame/a.go", `func f() { go f() }`, "go statement in pure"},
		{"frame/a.go", `func init() {}`, "init function"},
		{"stream_read.go", `func f() { go f() }`, "outside of driver"},
		{"server.go", `import _ "net/http"`, "only http1"},
	} {
		room, ok := roomOf(path.Dir(tt.name))
		if !ok {
			t.Fatalf("%s is in no room", tt.name)
		}
		s, err := parseText(tt.name, room, []byte("package p; "+tt.text))
		if err != nil {
			t.Fatal(err)
		}
		faults := check([]source{s})
		switch {
		case tt.want == "" && len(faults) == 0:
		case tt.want != "" && len(faults) == 1 && strings.Contains(faults[0], tt.want):
		default:
			t.Errorf("%s with %s: faults %q, want %q", tt.name, tt.text, faults, tt.want)
		}
	}
	a, _ := parseText("hpack/a.go", "hpack", []byte(`package p; import _ "unsafe"`))
	b, _ := parseText("conn/b.go", "conn", []byte(`package p; import _ "unsafe"`))
	if faults := check([]source{a, b}); len(faults) != 1 || !strings.Contains(faults[0], "unsafe") {
		t.Errorf("unsafe in two files: faults %q", faults)
	}
	if _, ok := roomOf("attic/deep"); ok {
		t.Error("a directory that is not listed has a room")
	}
}

// TestRequirements: the core module requires two modules and nothing else.
func TestRequirements(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"github.com/google/go-cmp", "golang.org/x/net"}
	if got := required(string(text)); !slices.Equal(got, want) {
		t.Errorf("go.mod requires %q directly, want %q", got, want)
	}
	const sample = "module m\nrequire a.b/c v1.0.0\nrequire (\n\td.e/f v0.0.0 // indirect\n\tg.h/i v2.0.0 // why\n)\n"
	if got := required(sample); !slices.Equal(got, []string{"a.b/c", "g.h/i"}) {
		t.Errorf("the sample requires %q", got)
	}
}

// required returns the modules that a go.mod requires directly, sorted.
func required(text string) (paths []string) {
	block := false
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case block && words[0] == ")":
			block = false
			continue
		case words[0] == "require" && len(words) > 1 && words[1] == "(":
			block = true
			continue
		case words[0] == "require":
			words = words[1:]
		case !block:
			continue
		}
		if len(words) >= 2 && !strings.HasSuffix(strings.TrimSpace(line), "// indirect") {
			paths = append(paths, words[0])
		}
	}
	slices.Sort(paths)
	return paths
}

func TestGofmt(t *testing.T) {
	for _, name := range goFiles(t) {
		text, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := format.Source(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(text, formatted) {
			t.Errorf("%s is not formatted; run gofmt -w on it", name)
		}
	}
}

// goFiles returns every Go file of the repository, nested modules included, as
// slash-separated names. Hidden directories and test data are left out.
func goFiles(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "testdata") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(base, ".go") {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
