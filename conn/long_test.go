package conn_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// TestClosedStreamsCostNothing serves a million requests one after the other,
// some of them reset. Every answer goes through the Checker.
func TestClosedStreamsCostNothing(t *testing.T) {
	n := 1_000_000
	if testing.Short() || raceEnabled {
		n = 50_000
	}
	c := conn.New(conn.Config{Limits: conn.Limits{Requests: -1}}, 0)
	k := nonettest.NewChecker(true)
	k.Quiet = true
	var w conn.Batch
	var fields, response hpack.Fields
	response.AddToken(hpack.TokenStatus, "200")
	feed := func(b []byte) (ev conn.Event) {
		for len(b) > 0 {
			e, used, err := c.Next(0, b, &fields)
			if err != nil {
				t.Fatal(err)
			}
			k.Input(b[:used])
			if b = b[used:]; e.Kind != conn.None {
				ev = e
			}
		}
		return ev
	}
	emit := func() {
		w.Reset()
		c.Emit(0, &w, 1<<16)
		if err := k.Output(w.Buf); err != nil {
			t.Fatal(err)
		}
	}
	feed(frame.AppendSettings([]byte(frame.Preface)))
	emit()
	feed(frame.AppendSettingsAck(nil))
	block := []byte{0x82, 0x86, 0x84, 0x41, 1, 'a'} // GET http / a, indexed from the second on
	var before runtime.MemStats
	var buf []byte
	for i := range n {
		id := uint32(2*i + 1)
		buf = frame.AppendHeaders(buf[:0], id, block, true, 0)
		block = []byte{0x82, 0x86, 0x84, 0xbe}
		ev := feed(buf)
		if ev.Kind != conn.Headers || ev.Ref.ID != id || ev.Ref.Slot != 0 {
			t.Fatalf("request %d: %+v", i, ev)
		}
		if i%50 == 0 {
			c.Reset(ev.Ref, frame.Cancel)
		} else if err := c.Headers(ev.Ref, &response, true); err != nil {
			t.Fatal(err)
		}
		c.Release(ev.Ref)
		emit()
		if i == 1000 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
	}
	if live, slots := conn.Streams(c); live != 0 || slots != 1 {
		t.Errorf("%d records are left, of %d", live, slots)
	}
	if err := conn.Invariants(c); err != nil {
		t.Error(err)
	}
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<10 {
		t.Errorf("the heap grew by %d octets over %d requests", grown, n)
	}
	runtime.KeepAlive(c)
}

// TestAHundredStreamsAgainAndAgain: slots are reused, never more than the
// streams that live at once.
func TestAHundredStreamsAgainAndAgain(t *testing.T) {
	p := newServer(t)
	p.Wire.Quiet = true
	id := 1
	for range 50 {
		first := id
		for ; id < first+200; id += 2 {
			p.Send(fmt.Sprintf("HEADERS %d ES EH $get", id))
		}
		for i := first; i < id; i += 2 {
			p.Do(fmt.Sprintf("respond %d", i))
		}
		p.Flush()
		p.Take()
	}
	if live, slots := conn.Streams(p.Conn); live != 0 || slots != 100 {
		t.Errorf("%d records are left, of %d", live, slots)
	}
}

