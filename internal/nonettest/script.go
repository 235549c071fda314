package nonettest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/nonet-h2/nonet/frame"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The notation of frames, one a line, words between spaces:
//
//	TYPE [stream] [flag…] [option…] [name=value…]
//
//	DATA 1 ES len=5              or text=hello; pad=3
//	HEADERS 1 ES EH :method=GET  fields are encoded by x/net's hpack, with its dynamic table
//	CONTINUATION 1 EH a=b
//	PRIORITY 1 dep=3 weight=16   and excl=1
//	RST_STREAM 1 CANCEL          or a number
//	SETTINGS INITIAL_WINDOW_SIZE=5 0x99=1     SETTINGS ACK
//	PUSH_PROMISE 1 EH @promised=2 :method=GET
//	PING text=12345678           PING ACK text=12345678
//	GOAWAY last=1 NO_ERROR debug=why
//	WINDOW_UPDATE 0 inc=5
//	PRIORITY_UPDATE for=1 text=u=0
//	UNKNOWN type=0xa2 [stream] len=5
//	PREFACE, OCTETS 505249       raw octets
//
// ES, EH and ACK are the flags; in HEADERS, CONTINUATION and PUSH_PROMISE,
// options bear an @, for every other name=value is a field: @pad, @dep, @weight,
// @excl, @promised. Every frame takes @flags=0x.. (flags to set besides), @r=1 (the
// reserved bit), @payload=hex (instead of what it would have), @cut=n (only the
// first n octets of the frame are sent) and @length=n (claimed, not sent).
//
// $get, $post and $ok stand for the pseudo-header fields of a GET, a POST and
// a 200. In any word {x*100} is x a hundred times, and %0d an octet in hex.
// A line can begin with "100 * ", for a hundred of that frame.
type script struct {
	enc    *hpack.Encoder
	block  bytes.Buffer
	opened uint32 // the highest odd stream of a HEADERS frame
}

func newScript() *script {
	s := &script{}
	s.enc = hpack.NewEncoder(&s.block)
	return s
}

var macros = strings.NewReplacer(
	"$get", ":method=GET :scheme=http :path=/ :authority=a",
	"$post", ":method=POST :scheme=http :path=/ :authority=a",
	"$ok", ":status=200",
)

var flagWords = map[string]http2.Flags{"ES": 1, "ACK": 1, "EH": 4}

// words are a line taken apart.
type words struct {
	kind   string
	stream uint32
	flags  http2.Flags
	bare   []string // words without = that are neither flags nor the stream
	option map[string]string
	fields [][2]string
}

// append appends the octets of the frames in a line.
func (s *script) append(dst []byte, line string) ([]byte, error) {
	times := 1
	if n, rest, ok := strings.Cut(line, " * "); ok {
		if v, err := strconv.Atoi(n); err == nil {
			times, line = v, rest
		}
	}
	w, err := parseWords(line)
	if err != nil {
		return dst, fmt.Errorf("%q: %w", line, err)
	}
	for range times {
		if dst, err = s.frame(dst, w); err != nil {
			return dst, fmt.Errorf("%q: %w", line, err)
		}
	}
	return dst, nil
}

func parseWords(line string) (*words, error) {
	list := strings.Fields(macros.Replace(line))
	if len(list) == 0 {
		return nil, fmt.Errorf("empty line")
	}
	w := &words{kind: list[0], option: map[string]string{}}
	// Those whose name=value words are a list; SETTINGS may repeat one.
	hasFields := w.kind == "HEADERS" || w.kind == "CONTINUATION" || w.kind == "PUSH_PROMISE" || w.kind == "SETTINGS"
	if w.kind == "OCTETS" {
		w.bare = list[1:]
		return w, nil
	}
	numbered := false
	for _, word := range list[1:] {
		if f, ok := flagWords[word]; ok {
			w.flags |= f
			continue
		}
		if n, err := strconv.ParseUint(word, 10, 32); err == nil && !numbered {
			w.stream, numbered = uint32(n), true
			continue
		}
		at := strings.IndexByte(word[1:], '=') + 1 // the name may begin with anything but is not empty, see %
		if at == 0 {
			w.bare = append(w.bare, word)
			continue
		}
		name, value := word[:at], word[at+1:]
		value, err := unescape(value)
		if err != nil {
			return nil, err
		}
		switch {
		case name[0] == '@':
			w.option[name[1:]] = value
		case hasFields:
			if name, err = unescape(name); err != nil {
				return nil, err
			}
			if name == "()" {
				name = "" // an empty name
			}
			w.fields = append(w.fields, [2]string{name, value})
		default:
			w.option[name] = value
		}
	}
	return w, nil
}

