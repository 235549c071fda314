package nonettest

import (
	"strings"
	"testing"
)

// octets makes octets of lines.
func octets(t *testing.T, s *script, lines ...string) (b []byte) {
	t.Helper()
	var err error
	for _, l := range lines {
		if b, err = s.append(b, l); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// TestChecker shows that the Checker sees what it is there for: each
// conversation breaks one rule, in its last line sent.
func TestChecker(t *testing.T) {
	const open = "> PREFACE; > SETTINGS; < SETTINGS; < SETTINGS ACK; > SETTINGS ACK; "
	const client = "< PREFACE; < SETTINGS; > SETTINGS; < SETTINGS ACK; "
	for _, c := range []struct{ name, role, talk, fault string }{
		{"nothing wrong", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH :status=103; < HEADERS 1 EH $ok; < DATA 1 len=5; < HEADERS 1 ES EH a=b; < RST_STREAM 1 NO_ERROR; < GOAWAY last=1 INTERNAL_ERROR", ""},
		{"nothing wrong, client", "client", client + "< HEADERS 1 EH $post; < DATA 1 len=5; < DATA 1 ES; > HEADERS 1 ES EH $ok; < HEADERS 3 ES EH $get", ""},
		{"first frame", "server", "< PING", "first frame"},
		{"preface", "client", "< SETTINGS", "preface"},
		{"malformed frame", "server", open + "< PING text=1234567", "Framer"},
		{"frame size", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok; < DATA 1 len=16385", "Framer"},
		{"frame size raised but not acknowledged", "server", open + "> HEADERS 1 EH $post; > SETTINGS MAX_FRAME_SIZE=20000; < HEADERS 1 EH $ok; < DATA 1 len=16385", "Framer"},
		{"frame within a block", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 $ok & PING", "Framer"},
		{"half a block", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 $ok", "within a field block"},
		{"stray CONTINUATION", "server", open + "> HEADERS 1 EH $post; < CONTINUATION 1 EH a=b", "Framer"},
		{"push", "server", open + "> HEADERS 1 EH $post; < PUSH_PROMISE 1 EH @promised=2 $get", "never sends"},
		{"PRIORITY", "server", open + "> HEADERS 1 EH $post; < PRIORITY 1 dep=0", "never sends"},
		{"idle stream: HEADERS", "server", open + "< HEADERS 1 EH $ok", "idle or closed"},
		{"idle stream: DATA", "server", open + "< DATA 1", "idle or closed"},
		{"idle stream: RST_STREAM", "server", open + "< RST_STREAM 1 CANCEL", "idle or closed"},
		{"idle stream: WINDOW_UPDATE", "server", open + "< WINDOW_UPDATE 1 inc=1", "idle or closed"},
		{"DATA before HEADERS", "server", open + "> HEADERS 1 EH $post; < DATA 1", "before the header"},
		{"DATA after an interim response", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH :status=100; < DATA 1", "before the header"},
		{"DATA after END_STREAM", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 ES EH $ok; < DATA 1", "over"},
		{"END_STREAM twice", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok; < DATA 1 ES; < HEADERS 1 ES EH a=b", "over"},
		{"DATA after our reset", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok; < RST_STREAM 1 CANCEL; < DATA 1", "idle or closed"},
		{"DATA after the peer's reset", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok; > RST_STREAM 1 CANCEL; < DATA 1", "over"},
		{"an answer to RST_STREAM", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok; > RST_STREAM 1 CANCEL; < PING; < RST_STREAM 1 CANCEL", "sent nothing"},
		{"two resets", "server", open + "> HEADERS 1 EH $post; < RST_STREAM 1 CANCEL; < RST_STREAM 1 CANCEL", "sent nothing"},
		{"reset of a complete stream", "server", open + "> HEADERS 1 ES EH $get; < HEADERS 1 ES EH $ok; < RST_STREAM 1 NO_ERROR", "sent nothing"},
		{"stream window", "server", open + "> SETTINGS INITIAL_WINDOW_SIZE=5; < SETTINGS ACK; > HEADERS 1 EH $post; > WINDOW_UPDATE 1 inc=1; < HEADERS 1 EH $ok; < DATA 1 len=6; < DATA 1; < DATA 1 len=1", "stream's window by 1"},
		{"connection window", "server", open + "> HEADERS 1 EH $post; > WINDOW_UPDATE 1 inc=100; < HEADERS 1 EH $ok; 3 < DATA 1 len=16384; < DATA 1 len=16383; < DATA 1; < DATA 1 len=1", "connection window by 1"},
		{"window overflow", "server", open + "< WINDOW_UPDATE 0 inc=2147418112; < WINDOW_UPDATE 0 inc=1", "connection window is"},
		{"stream window overflow", "server", open + "> HEADERS 1 EH $post; < WINDOW_UPDATE 1 inc=2147418112; < WINDOW_UPDATE 1 inc=1", "stream's window is"},
		{"SETTINGS ACK of nothing", "server", open + "< SETTINGS ACK", "not received"},
		{"PING ACK of nothing", "server", open + "< PING ACK", "not received"},
		{"PING ACK out of order", "server", open + "> PING text=12345678; > PING text=abcdefgh; < PING ACK text=abcdefgh", "order"},
		{"GOAWAY rises", "server", open + "> HEADERS 1 EH $post; < GOAWAY last=0 NO_ERROR; < GOAWAY last=1 NO_ERROR", "rises"},
		{"GOAWAY invents", "server", open + "> HEADERS 1 EH $post; < GOAWAY last=3 NO_ERROR", "never opened"},
		{"output after an error", "server", open + "< GOAWAY last=0 CANCEL; < PING", "after an error"},
		{"two error GOAWAYs", "server", open + "< GOAWAY last=0 CANCEL; < GOAWAY last=0 CANCEL", "after an error"},
		{"HEADERS beyond GOAWAY", "server", open + "< GOAWAY last=0 NO_ERROR; > HEADERS 1 EH $post; < HEADERS 1 EH $ok", "beyond GOAWAY"},
		{"hpack", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH @payload=be", "hpack"},
		{"hpack cut off", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH @payload=4003", "hpack"},
		{"no size update after a reduction", "server", open + "> HEADERS 1 EH $post; > SETTINGS HEADER_TABLE_SIZE=100; < SETTINGS ACK; < HEADERS 1 EH @payload=88", "reduced to 100"},
		{"a size update after a reduction", "server", open + "> HEADERS 1 EH $post; > SETTINGS HEADER_TABLE_SIZE=100; < SETTINGS ACK; < HEADERS 1 EH @payload=3f4588", ""},
		{"reduced and raised, only the latter told", "server", open + "> HEADERS 1 EH $post; > SETTINGS HEADER_TABLE_SIZE=0 HEADER_TABLE_SIZE=4096; < SETTINGS ACK; < HEADERS 1 EH @payload=3fe11f88", "reduced to 0"},
		{"no :status", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH a=b", "pseudo-header fields of a response"},
		{"interim with END_STREAM", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 ES EH :status=100", "interim"},
		{"trailers without END_STREAM", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok; < HEADERS 1 EH a=b", "without END_STREAM"},
		{"pseudo-header in trailers", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok; < HEADERS 1 ES EH :status=200", "pseudo-header field"},
		{"upper case", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok A=b", "8.2.1"},
		{"connection-specific", "server", open + "> HEADERS 1 EH $post; < HEADERS 1 EH $ok connection=close", "8.2.2"},
		{"even stream", "client", client + "< HEADERS 2 EH $get", "odd"},
		{"lower stream", "client", client + "< HEADERS 3 ES EH $get; < HEADERS 1 ES EH $get", "rising"},
		{"open after GOAWAY", "client", client + "< GOAWAY last=0 NO_ERROR; < HEADERS 1 ES EH $get", "after GOAWAY"},
		{"too many streams", "client", client + "> SETTINGS MAX_CONCURRENT_STREAMS=1; < SETTINGS ACK; < HEADERS 1 ES EH $get; < HEADERS 3 ES EH $get", "the peer allows 1"},
		{"no :path", "client", client + "< HEADERS 1 EH :method=GET :scheme=http", "of a request"},
		{"push enabled", "client", "< PREFACE; < SETTINGS ENABLE_PUSH=1", "push"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := NewChecker(c.role == "server")
			in, out := newScript(), newScript()
			var err error
			steps := strings.Split(c.talk, "; ")
			for i, step := range steps {
				times := 1
				if strings.HasPrefix(step, "3 ") {
					times, step = 3, step[2:]
				}
				for range times {
					if step[0] == '>' {
						k.Input(octets(t, in, step[2:]))
					} else if err = k.Output(octets(t, out, strings.Split(step[2:], " & ")...)); err != nil && i < len(steps)-1 {
						t.Fatalf("%q: %v", step, err)
					}
				}
			}
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
		})
	}
}

func TestCheckerFinish(t *testing.T) {
	in := newScript()
	for _, c := range []struct{ line, fault string }{
		{"HEADERS 1 ES EH $get", "stream 1 has not ended"},
		{"SETTINGS", "1 SETTINGS are not acknowledged"},
		{"PING", "1 PINGs are not answered"},
	} {
		k := NewChecker(true)
		k.Input(octets(t, in, "PREFACE", c.line))
		if err := k.Finish(); err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("after %s: %v, want %q", c.line, err, c.fault)
		}
	}
}