// TestLateFramesAfterABurstOfResets: more streams are reset at once than are
// remembered one by one; what was on its way is ignored all the same.
func TestLateFramesAfterABurstOfResets(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		p := newServer(t)
		for id := 1; id < 200; id += 2 {
			p.Send(fmt.Sprintf("HEADERS %d EH $post", id))
		}
		for id := 1; id < 200; id += 2 {
			p.Do(fmt.Sprintf("reset %d CANCEL", id), fmt.Sprintf("release %d", id))
		}
		p.Skip()
		for id := 1; id < 200; id += 2 {
			p.Send(fmt.Sprintf("DATA %d len=1", id), fmt.Sprintf("HEADERS %d ES EH a=%d", id, id))
		}
		p.WantIdle("late frames are ignored")
		p.Advance(5e9)
		p.Send("DATA 1 len=1", "DATA 199 len=1")
		p.Want("but not for ever", "RST_STREAM 1 STREAM_CLOSED", "RST_STREAM 199 STREAM_CLOSED")
		p.WantAlive("and so on")
	})
	t.Run("client", func(t *testing.T) {
		p := newClient(t)
		for id := 1; id < 2000; id += 2 {
			p.Do("open ES $get")
		}
		p.Skip()
		for id := 1; id < 2000; id += 2 {
			p.Do(fmt.Sprintf("release %d", id))
		}
		p.Skip()
		for id := 1; id < 2000; id += 2 {
			p.Send(fmt.Sprintf("HEADERS %d EH $ok a=%d", id, id), fmt.Sprintf("DATA %d ES len=1", id))
		}
		p.WantIdle("late responses are ignored")
		p.WantAlive("and HPACK is in step")
		p.Send("HEADERS 2 ES EH $ok")
		p.WantError("an even stream is no late one", "PROTOCOL_ERROR", 0)
	})
}

func TestRFC9113_5_1_1_IdentifiersRunOut(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		p := newServer(t)
		conn.SetLastID(p.Conn, frame.MaxStreamID-404)
		p.Send("HEADERS 2147483245 ES EH $get")
		p.Do("respond 2147483245")
		if got := p.Sent(); len(got) != 1 {
			t.Fatalf("frames %q", got)
		}
		p.Send("HEADERS 2147483249 ES EH $get")
		p.Do("respond 2147483249")
		p.Want("the client is asked to go, while there is room", "HEADERS 2147483249 ES", "GOAWAY last=2147483647 NO_ERROR", "PING text=nonetbye")
	})
	t.Run("client", func(t *testing.T) {
		p := newClient(t)
		conn.SetLastID(p.Conn, frame.MaxStreamID)
		if p.Conn.Draining() {
			t.Error("draining before the last request")
		}
		p.Do("open ES $get")
		p.Want("the last one", "HEADERS 2147483647 ES", "GOAWAY last=0 NO_ERROR")
		if !p.Conn.Draining() {
			t.Error("not draining after the last request")
		}
		p.DoErr(conn.ErrGoingAway, "open ES $get")
		p.Send("HEADERS 2147483647 ES EH $ok")
		p.WantEvents("is answered", "headers 2147483647 end")
		if p.Do("release 2147483647"); !p.Conn.Done() {
			t.Error("not done after the last response")
		}
	})
}

func TestRequestsPerConnection(t *testing.T) {
	p := greeted(t, conn.Config{Limits: conn.Limits{Requests: 3}})
	p.Send("HEADERS 1 ES EH $get", "HEADERS 3 ES EH $get", "HEADERS 5 ES EH $get")
	p.Want("after the third a graceful end begins", "GOAWAY last=2147483647 NO_ERROR", "PING text=nonetbye")
	p.Send("HEADERS 7 ES EH $get", "PING ACK text=nonetbye")
	p.Want("what was on the wire is taken", "GOAWAY last=7 NO_ERROR")
	p.Do("respond 1", "respond 3", "respond 5", "respond 7")
	p.Want("and answered", "HEADERS 1 ES", "HEADERS 3 ES", "HEADERS 5 ES", "HEADERS 7 ES")
	p.WantSignals("that was all", "drained")
}

// TestLateDataOfUploads: a hundred uploads are refused early, each with a
// whole window on its way. That is no flood.
func TestLateDataOfUploads(t *testing.T) {
	p := newServer(t)
	p.Wire.Quiet = true
	for id := 1; id < 200; id += 2 {
		p.Send(fmt.Sprintf("HEADERS %d EH $post", id))
		p.Do(fmt.Sprintf("headers %d ES :status=413", id), fmt.Sprintf("release %d", id))
	}
	p.Flush()
	for id := 1; id < 200; id += 2 {
		p.Send(fmt.Sprintf("640 * DATA %d len=100", id), fmt.Sprintf("DATA %d ES", id))
		p.Flush()
	}
	p.Wire.Quiet = false
	p.Skip()
	p.WantAlive("uploads that were on their way are ignored")
}
