package frame

import (
	"bytes"
	"testing"

	"golang.org/x/net/http2"
)

// grpcWire is what a server reads in 100 unary gRPC calls: HEADERS and DATA, and
// now and then WINDOW_UPDATE and PING.
func grpcWire() (wire []byte, frames int) {
	for i := range 100 {
		id := uint32(2*i + 1)
		wire = AppendHeaders(wire, id, pattern(19), false, 0)
		wire = AppendData(wire, id, pattern(55), true)
		frames += 2
		if i%8 == 0 {
			wire = AppendWindowUpdate(wire, 0, 1000)
			wire = AppendPing(wire, false, [8]byte{})
			frames += 2
		}
	}
	return wire, frames
}

func perFrame(b *testing.B, frames int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(frames), "ns/frame")
}

// BenchmarkRead reads grpcWire: header, rules and dispatch; the same with the
// payload's view; and x/net's Framer for comparison.
func BenchmarkRead(b *testing.B) {
	wire, frames := grpcWire()
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for p := wire; len(p) >= HeaderLen; {
				h := ParseHeader(p)
				if err := h.Check(MinMaxFrameSize); err != nil {
					b.Fatal(err)
				}
				switch h.Type {
				case TypeData:
					n += int(h.Length)
				case TypeHeaders:
					n += 2
				case TypePing:
					n += 3
				case TypeWindowUpdate:
					n += 4
				}
				p = p[HeaderLen+h.Length:]
			}
			sink.n = n
		}
		perFrame(b, frames)
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			readAll(wire)
		}
		perFrame(b, frames)
	})
	b.Run("x-net", func(b *testing.B) {
		r := bytes.NewReader(wire)
		fr := http2.NewFramer(nil, r)
		fr.AllowIllegalReads = true
		fr.SetReuseFrames()
		b.ReportAllocs()
		for b.Loop() {
			r.Reset(wire)
			for range frames {
				if _, err := fr.ReadFrame(); err != nil {
					b.Fatal(err)
				}
			}
		}
		perFrame(b, frames)
	})
}

// BenchmarkAppend writes a unary gRPC answer whose field blocks are at hand.
func BenchmarkAppend(b *testing.B) {
	dst := make([]byte, 0, 4096)
	head, data, trailers := pattern(10), pattern(55), pattern(4)
	b.ReportAllocs()
	for b.Loop() {
		out := AppendHeaders(dst, 1, head, false, MinMaxFrameSize)
		out = AppendData(out, 1, data, false)
		out = AppendHeaders(out, 1, trailers, true, MinMaxFrameSize)
		sink.n = len(out)
	}
	perFrame(b, 3)
}
