package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// keepPayload bounds what is kept of a payload, and keepBlock of a header block
// with all its frames; in octets.
const (
	keepPayload = 64 << 10
	keepBlock   = maxBlock
)

// dumpFrames runs -frames.
func dumpFrames(in *input, p *printer, o dumpOptions) error {
	fr := newFrames(in, p, o)
	if err := fr.start(); err != nil {
		return err
	}
	for {
		h, err := fr.header()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = fr.payload(h)
		}
		if err != nil {
			return err
		}
		r, err := fr.record(h)
		p.print(r)
		if err != nil {
			return err
		}
		if in.waits() {
			p.w.Flush()
		}
	}
}

// frames reads the frames of one direction.
type frames struct {
	in      *input
	p       *printer
	verbose bool
	offset  int64 // of what is read next
	at      int64 // of the frame
	buf     []byte
	tap     func(b []byte, header bool) // gets every octet, if not nil
	from    string                      // for frameRecord
	lenient bool                        // another judges the frames: go on while their parts can be told

	dec   hpack.Decoder
	check hpack.Decoder // sees the same blocks, and says what is malformed
	block []byte
	parts []part // where the fragments of block came from
	id    uint32 // the stream of the block, when open
	open  bool   // END_HEADERS is still to come
}

// part says that block[start:] came from this offset.
type part struct {
	start int
	at    int64
}

func newFrames(in *input, p *printer, o dumpOptions) *frames {
	fr := &frames{in: in, p: p, verbose: o.verbose}
	// What the receiver allowed is not known here.
	fr.dec.SetAllowedTableSize(hpack.MaxTableSize)
	fr.check.SetAllowedTableSize(hpack.MaxTableSize)
	return fr
}

func (fr *frames) fault(at int64, format string, args ...any) error {
	return &fault{in: fr.in.name, offset: at, rule: fmt.Sprintf(format, args...)}
}

// start reads the client preface, if there is one, and refuses what is no HTTP/2.
func (fr *frames) start() error {
	b, err := fr.in.r.Peek(len(frame.Preface))
	var f *fault
	switch {
	case errors.As(err, &f):
		return err
	case string(b) == frame.Preface:
		if fr.tap != nil {
			fr.tap(b, false)
		}
		fr.p.print(&frameRecord{What: "frame", From: fr.from, Type: "preface", Length: uint32(len(b))})
		fr.skip(len(b))
	case len(b) >= 3 && b[0] == 0x16 && b[1] == 3:
		return fr.fault(0, "this is TLS; only what is inside it is HTTP/2")
	case bytes.HasPrefix(b, []byte(frame.Preface[:4])):
		return fr.fault(0, "%v", frame.ReasonPreface)
	case isHTTP(b):
		return fr.fault(0, "this is HTTP/1")
	}
	return nil
}

// skip moves past n octets that were looked at.
func (fr *frames) skip(n int) {
	fr.in.r.Discard(n) // they are in the buffer
	fr.offset += int64(n)
}

// header reads a frame header. io.EOF: there is no further frame.
func (fr *frames) header() (h frame.Header, err error) {
	var b [frame.HeaderLen]byte
	n, err := io.ReadFull(fr.in.r, b[:])
	fr.at = fr.offset
	fr.offset += int64(n)
	switch {
	case err == io.EOF && fr.open:
		return h, fr.fault(fr.at, "the input ends within a header block")
	case err == io.ErrUnexpectedEOF:
		return h, fr.fault(fr.at, "the input ends within a frame header, after %s", count(n, "octet"))
	case err != nil:
		return h, err
	}
	if fr.tap != nil {
		fr.tap(b[:], true)
	}
	return frame.ParseHeader(b[:]), nil
}

