package nonet

import "sync"

// chunkSize is the size of the buffers that payload waits in.
const chunkSize = 16 << 10

// chunk holds payload of one stream in one direction: octets [r:w] of buf wait
// to be taken. All but the octets beyond w belong to the holder of the
// connection's mutex; those belong to the one writer of the stream.
type chunk struct {
	next *chunk
	r, w int
	// refs counts who still needs buf: the list that the chunk is in, the
	// writer that fills it, each segment of a batch. At zero it goes back.
	refs int
	buf  []byte
	file *file // the payload is in it, not in buf
	// idle is set where the payload is lent: it is told when one reference is
	// left, the lender's, or the file was short.
	idle *sync.Cond
}

var chunks = sync.Pool{New: func() any { return &chunk{buf: make([]byte, chunkSize)} }}

// newChunk returns an empty chunk with one reference.
func newChunk() *chunk {
	c := chunks.Get().(*chunk)
	c.next, c.r, c.w, c.refs = nil, 0, 0, 1
	return c
}

// unref drops a reference. A chunk that lives in its stream has no pool, and
// neither has one that is lent.
func (c *chunk) unref() {
	c.refs--
	switch {
	case c.idle != nil:
		if c.refs == 1 || c.short() {
			c.idle.Broadcast()
		}
	case c.refs == 0 && len(c.buf) == chunkSize:
		scribble(c.buf)
		chunks.Put(c)
	}
}

// short reports whether a file ended before octets that were announced.
func (c *chunk) short() bool { return c.file != nil && c.file.short }

// chunkList is a queue of chunks, each with a reference.
type chunkList struct {
	head, tail *chunk
}

func (l *chunkList) empty() bool { return l.head == nil }

// push takes over one reference to c.
func (l *chunkList) push(c *chunk) {
	c.next = nil
	if l.head == nil {
		l.head = c
	} else {
		l.tail.next = c
	}
	l.tail = c
}

// pop hands over the reference to the first chunk.
func (l *chunkList) pop() *chunk {
	c := l.head
	l.head, c.next = c.next, nil
	if l.head == nil {
		l.tail = nil
	}
	return c
}

// drop lets go of everything.
func (l *chunkList) drop() {
	for !l.empty() {
		l.pop().unref()
	}
}

// Sizes of the buffers that input is read into. What sockets have is read in
// few system calls; other connections may wait with a buffer, and a TLS that is
// not our own has no more than a record at once.
const (
	bulkSize = 64 << 10
	readSize = 16 << 10
)

type (
	bulkBuffer [bulkSize]byte
	readBuffer [readSize]byte
)

var (
	bulkBuffers = sync.Pool{New: func() any { return new(bulkBuffer) }}
	readBuffers = sync.Pool{New: func() any { return new(readBuffer) }}
)

func getBulkBuffer() *bulkBuffer { return bulkBuffers.Get().(*bulkBuffer) }
func getReadBuffer() []byte      { return readBuffers.Get().(*readBuffer)[:] }

// putReadBuffer takes back a buffer of either size.
func putReadBuffer(b []byte) {
	scribble(b)
	if len(b) == bulkSize {
		bulkBuffers.Put((*bulkBuffer)(b))
		return
	}
	readBuffers.Put((*readBuffer)(b))
}
