package nonettest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
)

// Events as text:
//
//	headers 1 end :method=GET :path=/     info 1 :status=103
//	data 1 end 5                          the octets of a frame, however they came
//	trailers 1 end a=b
//	reset 1 remote CANCEL                 reset 1 local PROTOCOL_ERROR debug=malformed%20message
//	pong 12345678
//	error PROTOCOL_ERROR debug=…          what Next or Expire returned
//
// Signals as text: "ended 1 local CANCEL", "ended 1 remote REFUSED_STREAM retry",
// "sent 1" (trailers), "canopen", "settings", "goaway", "drained".

// event notes what Next told, and checks that it fits what was told before.
func (e *Engine) event(ev conn.Event) {
	e.TB.Helper()
	if ev.Kind == conn.None {
		return
	}
	app := e.Streams[ev.Ref.ID]
	if ev.Kind == conn.Headers && app == nil {
		app = &App{Ref: ev.Ref}
		e.Streams[ev.Ref.ID] = app
	}
	switch {
	case ev.Kind == conn.Pong:
	case app == nil || app.Ref != ev.Ref:
		e.TB.Fatalf("event %+v of an unknown stream", ev)
	case app.Done:
		e.TB.Fatalf("event %+v after Release", ev)
	case app.Over:
		e.TB.Fatalf("event %+v after the end of the stream", ev)
	case app.End && ev.Kind != conn.Reset:
		e.TB.Fatalf("event %+v after END_STREAM", ev)
	}
	e.Events = e.eventText(ev, app)
	_, left := e.Conn.Body()
	e.partial = ev.Kind == conn.Data && left > 0
	if app != nil {
		app.End = app.End || ev.End
		app.Over = app.Over || ev.Kind == conn.Reset
		if app.Over {
			app.Unread = 0
		}
	}
	if e.App != nil {
		e.App(ev, &e.fields)
	}
}

func (e *Engine) eventText(ev conn.Event, app *App) []string {
	end := ""
	if ev.End {
		end = " end"
	}
	switch ev.Kind {
	case conn.Data:
		if e.Pattern {
			for i, b := range ev.Data {
				if b != Octet(ev.Ref.ID, app.Got+i) {
					e.TB.Fatalf("stream %d: octet %d of the payload is wrong", ev.Ref.ID, app.Got+i)
				}
			}
		}
		n := len(ev.Data)
		app.Got += n
		app.Unread += n
		if last := len(e.Events) - 1; e.partial {
			words := strings.Fields(e.Events[last])
			before, _ := strconv.Atoi(words[len(words)-1])
			e.Events, n = e.Events[:last], n+before
		}
		return append(e.Events, fmt.Sprintf("data %d%s %d", ev.Ref.ID, end, n))
	case conn.Headers, conn.Info, conn.Trailers:
		kind := map[conn.Kind]string{conn.Headers: "headers", conn.Info: "info", conn.Trailers: "trailers"}[ev.Kind]
		return append(e.Events, fmt.Sprintf("%s %d%s%s", kind, ev.Ref.ID, end, fieldText(&e.fields)))
	case conn.Reset:
		s := fmt.Sprintf("reset %d %v %v", ev.Ref.ID, ev.Side, ev.Code)
		if ev.Reason != 0 {
			s += " debug=" + escape(ev.Reason.String())
		}
		return append(e.Events, s)
	case conn.Pong:
		return append(e.Events, "pong "+escape(string(ev.Data)))
	}
	e.TB.Fatalf("unknown event %+v", ev)
	return nil
}

func fieldText(f *hpack.Fields) string {
	var b strings.Builder
	for name, value := range f.All() {
		b.WriteString(" " + escape(string(name)) + "=" + escape(string(value)))
	}
	return b.String()
}

// Drain fetches the signals.
func (e *Engine) Drain() {
	e.TB.Helper()
	for n := 0; ; n++ {
		r, x, ok := e.Conn.Signal()
		if !ok {
			return
		}
		if n > 1<<16 {
			e.TB.Fatal("the signals never end")
		}
		e.signal(r, x)
		if e.OnSignal != nil {
			e.OnSignal(r, x)
		}
	}
}

func (e *Engine) signal(r conn.Ref, x conn.Signals) {
	e.TB.Helper()
	if r == (conn.Ref{}) {
		if x&(conn.Ended|conn.TrailersSent) != 0 {
			e.TB.Fatalf("signal %b of a stream, without one", x)
		}
		for _, n := range []struct {
			bit  conn.Signals
			name string
		}{{conn.CanOpen, "canopen"}, {conn.SettingsChanged, "settings"}, {conn.GoAway, "goaway"}, {conn.Drained, "drained"}} {
			if x&n.bit != 0 {
				e.Signals = append(e.Signals, n.name)
			}
		}
		return
	}
	app := e.Streams[r.ID]
	if app == nil || app.Done {
		e.TB.Fatalf("signal %b of stream %+v, which the application does not have", x, r)
	}
	if x&conn.TrailersSent != 0 {
		e.Signals = append(e.Signals, fmt.Sprintf("sent %d", r.ID))
	}
	if x&conn.Ended == 0 {
		return
	}
	if app.Over {
		e.TB.Fatalf("stream %d ended twice", r.ID)
	}
	app.Over, app.Unread = true, 0
	code, side, retry := e.Conn.Fate(r)
	s := fmt.Sprintf("ended %d %v %v", r.ID, side, code)
	if retry {
		s += " retry"
	}
	e.Signals = append(e.Signals, s)
}
