package interop

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is a client that speaks in frames. It judges nothing by itself: what
// the server sends on a stream is kept as lines, in order, to be compared:
//
//	HEADERS 200 content-type=text/plain     a header section; date is left out
//	DATA "text" END_STREAM                  frames without a line between them are one
//	TRAILERS x-a=1 END_STREAM               a header section without :status
//	RST_STREAM CANCEL
//	GOAWAY NO_ERROR last=1                  on stream 0
type peer struct {
	t   *testing.T
	nc  net.Conn
	fr  *http2.Framer
	enc *hpack.Encoder
	buf bytes.Buffer

	lines  map[uint32][]string
	credit map[uint32]int64 // what the peer may send, by stream; 0: the connection
	window int64            // what a new stream may be sent
	acked  [8]byte          // of the last PING that was acknowledged
	ended  error            // why reading ended
}

// connect dials the server and exchanges prefaces with it.
func connect(t *testing.T, s *server, settings ...http2.Setting) *peer {
	t.Helper()
	nc, err := s.dial(t, nil, "h2")
	if err != nil {
		t.Fatal(err)
	}
	return speak(t, nc, settings...)
}

// speak starts HTTP/2 on a connection.
func speak(t *testing.T, nc net.Conn, settings ...http2.Setting) *peer {
	t.Helper()
	p := &peer{
		t: t, nc: nc, fr: http2.NewFramer(nc, nc),
		lines:  make(map[uint32][]string),
		credit: map[uint32]int64{0: 65535},
		window: 65535,
	}
	p.enc = hpack.NewEncoder(&p.buf)
	p.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.fr.SetMaxReadFrameSize(16384)
	if _, err := io.WriteString(nc, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	p.sent(p.fr.WriteSettings(settings...))
	return p
}

func (p *peer) sent(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("the peer could not send: %v", err)
	}
}

// request sends a request's header section. fields are "name=value" and may
// replace the pseudo-header fields.
func (p *peer) request(id uint32, method, path string, end bool, fields ...string) {
	p.t.Helper()
	p.headers(id, end, append([]string{":method=" + method, ":scheme=https", ":path=" + path, ":authority=localhost"}, fields...)...)
	p.credit[id] = p.window
}

func (p *peer) headers(id uint32, end bool, fields ...string) {
	p.t.Helper()
	p.buf.Reset()
	for _, f := range fields {
		i := strings.Index(f[1:], "=") + 1 // a pseudo-header field's name has no "="
		p.enc.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+1:]})
	}
	p.sent(p.fr.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: p.buf.Bytes(), EndStream: end, EndHeaders: true,
	}))
}

// data sends content, waiting for credit as a client must.
func (p *peer) data(id uint32, content string, end bool) {
	p.t.Helper()
	for len(content) > 0 {
		n := min(int64(len(content)), p.credit[0], p.credit[id], 16384)
		if n <= 0 {
			if !p.read() {
				p.t.Fatalf("no credit to send on stream %d: connection %d, stream %d; ended with %v",
					id, p.credit[0], p.credit[id], p.ended)
			}
			continue
		}
		p.credit[0] -= n
		p.credit[id] -= n
		p.sent(p.fr.WriteData(id, end && n == int64(len(content)), []byte(content[:n])))
		content = content[n:]
	}
}

// end sends an empty DATA frame with END_STREAM.
func (p *peer) end(id uint32) {
	p.t.Helper()
	p.sent(p.fr.WriteData(id, true, nil))
}

// read reads a frame, notes what it says and answers it. False: there is no
// more.
func (p *peer) read() bool {
	p.t.Helper()
	f, err := p.fr.ReadFrame()
	if err != nil {
		p.ended = err
		return false
	}
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			break
		}
		if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
			for id := range p.credit {
				if id != 0 {
					p.credit[id] += int64(v) - p.window
				}
			}
			p.window = int64(v)
		}
		p.sent(p.fr.WriteSettingsAck())
	case *http2.PingFrame:
		if f.IsAck() {
			p.acked = f.Data
			break
		}
		p.sent(p.fr.WritePing(true, f.Data))
	case *http2.WindowUpdateFrame:
		p.credit[id] += int64(f.Increment)
	case *http2.MetaHeadersFrame:
		p.note(id, section(f))
	case *http2.DataFrame:
		p.noteData(id, f)
	case *http2.RSTStreamFrame:
		p.note(id, "RST_STREAM "+f.ErrCode.String())
	case *http2.GoAwayFrame:
		p.note(0, fmt.Sprintf("GOAWAY %s last=%d", f.ErrCode, f.LastStreamID))
	default:
		p.note(id, f.Header().String())
	}
	return true
}

