package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// inputBuffer bounds what is held of the input, and how much of it is looked
// at to tell hex from binary.
const inputBuffer = 64 << 10

// input is octets from a file or standard input, which may be written in hex.
type input struct {
	name string
	r    *bufio.Reader // the octets
	hex  *hexReader    // nil: the file is binary
}

// newInput finds out which kind the input is, unless kind says so. Text is hex;
// it has only printable ASCII, which frames and field blocks hardly have.
func newInput(name string, f io.Reader, kind string) (*input, error) {
	r := bufio.NewReaderSize(f, inputBuffer)
	if _, err := r.Peek(1); err == io.EOF {
		return nil, errors.New(name + " is empty")
	} else if err != nil {
		return nil, err
	}
	start, _ := r.Peek(r.Buffered())
	in := &input{name: name, r: r}
	if kind == "hex" || kind == "auto" && isText(start) && !isHTTP(start) {
		in.hex = &hexReader{name: name, in: r}
		in.r = bufio.NewReaderSize(in.hex, inputBuffer)
	}
	return in, nil
}

// waits reports whether reading on may have to wait.
func (in *input) waits() bool {
	return in.r.Buffered() == 0 && (in.hex == nil || in.hex.in.Buffered() == 0)
}

// isHTTP reports whether b begins as a connection of HTTP/2 or HTTP/1 does.
func isHTTP(b []byte) bool {
	return slices.ContainsFunc([]string{"PRI ", "HTTP/", "GET ", "POST ", "HEAD "}, func(s string) bool {
		return bytes.HasPrefix(b, []byte(s))
	})
}

func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// hexReader reads octets that are written in hex.
type hexReader struct {
	name string
	in   *bufio.Reader
	line int
	rest []byte // octets decoded and not read

	within  bool // the last piece did not end its line
	skip    bool // the rest of the line is no hex
	listing bool // the line began with its offset
	zero    bool // which was 0
	minusC  bool // lines of hexdump -C were seen
	digit   int  // one that waits for its other half, or -1
	prefix  bool // 0x began this group
	before  byte // the character before
}

// Read reads the octets of all lines.
func (h *hexReader) Read(p []byte) (int, error) {
	for len(h.rest) == 0 {
		var err error
		if h.rest, _, err = h.piece(); err != nil {
			return 0, err
		}
	}
	n := copy(p, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}

// piece returns the octets of the next line, or of a part of it when it is
// longer than the buffer; end: the line is complete.
func (h *hexReader) piece() (octets []byte, end bool, err error) {
	text, err := h.in.ReadSlice('\n')
	end = !errors.Is(err, bufio.ErrBufferFull)
	if err != nil && end && (err != io.EOF || len(text) == 0 && !h.within) {
		return nil, false, err
	}
	if !h.within {
		h.line++
		h.skip, h.listing, h.zero, h.digit, h.prefix, h.before = false, false, false, -1, false, 0
		if text, err = h.begin(text); err != nil {
			return nil, false, err
		}
	}
	h.within = !end
	octets, err = h.decode(text)
	if err == nil && end {
		octets, err = h.group(octets)
	}
	return octets, end, err
}

// begin looks at the start of a line and returns the part that is hex.
func (h *hexReader) begin(text []byte) ([]byte, error) {
	line := bytes.TrimSpace(text)
	if bytes.HasPrefix(line, []byte("#")) || bytes.HasPrefix(line, []byte(">")) || bytes.HasPrefix(line, []byte("//")) {
		h.skip = true
		return text, nil
	}
	if string(line) == "*" {
		return nil, h.fault("* stands for lines that were left out; use hexdump -v")
	}
	number := bytes.TrimPrefix(line, []byte("0x"))
	n := 0
	for n < len(number) && unhex(number[n]) >= 0 {
		n++
	}
	offset, rest := number[:n], number[n:]
	switch {
	case n >= 4 && (bytes.HasPrefix(rest, []byte(": ")) || string(rest) == ":"): // xxd, tcpdump -x
		rest = bytes.TrimLeft(rest[1:], " \t")
		if i := bytes.Index(rest, []byte("  ")); i >= 0 {
			rest = rest[:i] // what follows is the same as characters
		}
	case n >= 7 && bytes.HasPrefix(rest, []byte("  ")) && rest[len(rest)-1] == '|': // hexdump -C
		h.minusC = true
		rest = rest[:bytes.IndexByte(rest, '|')]
	case n >= 7 && h.minusC && len(rest) == 0: // its last line
		rest = nil
	default:
		return text, nil
	}
	h.listing = true
	h.zero = len(bytes.Trim(offset, "0")) == 0
	return append(rest[:len(rest):len(rest)], '\n'), nil
}

// decode returns the octets of the digits in text.
func (h *hexReader) decode(text []byte) (octets []byte, err error) {
	for _, c := range text {
		if h.skip {
			break
		}
		switch d := unhex(c); {
		case d >= 0 && h.digit >= 0:
			octets = append(octets, byte(h.digit<<4|d))
			h.digit = -1
		case d >= 0:
			h.digit = d
		case (c == 'x' || c == 'X') && (h.before == '0' && h.digit == 0 || h.before == '\\'):
			h.digit, h.prefix = -1, true
		case c == '#' || c == '|':
			h.skip = true
		case bytes.IndexByte([]byte(" \t\r\n,:;-\\\"'"), c) >= 0:
			if octets, err = h.group(octets); err != nil {
				return octets, err
			}
		default:
			return octets, h.fault(fmt.Sprintf("%q is not a hex digit", c))
		}
		h.before = c
	}
	return octets, nil
}

// group ends a group of digits. 0x0 is an octet; otherwise they come in pairs.
func (h *hexReader) group(octets []byte) ([]byte, error) {
	if h.digit >= 0 {
		if !h.prefix {
			return octets, h.fault("odd number of hex digits")
		}
		octets = append(octets, byte(h.digit))
	}
	h.digit, h.prefix = -1, false
	return octets, nil
}

func (h *hexReader) fault(rule string) error {
	return &fault{in: h.name, line: h.line, rule: rule}
}

// unhex returns the value of a hex digit, or -1.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
