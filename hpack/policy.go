package hpack

// What the encoder does with a field that is not in its table.
type mode uint8

const (
	modeIndex   mode = iota // literal with incremental indexing, 6.2.1
	modeLiteral             // literal without indexing, 6.2.2: this value will not come again
	modeNever               // never-indexed literal, 6.2.3
	modePath                // modeIndex when it was sent before lately, else modeLiteral
)

// shortCookie is the length below which a cookie is never indexed. RFC 7541
// 7.1.3: "short or low-entropy values are more readily recovered by an
// adversary. Therefore, an encoder might choose not to index values with low
// entropy."
const shortCookie = 20

// modeOf decides by name. An entry costs 32 octets of the table beyond its own
// and pushes out another, so what seldom comes twice is left out: measured on
// browser requests, that is fewer octets on the wire and less work.
func modeOf(d *desc) mode {
	if d.flags&flagSensitive != 0 {
		return modeNever
	}
	switch d.token {
	case TokenAuthorization, TokenProxyAuthorization:
		return modeNever
	case TokenCookie:
		if d.vlen < shortCookie {
			return modeNever
		}
	case TokenPath:
		return modePath
	case TokenContentLength, TokenContentRange, TokenRange, TokenETag, TokenIfNoneMatch, TokenIfMatch,
		TokenIfModifiedSince, TokenIfUnmodifiedSince, TokenIfRange, TokenAge, TokenLocation, TokenSetCookie,
		TokenContentLocation, TokenRetryAfter, TokenGRPCTimeout, TokenGRPCMessage, TokenGRPCStatusDetailsBin,
		TokenTraceparent, TokenXRequestID, TokenSecWebSocketKey:
		return modeLiteral
	}
	return modeIndex
}

// recent remembers the last few :path values by their hash. The path of a gRPC
// method is worth an entry; the paths of a site's images are not.
type recent struct {
	hash [16]uint32
	next uint8
}

// again notes h and reports whether it was noted lately.
func (r *recent) again(h uint32) bool {
	for _, v := range r.hash {
		if v == h {
			return true
		}
	}
	r.hash[r.next&15] = h
	r.next++
	return false
}
