package nonettest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

// TestFirst is the harness at work: a request, a response, a reset.
func TestFirst(t *testing.T) {
	p := NewPeer(t, conn.Config{})
	p.Greet()
	p.Send("HEADERS 1 EH $post a=b", "DATA 1 ES text=hello pad=3")
	p.WantEvents("the application is told", "headers 1 :method=POST :scheme=http :path=/ :authority=a a=b", "data 1 end 5")
	p.Do("headers 1 $ok", "queue 1 5", "trailers 1 c=d")
	p.Want("the response", "HEADERS 1 :status=200", "DATA 1 len=5", "HEADERS 1 ES c=d")
	p.WantSignals("the trailers are the application's again", "sent 1")
	p.DoErr(conn.ErrGone, "queue 1 1")
	p.Do("release 1")
	p.WantAlive("and so on")
}

// recorder is a testing.TB that notes the first failure.
type recorder struct {
	testing.TB
	failure string
}

type failed struct{}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	panic(failed{})
}
func (r *recorder) Fatal(args ...any)                 { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.Fatalf(format, args...) }

// failure returns how a test of a Peer fails, or "".
func failure(test func(p *Peer)) (what string) {
	r := &recorder{}
	defer func() {
		if x := recover(); x != nil {
			if _, ok := x.(failed); !ok {
				panic(x)
			}
			what = r.failure
		}
	}()
	p := NewPeer(r, conn.Config{})
	p.Greet()
	test(p)
	return ""
}

// TestFailures shows that the harness can fail.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, want string
		test       func(p *Peer)
	}{
		{"a frame is missing", "reason: wrong frames", func(p *Peer) { p.Want("reason", "PING ACK text=pingping") }},
		{"a frame too many", "reason: wrong frames", func(p *Peer) { p.Send("PING"); p.WantIdle("reason") }},
		{"another frame", "reason: wrong frames", func(p *Peer) { p.Send("PING"); p.Want("reason", "PING ACK text=pingpong") }},
		{"an event is missing", "reason: wrong events", func(p *Peer) { p.WantEvents("reason", "headers 1") }},
		{"other fields", "reason: wrong events", func(p *Peer) {
			p.Send("HEADERS 1 ES EH $get")
			p.WantEvents("reason", "headers 1 end $post")
		}},
		{"a signal too many", "reason: wrong signals", func(p *Peer) { p.Send("GOAWAY NO_ERROR"); p.WantSignals("reason", "settings") }},
		{"a connection error", "reason", func(p *Peer) { p.Send("PING 1"); p.WantIdle("reason") }},
		{"another code", "reason: wrong frames", func(p *Peer) { p.Send("PING 1"); p.WantError("reason", "CANCEL", 0) }},
		{"not over", "not done", func(p *Peer) { p.WantDone("reason") }},
		{"a command fails", "conn: stream is over", func(p *Peer) { p.Do("headers 1 $ok") }},
		{"a command does not fail", "want conn: out of order", func(p *Peer) {
			p.Send("HEADERS 1 ES EH $get")
			p.DoErr(conn.ErrOrder, "headers 1 $ok")
		}},
		{"a rule of the wire", "breaks a rule", func(p *Peer) {
			p.Send("HEADERS 1 ES EH $get")
			p.Do("headers 1 ES a=b")
			p.Flush()
		}},
		{"an invariant", "invariant: broken", func(p *Peer) {
			p.Check = func(*conn.Conn) error { return fmt.Errorf("broken") }
			p.Send("PING")
		}},
		{"a frame that is no frame", "unknown frame", func(p *Peer) { p.Send("PONG") }},
		{"a deadline", "the deadline is in", func(p *Peer) { p.WantDeadline("reason", 5) }},
		{"wrong payload", "octet 0 of the payload", func(p *Peer) { p.Pattern = true; p.Send("HEADERS 1 EH $post", "DATA 1 len=1") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := failure(c.test); !strings.Contains(got, c.want) {
				t.Errorf("failure %q, want %q", got, c.want)
			}
		})
	}
}

