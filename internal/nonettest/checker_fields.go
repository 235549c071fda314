package nonettest

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// headers takes HEADERS that the endpoint sends.
func (k *Checker) headers(h http2.FrameHeader, block []byte, es, eh bool) error {
	k.blockID, k.blockES, k.conts = h.StreamID, es, 0
	k.block = []byte{}
	id := h.StreamID
	s := k.streams[id]
	switch {
	case s == nil && k.server:
		return fmt.Errorf("stream is idle or closed (RFC 9113 5.1)")
	case s == nil:
		if id%2 == 0 || id <= k.highest {
			return fmt.Errorf("a client opens streams with rising odd identifiers (RFC 9113 5.1.1)")
		}
		if k.away {
			return fmt.Errorf("opens a stream after GOAWAY (RFC 9113 6.8)")
		}
		k.highest = id
		k.streams[id] = &wireStream{}
		// RFC 9113 5.1.2: endpoints MUST NOT exceed the limit set by their peer.
		if n := k.openStreams(); k.peer.streams >= 0 && n > k.peer.streams {
			return fmt.Errorf("%d streams are open, the peer allows %d", n, k.peer.streams)
		}
	case s.outEnd || s.outReset:
		return fmt.Errorf("stream is over: sent END_STREAM %v, sent RST_STREAM %v (RFC 9113 5.1)", s.outEnd, s.outReset)
	case k.server && k.away && id > k.last:
		return fmt.Errorf("stream is beyond GOAWAY's last (RFC 9113 6.8)")
	}
	return k.fragment(block, eh)
}

func (k *Checker) openStreams() (n int64) {
	for _, s := range k.streams {
		if !(s.inReset || s.outReset || s.inEnd && s.outEnd) {
			n++
		}
	}
	return n
}

// fragment takes a part of a field block.
func (k *Checker) fragment(p []byte, last bool) error {
	k.block = append(k.block, p...)
	if !last {
		return nil
	}
	block := k.block
	k.block = nil
	k.fields = k.fields[:0]
	block, err := k.sizeUpdates(block)
	if err == nil {
		err = k.decode(block)
	}
	if err != nil {
		return err
	}
	k.headersLine()
	return k.section(k.streams[k.blockID])
}

func (k *Checker) decode(block []byte) error {
	_, err := k.dec.Write(block)
	if err == nil {
		err = k.dec.Close()
	}
	if err != nil {
		return fmt.Errorf("hpack: %w", err)
	}
	return nil
}

// sizeUpdates checks that a reduction of the table which the endpoint
// acknowledged is announced at the start of the next block (RFC 9113 4.3.1).
// It returns the block without its size updates, which it gives to the decoder
// one by one: x/net's refuses a second one, which RFC 7541 4.2 asks for when
// the size changed twice.
func (k *Checker) sizeUpdates(block []byte) ([]byte, error) {
	lowest, seen := k.tableNow, false
	for len(block) > 0 && block[0]&0xe0 == 0x20 {
		n, rest := uint32(block[0]&0x1f), block[1:]
		if n == 0x1f {
			for shift := 0; len(rest) > 0; shift += 7 {
				b := rest[0]
				rest = rest[1:]
				n += uint32(b&0x7f) << shift
				if b < 0x80 {
					break
				}
			}
		}
		if err := k.decode(block[:len(block)-len(rest)]); err != nil {
			return nil, err
		}
		block, seen, k.tableNow = rest, true, n
		lowest = min(lowest, n)
	}
	if k.tableMin < lowest {
		return nil, fmt.Errorf("the table was reduced to %d and acknowledged; the block says so: %v (RFC 9113 4.3.1)", k.tableMin, seen)
	}
	k.tableMin = 1<<32 - 1
	return block, nil
}

// section checks a complete field section by what it is (RFC 9113 8).
func (k *Checker) section(s *wireStream) error {
	trailers := s.final
	pseudo := map[string]string{}
	regular := false
	for _, f := range k.fields {
		if f.IsPseudo() {
			if _, twice := pseudo[f.Name]; twice || regular || trailers {
				return fmt.Errorf("pseudo-header field %s is repeated, late or in trailers (RFC 9113 8.3)", f.Name)
			}
			pseudo[f.Name] = f.Value
			continue
		}
		regular = true
		if err := checkField(f); err != nil {
			return err
		}
	}
	interim := false
	switch {
	case trailers:
		if !k.blockES {
			return fmt.Errorf("trailers without END_STREAM (RFC 9113 8.1)")
		}
	case k.server:
		status := pseudo[":status"]
		if len(pseudo) != 1 || len(status) != 3 {
			return fmt.Errorf("pseudo-header fields of a response: %v (RFC 9113 8.3.2)", pseudo)
		}
		interim = status[0] == '1'
		if interim && (k.blockES || status == "101") {
			return fmt.Errorf("interim response %s with END_STREAM %v (RFC 9113 8.1, 8.6)", status, k.blockES)
		}
	default:
		connect := pseudo[":method"] == "CONNECT" && pseudo[":protocol"] == ""
		if connect && (len(pseudo) != 2 || pseudo[":authority"] == "") ||
			!connect && (pseudo[":method"] == "" || pseudo[":scheme"] == "" || pseudo[":path"] == "") {
			return fmt.Errorf("pseudo-header fields of a request: %v (RFC 9113 8.3.1)", pseudo)
		}
	}
	s.final = s.final || !interim
	if k.blockES {
		s.outEnd = true
		k.over(k.blockID, s)
	}
	return nil
}

func checkField(f hpack.HeaderField) error {
	if f.Name != strings.ToLower(f.Name) || !httpguts.ValidHeaderFieldName(f.Name) || !httpguts.ValidHeaderFieldValue(f.Value) {
		return fmt.Errorf("field %q: %q (RFC 9113 8.2.1)", f.Name, f.Value)
	}
	switch f.Name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		return fmt.Errorf("connection-specific field %q (RFC 9113 8.2.2)", f.Name)
	}
	return nil
}
