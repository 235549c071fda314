package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	h2tls "github.com/nonet-h2/nonet/tls"
)

// The tests run the program as its users do: the test binary, told by this
// variable, is the program.
const isProgram = "NONET_TEST_PROGRAM"

// patience bounds how long a test waits for anything. Nothing that works
// comes close to it.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(isProgram) != "" {
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: noNames}
		main()
	}
	os.Exit(m.Run())
}

// noNames is a name server that knows no name: the program under test asks no
// other, whose answer may be slow or strange.
func noNames(context.Context, string, string) (net.Conn, error) {
	asker, server := net.Pipe()
	go func() {
		defer server.Close()
		for {
			// RFC 1035 4.2.2: over a stream, two octets of length come first.
			b := make([]byte, 2)
			if _, err := io.ReadFull(server, b); err != nil {
				return
			}
			m := make([]byte, binary.BigEndian.Uint16(b))
			if _, err := io.ReadFull(server, m); err != nil {
				return
			}
			// The answer is the question with QR, and RCODE 3: no such name.
			name := bytes.IndexByte(m[12:], 0)
			m = m[:12+name+1+4]
			m[2], m[3] = m[2]|0x80, 3
			copy(m[6:12], make([]byte, 6)) // and nothing else
			server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
		}
	}()
	return asker, nil
}

// program is a running nonet.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr bytes.Buffer // to be read after exit
}

// start starts nonet; it is killed when the test ends, or lasts too long.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith starts nonet with this standard input.
func startWith(t *testing.T, stdin io.Reader, args ...string) *program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p := &program{t: t, cmd: exec.CommandContext(ctx, exe, args...)}
	p.cmd.Env = append(os.Environ(), isProgram+"=1")
	p.cmd.Stdin, p.cmd.Stderr = stdin, &p.stderr
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReader(pipe)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		p.cmd.Wait()
	})
	return p
}

// line returns the next line that the program prints.
func (p *program) line() string {
	p.t.Helper()
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		status, _, stderr := p.exit()
		p.t.Fatalf("no further line after %q; status %d, stderr %q", line, status, stderr)
	}
	return strings.TrimSuffix(line, "\n")
}

// exit waits for the program's end and returns its status, -1 for a signal,
// and the rest of what it printed.
func (p *program) exit() (status int, stdout, stderr string) {
	p.t.Helper()
	rest, err := io.ReadAll(p.stdout)
	if err != nil {
		p.t.Errorf("stdout: %v", err)
	}
	p.cmd.Wait() // its error repeats the status
	return p.cmd.ProcessState.ExitCode(), string(rest), p.stderr.String()
}

// wantExit wants the program to end with status 0 and nothing on stderr, and
// returns the rest of what it printed.
func (p *program) wantExit() (stdout string) {
	p.t.Helper()
	status, stdout, stderr := p.exit()
	if status != 0 || stderr != "" {
		p.t.Errorf("status %d, stderr %q; want 0 and nothing", status, stderr)
	}
	return stdout
}