func TestNotation(t *testing.T) {
	s := newScript()
	for _, c := range []struct {
		line, want string
	}{
		{"DATA 1 ES text=hi", "000002 00 01 00000001 6869"},
		{"DATA 1 len=2 pad=1", "000004 00 08 00000001 01787800"},
		{"HEADERS 3 ES EH :method=GET", "000001 01 05 00000003 82"},
		{"HEADERS 3 EH @dep=1 @weight=2 @excl=1 @pad=1 :method=GET", "000008 01 2c 00000003 01 80000001 01 82 00"},
		{"HEADERS 3 %41={x*3} ()=b", "00000b 01 00 00000003 400141 03787878 4000 0162"},
		{"SETTINGS INITIAL_WINDOW_SIZE=5 0xa0b0=0x10", "00000c 04 00 00000000 000400000005 a0b000000010"},
		{"SETTINGS ACK", "000000 04 01 00000000"},
		{"RST_STREAM 1 1111", "000004 03 00 00000001 00000457"},
		{"GOAWAY last=3 CANCEL debug=a%20b", "00000b 07 00 00000000 00000003 00000008 612062"},
		{"UNKNOWN type=0xa2 7 @flags=0xff @r=1 @payload=01", "000001 a2 ff 80000007 01"},
		{"PING @length=9 @cut=3", "000009"},
		{"2 * WINDOW_UPDATE 0 inc=1", "000004 08 00 00000000 00000001 000004 08 00 00000000 00000001"},
		{"PRIORITY_UPDATE for=5 text=u=1", "000007 10 00 00000000 00000005 753d31"},
		{"OCTETS 0102 03", "010203"},
	} {
		b, err := s.append(nil, c.line)
		if want := strings.ReplaceAll(c.want, " ", ""); err != nil || !strings.HasPrefix(fmt.Sprintf("%x", b), want) {
			t.Errorf("%s: %x, %v, want %s", c.line, b, err, c.want)
		}
	}
	for _, line := range []string{"", "NOTHING", "SETTINGS FOO=1", "SETTINGS ENABLE_PUSH", "RST_STREAM 1 FOO", "DATA 1 text=%4", "OCTETS 0"} {
		if _, err := s.append(nil, line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func TestVectorSyntax(t *testing.T) {
	for _, text := range []string{
		"no role\n> PING\nalive", "name | proxy\n> PING\nalive", "name | server foo=1\n> PING\nalive", "name | server\n> PING", "name | server stream=x\nalive",
	} {
		if _, err := parseVectors("file", text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	list, err := parseVectors("file", "# a comment\n\none | server raw connect stream=5 conn=6 streams=7 list=8 frame=9\n> PING\n# another\nalive\n\ntwo | client\n! open ES $get\nquiet\n")
	if err != nil || len(list) != 2 || list[0].Name != "one" || !list[0].Raw || list[0].Config.Limits.StreamWindow != 5 || len(list[0].Steps) != 3 || list[1].Config.Role != conn.Client {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestPair(t *testing.T) {
	p := NewPair(t, conn.Config{}, conn.Config{})
	p.Client.Do("open $post")
	p.Client.Do("queue 1 100000 ES")
	p.Server.App = func(ev conn.Event, _ *hpack.Fields) {
		p.Server.Do(fmt.Sprintf("consume 1 %d", len(ev.Data)))
		if ev.End {
			p.Server.Do("headers 1 $ok")
			p.Server.Do("trailers 1 a=b")
		}
	}
	for p.Pump(7, 1000) {
	}
	p.Settle()
	if got := p.Server.Streams[1].Got; got != 100000 {
		t.Errorf("the server has %d octets", got)
	}
	p.Client.Do("release 1")
	p.Server.Do("release 1")
	p.Settle()
	for _, e := range []*Engine{p.Client, p.Server} {
		if err := e.Wire.Finish(); err != nil {
			t.Error(err)
		}
	}
}
