package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
)

// TestAcceptanceSupportsTrailers: by version, method and status.
func TestAcceptanceSupportsTrailers(t *testing.T) {
	for _, tr := range transports {
		for _, tt := range []struct {
			proto, method string
			status        int
			want          bool
		}{
			{"HTTP/2", "GET", 200, true},
			{"HTTP/2", "POST", 404, true},
			{"HTTP/2", "HEAD", 200, false},
			{"HTTP/2", "GET", 204, false},
			{"HTTP/2", "GET", 304, false},
			{"HTTP/1.1", "GET", 200, true},
			{"HTTP/1.1", "POST", 404, true},
			{"HTTP/1.1", "HEAD", 200, false},
			{"HTTP/1.1", "GET", 204, false},
			{"HTTP/1.1", "GET", 304, false},
			{"HTTP/1.0", "GET", 200, false},
		} {
			t.Run(fmt.Sprintf("%s/%s %s %d", tr, tt.proto, tt.method, tt.status), func(t *testing.T) {
				t.Parallel()
				got := make(chan bool, 1)
				appended := make(chan error, 1)
				srv := start(t, tr, &nonet.Server{Handler: func(s nonet.Stream) {
					s.SetStatus(tt.status)
					got <- s.SupportsTrailers()
					if err := s.DeclareTrailer("x-a"); (err == nil) != tt.want {
						t.Errorf("DeclareTrailer: %v", err)
					}
					appended <- s.AppendTrailer("x-a", "1")
				}})
				nc, err := srv.dial(t, nil, map[bool]string{true: "h2", false: "http/1.1"}[tt.proto == "HTTP/2"])
				if err != nil {
					t.Fatal(err)
				}
				if tt.proto == "HTTP/2" {
					p := speak(t, nc)
					p.request(1, tt.method, "/", true)
					p.untilOver(1)
				} else {
					fmt.Fprintf(nc, "%s / %s\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", tt.method, tt.proto)
				}
				if got := eventually(t, "the handler", got); got != tt.want {
					t.Errorf("SupportsTrailers() = %t, want %t", got, tt.want)
				}
				err = eventually(t, "the handler", appended)
				if tt.want && err != nil || !tt.want && !errors.Is(err, nonet.ErrTrailersNotSupported) {
					t.Errorf("AppendTrailer: %v", err)
				}
			})
		}
	}
}

// TestAcceptanceHTTP11Trailers: chunked, when they were declared or the client
// sent "TE: trailers".
func TestAcceptanceHTTP11Trailers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		te      string
		declare bool
		want    string // x-a in the trailers
	}{
		{"declared", "", true, "1"},
		{"TE: trailers", "TE: trailers\r\nConnection: TE\r\n", false, "1"},
		{"neither", "", false, ""},
	} {
		for _, tr := range transports {
			t.Run(tt.name+"/"+string(tr), func(t *testing.T) {
				t.Parallel()
				srv := start(t, tr, &nonet.Server{Handler: func(s nonet.Stream) {
					if tt.declare {
						s.DeclareTrailer("x-a")
					}
					s.WriteString("body")
					err := s.AppendTrailer("x-a", "1")
					if tt.want != "" && err != nil {
						t.Errorf("AppendTrailer: %v", err)
					}
				}})
				nc, err := srv.dial(t, nil, "http/1.1")
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(nc, "GET / HTTP/1.1\r\nHost: localhost\r\n"+tt.te+"\r\n")
				resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil || string(body) != "body" {
					t.Errorf("body %q, %v", body, err)
				}
				if got := resp.Trailer.Get("x-a"); got != tt.want {
					t.Errorf("trailer x-a = %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// TestAcceptanceHTTP11Reset: there is no frame for it. Abort closes the
// connection, so that half an answer can't pass for a whole one.
func TestAcceptanceHTTP11Reset(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			reset := make(chan error, 1)
			srv := start(t, tr, &nonet.Server{Handler: func(s nonet.Stream) {
				reset <- s.Reset(frame.Cancel)
				s.WriteString("half")
				s.Flush()
				s.Abort()
			}})
			nc, err := srv.dial(t, nil, "http/1.1")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(nc, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
			if err := eventually(t, "Reset", reset); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("Reset on HTTP/1.1: %v, want errors.ErrUnsupported", err)
			}
			text, _ := io.ReadAll(nc) // to the end of the connection, however it ends
			if strings.HasSuffix(string(text), "0\r\n\r\n") {
				t.Errorf("the aborted response is complete: %q", text)
			}
		})
	}
}

// TestAcceptancePeerResets: the handler learns the code at once, wherever it
// blocks.
func TestAcceptancePeerResets(t *testing.T) {
	wait := map[string]func(s nonet.Stream) error{
		"in Read": func(s nonet.Stream) error {
			_, err := s.Read(make([]byte, 1))
			return err
		},
		"in Write": func(s nonet.Stream) error {
			for {
				if _, err := s.Write(make([]byte, 10000)); err != nil {
					return err
				}
			}
		},
		"on the context": func(s nonet.Stream) error {
			<-s.Context().Done()
			return cause(s)
		},
	}
	for _, tr := range transports {
		for name, wait := range wait {
			t.Run(name+"/"+string(tr), func(t *testing.T) {
				t.Parallel()
				type result struct{ waited, read, write, cause error }
				got := make(chan result, 1)
				entered := make(chan struct{})
				srv := start(t, tr, &nonet.Server{Handler: func(s nonet.Stream) {
					close(entered)
					var r result
					r.waited = wait(s)
					_, r.read = s.Read(make([]byte, 1))
					_, r.write = s.WriteString("more")
					r.cause = cause(s)
					got <- r
				}})
				p := connect(t, srv)
				p.request(1, "POST", "/", false)
				eventually(t, "the handler's start", entered)
				p.alive()
				p.sent(p.fr.WriteRSTStream(1, 1111))
				r := eventually(t, "the handler's wake-up", got)
				for what, err := range map[string]error{
					"where it waited": r.waited, "Read": r.read, "Write": r.write, "context cause": r.cause,
				} {
					if !same(err, peerReset) {
						t.Errorf("%s: %v, want the peer's reset with 1111", what, err)
					}
				}
				p.alive()
			})
		}
	}
}

// TestAcceptanceResetReturnsCredit: request octets that nobody read go back to
// the connection's window. Without that, the client would run out of credit.
func TestAcceptanceResetReturnsCredit(t *testing.T) {
	for _, tr := range transports {
		t.Run(string(tr), func(t *testing.T) {
			t.Parallel()
			goon := make(chan struct{})
			srv := start(t, tr, &nonet.Server{Handler: func(s nonet.Stream) {
				<-goon
				s.Reset(1111)
			}})
			p := connect(t, srv)
			body := strings.Repeat("x", 60000)
			for id := uint32(1); id < 2*60; id += 2 {
				p.request(id, "POST", "/", false)
				p.data(id, body, false)
				goon <- struct{}{}
				p.untilOver(id)
				if diff := cmp.Diff([]string{"RST_STREAM unknown error code 0x457"}, p.lines[id]); diff != "" {
					t.Fatalf("frames on stream %d (-want +got):\n%s", id, diff)
				}
			}
			p.alive()
		})
	}
}
