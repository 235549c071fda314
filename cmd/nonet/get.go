package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
)

const getUsage = `usage: nonet get [flags] URL...

Sends requests over HTTP/2 and prints the content of the responses: https by
ALPN, http by prior knowledge. A URL without a scheme is one of https, or with
-h2c of http. Requests of one command share their connections.

  nonet get -k -i https://127.0.0.1:8443/hello
  nonet get -k -v -d text https://127.0.0.1:8443/echo
  nonet get -k -T file --trailer 'digest: x' https://127.0.0.1:8443/sink
  nonet get -h2c -n 10000 -m 100 127.0.0.1:8443/hello

exit status: 0 when every response was complete, whatever its status code; 2 a
wrong command line; 3 no connection; 4 the server broke the protocol, or does
not speak HTTP/2; 5 a request was reset (the code's name is on standard error);
6 timeout; 1 anything else. The first request that failed decides.

flags:
`

// Exit statuses of get.
const (
	statusNoConnection = 3 + iota
	statusProtocol
	statusReset
	statusTimeout
)

// statusError is an error with an exit status of its own.
type statusError struct {
	error
	status int
}

func (e statusError) Unwrap() error { return e.error }

// list is a flag that can be given more than once.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

// getOptions is what the command line says.
type getOptions struct {
	method   string
	fields   list
	trailers list
	data     string
	hasData  bool
	file     string
	head     bool // -i
	repeat   int
	at       int // concurrency
	timeout  time.Duration
}

// runGet runs "nonet get".
func runGet(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o getOptions
	fs := flag.NewFlagSet("get", flag.ContinueOnError)
	fs.StringVar(&o.method, "X", "", "`method`; default GET, with -d POST, with -T PUT")
	fs.Var(&o.fields, "H", "`name: value` of a field; may be repeated")
	fs.Var(&o.trailers, "trailer", "`name: value` of a trailer; may be repeated")
	fs.Func("d", "`content` of the request", func(v string) error { o.data, o.hasData = v, true; return nil })
	fs.StringVar(&o.file, "T", "", "`file` that is the content of the request; - is standard input")
	fs.BoolVar(&o.head, "i", false, "print the header sections and trailers, too")
	verbose := fs.Bool("v", false, "print every frame with its time, both directions, on standard error")
	insecure := fs.Bool("k", false, "accept any certificate")
	h2c := fs.Bool("h2c", false, "cleartext where a URL has no scheme")
	fs.IntVar(&o.repeat, "n", 1, "`how often` each request is sent; more than once, content is counted and not printed")
	fs.IntVar(&o.at, "m", 1, "how many `requests` run at once")
	fs.DurationVar(&o.timeout, "timeout", 0, "`duration` that a request may take; 0: for ever")
	urls, err := parseGet(fs, args, stdout)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return usageError{fmt.Errorf("get: %w", err)}
	}
	for i, u := range urls {
		if !strings.Contains(u, "://") {
			urls[i] = map[bool]string{false: "https://", true: "http://"}[*h2c] + u
		}
	}
	c := &nonet.Client{ClientConfig: nonet.ClientConfig{TLSConfig: &tls.Config{InsecureSkipVerify: *insecure}}}
	if *verbose {
		c.Trace = stderr
	}
	g := &getter{getOptions: o, client: c, stdout: stdout, progress: newProgress(stdout, stderr)}
	err = g.run(ctx, urls)
	drain, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if c.Shutdown(drain) != nil {
		c.Close()
	}
	return err
}

func parseGet(fs *flag.FlagSet, args []string, stdout io.Writer) ([]string, error) {
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(stdout, getUsage)
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, usageError{fmt.Errorf("get: %v; \"nonet get -h\" lists the flags", err)}
	case fs.NArg() == 0:
		return nil, usageError{errors.New(`get: no URL; "nonet get -h" shows how`)}
	}
	for _, u := range fs.Args() {
		if strings.HasPrefix(u, "-") {
			return nil, usageError{fmt.Errorf("get: %q is no URL; flags come before the URLs", u)}
		}
	}
	return slices.Clone(fs.Args()), nil
}

// check finds what can't be meant.
func (o *getOptions) check() error {
	switch {
	case o.hasData && o.file != "":
		return errors.New("-d and -T exclude each other")
	case o.repeat < 1:
		return errors.New("-n is at least 1")
	case o.at < 1:
		return errors.New("-m is at least 1")
	case o.timeout < 0:
		return errors.New("--timeout is not negative")
	case o.file == "-" && o.repeat > 1:
		return errors.New("standard input can be sent once: -T - and -n exclude each other")
	}
	for _, f := range slices.Concat(o.fields, o.trailers) {
		if name, _, ok := strings.Cut(f, ":"); !ok || name == "" {
			return fmt.Errorf("%q is no field; write 'name: value'", f)
		}
	}
	if o.method == "" {
		o.method = "GET"
		switch {
		case o.hasData:
			o.method = "POST"
		case o.file != "":
			o.method = "PUT"
		}
	}
	return nil
}

// hasContent reports whether requests have content or trailers.
func (o *getOptions) hasContent() bool { return o.hasData || o.file != "" || len(o.trailers) > 0 }

// content opens the content of a request.
func (o *getOptions) content() (io.ReadCloser, int64, error) {
	switch o.file {
	case "":
		return io.NopCloser(strings.NewReader(o.data)), int64(len(o.data)), nil
	case "-":
		return io.NopCloser(os.Stdin), -1, nil
	}
	f, err := os.Open(o.file)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return f, -1, err
	}
	return f, info.Size(), nil
}

// errInterrupted: a signal came.
var errInterrupted = errors.New("interrupted")

// classify gives an error the exit status that says what kind it is.
func classify(err error) error {
	var reset *nonet.ResetError
	var ce *conn.Error
	var op *net.OpError
	var verify *tls.CertificateVerificationError
	status := 0
	switch {
	case errors.Is(err, context.Canceled):
		return errInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		status, err = statusTimeout, errors.New("timeout")
	case errors.As(err, &reset):
		status = statusReset
	case errors.As(err, &ce), errors.Is(err, nonet.ErrNotHTTP2):
		status = statusProtocol
	case errors.As(err, &verify):
		status, err = statusNoConnection, fmt.Errorf("%w; -k accepts it", err)
	case errors.As(err, &op) && op.Op == "dial":
		status = statusNoConnection
	default:
		return err
	}
	return statusError{err, status}
}
