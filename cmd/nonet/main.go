// Command nonet serves HTTP/2 and looks at it: the engine's programs in one.
//
//	nonet serve    serve HTTP/2, with HTTP/1.1 as fallback, to try things on
//	nonet get      send requests over HTTP/2 and print the responses
//	nonet dump     print octets of HTTP/2: field blocks, frames, connections
//	nonet proxy    serve HTTP/2 in front of an application that speaks HTTP/1.1
//
// "nonet COMMAND -h" lists a command's flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// command is a subcommand: its file parses flags and calls the library.
type command struct {
	name, short string
	run         func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

var commands = []command{
	{"serve", "serve HTTP/2, with HTTP/1.1 as fallback, to try things on", serve},
	{"get", "send requests over HTTP/2 and print the responses", runGet},
	{"dump", "print octets of HTTP/2: field blocks, frames, connections", dump},
	{"proxy", "serve HTTP/2 in front of an application that speaks HTTP/1.1", forward},
}

// usageError is a fault of the command line: exit status 2.
type usageError struct{ error }

func main() {
	signaled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	// The first signal asks the command to end; a second one ends the program.
	context.AfterFunc(signaled, func() { stop(); cancel() })
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the subcommand and returns the exit status: 0, 1 for what went
// wrong, 2 for a wrong command line, or what a statusError says. Errors are one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	var usage usageError
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	// An error may quote an argument that has line feeds.
	fmt.Fprintf(stderr, "nonet: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
	if errors.As(err, &usage) {
		return 2
	}
	var own statusError
	if errors.As(err, &own) {
		return own.status
	}
	return 1
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return usageError{errors.New(`no command; try "nonet help"`)}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		help(stdout)
		return nil
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(ctx, args[1:], stdout, stderr)
		}
	}
	return usageError{fmt.Errorf(`unknown command %q; try "nonet help"`, args[0])}
}

func help(w io.Writer) {
	fmt.Fprintf(w, "nonet is an HTTP/2 engine; this is its command line.\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  nonet %-8s %s\n", c.name, c.short)
	}
	fmt.Fprintf(w, "\n\"nonet COMMAND -h\" lists a command's flags.\n")
}

// parse parses a subcommand's flags. A wrong flag is one line; -h prints all.
func parse(fs *flag.FlagSet, args []string, stdout io.Writer) error {
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stdout, "usage: nonet %s [flags]\n\n", fs.Name())
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return err
	case err != nil:
		return usageError{fmt.Errorf("%s: %v; \"nonet %s -h\" lists the flags", fs.Name(), err, fs.Name())}
	case fs.NArg() > 0:
		return usageError{fmt.Errorf("%s: unexpected argument %q", fs.Name(), fs.Arg(0))}
	}
	return nil
}
