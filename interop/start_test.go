package interop

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet"
)

// protocolHandler answers with the protocol that the handler sees.
func protocolHandler(s nonet.Stream) { s.WriteString(s.Protocol()) }

// get11 sends a GET request as HTTP/1.1 and returns the content of the answer.
func get11(t *testing.T, nc net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || resp.Proto != "HTTP/1.1" {
		t.Fatalf("%s %d %q, %v", resp.Proto, resp.StatusCode, body, err)
	}
	return string(body)
}

// get2 sends a GET request as HTTP/2 and returns the content of the answer.
func get2(t *testing.T, nc net.Conn) string {
	t.Helper()
	p := speak(t, nc)
	p.request(1, "GET", "/", true)
	p.untilOver(1)
	lines := p.lines[1]
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "HEADERS 200") {
		t.Fatalf("frames %q", lines)
	}
	return strings.TrimSuffix(strings.TrimPrefix(lines[1], `DATA "`), `" END_STREAM`)
}

// TestAcceptanceProtocol: HTTP/2 by ALPN, or by prior knowledge on cleartext;
// HTTP/1.1 for everybody else, on the same port, with the same handler.
func TestAcceptanceProtocol(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tr     transport
		offers []string
		want   string
	}{
		{"ALPN h2 and http/1.1", overTLS, []string{"h2", "http/1.1"}, "HTTP/2"},
		{"ALPN http/1.1 and h2", overTLS, []string{"http/1.1", "h2"}, "HTTP/2"},
		{"ALPN h2", overTLS, []string{"h2"}, "HTTP/2"},
		{"ALPN http/1.1", overTLS, []string{"http/1.1"}, "HTTP/1.1"},
		{"no ALPN", overTLS, nil, "HTTP/1.1"},
		{"prior knowledge", overTCP, nil, "HTTP/2"},
		{"HTTP/1.1", overTCP, nil, "HTTP/1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, k := range native {
				s := &nonet.Server{Handler: protocolHandler}
				if k == inlineKind {
					s = &nonet.Server{Inline: protocolHandler}
				}
				srv := start(t, tt.tr, s)
				nc, err := srv.dial(t, nil, tt.offers...)
				if err != nil {
					t.Fatal(err)
				}
				if tc, ok := nc.(*tls.Conn); ok && tt.want == "HTTP/2" && tc.ConnectionState().NegotiatedProtocol != "h2" {
					t.Fatalf("ALPN chose %q, want h2", tc.ConnectionState().NegotiatedProtocol)
				}
				get := get11
				if tt.want == "HTTP/2" {
					get = get2
				}
				if got := get(t, nc); got != tt.want {
					t.Errorf("%s handler: Protocol() = %q, want %q", k, got, tt.want)
				}
			}
		})
	}
}

// TestRFC9113_3_4_PrefaceInPieces: the preface may be cut anywhere.
func TestRFC9113_3_4_PrefaceInPieces(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			srv := start(t, tr, &nonet.Server{Handler: protocolHandler})
			nc, err := srv.dial(t, nil, "h2")
			if err != nil {
				t.Fatal(err)
			}
			if got := get2(t, pieces{nc}); got != "HTTP/2" {
				t.Errorf("Protocol() = %q", got)
			}
		})
	}
}

// pieces writes one octet at a time.
type pieces struct{ net.Conn }

func (c pieces) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		_, err = c.Conn.Write(p[n : n+1])
		n++
	}
	return n, err
}

// TestRFC9113_9_2_OldTLS: TLS 1.1 fails in the handshake.
func TestRFC9113_9_2_OldTLS(t *testing.T) {
	srv := start(t, overTLS, &nonet.Server{Handler: protocolHandler})
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if _, err := srv.dial(t, limit(version), "h2", "http/1.1"); err == nil {
			t.Errorf("a client of %s is accepted", tls.VersionName(version))
		}
	}
}

// TestRFC9113_9_2_2_ProhibitedSuite: HTTP/2 over TLS 1.2 with a prohibited
// suite ends with INADEQUATE_SECURITY; HTTP/1.1 may use it.
func TestRFC9113_9_2_2_ProhibitedSuite(t *testing.T) {
	srv := start(t, overTLS, &nonet.Server{Handler: protocolHandler})
	good := limit(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
	bad := limit(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)

	nc, err := srv.dial(t, good, "h2")
	if err != nil {
		t.Fatal(err)
	}
	if got := get2(t, nc); got != "HTTP/2" {
		t.Errorf("TLS 1.2 with an allowed suite: Protocol() = %q", got)
	}
	if nc, err = srv.dial(t, bad, "http/1.1"); err != nil {
		t.Fatal(err)
	}
	if got := get11(t, nc); got != "HTTP/1.1" {
		t.Errorf("HTTP/1.1 with a suite that is prohibited for HTTP/2: Protocol() = %q", got)
	}
	if nc, err = srv.dial(t, bad, "h2", "http/1.1"); err != nil {
		t.Fatal(err)
	}
	p := speak(t, nc)
	p.request(1, "GET", "/", true)
	p.rest()
	if got := strings.Join(p.lines[0], ", "); got != "GOAWAY INADEQUATE_SECURITY last=0" {
		t.Errorf("TLS 1.2 with a prohibited suite: %s, want GOAWAY INADEQUATE_SECURITY last=0", got)
	}
	if len(p.lines[1]) > 0 {
		t.Errorf("stream 1 was served: %q", p.lines[1])
	}
}

// TestUpgradeIsNotHonoured: RFC 9113 removed "Upgrade: h2c"; the request is
// answered as HTTP/1.1.
func TestUpgradeIsNotHonoured(t *testing.T) {
	srv := start(t, overTCP, &nonet.Server{Handler: protocolHandler})
	nc, err := srv.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"+
		"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Proto != "HTTP/1.1" {
		t.Errorf("%s %d, want HTTP/1.1 200", resp.Proto, resp.StatusCode)
	}
}
