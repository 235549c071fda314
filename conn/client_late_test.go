package conn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// TestRFC9113_8_1_EarlyAnswers: a server that answers before it has seen the
// end of the request lets RST_STREAM(NO_ERROR) follow. The request may have
// ended by then: that is no flood, however many requests end so.
func TestRFC9113_8_1_EarlyAnswers(t *testing.T) {
	p := newClient(t)
	for i := range 3000 {
		id := 2*i + 1
		p.Do("open $post", fmt.Sprintf("queue %d 5 ES", id))
		p.Skip()
		p.Send(fmt.Sprintf("HEADERS %d ES EH $ok", id), fmt.Sprintf("RST_STREAM %d NO_ERROR", id))
		p.Do(fmt.Sprintf("release %d", id))
		if err := p.Conn.Err(); err != nil {
			t.Fatalf("after %d requests: %v", i+1, err)
		}
	}
}

// TestRFC9113_5_1_LateFrames: what was on its way when the client reset a
// stream is ignored however late it comes. "Endpoints SHOULD NOT use timers
// for this purpose": the path may be slow, and hold a whole window.
func TestRFC9113_5_1_LateFrames(t *testing.T) {
	p := newClient(t)
	p.Do("open ES $get", "open ES $get")
	p.Skip()
	p.Send("HEADERS 1 EH $ok", "DATA 1 len=1000")
	p.Do("reset 1 CANCEL", "release 1", "reset 3 CANCEL", "release 3")
	p.Skip()
	p.Advance(time.Minute)
	p.Skip()
	p.Send("DATA 1 len=1000", "HEADERS 1 ES EH a=b", "HEADERS 3 EH $ok one=two", "DATA 3 ES len=1000")
	p.WantIdle("they are ignored")
	if err := p.Conn.Err(); err != nil {
		t.Fatal(err)
	}
	p.Do("open ES $get")
	p.Skip()
	p.Send("HEADERS 5 ES EH $ok one=two")
	if last := p.Events[len(p.Events)-1]; last != "headers 5 end :status=200 one=two" {
		t.Errorf("%s: HPACK is out of step", last)
	}
}

// TestRFC9113_8_7_NoRetryOfAResponse: what has begun to be answered was
// processed, whatever the server says after it.
func TestRFC9113_8_7_NoRetryOfAResponse(t *testing.T) {
	for _, begin := range []string{"HEADERS 1 EH $ok", "HEADERS 1 EH :status=103"} {
		for _, end := range []string{"RST_STREAM 1 REFUSED_STREAM", "GOAWAY last=0 NO_ERROR"} {
			p := newClient(t)
			p.Do("open ES $get")
			p.Skip()
			p.Send(begin, end)
			code, side, retry := p.Conn.Fate(conn.Ref{ID: 1})
			if code != frame.RefusedStream || side != conn.Remote || retry {
				t.Errorf("%s, %s: %v %v, retry %v", begin, end, code, side, retry)
			}
		}
	}
}
