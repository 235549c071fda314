package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/nonet-h2/nonet/nethttp"
	"github.com/nonet-h2/nonet/proxy"
)

// forward runs "nonet proxy".
func forward(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("proxy", flag.ContinueOnError)
	l := listenFlags(fs)
	to := fs.String("to", "", "`URL` of the application, http://HOST:PORT; it is asked in HTTP/1.1")
	hosts := fs.String("host", "", "`names` to answer for, separated by commas; others get 421. Default: any")
	timeout := fs.Duration("timeout", 0, "how long the application may take to begin its response; 0: the default, 60s; negative: for ever")
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	if err := l.check(); err != nil {
		return err
	}
	if *to == "" {
		return usageError{errors.New("proxy: -to is missing; it says where the application is, http://HOST:PORT")}
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	pc := proxy.Config{Backend: *to, ResponseTimeout: *timeout, Logger: logger}
	if *hosts != "" {
		for name := range strings.SplitSeq(*hosts, ",") {
			pc.Hosts = append(pc.Hosts, strings.TrimSpace(name))
		}
	}
	h, err := proxy.New(pc)
	if err != nil {
		return usageError{err}
	}
	defer h.CloseIdleConnections()
	c := new(tls.Config)
	srv := &nethttp.Server{Handler: h, TLSConfig: c, Config: l.config(stdout, logger)}
	return l.run(ctx, srv, c, func(url, fingerprint, curl string) {
		fmt.Fprintf(stdout, "serving %s\n", url)
		fmt.Fprintf(stdout, "forwarding to %s in HTTP/1.1\n", *to)
		if fingerprint != "" {
			fmt.Fprintf(stdout, "development certificate, SHA-256 %s\n", fingerprint)
		}
		fmt.Fprintf(stdout, "try:\n")
		fmt.Fprintf(stdout, "  curl -i %s %s/\n", curl, url)
	})
}
