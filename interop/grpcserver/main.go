// Command grpcserver is the server of gRPC's interoperability tests on nonet:
// the test service of grpc-go on a grpc.Server, which is served as an
// http.Handler.
//
//	grpcserver -addr 127.0.0.1:10000 -h2c
//	go tool client --server_host=127.0.0.1 --server_port=10000 --test_case=large_unary
//
// Without -h2c it serves TLS with the certificate that grpc-go ships for tests;
// its client then needs
//
//	--use_tls --use_test_ca --server_host_override=foo.test.google.fr
//
// An interrupt stops it when the calls that run have ended.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/orca"
	"google.golang.org/grpc/testdata"

	orcagrpc "github.com/cncf/xds/go/xds/service/orca/v3"

	"github.com/nonet-h2/nonet/interop/host"
)

// drainTime bounds how long calls may take after a signal.
const drainTime = 30 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:10000", "`address` to listen on")
	h2c := flag.Bool("h2c", false, "serve cleartext HTTP/2, by prior knowledge")
	kind := flag.String("host", string(host.Nonet), "what serves: nonet, configured (net/http's server with nonet in it) or net/http")
	withORCA := flag.Bool("orca", false, "report the metrics of the cases orca_per_rpc and orca_oob")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "grpcserver: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *h2c, host.Kind(*kind), newServer(*withORCA)); err != nil {
		fmt.Fprintf(os.Stderr, "grpcserver: %v\n", err)
		os.Exit(1)
	}
}

// newServer is the grpc.Server with grpc-go's test service.
func newServer(withORCA bool) *grpc.Server {
	if !withORCA {
		s := grpc.NewServer()
		testgrpc.RegisterTestServiceServer(s, interop.NewTestServer())
		return s
	}
	recorder := orca.NewServerMetricsRecorder()
	s := grpc.NewServer(orca.CallMetricsServerOption(nil))
	testgrpc.RegisterTestServiceServer(s, interop.NewTestServer(interop.NewTestServerOptions{MetricsRecorder: recorder}))
	orcagrpc.RegisterOpenRcaServiceServer(s, &loadReports{provider: recorder})
	return s
}

// run serves h until ctx is done, and then until its calls have ended.
func run(ctx context.Context, addr string, h2c bool, kind host.Kind, h http.Handler) error {
	var config *tls.Config
	if !h2c {
		cert, err := tls.LoadX509KeyPair(testdata.Path("server1.pem"), testdata.Path("server1.key"))
		if err != nil {
			return err
		}
		config = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	srv, err := host.New(kind, h, config, log.New(os.Stderr, "grpcserver: ", 0))
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on %s\n", ln.Addr())
	done := make(chan error, 1)
	go func() {
		if h2c {
			done <- srv.Serve(ln)
		} else {
			done <- srv.ServeTLS(ln, "", "")
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err = srv.Shutdown(drain)
	if serveErr := <-done; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
