package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/nonet-h2/nonet/hpack"
)

const dumpUsage = `usage: nonet dump -hpack | -frames | -conn [flags] [file ...]

Prints what octets of HTTP/2 say. They are read from files, or from standard
input (also -); binary, or as hex: digits with or without spaces, commas and 0x, listings
of xxd, hexdump -C and tcpdump -x, lines of comment that begin with # or >.

  -hpack   field blocks: one a line of hex, a listing, or all of a binary file.
           After each block the dynamic table; indexes on the wire are 61 more.
  -frames  frames of one direction, with or without the client preface
  -conn    one direction of a connection from its first octet, given to the
           engine in the role that receives it: what it makes of each frame (=)
           and what it answers (<). With a second file also the other direction:
           the client's octets come first, then the server's. Rates are not
           judged, content is consumed at once, and requests are not answered.

What is wrong with the input is the last line, on standard error, with its
offset; the exit status is then 1.

examples:
  echo '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff' | nonet dump -hpack
  nonet dump -frames capture.bin
  nonet dump -conn -json client.bin server.bin
  xxd -s 24 capture.bin | nonet dump -frames -v

-json prints an object a line; "what" says which:
  block   block (its number), octets, fields, table
  frame   offset, type, stream, length, flags, and what its type has: pad,
          priority (dependency, weight, exclusive), data, code, settings (id,
          value), promised, opaque, last, debug, increment, prioritized, value,
          fields, table (with -v), malformed, error (scope, code, reason)
  event   what the engine told of a frame: offset, event, stream, end, octets,
          side, scope, code, reason
  answer  as frame; its offset is that of the frame it answers
  error   the last: input, offset or line, rule
fields have offset, octets, form (indexed, incremental, without, never, size
update), index, huffman (name, value, both), size, name, value; a table has size,
max, entries (index, size, name, value). With two files each object has from:
client or server. Octets that are not printable ASCII, and backslashes, are \xNN
in every string, of text and of JSON.

flags:
`

// dumpOptions is what the command line says.
type dumpOptions struct {
	json    bool
	verbose bool
	table   uint32
	input   string
}

// dump runs "nonet dump".
func dump(_ context.Context, args []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("dump", flag.ContinueOnError)
	blocks := flags.Bool("hpack", false, "field blocks")
	frames := flags.Bool("frames", false, "frames")
	connection := flags.Bool("conn", false, "one direction of a connection, or both, given to the engine")
	var o dumpOptions
	flags.BoolVar(&o.json, "json", false, "an object of JSON a line instead of text")
	flags.BoolVar(&o.verbose, "v", false, "with -frames and -conn: how fields are encoded, and the dynamic table")
	table := flags.Uint("table", hpack.DefaultTableSize, "`octets` of the dynamic table with -hpack")
	flags.StringVar(&o.input, "in", "auto", "`kind` of input: auto, hex or binary")

	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		io.WriteString(stdout, dumpUsage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	} else if err != nil {
		return usageError{fmt.Errorf("dump: %v; \"nonet dump -h\" lists the flags", err)}
	}
	modes := 0
	for _, on := range []bool{*blocks, *frames, *connection} {
		if on {
			modes++
		}
	}
	most := 1
	if *connection {
		most = 2
	}
	switch {
	case modes != 1:
		return usageError{errors.New(`dump: give one of -hpack, -frames and -conn; "nonet dump -h" shows examples`)}
	case flags.NArg() > most:
		return usageError{fmt.Errorf("dump: unexpected argument %q", flags.Arg(most))}
	case o.input != "auto" && o.input != "hex" && o.input != "binary":
		return usageError{fmt.Errorf("dump: unknown kind of input %q; it is auto, hex or binary", o.input)}
	case *table > hpack.MaxTableSize:
		return usageError{fmt.Errorf("dump: a table of %d octets; the most is %d", *table, hpack.MaxTableSize)}
	}
	o.table = uint32(*table)

	inputs, err := openInputs(flags.Args(), o.input)
	if err != nil {
		return err
	}
	p := newPrinter(stdout, o.json)
	switch {
	case *blocks:
		err = dumpBlocks(inputs[0], p, o)
	case *frames:
		err = dumpFrames(inputs[0], p, o)
	default:
		err = dumpConn(inputs, p, o)
	}
	return p.finish(err)
}

// openInputs opens the files; standard input for "-" and when there are none.
func openInputs(names []string, kind string) (list []*input, err error) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		// The program ends soon: the files stay open until then.
		f, err := os.Stdin, error(nil)
		if name == "-" {
			name = "standard input"
		} else {
			f, err = os.Open(name)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usageError{fmt.Errorf("dump: %s: file does not exist", name)}
		}
		if err == nil {
			var in *input
			if in, err = newInput(name, f, kind); err == nil {
				list = append(list, in)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("dump: %w", err)
		}
	}
	return list, nil
}
