package bench

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/net/http2"
	xhpack "golang.org/x/net/http2/hpack"

	"github.com/nonet-h2/nonet/bench/internal/rig"
	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// calls is how many unary gRPC calls inbound has.
const calls = 200

// inbound is what a server reads in unary gRPC calls: HEADERS and DATA, and now
// and then WINDOW_UPDATE and PING.
func inbound(c *corpus) (wire []byte, frames int) {
	message := make([]byte, 55)
	for i := range calls {
		id := uint32(2*i + 1)
		wire = frame.AppendHeaders(wire, id, c.blocks[i].wire, false, frame.MinMaxFrameSize)
		wire = frame.AppendData(wire, id, message, true)
		frames += 2
		if i%8 == 0 {
			wire = frame.AppendWindowUpdate(wire, 0, 1000)
			wire = frame.AppendPing(wire, false, [8]byte{})
			frames += 2
		}
	}
	return wire, frames
}

// BenchmarkFrameRead parses frame headers, applies every rule that they decide,
// and goes to a place for each type; x/net's Framer reads the same frames, with
// SetReuseFrames.
func BenchmarkFrameRead(b *testing.B) {
	wire, frames := inbound(newCorpus("grpc-req", grpcRequests(calls)))
	beside(b, frames, "frame", readFrames(b, wire, frames), xReadFrames(b, wire, frames))
}

// BenchmarkInbound goes on to validated lists of fields; x/net's Framer has
// ReadMetaHeaders set.
func BenchmarkInbound(b *testing.B) {
	c := newCorpus("grpc-req", grpcRequests(calls))
	wire, frames := inbound(c)
	beside(b, frames, "frame", readLists(b, wire, c), xReadLists(b, wire, frames))
}

// BenchmarkFrameAppend appends the three frames of a unary gRPC answer: HEADERS,
// DATA, HEADERS with END_STREAM. encoded: their fields are encoded each time, by
// both; prepared: ours are prepared; frames: the blocks are there already.
func BenchmarkFrameAppend(b *testing.B) {
	c := newCorpus("grpc-resp", grpcResponses(2))
	b.Run("encoded", func(b *testing.B) { beside(b, 1, "answer", appendAnswer(c, nil), xAppendAnswer(b, c)) })
	b.Run("prepared", func(b *testing.B) { beside(b, 1, "answer", appendAnswer(c, new(hpack.Set)), xAppendAnswer(b, c)) })
	b.Run("frames", func(b *testing.B) { beside(b, 1, "answer", appendFrames(c), xAppendFrames(b, c)) })
	b.Run("window-update", func(b *testing.B) {
		fr := http2.NewFramer(io.Discard, nil)
		beside(b, 1, "frame",
			func() { sink.b = frame.AppendWindowUpdate(sink.b[:0], 3, 1000) },
			func() {
				if err := fr.WriteWindowUpdate(3, 1000); err != nil {
					b.Fatal(err)
				}
			})
	})
}

// BenchmarkData takes the payload out of DATA frames of 16 KiB with one copy.
// frames: a walk over the frames; conn: a server's Conn gets them in reads of
// 16 KiB, which cut each in two. Held against it is copying the same payload
// with copy, and x/net's Framer, which reads it into a buffer of its own.
func BenchmarkData(b *testing.B) {
	wire := dataFrames()
	b.Run("frames", func(b *testing.B) { besideCopy(b, wire, walkData(b, wire)) })
	b.Run("conn", func(b *testing.B) { besideCopy(b, wire, readData(b, wire)) })
}

