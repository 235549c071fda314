package conn_test

import (
	"testing"
	"time"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/stream"
)

// TestRoundTrip: the first measurement is that of SETTINGS, the next one needs
// DATA, time and no PING too many.
func TestRoundTrip(t *testing.T) {
	p := newPeer(t, conn.Config{Role: conn.Client})
	p.Flush()
	p.Now += 40 * time.Millisecond
	p.Send("SETTINGS", "SETTINGS ACK")
	if rtt := p.Conn.RTT(); rtt != 40*time.Millisecond {
		t.Fatalf("round trip %v, want that of SETTINGS", rtt)
	}
	p.Do("open ES $get")
	p.Skip()
	p.Now += 20 * time.Second
	p.Send("HEADERS 1 EH $ok")
	p.WantIdle("no DATA came")
	for i := range 4 {
		if p.Send("DATA 1 len=16384"); i < 3 {
			p.Do("consume 1 16384")
			p.Skip()
		}
	}
	p.Want("64 KiB came", "PING text=nnt?%00%00%00%01")
	p.Now += 5 * time.Millisecond
	p.Send("PING ACK text=nnt?%00%00%00%01")
	p.WantEvents("the engine's own PING is nobody else's", "data 1 16384")
	if rtt := p.Conn.RTT(); rtt != 5*time.Millisecond {
		t.Fatalf("round trip %v, want that of the PING", rtt)
	}
	p.Send("PING ACK text=nnt?%00%00%00%01")
	p.WantEvents("a second answer", "pong nnt?%00%00%00%01")
}

// TestNoHealthOfServers: a server leaves it to the client.
func TestNoHealthOfServers(t *testing.T) {
	p := newServer(t)
	p.Send("HEADERS 1 ES EH $get")
	p.Advance(10 * time.Minute)
	p.WantIdle("no PING")
}

// TestRoundTripOfSettings: what SETTINGS and its acknowledgement took is known
// before any PING.
func TestRoundTripOfSettings(t *testing.T) {
	for _, role := range []conn.Role{conn.Server, conn.Client} {
		p := newPeer(t, conn.Config{Role: role})
		if role == conn.Server {
			p.Send("PREFACE")
		}
		p.Send("SETTINGS")
		p.Flush()
		p.Advance(7 * time.Millisecond)
		p.Send("SETTINGS ACK")
		if rtt := p.Conn.RTT(); rtt != 7*time.Millisecond {
			t.Errorf("%v: round trip %v", role, rtt)
		}
	}
}

func TestHealthOff(t *testing.T) {
	p := greeted(t, conn.Config{Role: conn.Client, Limits: conn.Limits{PingIdle: -1}})
	p.Do("open ES $get")
	p.Skip()
	p.Advance(10 * time.Minute)
	p.WantIdle("no PING")
}

func TestSnapshot(t *testing.T) {
	p := greeted(t, conn.Config{Role: conn.Client}, "MAX_CONCURRENT_STREAMS=7", "INITIAL_WINDOW_SIZE=1000")
	p.Do("open $post priority=u=1", "queue 1 1500", "open ES $get")
	p.Skip()
	p.Send("HEADERS 3 EH $ok", "DATA 3 len=100")
	s := p.Conn.Snapshot()
	if s.Role != conn.Client || s.Draining || s.Err != nil || !s.PeerSeen || !s.Acked || s.Opened != 2 ||
		s.Peer.MaxConcurrentStreams != 7 || s.Peer.InitialWindowSize != 1000 ||
		s.Ours[0] != (frame.Setting{ID: frame.SettingEnablePush}) || s.SendWindow != 65535-1000 || len(s.Streams) != 2 {
		t.Errorf("%+v", s)
	}
	want := []conn.StreamSnapshot{
		{ID: 1, State: stream.Open, RecvWindow: 65536, Queued: 500, Urgency: 1},
		{ID: 3, State: stream.HalfClosedLocal, SendWindow: 1000, RecvWindow: 65436, Unread: 100, Received: 100, Urgency: 3, Incremental: true},
	}
	for i, w := range want {
		if s.Streams[i] != w {
			t.Errorf("stream %+v\nwant   %+v", s.Streams[i], w)
		}
	}
}
