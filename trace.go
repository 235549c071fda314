package nonet

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// traceLog serializes the lines of all connections.
type traceLog struct {
	mu sync.Mutex
	w  io.Writer
}

// tracer prints the frames of one connection. It sees octets, not the core: it
// has its own decoders, and prints what the peer got even if that is wrong.
type tracer struct {
	recv, send half
}

// half is one direction.
type half struct {
	log    *traceLog
	label  string
	epoch  time.Time
	skip   int // octets of the client preface still to come
	hdr    []byte
	h      frame.Header
	buf    []byte // payload that is kept
	left   int    // payload octets still to come
	keep   int    // of the payload: how many are kept
	block  []byte // a header block that goes on
	broken bool
	dec    hpack.Decoder
	out    []byte
}

// traceOctets bounds how much of a payload is kept for printing, and
// traceBlock of a header block.
const (
	traceOctets = 1 << 10
	traceBlock  = 256 << 10
)

func newTracer(log *traceLog, number uint64, epoch time.Time, table uint32) *tracer {
	t := &tracer{
		recv: half{log: log, label: fmt.Sprintf("conn %d recv ", number), epoch: epoch},
		send: half{log: log, label: fmt.Sprintf("conn %d send ", number), epoch: epoch},
	}
	t.recv.dec.SetAllowedTableSize(max(table, hpack.DefaultTableSize))
	return t
}

// feed takes the next octets of the direction.
func (t *half) feed(b []byte) {
	n := min(t.skip, len(b))
	t.skip -= n
	b = b[n:]
	for len(b) > 0 || t.left == 0 && len(t.hdr) == frame.HeaderLen {
		if len(t.hdr) < frame.HeaderLen {
			n := min(frame.HeaderLen-len(t.hdr), len(b))
			t.hdr, b = append(t.hdr, b[:n]...), b[n:]
			if len(t.hdr) < frame.HeaderLen {
				break
			}
			t.begin()
		}
		n := min(t.left, len(b))
		t.buf = append(t.buf, b[:min(n, t.keep-len(t.buf))]...)
		t.left -= n
		b = b[n:]
		if t.left == 0 {
			t.frame()
			t.hdr, t.buf = t.hdr[:0], t.buf[:0]
		}
	}
	if len(t.out) > 0 {
		t.log.mu.Lock()
		t.log.w.Write(t.out)
		t.log.mu.Unlock()
		t.out = t.out[:0]
	}
}

func (t *half) begin() {
	t.h = frame.ParseHeader(t.hdr)
	t.left = int(t.h.Length)
	switch t.h.Type {
	case frame.TypeData:
		t.keep = 0
	case frame.TypeHeaders, frame.TypeContinuation, frame.TypePushPromise:
		t.keep = traceBlock
	default:
		t.keep = traceOctets
	}
}

// frame prints the frame that is complete.
func (t *half) frame() {
	t.line(0)
	payload := t.buf
	if len(payload) != int(t.h.Length) {
		payload = nil
	}
	t.out = append(frame.AppendText(t.out, t.h, payload), '\n')
	switch t.h.Type {
	case frame.TypeHeaders:
		if hd, _ := frame.ParseHeaders(t.h, t.buf); len(t.buf) == int(t.h.Length) && t.h.Check(frame.MaxMaxFrameSize) == nil {
			t.fields(hd.Block)
		}
	case frame.TypeContinuation:
		t.fields(t.buf)
	}
}

// fields prints the fields of a header block once it is complete.
func (t *half) fields(fragment []byte) {
	if len(t.block)+len(fragment) > traceBlock {
		t.broken = true
	}
	if t.broken {
		return
	}
	t.block = append(t.block, fragment...)
	if !t.h.Flags.Has(frame.FlagEndHeaders) {
		return
	}
	for f := range t.dec.Fields(t.block) {
		t.line(4)
		t.out = appendVisible(append(appendVisible(t.out, f.Name), ": "...), f.Value)
		t.out = append(t.out, '\n')
	}
	if err := t.dec.Err(); err != nil {
		t.line(4)
		t.out = append(append(t.out, err.Error()...), '\n')
		t.broken = true
	}
	t.block = t.block[:0]
}

// line begins a line.
func (t *half) line(indent int) {
	t.out = fmt.Appendf(t.out, "[%8.3f] %s%*s", time.Since(t.epoch).Seconds(), t.label, indent, "")
}

// appendVisible appends text that comes from the peer, so that a line stays
// one line.
func appendVisible(dst, b []byte) []byte {
	for _, c := range b {
		if c < ' ' || c >= 0x7f || c == '\\' {
			dst = fmt.Appendf(dst, "\\x%02x", c)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