func besideCopy(b *testing.B, wire []byte, pass func()) {
	ours, plain, theirs := rig.NewSide(pass), rig.NewSide(copyData(wire)), rig.NewSide(xReadFrames(b, wire, dataCount))
	allocs := testing.AllocsPerRun(1, pass)
	for b.Loop() {
		ours.Run()
		plain.Run()
		theirs.Run()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours.Median()/dataCount, "ns/frame")
	b.ReportMetric(plain.Median()/dataCount, "copy-ns/frame")
	b.ReportMetric(theirs.Median()/dataCount, "x/net-ns/frame")
	b.ReportMetric(allocs, "allocs")
	b.ReportMetric(plain.Median()/ours.Median(), "ratio-to-copy")
	b.ReportMetric(theirs.Median()/ours.Median(), "ratio")
}

// dataSize is the payload of a frame of dataFrames, dataCount how many there are.
const dataSize, dataCount = frame.MinMaxFrameSize, 64

func dataFrames() (wire []byte) {
	payload := make([]byte, dataSize)
	for i := range dataCount {
		payload[0] = byte(i)
		wire = frame.AppendData(wire, 1, payload, false)
	}
	return wire
}

// walkData returns a pass that reads the frames of wire where they lie.
func walkData(tb testing.TB, wire []byte) func() {
	var body [dataSize]byte
	return func() {
		n := 0
		for at := 0; at < len(wire); {
			h := frame.HeaderAt(wire, at)
			if at += frame.HeaderLen; !h.Plain(frame.MinMaxFrameSize) || h.Type != frame.TypeData {
				tb.Fatal(h)
			}
			n += copy(body[:], wire[at:at+int(h.Length)])
			at += int(h.Length)
		}
		sink.n = n
	}
}

// readData returns a pass of wire through a Conn that has stream 1 open.
func readData(tb testing.TB, wire []byte) func() {
	const window = 1 << 30
	c := conn.New(conn.Config{Limits: conn.Limits{StreamWindow: window, ConnWindow: window}}, 0)
	var (
		list  hpack.Fields
		batch conn.Batch
		ref   conn.Ref
		body  [dataSize]byte
	)
	feed := func(p []byte) (n int) {
		for len(p) > 0 {
			ev, k, err := c.Next(0, p, &list)
			if err != nil {
				tb.Fatal(err)
			}
			switch ev.Kind {
			case conn.Headers:
				ref = ev.Ref
			case conn.Data:
				if &ev.Data[0] != &p[k-len(ev.Data)] {
					tb.Fatal("the payload is not where it came")
				}
				n += copy(body[:], ev.Data)
				c.Consumed(ref, len(ev.Data))
			}
			p = p[k:]
		}
		c.Emit(0, &batch, 1<<16)
		batch.Reset()
		return n
	}
	start := frame.AppendSettings([]byte(frame.Preface))
	feed(frame.AppendSettingsAck(frame.AppendHeaders(start, 1, []byte("\x83\x84\x86\x41\x01a"), false, 0)))
	return func() {
		n := 0
		for p := wire; len(p) > 0; {
			k := min(len(p), 1<<14)
			n += feed(p[:k])
			p = p[k:]
		}
		if n != dataSize*dataCount {
			tb.Fatalf("%d octets, want %d", n, dataSize*dataCount)
		}
	}
}

// copyData returns a pass that copies the payloads of wire.
func copyData(wire []byte) func() {
	var body [dataSize]byte
	return func() {
		n := 0
		for p := wire; len(p) > 0; p = p[frame.HeaderLen+dataSize:] {
			n += copy(body[:], p[frame.HeaderLen:])
		}
		sink.n = n
	}
}

func readFrames(tb testing.TB, wire []byte, frames int) func() {
	return func() {
		if n, data := walk(tb, wire); n != frames || data != 55*calls {
			tb.Fatalf("%d frames, %d octets of data", n, data)
		}
	}
}