// payload reads a payload and keeps it, or its first part, in fr.buf.
func (fr *frames) payload(h frame.Header) error {
	keep := keepPayload
	if h.Type == frame.TypeHeaders || h.Type == frame.TypePushPromise || h.Type == frame.TypeContinuation {
		keep = keepBlock
	}
	fr.buf = fr.buf[:0]
	for left := int(h.Length); left > 0; {
		b, err := fr.in.r.Peek(1)
		if err == nil {
			b, _ = fr.in.r.Peek(min(left, fr.in.r.Buffered()))
		}
		if err == io.EOF {
			r := newFrameRecord(h, nil)
			r.From, r.Offset = fr.from, fr.at
			fr.p.print(r)
			return fr.fault(fr.at, "the input ends within a %v frame of %d octets, after %d", h.Type, h.Length, int(h.Length)-left)
		}
		if err != nil {
			return err
		}
		if fr.tap != nil {
			fr.tap(b, false)
		}
		fr.buf = append(fr.buf, b[:min(len(b), keep-len(fr.buf))]...)
		left -= len(b)
		fr.skip(len(b))
	}
	return nil
}

// record returns what to print for the frame, and the fault that ends the dump.
func (fr *frames) record(h frame.Header) (*frameRecord, error) {
	r := newFrameRecord(h, fr.buf)
	r.From, r.Offset = fr.from, fr.at
	var err error
	switch {
	case fr.open && (h.Type != frame.TypeContinuation || h.StreamID != fr.id):
		err = fr.fault(fr.at, "%v", frame.ReasonInterleaved)
	case !fr.open && h.Type == frame.TypeContinuation:
		err = fr.fault(fr.at, "%v", frame.ReasonContinuation)
	case !fr.lenient && r.Error != nil && r.Error.Scope == frame.ConnectionScope.String():
		err = fr.fault(fr.at, "%s: %s", r.Error.Code, r.Error.Reason)
	case len(fr.buf) == keepBlock && int(h.Length) > keepBlock: // only those of a block are kept so far
		err = fr.fault(fr.at, "%s", tooLong)
	}
	if err != nil {
		return r, err
	}
	if r.Error != nil {
		fr.p.note(fr.fault(fr.at, "%s: %s", r.Error.Code, r.Error.Reason))
	}
	if r.fragment == nil {
		return r, nil
	}
	return r, fr.fragment(r, h)
}

// fragment adds the frame's part of a header block, and decodes the block when
// it is complete.
func (fr *frames) fragment(r *frameRecord, h frame.Header) error {
	if h.Type != frame.TypeContinuation {
		fr.block, fr.parts = fr.block[:0], fr.parts[:0]
	}
	fr.parts = append(fr.parts, part{len(fr.block), fr.at + frame.HeaderLen + int64(r.skipped)})
	fr.id, fr.open = h.StreamID, !h.Flags.Has(frame.FlagEndHeaders)
	if len(fr.block)+len(r.fragment) > keepBlock {
		return fr.fault(fr.at, "%s", tooLong)
	}
	fr.block = append(fr.block, r.fragment...)
	if fr.open {
		return nil
	}
	list, at, err := decodeFields(&fr.dec, fr.block)
	r.Fields = list
	if fr.verbose {
		r.Table = tableOf(&fr.dec)
	}
	if err != nil {
		return fr.fault(fr.offsetOf(at), "%v: %v", frame.CompressionError, err)
	}
	if v, _ := fr.check.Decode(nil, fr.block, kindOf(list), hpack.Limits{}); v == hpack.Malformed {
		r.Malformed = fr.check.Fault().String()
		fr.p.note(fr.fault(fr.at, "malformed message: %s", r.Malformed))
	}
	return nil
}

// offsetOf returns where an octet of the block stands in the input.
func (fr *frames) offsetOf(at int) int64 {
	i := len(fr.parts) - 1
	for i > 0 && fr.parts[i].start > at {
		i--
	}
	return fr.parts[i].at + int64(at-fr.parts[i].start)
}

// kindOf guesses what a field list belongs to from its pseudo-header fields.
func kindOf(list []fieldRecord) hpack.Kind {
	kind := hpack.Trailers
	for _, f := range list {
		switch {
		case f.Name == ":status":
			return hpack.Response
		case f.Name != "" && f.Name[0] == ':':
			kind = hpack.Request
		}
	}
	return kind
}
