package fuzz

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// FuzzRequest sends one header section twice on a connection (the second time
// HPACK's table may know its fields) and a good one after it. A malformed one
// must be answered with RST_STREAM(PROTOCOL_ERROR), a plain one must reach the
// application as it was sent, and both times alike. In text, 0x01 stands
// between fields and 0x02 between name and value.
func FuzzRequest(f *testing.F) {
	const get = ":method\x02GET\x01:scheme\x02https\x01:path\x02/\x01:authority\x02example.com"
	for _, text := range []string{
		"",
		get,
		get + "\x01accept\x02*/*\x01te\x02trailers\x01cookie\x02a=b\x01cookie\x02c=d",
		get + "\x01content-length\x023",
		get + "\x01host\x02example.com\x01priority\x02u=1, i",
		get + "\x01connection\x02close",
		get + "\x01transfer-encoding\x02chunked",
		get + "\x01X-Upper\x021",
		get + "\x01x\x02\x00",
		get + "\x01x\x02 y",
		get + "\x01:path\x02/",
		get + "\x01te\x02gzip\x01keep-alive\x021\x01upgrade\x02h2c\x01proxy-connection\x02a\x01http2-settings\x02AAMA",
		":method\x02CONNECT\x01:authority\x02example.com:443",
		":method\x02CONNECT\x01:authority\x02example.com\x01:scheme\x02https\x01:path\x02/chat\x01:protocol\x02websocket",
		":method\x02OPTIONS\x01:scheme\x02http\x01:path\x02*\x01host\x02a",
		":method\x02GET\x01:scheme\x02https\x01:path\x02/\x01:authority\x02u@example.com",
		":status\x02200",
	} {
		f.Add(text, byte(0))
		f.Add(text, byte(3))
		f.Add(text, byte(6))
	}
	f.Fuzz(func(t *testing.T, text string, flags byte) {
		r := request{end: flags&1 != 0, connect: flags&2 != 0}
		size := 0
		for part := range strings.SplitSeq(text, "\x01") {
			name, value, _ := strings.Cut(part, "\x02")
			r.fields = append(r.fields, field{name, value})
			size += len(name) + len(value) + 32
		}
		l := conn.Limits{}.WithDefaults()
		if size > int(l.HeaderListSize) || len(r.fields) > l.CookieCrumbs {
			t.Skip("beyond the limits, which are another matter")
		}
		if err := checkRequest(r, flags&4 != 0); err != nil {
			t.Fatalf("%v\n%v", err, r)
		}
	})
}

func checkRequest(r request, sensitive bool) error {
	c := conn.New(conn.Config{EnableConnectProtocol: r.connect}, 1)
	var blocks bytes.Buffer
	enc := xhpack.NewEncoder(&blocks)
	send := func(id uint32, r request) (event conn.Event, list hpack.Fields, err error) {
		blocks.Reset()
		for _, f := range r.fields {
			if err := enc.WriteField(xhpack.HeaderField{Name: f.name, Value: f.value, Sensitive: sensitive}); err != nil {
				return event, list, err
			}
		}
		var wire []byte
		if id == 1 {
			wire = frame.AppendSettings([]byte(frame.Preface))
		}
		wire = frame.AppendHeaders(wire, id, blocks.Bytes(), r.end, frame.MinMaxFrameSize)
		for len(wire) > 0 {
			ev, n, err := c.Next(1, wire, &list)
			if err != nil || n == 0 {
				return event, list, fmt.Errorf("stream %d: Next: %d octets, %v", id, n, err)
			}
			if wire = wire[n:]; ev.Kind != conn.None {
				event = ev
			}
		}
		return event, list, nil
	}
	want, why := r.judge()
	var first bool
	for _, id := range []uint32{1, 3} {
		ev, list, err := send(id, r)
		if err != nil {
			return err
		}
		code, reset, err := resetOf(c, id)
		if err != nil {
			return err
		}
		taken := ev.Kind == conn.Headers
		switch {
		case taken == reset:
			return fmt.Errorf("stream %d: event %+v, and RST_STREAM: %v", id, ev, reset)
		case reset && code != frame.ProtocolError:
			return fmt.Errorf("stream %d: RST_STREAM(%v)", id, code)
		case taken && want == reject, !taken && want == accept:
			return fmt.Errorf("stream %d: taken: %v, want %v: %s", id, taken, want, why)
		case id == 1:
			first = taken
		case taken != first:
			return fmt.Errorf("taken at first: %v; the second time: %v", first, taken)
		}
		if taken {
			if err := sameFields(r, ev, &list, sensitive); err != nil {
				return err
			}
			c.Release(ev.Ref)
		}
	}
	good := request{end: true, fields: []field{{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}, {"x-last", "1"}}}
	ev, list, err := send(5, good)
	if err == nil && ev.Kind != conn.Headers {
		err = fmt.Errorf("a good request was not taken")
	}
	if err == nil {
		err = sameFields(good, ev, &list, sensitive)
	}
	if err != nil {
		return fmt.Errorf("after the request: %w", err)
	}
	return nil
}

// sameFields compares what was sent with what arrived.
func sameFields(r request, ev conn.Event, list *hpack.Fields, sensitive bool) error {
	if ev.End != r.end || list.Len() != len(r.fields) {
		return fmt.Errorf("%d fields, end %v", list.Len(), ev.End)
	}
	for i, f := range r.fields {
		got := list.Field(i)
		if string(got.Name) != f.name || string(got.Value) != f.value || got.Token != hpack.TokenOf(got.Name) || got.Sensitive != sensitive {
			return fmt.Errorf("field %d is %q: %q, token %d, sensitive %v", i, got.Name, got.Value, got.Token, got.Sensitive)
		}
	}
	return nil
}

// resetOf emits what there is and looks for RST_STREAM on the stream.
func resetOf(c *conn.Conn, id uint32) (code frame.ErrCode, found bool, err error) {
	var w conn.Batch
	c.Emit(1, &w, 1<<16)
	fr := http2.NewFramer(io.Discard, bytes.NewReader(w.Buf))
	for {
		f, err := fr.ReadFrame()
		if err == io.EOF {
			return code, found, nil
		}
		if err != nil {
			return 0, false, err
		}
		switch f := f.(type) {
		case *http2.RSTStreamFrame:
			if f.StreamID == id {
				code, found = frame.ErrCode(f.ErrCode), true
			}
		case *http2.HeadersFrame, *http2.GoAwayFrame:
			return 0, false, fmt.Errorf("answered with %v", f)
		}
	}
}