// walk reads the frames of wire as a connection does, up to the place where it
// would look into the payload.
func walk(tb testing.TB, wire []byte) (n, data int) {
	var count [frame.TypeContinuation + 1]int
	for at := 0; at+frame.HeaderLen <= len(wire); n++ {
		h := frame.HeaderAt(wire, at)
		if !h.Plain(frame.MinMaxFrameSize) {
			if e := h.Check(frame.MinMaxFrameSize); e != nil {
				tb.Fatal(e)
			}
		}
		switch h.Type {
		case frame.TypeData:
			count[frame.TypeData] += int(h.Length)
		case frame.TypeHeaders:
			count[frame.TypeHeaders]++
		case frame.TypePing:
			count[frame.TypePing]++
		case frame.TypeWindowUpdate:
			count[frame.TypeWindowUpdate]++
		case frame.TypeSettings, frame.TypeRSTStream, frame.TypeGoAway, frame.TypePriority, frame.TypeContinuation:
			tb.Fatal(h)
		}
		at += frame.HeaderLen + int(h.Length)
	}
	return n, count[frame.TypeData]
}

func readLists(tb testing.TB, wire []byte, c *corpus) func() {
	dec := new(hpack.Decoder)
	list := new(hpack.Fields)
	return func() {
		if fields := walkLists(tb, wire, dec, list); fields != c.fields {
			tb.Fatalf("%d fields, want %d", fields, c.fields)
		}
	}
}

// walkLists is walk, and decodes the header blocks.
func walkLists(tb testing.TB, wire []byte, dec *hpack.Decoder, list *hpack.Fields) (fields int) {
	for at := 0; at+frame.HeaderLen <= len(wire); {
		h := frame.HeaderAt(wire, at)
		if !h.Plain(frame.MinMaxFrameSize) {
			if e := h.Check(frame.MinMaxFrameSize); e != nil {
				tb.Fatal(e)
			}
		}
		at += frame.HeaderLen
		if h.Type == frame.TypeHeaders {
			hd, e := frame.ParseHeaders(h, wire[at:at+int(h.Length)])
			if e != nil {
				tb.Fatal(e)
			}
			if v, err := dec.Decode(list, hd.Block, hpack.Request, limits); v != hpack.OK || err != nil {
				tb.Fatal(v, err)
			}
			fields += list.Len()
		}
		at += int(h.Length)
	}
	return fields
}

func xReadFrames(tb testing.TB, wire []byte, frames int) func() {
	r := bytes.NewReader(wire)
	fr := http2.NewFramer(nil, r)
	fr.SetReuseFrames()
	return func() { xRead(tb, fr, r, wire, frames) }
}

func xReadLists(tb testing.TB, wire []byte, frames int) func() {
	r := bytes.NewReader(wire)
	fr := http2.NewFramer(nil, r)
	fr.SetReuseFrames()
	fr.ReadMetaHeaders = xhpack.NewDecoder(4096, nil)
	return func() { xRead(tb, fr, r, wire, frames) }
}

func xRead(tb testing.TB, fr *http2.Framer, r *bytes.Reader, wire []byte, frames int) {
	r.Reset(wire)
	for range frames {
		if _, err := fr.ReadFrame(); err != nil {
			tb.Fatal(err)
		}
	}
	if r.Len() > 0 {
		tb.Fatalf("%d octets are left", r.Len())
	}
}

// answerMessage is the DATA of a unary answer.
var answerMessage = make([]byte, 55)

// appendAnswer encodes the header and trailer sections of c's last call. set:
// where to prepare their fields, or nil.
func appendAnswer(c *corpus, set *hpack.Set) func() {
	enc := new(hpack.Encoder)
	last := len(c.blocks) - 2
	lists := [2]*hpack.Fields{c.blocks[last].own, c.blocks[last+1].own}
	if set != nil {
		for i := range lists {
			lists[i] = new(hpack.Fields)
			for _, f := range c.blocks[last+i].list {
				lists[i].AddPrepared(set.Prepare(f.Name, f.Value))
			}
		}
		enc.UseSet(set)
	}
	var room [frame.HeaderLen]byte
	return func() {
		b := append(sink.b[:0], room[:]...)
		b = enc.AppendBlock(b, lists[0])
		b = frame.FrameHeaders(b, 0, 1, false, frame.MinMaxFrameSize)
		b = frame.AppendData(b, 1, answerMessage, false)
		at := len(b)
		b = append(b, room[:]...)
		b = enc.AppendBlock(b, lists[1])
		sink.b = frame.FrameHeaders(b, at, 1, true, frame.MinMaxFrameSize)
	}
}

