package nonet

import (
	"net"
	"sync"

	"github.com/nonet-h2/nonet/conn"
)

// largeCut is from how many octets on payload is not copied but written from
// where it is.
const largeCut = 4 << 10

// batch is what one write takes: octets in out, and large pieces of payload
// that belong between them.
type batch struct {
	head conn.Batch
	out  []byte
	segs []segment
	size int  // octets in all
	shut bool // then our side is to be shut

	files bool   // some of the payload is in files
	list  []part // all of it, then

	flat []byte      // all of it in one piece, when it is wanted so
	left []byte      // of flat: what was not written yet
	iov  [][]byte    // all of it in pieces
	bufs net.Buffers // iov, while it is being written
}

// segment is payload that goes after out[:at]: b, or n octets of the file of c.
type segment struct {
	at      int
	b       []byte
	c       *chunk
	from, n int
}

// part is a piece of a batch: b, or n octets of file.
type part struct {
	b       []byte
	file    *file
	from, n int
	short   bool // the file did not have all of them
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func getBatch() *batch { return batches.Get().(*batch) }

// keepBatch is the largest buffer that an unused batch keeps.
const keepBatch = 2 * maxBatch

// putBatch takes back a batch that holds no chunks.
func putBatch(b *batch) {
	scribble(b.out[:cap(b.out)])
	if cap(b.out) > keepBatch {
		b.out = nil
	}
	if cap(b.flat) > keepBatch {
		b.flat = nil
	}
	if cap(b.head.Buf) > keepBatch {
		b.head.Buf = nil
	}
	batches.Put(b)
}

// octets adds octets that are copied.
func (b *batch) octets(p []byte) {
	b.out = append(b.out, p...)
	b.size += len(p)
}

// add adds payload of c.
func (b *batch) add(c *chunk, p []byte) {
	if len(p) < largeCut {
		b.octets(p)
		return
	}
	c.refs++
	b.segs = append(b.segs, segment{at: len(b.out), b: p, c: c})
	b.size += len(p)
}

// addFile adds the next n octets of a file's chunk.
func (b *batch) addFile(c *chunk, n int) {
	c.refs++
	b.segs = append(b.segs, segment{at: len(b.out), c: c, from: c.r, n: n})
	b.size += n
	b.files = true
}

// release empties the batch and lets go of the chunks. The caller holds the
// mutex of their connection.
func (b *batch) release() {
	for i := range b.list {
		if p := &b.list[i]; p.short {
			p.file.short = true
		}
	}
	for i := range b.segs {
		b.segs[i].c.unref()
	}
	clear(b.segs)
	b.segs = b.segs[:0]
	b.out = b.out[:0]
	b.flat, b.left = b.flat[:0], nil
	b.size, b.shut, b.files = 0, false, false
	clear(b.list)
	b.list = b.list[:0]
}

// parts returns the pieces in their order.
func (b *batch) parts() []part {
	b.list = b.list[:0]
	at := 0
	for i := range b.segs {
		s := &b.segs[i]
		b.list = append(b.list, part{b: b.out[at:s.at]}, part{b: s.b, file: s.c.file, from: s.from, n: s.n})
		at = s.at
	}
	b.list = append(b.list, part{b: b.out[at:]})
	return b.list
}

// each yields the pieces in their order, of a batch without files.
func (b *batch) each(f func([]byte)) {
	at := 0
	for i := range b.segs {
		s := &b.segs[i]
		if s.at > at {
			f(b.out[at:s.at])
		}
		at = s.at
		f(s.b)
	}
	if at < len(b.out) {
		f(b.out[at:])
	}
}

// join returns the batch in one piece.
func (b *batch) join() []byte {
	if len(b.segs) == 0 {
		return b.out
	}
	b.flat = b.flat[:0]
	b.each(func(p []byte) { b.flat = append(b.flat, p...) })
	return b.flat
}

// pieces returns the batch as a list of its pieces.
func (b *batch) pieces() *net.Buffers {
	b.iov = b.iov[:0]
	b.each(func(p []byte) { b.iov = append(b.iov, p) })
	b.bufs = b.iov
	return &b.bufs
}
