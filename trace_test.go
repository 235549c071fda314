package nonet

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(syncBuffer)
		s := &Server{Handler: func(s Stream) {
			s.WriteString("hello")
			s.AppendTrailer("x-t", "a\tb")
		}}
		s.Trace = out
		p := dial(t, s)
		p.get(1, "/", "x-a: \x7fb")
		p.want("RST_STREAM 1 PROTOCOL_ERROR")
		p.post(3, "/")
		p.want("HEADERS 3 :status=200", `DATA 3 "hello"`, "HEADERS 3 x-t=a\tb END_STREAM", "RST_STREAM 3 NO_ERROR")
		got := regexp.MustCompile(`date: .*`).ReplaceAllString(out.String(), "date: D")
		got = got[strings.Index(got, "[   0.000] conn 1 recv HEADERS stream=1"):]
		want := `[   0.000] conn 1 recv HEADERS stream=1 len=21 flags=END_STREAM|END_HEADERS
[   0.000] conn 1 recv     :method: GET
[   0.000] conn 1 recv     :scheme: http
[   0.000] conn 1 recv     :path: /
[   0.000] conn 1 recv     :authority: example.com
[   0.000] conn 1 recv     x-a: \x7fb
[   0.000] conn 1 send RST_STREAM stream=1 len=4 code=PROTOCOL_ERROR
[   0.000] conn 1 recv HEADERS stream=3 len=4 flags=END_HEADERS
[   0.000] conn 1 recv     :method: POST
[   0.000] conn 1 recv     :scheme: http
[   0.000] conn 1 recv     :path: /
[   0.000] conn 1 recv     :authority: example.com
[   0.000] conn 1 send HEADERS stream=3 len=24 flags=END_HEADERS
[   0.000] conn 1 send     :status: 200
[   0.000] conn 1 send     date: D
[   0.000] conn 1 send DATA stream=3 len=5
[   0.000] conn 1 send HEADERS stream=3 len=9 flags=END_STREAM|END_HEADERS
[   0.000] conn 1 send     x-t: a\x09b
[   0.000] conn 1 send RST_STREAM stream=3 len=4 code=NO_ERROR
`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