func (p *peer) note(id uint32, line string) { p.lines[id] = append(p.lines[id], line) }

// noteData notes a DATA frame, joined with the one before.
func (p *peer) noteData(id uint32, f *http2.DataFrame) {
	text := strconv.Quote(string(f.Data()))
	lines := p.lines[id]
	if n := len(lines); n > 0 && strings.HasPrefix(lines[n-1], `DATA "`) && strings.HasSuffix(lines[n-1], `"`) {
		lines[n-1] = strings.TrimSuffix(lines[n-1], `"`) + text[1:]
	} else {
		lines = append(lines, "DATA "+text)
	}
	if f.StreamEnded() {
		lines[len(lines)-1] += " END_STREAM"
	}
	p.lines[id] = lines
}

// section is the line of a header section.
func section(f *http2.MetaHeadersFrame) string {
	line := "TRAILERS"
	if status := f.PseudoValue("status"); status != "" {
		line = "HEADERS " + status
	}
	for _, field := range f.RegularFields() {
		switch value := field.Value; {
		case field.Name == "date" && line != "TRAILERS":
		case len(value) > 100:
			line += fmt.Sprintf(" %s=<%d octets>", field.Name, len(value))
		default:
			line += " " + field.Name + "=" + value
		}
	}
	if f.StreamEnded() {
		line += " END_STREAM"
	}
	return line
}

// until reads until the lines of a stream satisfy a condition.
func (p *peer) until(id uint32, what string, ok func(lines []string) bool) {
	p.t.Helper()
	for !ok(p.lines[id]) {
		if !p.read() {
			p.t.Fatalf("stream %d: waiting for %s: %v; got %q, and on the connection %q",
				id, what, p.ended, p.lines[id], p.lines[0])
		}
	}
}

// untilLine reads until the last line of a stream begins with this.
func (p *peer) untilLine(id uint32, prefix string) {
	p.t.Helper()
	p.until(id, prefix, func(lines []string) bool {
		return len(lines) > 0 && strings.HasPrefix(lines[len(lines)-1], prefix)
	})
}

// untilOver reads until the server has ended a stream.
func (p *peer) untilOver(id uint32) {
	p.t.Helper()
	p.until(id, "its end", func(lines []string) bool {
		if len(lines) == 0 {
			return false
		}
		last := lines[len(lines)-1]
		return strings.HasSuffix(last, " END_STREAM") || strings.HasPrefix(last, "RST_STREAM ")
	})
}

// alive proves that the connection goes on: a PING comes back.
func (p *peer) alive() {
	p.t.Helper()
	want := [8]byte{'a', 'l', 'i', 'v', 'e', p.acked[5] + 1}
	p.sent(p.fr.WritePing(false, want))
	for p.acked != want {
		if !p.read() {
			p.t.Fatalf("waiting for the acknowledgement of a PING: %v; got %q on the connection", p.ended, p.lines[0])
		}
	}
}

// rest reads everything the server still sends, which must end with a clean
// close of the connection, and closes it too.
func (p *peer) rest() {
	p.t.Helper()
	for p.read() {
	}
	if p.ended != io.EOF {
		p.t.Errorf("the connection ended with %v, want a clean close", p.ended)
	}
	p.nc.Close()
}

// restAtShutdown is rest while the server drains its connections.
func (p *peer) restAtShutdown(srv *server) {
	p.t.Helper()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		srv.shutdown(p.t)
	}()
	p.rest()
	<-drained
}

// eventually waits for a channel, which some handler closes or sends on.
func eventually[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s: nothing happened", what)
	}
	return v
}

// limit restricts a client to versions up to this one, and to these suites of TLS 1.2.
func limit(version uint16, suites ...uint16) func(*tls.Config) {
	return func(c *tls.Config) {
		c.MinVersion, c.MaxVersion = min(version, tls.VersionTLS12), version
		c.CipherSuites = suites
	}
}