func xAppendAnswer(tb testing.TB, c *corpus) func() {
	var buf bytes.Buffer
	enc := xhpack.NewEncoder(&buf)
	fr := http2.NewFramer(io.Discard, nil)
	last := len(c.blocks) - 2
	section := func(list []xhpack.HeaderField, end bool) {
		buf.Reset()
		for _, f := range list {
			if err := enc.WriteField(f); err != nil {
				tb.Fatal(err)
			}
		}
		if err := fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: buf.Bytes(), EndHeaders: true, EndStream: end}); err != nil {
			tb.Fatal(err)
		}
	}
	return func() {
		section(c.blocks[last].list, false)
		if err := fr.WriteData(1, false, answerMessage); err != nil {
			tb.Fatal(err)
		}
		section(c.blocks[last+1].list, true)
	}
}

func appendFrames(c *corpus) func() {
	last := len(c.blocks) - 2
	return func() {
		b := frame.AppendHeaders(sink.b[:0], 1, c.blocks[last].wire, false, frame.MinMaxFrameSize)
		b = frame.AppendData(b, 1, answerMessage, false)
		sink.b = frame.AppendHeaders(b, 1, c.blocks[last+1].wire, true, frame.MinMaxFrameSize)
	}
}

func xAppendFrames(tb testing.TB, c *corpus) func() {
	fr := http2.NewFramer(io.Discard, nil)
	last := len(c.blocks) - 2
	return func() {
		err := fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.blocks[last].wire, EndHeaders: true})
		if err == nil {
			err = fr.WriteData(1, false, answerMessage)
		}
		if err == nil {
			err = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.blocks[last+1].wire, EndHeaders: true, EndStream: true})
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	c := newCorpus("grpc-req", grpcRequests(calls))
	wire, frames := inbound(c)
	answers := newCorpus("grpc-resp", grpcResponses(2))
	for name, pass := range map[string]func(){
		"read":     readFrames(t, wire, frames),
		"payload":  walkData(t, dataFrames()),
		"data":     readData(t, dataFrames()),
		"lists":    readLists(t, wire, c),
		"encoded":  appendAnswer(answers, nil),
		"prepared": appendAnswer(answers, new(hpack.Set)),
		"frames":   appendFrames(answers),
	} {
		pass()
		if n := testing.AllocsPerRun(10, pass); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestFramesAppended: what is measured is valid, and says the same as what x/net
// is measured with.
func TestFramesAppended(t *testing.T) {
	c := newCorpus("grpc-resp", grpcResponses(2))
	for name, pass := range map[string]func(){"encoded": appendAnswer(c, nil), "prepared": appendAnswer(c, new(hpack.Set)), "frames": appendFrames(c)} {
		pass()
		fr := http2.NewFramer(nil, bytes.NewReader(sink.b))
		fr.ReadMetaHeaders = xhpack.NewDecoder(4096, nil)
		if name == "frames" {
			fr.ReadMetaHeaders = nil // the blocks are not the connection's first
		}
		for i := range 3 {
			f, err := fr.ReadFrame()
			if err != nil {
				t.Fatalf("%s: frame %d: %v", name, i, err)
			}
			if end := f.Header().Flags.Has(http2.FlagDataEndStream); end != (i == 2) {
				t.Errorf("%s: %v: END_STREAM %v", name, f, end)
			}
			if m, ok := f.(*http2.MetaHeadersFrame); ok && len(m.Fields) != 2 && i == 0 {
				t.Errorf("%s: %v", name, m.Fields)
			}
		}
	}
}
