//go:build unix

package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is a scripted client: x/net's Framer on a socket.
type peer struct {
	*http2.Framer
	t    *testing.T
	nc   net.Conn
	sent bytes.Buffer // what was written after the preface
	got  []string     // every frame that came, as traced
}

// dial connects, sends the preface, and reads the server's SETTINGS.
func dial(t *testing.T, addr string, cleartext bool) *peer {
	t.Helper()
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(patience))
	if !cleartext {
		nc = tls.Client(nc, clientTLS())
	}
	t.Cleanup(func() { nc.Close() })
	p := &peer{t: t, nc: nc}
	if _, err := io.WriteString(nc, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	p.Framer = http2.NewFramer(io.MultiWriter(nc, &p.sent), nc)
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.check(p.WriteSettings())
	return p
}

func (p *peer) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// request sends the HEADERS of a request on stream 1.
func (p *peer) request(method, path string, end bool) {
	p.t.Helper()
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "localhost"}} {
		p.check(enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
	}
	p.check(p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: end, EndHeaders: true}))
}

// next returns the next frame as text. SETTINGS and PING are answered;
// SETTINGS and WINDOW_UPDATE are not returned.
func (p *peer) next() string {
	p.t.Helper()
	for {
		f, err := p.ReadFrame()
		if err == io.EOF {
			p.nc.Close() // the server lingers for it
			return "EOF"
		}
		p.check(err)
		p.got = append(p.got, traced(f.Header()))
		end := ""
		switch f.Header().Type {
		case http2.FrameData, http2.FrameHeaders:
			if f.Header().Flags.Has(http2.FlagDataEndStream) { // the same bit for HEADERS
				end = " END_STREAM"
			}
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				p.check(p.WriteSettingsAck())
			}
		case *http2.WindowUpdateFrame:
		case *http2.PingFrame:
			if f.IsAck() {
				return "PING ACK"
			}
			p.check(p.WritePing(true, f.Data))
			return "PING"
		case *http2.GoAwayFrame:
			return fmt.Sprintf("GOAWAY %d %v", f.LastStreamID, f.ErrCode)
		case *http2.DataFrame:
			return fmt.Sprintf("DATA %d %q%s", f.StreamID, f.Data(), end)
		case *http2.MetaHeadersFrame:
			first := f.Fields[0]
			return fmt.Sprintf("HEADERS %d %s=%s%s", f.StreamID, first.Name, first.Value, end)
		default:
			return f.Header().String()
		}
	}
}

// want wants these frames next, as [peer.next] writes them.
func (p *peer) want(frames ...string) {
	p.t.Helper()
	for _, want := range frames {
		if got := p.next(); got != want {
			p.t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// traced is how the program's line about a frame begins.
func traced(h http2.FrameHeader) string {
	return fmt.Sprintf("%v stream=%d len=%d", h.Type, h.StreamID, h.Length)
}

func (p *program) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// TestDrain: a request that runs when the signal comes is finished, between
// two GOAWAYs (RFC 9113 section 6.8).
func TestDrain(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, args := range []string{"-handler stream", "-handler inline", "-handler nethttp", "-h2c -handler stream", "-h2c -handler inline", "-h2c -handler nethttp"} {
			t.Run(fmt.Sprintf("%v/%s", sig, args), func(t *testing.T) {
				t.Parallel()
				nonet, addr, _ := serving(t, strings.Fields(args)...)
				p := dial(t, addr, strings.Contains(args, "-h2c"))
				p.request("POST", "/echo", false)
				p.want("HEADERS 1 :status=200")
				p.check(p.WriteData(1, false, []byte("half")))
				p.want(`DATA 1 "half"`)
				nonet.signal(sig)
				p.want("GOAWAY 2147483647 NO_ERROR", "PING", "GOAWAY 1 NO_ERROR")
				p.check(p.WriteData(1, true, []byte("rest")))
				p.want(`DATA 1 "rest"`, "HEADERS 1 x-echo-bytes=8 END_STREAM", "EOF")
				if stdout := nonet.wantExit(); stdout != "" {
					t.Errorf("stdout %q after the greeting", stdout)
				}
			})
		}
	}
}

// TestDrainIdle: nothing runs; the signal ends the program.
func TestDrainIdle(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			nonet, _, _ := serving(t)
			nonet.signal(sig)
			nonet.wantExit()
		})
	}
}

// TestSecondSignal: the program does not wait for what runs after a second
// signal.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	nonet, addr, _ := serving(t, "-h2c")
	p := dial(t, addr, true)
	p.request("POST", "/echo", false)
	p.want("HEADERS 1 :status=200")
	nonet.signal(syscall.SIGINT)
	p.want("GOAWAY 2147483647 NO_ERROR", "PING", "GOAWAY 1 NO_ERROR")
	nonet.signal(syscall.SIGTERM)
	_, _, stderr := nonet.exit()
	ws, ok := nonet.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() || ws.Signal() != syscall.SIGTERM || stderr != "" {
		t.Errorf("%v, stderr %q; want the end by SIGTERM and nothing", nonet.cmd.ProcessState, stderr)
	}
}

// TestVerbose: -v prints a line for every frame, in both directions, and an
// indented one for every field.
func TestVerbose(t *testing.T) {
	for _, args := range []string{"-v -max-streams 7", "-v -max-streams 7 -h2c"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			nonet, addr, _ := serving(t, strings.Fields(args)...)
			p := dial(t, addr, strings.Contains(args, "-h2c"))
			p.request("GET", "/hello", true)
			p.want("HEADERS 1 :status=200", `DATA 1 "hello world\n" END_STREAM`)
			p.check(p.WritePing(false, [8]byte{1}))
			p.want("PING ACK")
			nonet.signal(syscall.SIGTERM)
			p.want("GOAWAY 2147483647 NO_ERROR", "PING", "GOAWAY 1 NO_ERROR", "EOF")
			stdout := nonet.wantExit()

			var sent []string
			for fr := http2.NewFramer(nil, &p.sent); p.sent.Len() > 0; {
				f, err := fr.ReadFrame()
				p.check(err)
				sent = append(sent, traced(f.Header()))
			}
			compare(t, "recv", frameLines(stdout, "recv"), sent)
			compare(t, "send", frameLines(stdout, "send"), p.got)
			for _, want := range []string{
				"recv     :path: /hello\n", "send     :status: 200\n", "send     content-length: 12\n",
				" MAX_CONCURRENT_STREAMS=7", " last=2147483647 code=NO_ERROR\n", " last=1 code=NO_ERROR\n",
				"len=12 flags=END_STREAM\n",
			} {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in\n%s", want, stdout)
				}
			}
		})
	}
}

// frameLines returns what the lines of a direction say about frames: type,
// stream and length. Every line has the time, the connection's number and the
// direction before that.
func frameLines(stdout, direction string) (lines []string) {
	for line := range strings.Lines(stdout) {
		_, text, ok := strings.Cut(line, "] conn 1 "+direction+" ")
		if !ok || strings.HasPrefix(text, " ") { // a field
			continue
		}
		words := strings.Fields(text)
		lines = append(lines, strings.Join(words[:min(3, len(words))], " "))
	}
	return lines
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: printed\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