// unescape resolves {x*n} and %XX.
func unescape(s string) (string, error) {
	for {
		open := strings.IndexByte(s, '{')
		end := strings.IndexByte(s, '}')
		if open < 0 || end < open {
			break
		}
		x, n, _ := strings.Cut(s[open+1:end], "*")
		times, err := strconv.Atoi(n)
		if err != nil {
			break
		}
		s = s[:open] + strings.Repeat(x, times) + s[end+1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			if i+3 > len(s) {
				return "", fmt.Errorf("half an escape in %q", s)
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", err
			}
			b.WriteByte(byte(n))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String(), nil
}

func (w *words) number(name string, or uint64) uint64 {
	if v, ok := w.option[name]; ok {
		n, err := strconv.ParseUint(v, 0, 32)
		if err != nil {
			panic(fmt.Sprintf("nonettest: %s=%s: %v", name, v, err))
		}
		return n
	}
	return or
}

// frame appends one frame.
func (s *script) frame(dst []byte, w *words) ([]byte, error) {
	switch w.kind {
	case "PREFACE":
		return append(dst, preface...), nil
	case "OCTETS":
		b, err := hex.DecodeString(strings.Join(w.bare, ""))
		return append(dst, b...), err
	}
	kind := w.frameType()
	var flags http2.Flags
	if kind == 0xff && w.kind != "UNKNOWN" {
		return dst, fmt.Errorf("unknown frame")
	}
	p, err := s.payload(w, &flags)
	if err != nil {
		return dst, err
	}
	if raw, ok := w.option["payload"]; ok {
		if p, err = hex.DecodeString(raw); err != nil {
			return dst, err
		}
	}
	if w.kind == "HEADERS" && w.stream%2 == 1 {
		s.opened = max(s.opened, w.stream)
	}
	flags |= w.flags | http2.Flags(w.number("flags", 0))
	n := w.number("length", uint64(len(p)))
	at := len(dst)
	dst = append(dst, byte(n>>16), byte(n>>8), byte(n), byte(kind), byte(flags))
	dst = binary.BigEndian.AppendUint32(dst, w.stream|uint32(w.number("r", 0))<<31)
	dst = append(dst, p...)
	if cut := w.number("cut", 1<<30); at+int(cut) < len(dst) {
		dst = dst[:at+int(cut)]
	}
	return dst, nil
}

func (w *words) frameType() http2.FrameType {
	for t := frame.TypeData; t <= frame.TypePriorityUpdate; t++ {
		if t.String() == w.kind {
			return http2.FrameType(t)
		}
	}
	return http2.FrameType(w.number("type", 0xff))
}

// payload builds what the frame holds; flags gets those that follow from options.
func (s *script) payload(w *words, flags *http2.Flags) (p []byte, err error) {
	u32 := binary.BigEndian.AppendUint32
	switch w.kind {
	case "HEADERS", "CONTINUATION", "PUSH_PROMISE":
		if w.option["payload"] != "" {
			return nil, nil
		}
		return w.padded(s.fieldBlock(w, flags), flags), nil
	case "PRIORITY":
		return w.priority(nil), nil
	case "RST_STREAM":
		code, err := w.code()
		return u32(nil, code), err
	case "SETTINGS":
		return w.settings()
	case "PING":
		text, ok := w.option["text"]
		if !ok {
			text = "pingping"
		}
		return []byte(text), nil
	case "GOAWAY":
		code, err := w.code()
		p = u32(u32(nil, uint32(w.number("last", 0))), code)
		return append(p, w.option["debug"]...), err
	case "WINDOW_UPDATE":
		return u32(nil, uint32(w.number("inc", 0))), nil
	case "PRIORITY_UPDATE":
		return append(u32(nil, uint32(w.number("for", 0))), w.option["text"]...), nil
	}
	if text, ok := w.option["text"]; ok {
		p = []byte(text)
	} else {
		p = bytes.Repeat([]byte{'x'}, int(w.number("len", 0)))
	}
	return w.padded(p, flags), nil
}

func (w *words) padded(p []byte, flags *http2.Flags) []byte {
	v, ok := w.option["pad"]
	if !ok {
		return p
	}
	*flags |= http2.FlagDataPadded
	n, _ := strconv.Atoi(v)
	return append(append([]byte{byte(n)}, p...), make([]byte, n)...)
}

func (s *script) fieldBlock(w *words, flags *http2.Flags) (p []byte) {
	if _, ok := w.option["dep"]; ok {
		*flags |= http2.FlagHeadersPriority
		p = w.priority(p)
	}
	if w.kind == "PUSH_PROMISE" {
		p = binary.BigEndian.AppendUint32(p, uint32(w.number("promised", 2)))
	}
	s.block.Reset()
	for _, f := range w.fields {
		s.enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return append(p, s.block.Bytes()...)
}

func (w *words) priority(p []byte) []byte {
	p = binary.BigEndian.AppendUint32(p, uint32(w.number("dep", 0))|uint32(w.number("excl", 0))<<31)
	return append(p, byte(w.number("weight", 16)-1))
}

func (w *words) code() (uint32, error) {
	if len(w.bare) == 0 {
		return 0, nil
	}
	c, err := frame.ParseErrCode(w.bare[0])
	return uint32(c), err
}

func (w *words) settings() (p []byte, err error) {
	for _, word := range w.bare {
		return nil, fmt.Errorf("setting %q has no value", word)
	}
	for _, f := range w.fields {
		id, err := settingID(f[0])
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseUint(f[1], 0, 32)
		if err != nil {
			return nil, err
		}
		p = binary.BigEndian.AppendUint16(p, id)
		p = binary.BigEndian.AppendUint32(p, uint32(v))
	}
	return p, nil
}

func settingID(name string) (uint16, error) {
	for id := frame.SettingID(0); id < 32; id++ {
		if id.String() == name {
			return uint16(id), nil
		}
	}
	n, err := strconv.ParseUint(name, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("unknown setting %q", name)
	}
	return uint16(n), nil
}

// TokenOctet reports whether a received field name may hold the octet: tchar
// of RFC 9110 5.6.2 without upper-case letters.
func TokenOctet(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
