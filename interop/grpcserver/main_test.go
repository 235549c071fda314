package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/testdata"

	"github.com/nonet-h2/nonet/interop/host"
)

// cases are those of grpc-go's client that need no cloud: what its own
// interop_test.sh runs.
var cases = []string{
	"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
	"timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response",
	"status_code_and_message", "special_status_message", "custom_metadata",
	"unimplemented_method", "unimplemented_service", "orca_per_rpc", "orca_oob", "rpc_soak", "channel_soak",
}

// orcaBalancer makes the client ask for the metrics of the orca cases.
const orcaBalancer = `{"loadBalancingConfig": [{"test_backend_metrics_load_balancer": {}}]}`

// TestInterop runs grpc-go's client against the server, both as programs. All
// cases of a run are in flight at once. NONET_RUNS says how often they run.
func TestInterop(t *testing.T) {
	runs := host.Runs(t)
	server, client := build(t)
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		args := []string{"-addr", "127.0.0.1:0", "-orca", "-host", string(k)}
		if !overTLS {
			args = append(args, "-h2c")
		}
		port := startServer(t, server, args...)
		for run := 1; run <= runs; run++ {
			t.Run(fmt.Sprint(run), func(t *testing.T) {
				for _, name := range cases {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						runCase(t, client, port, overTLS, name)
					})
				}
			})
		}
	})
}

// build builds both programs, the server with the flags of this test: with the
// race detector, for instance.
func build(t *testing.T) (server, client string) {
	t.Helper()
	dir := t.TempDir()
	server, client = filepath.Join(dir, "server"), filepath.Join(dir, "client")
	var flags []string
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" || s.Key == "-tags" {
			flags = append(flags, s.Key+"="+s.Value)
		}
	}
	for _, args := range [][]string{
		append(append([]string{"build", "-o", server}, flags...), "."),
		{"build", "-o", client, "google.golang.org/grpc/interop/client"},
	} {
		if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return server, client
}

// startServer starts the program and returns its port. When the test ends, the
// server is interrupted and has to end without an error.
func startServer(t *testing.T, program string, args ...string) (port string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's output:\n%s", stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server says %q, %v", line, err)
	}
	_, port, err = net.SplitHostPort(strings.TrimSpace(strings.TrimPrefix(line, "listening on ")))
	if err != nil {
		t.Fatalf("the server says %q: %v", line, err)
	}
	return port
}

// runCase runs one case of the client, which exits with 0 when it passed.
func runCase(t *testing.T, client, port string, overTLS bool, name string) {
	t.Helper()
	args := []string{"--server_host=127.0.0.1", "--server_port=" + port, "--test_case=" + name}
	if overTLS {
		args = append(args, "--use_tls", "--use_test_ca", "--ca_file="+testdata.Path("ca.pem"), "--server_host_override=foo.test.google.fr")
	}
	if strings.HasPrefix(name, "orca_") {
		args = append(args, "--service_config_json="+orcaBalancer)
	}
	if strings.HasSuffix(name, "_soak") {
		args = append(args, "--soak_iterations=30", "--soak_num_threads=5",
			"--soak_per_iteration_max_acceptable_latency_ms=30000", "--soak_overall_timeout_seconds=60")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*host.Patience)
	defer cancel()
	for try := 1; ; try++ {
		out, err := exec.CommandContext(ctx, client, args...).CombinedOutput()
		if err == nil {
			return
		}
		// The client ends its request after it cancelled it. On a busy machine
		// both leave in the wrong order, and any server may have answered.
		if name == "cancel_after_begin" && bytes.Contains(out, []byte("CloseAndRecv() got error code 0, want 1")) && try < 10 {
			continue
		}
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
