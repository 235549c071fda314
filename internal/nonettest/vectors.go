package nonettest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/conn"
)

// Vector is a conversation from a text file:
//
//	5.1 idle: DATA on a stream that was never opened | server
//	> DATA 1 len=1
//	< GOAWAY last=0 PROTOCOL_ERROR
//	fin
//
// The first line has the name, the role of the endpoint under test (server,
// client) and settings of it: "raw" (no greeting first), "stream=n" and
// "conn=n" (windows), "streams=n" (concurrent streams), "list=n" (header list
// size), "table=n" (HPACK), "frame=n" (size), "connect" (extended CONNECT). Then follow, in any order:
//
//	> frame     the peer sends it; lines that follow each other are sent at once
//	< frame     the endpoint sends exactly these
//	= event     the application is told exactly these; "= nothing"
//	~ signal    likewise
//	! command   the application does it (Engine.Do)
//	? error     the command before has to fail: gone, order, capacity, away, role, connect
//
// And at the end one of
//
//	alive       nothing else was sent, a PING is answered and another request succeeds
//	fin         nothing else is sent, the connection is over by an error, what comes is ignored
//	done        nothing else was sent, and a graceful end is complete
//	quiet       nothing else was sent
//
// The notation of frames stands in script.go. A line that begins with # is a
// comment; empty lines separate vectors.
type Vector struct {
	Name   string
	File   string
	Line   int
	Raw    bool
	Config conn.Config
	Steps  []string
}

// LoadVectors reads the files of a pattern.
func LoadVectors(tb testing.TB, pattern string) (all []Vector) {
	tb.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		tb.Fatalf("no vectors in %s: %v", pattern, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		list, err := parseVectors(filepath.Base(file), string(text))
		if err != nil {
			tb.Fatal(err)
		}
		for _, v := range list {
			if names[v.File+v.Name] {
				tb.Fatalf("%s:%d: a second vector %q", v.File, v.Line, v.Name)
			}
			names[v.File+v.Name] = true
		}
		all = append(all, list...)
	}
	return all
}

func parseVectors(file, text string) (list []Vector, err error) {
	var v *Vector
	closeVector := func() error {
		if v == nil {
			return nil
		}
		switch v.Steps[len(v.Steps)-1] {
		case "alive", "fin", "done", "quiet":
			list = append(list, *v)
			v = nil
			return nil
		}
		return fmt.Errorf("%s:%d: %q ends without alive, fin, done or quiet", file, v.Line, v.Name)
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			if err := closeVector(); err != nil {
				return nil, err
			}
		case v == nil:
			v = &Vector{File: file, Line: i + 1, Steps: []string{""}}
			if err := v.header(line); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
			}
		default:
			v.Steps = append(v.Steps, line)
		}
	}
	return list, closeVector()
}

func (v *Vector) header(line string) error {
	name, role, ok := strings.Cut(line, "|")
	words := strings.Fields(role)
	if !ok || len(words) == 0 {
		return fmt.Errorf("%q has no role", line)
	}
	v.Name = strings.TrimSpace(name)
	switch words[0] {
	case "server":
	case "client":
		v.Config.Role = conn.Client
	default:
		return fmt.Errorf("role %q", words[0])
	}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil && value != "" {
			return err
		}
		switch l := &v.Config.Limits; key {
		case "raw":
			v.Raw = true
		case "connect":
			v.Config.EnableConnectProtocol = true
		case "stream":
			l.StreamWindow = uint32(n)
		case "conn":
			l.ConnWindow = uint32(n)
		case "streams":
			l.MaxConcurrentStreams = uint32(n)
		case "list":
			l.HeaderListSize = uint32(n)
		case "table":
			l.HeaderTableSize = uint32(n)
		case "frame":
			l.MaxFrameSize = uint32(n)
		default:
			return fmt.Errorf("setting %q", w)
		}
	}
	return nil
}

var commandErrors = map[string]error{
	"gone": conn.ErrGone, "order": conn.ErrOrder, "capacity": conn.ErrNoCapacity, "away": conn.ErrGoingAway, "role": conn.ErrRole, "connect": conn.ErrNoConnectProtocol,
}

// Run plays the vector through p, which was made with v.Config.
func (v *Vector) Run(p *Peer) {
	p.TB.Helper()
	if !v.Raw {
		p.Greet()
	}
	steps := v.Steps[1:]
	for i := 0; i < len(steps); {
		at := fmt.Sprintf("%s:%d step %d", v.File, v.Line, i+1)
		switch steps[i] {
		case "alive":
			p.WantAlive(at)
			return
		case "fin":
			p.WantDone(at)
			return
		case "done":
			p.WantIdle(at)
			if !p.Conn.Done() || p.Conn.Err() != nil {
				p.TB.Fatalf("%s: done %v, error %v", at, p.Conn.Done(), p.Conn.Err())
			}
			return
		case "quiet":
			p.WantIdle(at)
			return
		}
		mark := steps[i][0]
		var group []string
		for ; i < len(steps) && len(steps[i]) > 1 && steps[i][0] == mark; i++ {
			group = append(group, strings.TrimSpace(steps[i][1:]))
		}
		if mark == '!' && i < len(steps) && steps[i][0] == '?' {
			last := len(group) - 1
			p.Do(group[:last]...)
			p.DoErr(commandErrors[strings.TrimSpace(steps[i][1:])], group[last])
			i++
			continue
		}
		if len(group) == 1 && group[0] == "nothing" {
			group = nil
		}
		switch mark {
		case '>':
			p.Send(group...)
		case '<':
			p.Want(at, group...)
		case '=':
			p.WantEvents(at, group...)
		case '~':
			p.WantSignals(at, group...)
		case '!':
			p.Do(group...)
		default:
			p.TB.Fatalf("%s: %q", at, steps[i-1])
		}
	}
}
