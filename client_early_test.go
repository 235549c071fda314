package nonet

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestRFC9113_8_1_EarlyAnswers: servers answer uploads without reading them,
// with RST_STREAM(NO_ERROR) behind END_STREAM. Each answer is whole, and the
// connection bears any number of them.
func TestRFC9113_8_1_EarlyAnswers(t *testing.T) {
	ours := &Server{Handler: func(s Stream) { s.WriteString("early") }}
	theirs := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "early")
	})}
	theirs.Protocols.SetUnencryptedHTTP2(true)
	for name, s := range map[string]interface {
		Serve(net.Listener) error
		Close() error
	}{"of ours": ours, "of net/http": theirs} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go s.Serve(l)
			defer s.Close()
			cc, err := Dial(t.Context(), "tcp", l.Addr().String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer cc.Close()
			var wg sync.WaitGroup
			for range 30 {
				wg.Go(func() {
					for range 100 {
						if b, err := answeredEarly(cc); err != nil || b != "early" {
							t.Errorf("%q %v", b, err)
							return
						}
					}
				})
			}
			wg.Wait()
			if s := cc.Snapshot(); s.Ended != nil || len(s.Streams) != 0 || s.RecvHeld != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// answeredEarly returns the response to an upload of which a part is under way
// and a part is not written yet.
func answeredEarly(cc *ClientConn) (string, error) {
	s, err := cc.Request(context.Background(), "POST", exampleURL+"/")
	if err != nil {
		return "", err
	}
	defer s.Close()
	part := strings.Repeat("x", 3000)
	s.WriteString(part)
	s.Flush()
	var up sync.WaitGroup
	defer up.Wait()
	up.Go(func() {
		s.WriteString(part)
		s.CloseWrite()
	})
	if _, err := s.Response(); err != nil {
		return "", err
	}
	b, err := io.ReadAll(s)
	return string(b), err
}
