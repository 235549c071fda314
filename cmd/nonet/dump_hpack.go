package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nonet-h2/nonet/hpack"
)

// maxBlock bounds a field block, in octets.
const maxBlock = 1 << 20

// maxList bounds what a field block may grow to: octets, and 32 for each field.
const maxList = 4 << 20

var errListTooLong = fmt.Errorf("fields of more than %d octets", maxList)

// blockRecord is a field block, decoded.
type blockRecord struct {
	What   string        `json:"what"` // block
	Number int           `json:"block"`
	Octets int           `json:"octets"`
	Fields []fieldRecord `json:"fields"`
	Table  *tableRecord  `json:"table"`
}

// fieldRecord is a field, and how it stands in its block; or a size update.
type fieldRecord struct {
	Offset  int     `json:"offset"` // in the block
	Octets  int     `json:"octets"`
	Form    string  `json:"form"`              // indexed, incremental, without, never or size update
	Index   uint32  `json:"index,omitempty"`   // of the field, or of a literal's name
	Huffman string  `json:"huffman,omitempty"` // which strings are coded: name, value or both
	Size    *uint32 `json:"size,omitempty"`    // size update
	Name    string  `json:"name,omitempty"`
	Value   *string `json:"value,omitempty"`
}

// tableRecord is the dynamic table.
type tableRecord struct {
	Size    uint32        `json:"size"`
	Max     uint32        `json:"max"`
	Entries []entryRecord `json:"entries"`
}

