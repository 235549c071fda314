package proxy

import "bytes"

// version is how a response begins.
const version = "HTTP/1."

// header is what the framing of a response depends on.
type header struct {
	status  int
	minor   byte  // of the version: '0' or '1'
	length  int64 // content-length; -1: none
	chunked bool
}

// framed reports whether the header section says that there is content.
func (h *header) framed() bool { return h.chunked || h.length >= 0 }

// parseStatus parses the status line (RFC 9112 4). The blank before an empty
// reason may be missing.
func parseStatus(line []byte) (header, error) {
	if len(line) < len("HTTP/1.1 200") || string(line[:len(version)]) != version || line[8] != ' ' {
		return header{}, errStatus
	}
	h := header{minor: line[7], length: -1}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return header{}, errStatus
		}
		h.status = h.status*10 + int(c-'0')
	}
	if h.minor != '0' && h.minor != '1' || h.status < 100 ||
		len(line) > 12 && line[12] != ' ' || !text(line[12:]) {
		return header{}, errStatus
	}
	return h, nil
}

// field takes a line of the header section.
func (h *header) field(line []byte) error {
	name, value, err := parseField(line)
	if err != nil {
		return err
	}
	switch {
	case bytes.EqualFold(name, []byte("content-length")):
		n, ok := parseLength(value)
		if !ok || h.length >= 0 {
			return errLength
		}
		h.length = n
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		if h.chunked || h.minor == '0' || !bytes.EqualFold(value, []byte("chunked")) {
			return errCoding
		}
		h.chunked = true
	}
	return nil
}

// parseField parses field-name ":" OWS field-value OWS (RFC 9112 5). Nothing
// may stand before the name or between the name and the colon.
func parseField(line []byte) (name, value []byte, err error) {
	if line[0] == ' ' || line[0] == '\t' {
		return nil, nil, errFolded
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isToken(string(name)) || !text(value) {
		return nil, nil, errField
	}
	return name, bytes.Trim(value, " \t"), nil
}

// parseLength parses 1*DIGIT, at most 18 of them (RFC 9110 8.6).
func parseLength(v []byte) (n int64, ok bool) {
	if len(v) == 0 || len(v) > 18 {
		return 0, false
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// parseChunk parses chunk-size [ chunk-ext ] (RFC 9112 7.1): at most 15 digits,
// followed by nothing or at once by the extensions, which mean nothing here.
func parseChunk(line []byte) (n int64, ok bool) {
	digits, ext, extended := bytes.Cut(line, []byte(";"))
	if len(digits) == 0 || len(digits) > 15 || extended && !text(ext) {
		return 0, false
	}
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | int64(c)
	}
	return n, true
}

// text reports whether b has no control octet but tabs.
func text(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