// files writes a development certificate and its key.
func files(t *testing.T) (certFile, keyFile string, der []byte) {
	t.Helper()
	cert, err := h2tls.Development()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	der = cert.Certificate[0]
	certFile = file(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	keyFile = file(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	return certFile, keyFile, der
}

// file writes a file into a directory of its own.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestErrors: what goes wrong is one line on stderr, and nothing on stdout.
func TestErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	taken := ln.Addr().String()
	certFile, keyFile, _ := files(t)
	_, otherKey, _ := files(t)
	text := file(t, "text", []byte("not PEM at all\n"))
	missing := filepath.Join(t.TempDir(), "missing.pem")
	octets := filepath.Join("testdata", "nghttp.client.bin")
	empty := file(t, "empty", nil)

	for _, tt := range []struct {
		name   string
		args   string // separated by blanks
		status int
		want   []string // parts of the line
	}{
		{"no command", "", 2, []string{"no command", "nonet help"}},
		{"unknown command", "sreve", 2, []string{`unknown command "sreve"`, "nonet help"}},
		{"a flag before the command", "-v serve", 2, []string{`unknown command "-v"`}},
		{"unknown flag", "serve -port", 2, []string{"-port", "nonet serve -h"}},
		{"unknown flag with a line feed", "serve -a\nb", 2, []string{"-a b", "nonet serve -h"}},
		{"flag without a value", "serve -addr", 2, []string{"-addr", "nonet serve -h"}},
		{"wrong value", "serve -max-streams -1", 2, []string{"-max-streams", `"-1"`}},
		{"argument", "serve :8443", 2, []string{`unexpected argument ":8443"`}},
		{"unknown handler", "serve -handler fast", 2, []string{`unknown handler "fast"`, "stream, inline or nethttp"}},
		{"cleartext with certificate", "serve -h2c -cert " + certFile + " -key " + keyFile, 2, []string{"-h2c", "-cert"}},
		{"cleartext with key", "serve -h2c -key " + keyFile, 2, []string{"-h2c", "-key"}},
		{"certificate without key", "serve -cert " + certFile, 2, []string{"-cert and -key go together"}},
		{"key without certificate", "serve -key " + keyFile, 2, []string{"-cert and -key go together"}},
		{"dump without a mode", "dump " + octets, 2, []string{"-hpack, -frames and -conn", "nonet dump -h"}},
		{"dump with two modes", "dump -hpack -frames " + octets, 2, []string{"one of -hpack, -frames and -conn"}},
		{"dump with an unknown flag", "dump -frame " + octets, 2, []string{"-frame", "nonet dump -h"}},
		{"dump of a missing file", "dump -frames " + missing, 2, []string{missing, "file does not exist"}},
		{"dump of two files", "dump -frames " + octets + " " + octets, 2, []string{"unexpected argument", octets}},
		{"dump of three files", "dump -conn " + octets + " " + octets + " more", 2, []string{`unexpected argument "more"`}},
		{"dump of an unknown kind", "dump -frames -in base64 " + octets, 2, []string{`"base64"`, "auto, hex or binary"}},
		{"dump with a huge table", "dump -hpack -table 65537 " + octets, 2, []string{"65537", "65536"}},
		{"dump with a wrong number", "dump -hpack -table x", 2, []string{"-table", `"x"`}},

		{"no application", "proxy", 2, []string{"-to is missing", "http://HOST:PORT"}},
		{"application by https", "proxy -to https://127.0.0.1:1", 2, []string{`"https://127.0.0.1:1"`, "is https", "cleartext"}},
		{"application by another scheme", "proxy -to ftp://127.0.0.1:1", 2, []string{`"ftp://127.0.0.1:1"`, "http://HOST:PORT"}},
		{"application without a scheme", "proxy -to 127.0.0.1:1", 2, []string{`"127.0.0.1:1"`, "http://HOST:PORT"}},
		{"application that is no URL", "proxy -to http://[::1", 2, []string{`"http://[::1"`, "not a URL", "missing ']'"}},
		{"application with a line feed", "proxy -to http://a\nb", 2, []string{"not a URL"}},
		{"application without a host", "proxy -to http://:80", 2, []string{`"http://:80"`, "no host"}},
		{"application without anything", "proxy -to http://", 2, []string{"no host"}},
		{"application with a bad port", "proxy -to http://a:66000", 2, []string{"no valid host and port"}},
		{"application with a path", "proxy -to http://a/b", 2, []string{"has a path"}},
		{"application with a query", "proxy -to http://a?b", 2, []string{"has a query"}},
		{"application with a fragment", "proxy -to http://a#b", 2, []string{"fragment"}},
		{"application with a user", "proxy -to http://u:p@a", 2, []string{"has a user"}},
		{"bad host", "proxy -to http://a -host a,b:80", 2, []string{`"b:80"`}},
		{"no host", "proxy -to http://a -host a,", 2, []string{`""`}},
		{"bad timeout", "proxy -to http://a -timeout 5", 2, []string{"-timeout", `"5"`}},
		{"proxy with an argument", "proxy http://a", 2, []string{`unexpected argument "http://a"`}},
		{"proxy, cleartext with certificate", "proxy -to http://a -h2c -cert x -key y", 2, []string{"proxy: -h2c", "-cert"}},
		{"proxy, certificate without key", "proxy -to http://a -cert x", 2, []string{"proxy: -cert and -key go together"}},
		{"proxy on a taken port", "proxy -to http://a -addr " + taken, 1, []string{"proxy: ", taken, "in use"}},
		{"proxy without its certificate", "proxy -to http://a -cert " + missing + " -key " + keyFile, 1, []string{"proxy: ", missing, "file does not exist"}},

		{"dump of an empty file", "dump -frames " + empty, 1, []string{empty, "is empty"}},
		{"dump of a directory", "dump -frames testdata", 1, []string{"testdata", "is a directory"}},
		{"dump of what is not hex", "dump -frames " + text, 1, []string{text, "line 1", `'n' is not a hex digit`}},
		{"taken port", "serve -addr " + taken, 1, []string{taken, "in use"}},
		{"taken port, cleartext", "serve -h2c -addr " + taken, 1, []string{taken, "in use"}},
		{"no such port", "serve -addr 127.0.0.1:65536", 1, []string{"65536", "invalid port"}},
		{"address without a port", "serve -addr 127.0.0.1", 1, []string{"127.0.0.1", "missing port"}},
		{"missing certificate", "serve -cert " + missing + " -key " + keyFile, 1, []string{missing, "file does not exist"}},
		{"missing key", "serve -cert " + certFile + " -key " + missing, 1, []string{missing, "file does not exist"}},
		{"certificate is not PEM", "serve -cert " + text + " -key " + keyFile, 1, []string{text, "not a PEM file"}},
		{"key is not PEM", "serve -cert " + certFile + " -key " + text, 1, []string{text, "not a PEM file"}},
		{"key of another certificate", "serve -cert " + certFile + " -key " + otherKey, 1, []string{certFile, otherKey, "does not match"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var args []string
			if tt.args != "" {
				args = strings.Split(tt.args, " ")
			}
			status, stdout, stderr := start(t, args...).exit()
			if status != tt.status || stdout != "" {
				t.Errorf("status %d, stdout %q; want %d and nothing", status, stdout, tt.status)
			}
			line, ok := strings.CutSuffix(stderr, "\n")
			if !ok || strings.Contains(line, "\n") || !strings.HasPrefix(line, "nonet: ") {
				t.Errorf("stderr %q, want one line that begins with the program's name", stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(line, want) {
					t.Errorf("stderr %q, want %q in it", stderr, want)
				}
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"dump -h", []string{"usage: nonet dump", "examples:", "| nonet dump -hpack\n", "-table octets\n", "-in kind\n", "-json\n", "  -v\t"}},
		{"help", []string{"nonet serve ", "nonet dump ", "nonet proxy ", `"nonet COMMAND -h"`}},
		{"-h", []string{"nonet serve "}},
		{"--help", []string{"nonet serve "}},
		{"serve -h", []string{"usage: nonet serve", "-addr address\n", "-cert file\n", "-key file\n", "-h2c\n",
			"-handler kind\n", "-max-streams uint\n", "-v\t", `"127.0.0.1:8443"`}},
		{"proxy -h", []string{"usage: nonet proxy", "-to URL\n", "-addr address\n", "-cert file\n", "-key file\n", "-h2c\n", "-host names\n", "-timeout duration\n",
			"-max-streams uint\n", "-v\t"}},
		{"serve --help", []string{"usage: nonet serve"}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			stdout := start(t, strings.Fields(tt.args)...).wantExit()
			for _, want := range tt.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("stdout %q, want %q in it", stdout, want)
				}
			}
		})
	}
}