type entryRecord struct {
	Index int    `json:"index"` // as on the wire, from 62 on
	Size  int    `json:"size"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// dumpBlocks runs -hpack.
func dumpBlocks(in *input, p *printer, o dumpOptions) error {
	dec := new(hpack.Decoder)
	dec.SetAllowedTableSize(o.table)
	if o.table < hpack.DefaultTableSize {
		// The table has this size from the start, as in RFC 7541 C.5: a block
		// with nothing but size updates says so.
		var enc hpack.Encoder
		enc.SetMaxTableSize(o.table)
		for range dec.Fields(enc.AppendBlock(nil, new(hpack.Fields))) {
		}
	}
	blocks := blockReader{in: in}
	if !p.json {
		p.line("offset  len  form         index  huffman  field")
	}
	for n := 1; ; n++ {
		block, err := blocks.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		r := blockRecord{What: "block", Number: n, Octets: len(block)}
		var at int
		r.Fields, at, err = decodeFields(dec, block)
		r.Table = tableOf(dec)
		p.print(&r)
		if err != nil {
			f := &fault{in: in.name, offset: int64(at), rule: fmt.Sprintf("block %d: %s", n, err)}
			if blocks.line > 0 {
				f.line, f.rule = blocks.line, fmt.Sprintf("block %d, offset %d: %s", n, at, err)
			}
			return f
		}
		if in.waits() {
			p.w.Flush()
		}
	}
}

// blockReader reads the field blocks of an input.
type blockReader struct {
	in   *input
	line int // where the block begins; 0: the input is binary
	done bool
	held []byte // the first line of the block after a listing
}

// next returns the next block, or io.EOF.
func (r *blockReader) next() ([]byte, error) {
	if r.done {
		return nil, io.EOF
	}
	if r.in.hex != nil {
		return r.nextHex()
	}
	r.done = true
	block, err := io.ReadAll(io.LimitReader(r.in.r, maxBlock+1))
	if err == nil && len(block) > maxBlock {
		err = &fault{in: r.in.name, offset: maxBlock, rule: tooLong}
	}
	return block, err
}

var tooLong = fmt.Sprintf("a field block of more than %d octets", maxBlock)

// nextHex returns the octets of the next line that has some, or of a listing:
// lines that begin with their offsets, up to one that is 0.
func (r *blockReader) nextHex() ([]byte, error) {
	h := r.in.hex
	block := r.held
	r.held = nil
	if len(block) > 0 {
		r.line = h.line
	}
	for {
		octets, end, err := h.piece()
		if err == io.EOF {
			if r.done = true; len(block) > 0 {
				return block, nil
			}
		}
		if err != nil {
			return nil, err
		}
		if h.listing && h.zero && len(block) > 0 {
			r.held = append(r.held, octets...)
			return block, nil
		}
		if len(block) == 0 {
			r.line = h.line
		}
		if block = append(block, octets...); len(block) > maxBlock {
			return nil, &fault{in: h.name, line: h.line, rule: tooLong}
		}
		if end && len(block) > 0 && !h.listing {
			return block, nil
		}
	}
}

// decodeFields decodes a block. On an error it returns what came before, and
// where in the block the error is.
func decodeFields(dec *hpack.Decoder, block []byte) (list []fieldRecord, at int, err error) {
	list = []fieldRecord{}
	size := 0
	for f := range dec.Fields(block) {
		if size += len(f.Name) + len(f.Value) + 32; size > maxList {
			return list, at, errListTooLong // one octet can stand for a whole entry
		}
		list, at = appendUpdates(list, block, at)
		in, _ := hpack.ParseInstruction(block, at) // the decoder could read it
		at += in.Len
		r := fieldRecord{Offset: in.Offset, Octets: in.Len, Form: in.Form.String(), Index: in.Index, Name: visible(f.Name)}
		value := visible(f.Value)
		r.Value = &value
		switch {
		case in.NameHuffman && in.ValueHuffman:
			r.Huffman = "both"
		case in.NameHuffman:
			r.Huffman = "name"
		case in.ValueHuffman:
			r.Huffman = "value"
		}
		list = append(list, r)
	}
	e, ok := dec.Err().(*hpack.Error)
	if ok {
		block = block[:e.Offset]
	}
	list, _ = appendUpdates(list, block, at)
	if ok {
		return list, e.Offset, errors.New(e.Rule.String())
	}
	return list, len(block), nil
}

// appendUpdates appends the size updates at block[at:] and returns where they end.
func appendUpdates(list []fieldRecord, block []byte, at int) ([]fieldRecord, int) {
	for at < len(block) {
		in, err := hpack.ParseInstruction(block, at)
		if err != nil || in.Form != hpack.FormSizeUpdate {
			break
		}
		list = append(list, fieldRecord{Offset: at, Octets: in.Len, Form: in.Form.String(), Size: &in.Size})
		at += in.Len
	}
	return list, at
}

func tableOf(dec *hpack.Decoder) *tableRecord {
	t := &tableRecord{Entries: []entryRecord{}}
	t.Size, t.Max = dec.TableSize()
	for i, f := range dec.Table() {
		t.Entries = append(t.Entries, entryRecord{i, len(f.Name) + len(f.Value) + 32, visible(f.Name), visible(f.Value)})
	}
	return t
}

func (r *blockRecord) text(p *printer) {
	p.line("block %d, %s", r.Number, count(r.Octets, "octet"))
	fieldLines(p, "", r.Fields)
	r.Table.text(p, "")
}

// fieldLines prints fields in the columns of the heading.
func fieldLines(p *printer, indent string, list []fieldRecord) {
	for _, f := range list {
		p.line("%s", strings.TrimRight(fmt.Sprintf("%s%6d %4d  %s", indent, f.Offset, f.Octets, f.columns()), " "))
	}
}

func (f *fieldRecord) columns() string {
	if f.Size != nil {
		return fmt.Sprintf("%s to %d", f.Form, *f.Size)
	}
	index := "-"
	if f.Index > 0 {
		index = fmt.Sprint(f.Index)
	}
	huffman := f.Huffman
	if huffman == "" && f.Form != hpack.FormIndexed.String() {
		huffman = "-"
	}
	return fmt.Sprintf("%-11s  %5s  %-7s  %s: %s", f.Form, index, huffman, f.Name, *f.Value)
}

// text prints the table as RFC 7541 Appendix C does.
func (t *tableRecord) text(p *printer, indent string) {
	for i, e := range t.Entries {
		p.line("%s   [%3d] (s = %3d) %s: %s", indent, i+1, e.Size, e.Name, e.Value)
	}
	p.line("%s         Table size: %3d of %d", indent, t.Size, t.Max)
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
