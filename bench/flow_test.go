package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/bench/internal/rig"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// blocked is a server's Conn with n responses that all wait for their windows.
type blocked struct {
	c     *conn.Conn
	refs  []conn.Ref
	batch conn.Batch
	req   hpack.Fields
	sent  int // octets of payload
}

func newBlocked(t testing.TB, n int) *blocked {
	t.Helper()
	b := &blocked{c: conn.New(conn.Config{Limits: conn.Limits{MaxConcurrentStreams: uint32(n), SendStall: -1}}, 0)}
	in := append([]byte(frame.Preface), frame.AppendSettings(nil, frame.Setting{ID: frame.SettingInitialWindowSize})...)
	in = frame.AppendWindowUpdate(in, 0, frame.MaxWindow-frame.DefaultWindow)
	var enc hpack.Encoder
	var req, resp hpack.Fields
	for _, f := range rig.Hello.Fields {
		req.Add(f[0], f[1])
	}
	resp.AddToken(hpack.TokenStatus, "200")
	for i := range n {
		in = frame.AppendHeaders(in, uint32(2*i+1), enc.AppendBlock(nil, &req), true, frame.MinMaxFrameSize)
	}
	b.feed(t, in, func(ev conn.Event) {
		if ev.Kind == conn.Headers {
			b.refs = append(b.refs, ev.Ref)
			b.c.Headers(ev.Ref, &resp, false)
			b.c.Queue(ev.Ref, 1<<30, false)
		}
	})
	b.emit()
	if len(b.refs) != n || b.sent != 0 {
		t.Fatalf("%d streams wait, %d octets have left", len(b.refs), b.sent)
	}
	return b
}

func (b *blocked) feed(t testing.TB, in []byte, told func(conn.Event)) {
	for len(in) > 0 {
		ev, n, err := b.c.Next(time.Second, in, &b.req)
		if err != nil {
			t.Fatal(err)
		}
		in = in[n:]
		told(ev)
	}
}

func (b *blocked) emit() {
	for b.c.WantEmit() {
		b.batch.Buf, b.batch.Cuts, b.batch.Payload = b.batch.Buf[:0], b.batch.Cuts[:0], 0
		b.c.Emit(time.Second, &b.batch, 64<<10)
		b.sent += b.batch.Payload
	}
}

// BenchmarkCredit is a WINDOW_UPDATE for one of n streams that wait, and the DATA
// that it lets go. "one" is the same stream each time, "any" goes through all of
// them in no order.
func BenchmarkCredit(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		for _, any := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/%d", map[bool]string{false: "one", true: "any"}[any], n), func(b *testing.B) {
				bl := newBlocked(b, n)
				at := 0
				var in [64]byte
				step := func() {
					if any {
						at = (at + 7919) % n
					}
					bl.feed(b, frame.AppendWindowUpdate(in[:0], bl.refs[at].ID, 100), func(conn.Event) {})
					bl.emit()
				}
				alone(b, 1, "update", step)
			})
		}
	}
}

// BenchmarkInitialWindow is SETTINGS_INITIAL_WINDOW_SIZE with n streams that wait
// and go on waiting: the cost must not depend on n.
func BenchmarkInitialWindow(b *testing.B) {
	for _, n := range []int{10, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bl := newBlocked(b, n)
			// A window of one octet each is used up; from then on it goes up and
			// down below that.
			bl.feed(b, frame.AppendSettings(nil, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 1}), func(conn.Event) {})
			bl.emit()
			if bl.sent != n {
				b.Fatalf("%d octets have left, want %d", bl.sent, n)
			}
			down := frame.AppendSettings(nil, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 0})
			up := frame.AppendSettings(nil, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 1})
			// What is sent on one stream makes the rest no flood.
			up = frame.AppendWindowUpdate(up, bl.refs[0].ID, 100)
			now := time.Second
			alone(b, 2, "settings", func() {
				for _, in := range [][]byte{down, up} {
					now += 2 * time.Second
					for len(in) > 0 {
						_, k, err := bl.c.Next(now, in, &bl.req)
						if err != nil {
							b.Fatal(err)
						}
						in = in[k:]
					}
					bl.emit()
				}
			})
		})
	}
}
