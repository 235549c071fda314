package hpack

// Huffman says which strings an encoder sends in Huffman code.
type Huffman uint8

const (
	HuffmanShorter Huffman = iota // those that it makes shorter
	HuffmanOn                     // all
	HuffmanOff                    // none: more octets, less work
)

// mode is what the encoder does with a field that is not in its table.
type mode uint8

const (
	modeIndex  mode = iota // literal with incremental indexing, 6.2.1
	modeSeldom             // the same if this value was sent lately; else literal without indexing, 6.2.2
	modeNever              // never-indexed literal, 6.2.3
	modeCookie             // modeNever when it is short, else modeIndex
)

// shortCookie is the length below which a cookie is never indexed. RFC 7541
// 7.1.3: "short or low-entropy values are more readily recovered by an
// adversary. Therefore, an encoder might choose not to index values with low
// entropy."
const shortCookie = 20

// modes has the names whose values are not simply indexed. An entry costs 32
// octets of the table beyond its own and pushes out another, so a value that
// seldom comes twice is left out until it does: measured on browser requests,
// that is fewer octets on the wire and less work. The path of a gRPC method
// comes again; the paths of a site's images do not.
var modes = [tokenCount]mode{
	TokenAuthorization:      modeNever,
	TokenProxyAuthorization: modeNever,
	TokenCookie:             modeCookie,

	TokenPath:                 modeSeldom,
	TokenAge:                  modeSeldom,
	TokenContentLength:        modeSeldom,
	TokenContentLocation:      modeSeldom,
	TokenContentRange:         modeSeldom,
	TokenETag:                 modeSeldom,
	TokenLastModified:         modeSeldom,
	TokenExpires:              modeSeldom,
	TokenIfMatch:              modeSeldom,
	TokenIfModifiedSince:      modeSeldom,
	TokenIfNoneMatch:          modeSeldom,
	TokenIfRange:              modeSeldom,
	TokenIfUnmodifiedSince:    modeSeldom,
	TokenLocation:             modeSeldom,
	TokenRange:                modeSeldom,
	TokenRetryAfter:           modeSeldom,
	TokenSetCookie:            modeSeldom,
	TokenGRPCMessage:          modeSeldom,
	TokenGRPCStatusDetailsBin: modeSeldom,
	TokenGRPCTimeout:          modeSeldom,
	TokenTraceparent:          modeSeldom,
	TokenXRequestID:           modeSeldom,
	TokenSecWebSocketKey:      modeSeldom,
}

// modeOf decides by name, and by what the sender said.
func modeOf(d *desc) mode {
	m := modes[d.token]
	if m == modeCookie {
		m = modeIndex
		if d.vlen < shortCookie {
			m = modeNever
		}
	}
	if d.flags&flagSensitive != 0 {
		m = modeNever
	}
	return m
}

// worth reports whether a field may have an entry: one that takes most of the
// table would push out too many others.
func (t *table) worth(d *desc) bool {
	return uint64(d.nlen)+uint64(d.vlen)+entryOverhead <= uint64(t.max)*3/4
}

// recent remembers some of the fields that were sent without an entry, by
// their hashes.
type recent [32]uint16

// again notes a field and reports whether it was noted lately.
func (r *recent) again(h uint32) bool {
	slot, tag := &r[h%uint32(len(r))], uint16(h>>16)|1
	known := *slot == tag
	*slot = tag
	return known
}
