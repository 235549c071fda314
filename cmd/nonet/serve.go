package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/internal/routes"
	"github.com/nonet-h2/nonet/nethttp"
)

// serve runs "nonet serve".
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	l := listenFlags(fs)
	kind := fs.String("handler", "stream", "`kind` of handler: stream, inline or nethttp")
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	if err := l.check(); err != nil {
		return err
	}
	c := new(tls.Config)
	srv, err := newServer(*kind, l.config(stdout, slog.New(slog.NewTextHandler(stderr, nil))), c)
	if err != nil {
		return usageError{err}
	}
	return l.run(ctx, srv, c, func(url, fingerprint, curl string) {
		fmt.Fprintf(stdout, "serving %s\n", url)
		if fingerprint != "" {
			fmt.Fprintf(stdout, "development certificate, SHA-256 %s\n", fingerprint)
		}
		fmt.Fprintf(stdout, "try:\n")
		fmt.Fprintf(stdout, "  curl -i %s %s/hello\n", curl, url)
		fmt.Fprintf(stdout, "  curl -v %s %s/trailers\n", curl, url)
		fmt.Fprintf(stdout, "  curl -v %s %s/reset/CANCEL\n", curl, url)
	})
}

// newServer returns a server of the routes by a kind of handler.
func newServer(kind string, config nonet.Config, c *tls.Config) (server, error) {
	config.Prepared = routes.Prepared
	switch kind {
	case "stream":
		return &nonet.Server{Handler: routes.Stream, TLSConfig: c, Config: config}, nil
	case "inline":
		return &nonet.Server{Inline: routes.Inline, TLSConfig: c, Config: config}, nil
	case "nethttp":
		return &nethttp.Server{Handler: routes.HTTP, TLSConfig: c, Config: config}, nil
	}
	return nil, fmt.Errorf("serve: unknown handler %q; it is stream, inline or nethttp", kind)
}
