package nonet

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
)

// TestRFC9113_8_1_EarlyAnswers: servers answer uploads without reading them,
// with RST_STREAM(NO_ERROR) behind END_STREAM. Each answer is whole, and the
// connection bears any number of them.
func TestRFC9113_8_1_EarlyAnswers(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"a server of ours": func(nc net.Conn) {
			(&Server{Handler: func(s Stream) { s.WriteString("early") }}).ServeConn(nc)
		},
		"x/net": func(nc net.Conn) {
			new(http2.Server).ServeConn(nc, &http2.ServeConnOpts{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "early")
			})})
		},
	} {
		t.Run(name, func(t *testing.T) {
			cc, err := Dial(t.Context(), "tcp", listenFor(t, serve), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer cc.Close()
			body := strings.Repeat("x", 3000)
			var wg sync.WaitGroup
			for range 30 {
				wg.Go(func() {
					for range 100 {
						s, err := cc.Request(t.Context(), "POST", exampleURL+"/")
						if err != nil {
							t.Error(err)
							return
						}
						s.WriteString(body)
						s.Flush()
						var up sync.WaitGroup
						up.Go(func() {
							s.WriteString(body)
							s.CloseWrite()
						})
						_, err = s.Response()
						b, _ := io.ReadAll(s)
						up.Wait()
						s.Close()
						if err != nil || string(b) != "early" {
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
