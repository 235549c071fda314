package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/nonet-h2/nonet/frame"
)

// preview is how many octets of content are shown; fewer when most need an escape.
const preview = 48

// frameRecord is a frame with every field of its type.
type frameRecord struct {
	What   string   `json:"what"`           // frame; answer: what the engine sends
	From   string   `json:"from,omitempty"` // client or server, with two files
	Offset int64    `json:"offset"`         // of the frame, or of the one that is answered
	Type   string   `json:"type"`           // as in RFC 9113; preface: the client's
	Stream uint32   `json:"stream"`
	Length uint32   `json:"length"` // of the payload
	Flags  []string `json:"flags,omitempty"`

	Pad       *uint8          `json:"pad,omitempty"` // Pad Length
	Priority  *priorityRecord `json:"priority,omitempty"`
	Data      *string         `json:"data,omitempty"` // DATA: the first octets, 48 at most
	Code      string          `json:"code,omitempty"` // RST_STREAM, GOAWAY
	Settings  []settingRecord `json:"settings,omitempty"`
	Promised  uint32          `json:"promised,omitempty"`
	Opaque    string          `json:"opaque,omitempty"` // PING, in hex
	Last      *uint32         `json:"last,omitempty"`   // GOAWAY
	Debug     string          `json:"debug,omitempty"`
	Increment uint32          `json:"increment,omitempty"`
	// PRIORITY_UPDATE
	Prioritized uint32        `json:"prioritized,omitempty"`
	Value       string        `json:"value,omitempty"`
	Fields      []fieldRecord `json:"fields,omitempty"` // on the last frame of a header block
	Table       *tableRecord  `json:"table,omitempty"`  // with -v
	Malformed   string        `json:"malformed,omitempty"`
	Error       *faultRecord  `json:"error,omitempty"` // the rule that the frame breaks

	line     string // of text
	fragment []byte // of a header block; nil: it has none
	skipped  int    // octets of payload before it
}

type priorityRecord struct {
	Dependency uint32 `json:"dependency"`
	Weight     int    `json:"weight"` // 1 to 256
	Exclusive  bool   `json:"exclusive"`
}

type settingRecord struct {
	ID    string `json:"id"`
	Value uint32 `json:"value"`
}

// faultRecord is a rule that was broken.
type faultRecord struct {
	Scope  string `json:"scope"` // connection or stream
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

func newFault(e *frame.Error) *faultRecord {
	return &faultRecord{e.Scope.String(), e.Code.String(), e.Reason.String()}
}

// newFrameRecord reads a frame whose payload p may be cut short.
func newFrameRecord(h frame.Header, p []byte) *frameRecord {
	r := &frameRecord{What: "frame", Type: h.Type.String(), Stream: h.StreamID, Length: h.Length,
		line: string(frame.AppendText(nil, h, p))}
	if h.Flags != 0 {
		r.Flags = strings.Split(h.FlagNames(), "|")
	}
	e := h.Check(frame.MaxMaxFrameSize)
	if uint32(len(p)) == h.Length && (e == nil || e.Reason == frame.ReasonStreamID) {
		if fault := r.read(h, p); e == nil {
			e = fault
		}
	}
	if e != nil {
		r.Error = newFault(e)
	}
	return r
}

// read sets what the payload says. Its length is right.
func (r *frameRecord) read(h frame.Header, p []byte) (e *frame.Error) {
	if h.Flags.Has(frame.FlagPadded) && (h.Type == frame.TypeData || h.Type == frame.TypeHeaders || h.Type == frame.TypePushPromise) {
		r.Pad = &p[0]
		r.skipped = 1
	}
	switch h.Type {
	case frame.TypeData:
		var data []byte
		data, e = frame.ParseData(h, p)
		r.showData(data)
	case frame.TypeHeaders:
		var hs frame.Headers
		if hs, e = frame.ParseHeaders(h, p); e == nil || e.Scope == frame.StreamScope {
			r.fragment = some(hs.Block)
		}
		if hs.HasPriority {
			r.skipped += 5
			r.setPriority(hs.Priority)
		}
	case frame.TypePriority:
		var pr frame.Priority
		pr, e = frame.ParsePriority(h, p)
		r.setPriority(pr)
	case frame.TypeRSTStream:
		r.Code = frame.ParseRSTStream(p).String()
	case frame.TypeSettings:
		for s := range frame.ParseSettings(p).All() {
			r.Settings = append(r.Settings, settingRecord{s.ID.String(), s.Value})
			if e == nil {
				e = s.Check()
			}
		}
	case frame.TypePushPromise:
		var pp frame.PushPromise
		if pp, e = frame.ParsePushPromise(h, p); e == nil {
			r.fragment = some(pp.Block)
		}
		r.Promised = pp.PromisedID
		r.skipped += 4
	case frame.TypePing:
		r.Opaque = hex.EncodeToString(p)
	case frame.TypeGoAway:
		g := frame.ParseGoAway(p)
		r.Last, r.Code, r.Debug = &g.LastStreamID, g.Code.String(), visible(g.Debug)
	case frame.TypeWindowUpdate:
		r.Increment, e = frame.ParseWindowUpdate(h, p)
	case frame.TypeContinuation:
		r.fragment = some(p)
	case frame.TypePriorityUpdate:
		var u frame.PriorityUpdate
		u, e = frame.ParsePriorityUpdate(h, p)
		r.Prioritized, r.Value = u.StreamID, visible(u.Value)
	}
	return e
}

func (r *frameRecord) setPriority(p frame.Priority) {
	r.Priority = &priorityRecord{p.Dependency, int(p.Weight) + 1, p.Exclusive}
}

// showData keeps the first octets of content, as many as fit a line.
func (r *frameRecord) showData(data []byte) {
	if len(data) == 0 {
		return
	}
	n := min(len(data), preview)
	s := visible(data[:n])
	for len(s) > 2*preview {
		n--
		s = visible(data[:n])
	}
	r.Data = &s
	r.line += fmt.Sprintf(" data=\"%s\"", s)
	if n < len(data) {
		r.line += "..."
	}
}

// some returns p, or an empty slice for nil.
func some(p []byte) []byte {
	if p == nil {
		return []byte{}
	}
	return p
}

// inner is how far lines are indented that belong to a frame.
const inner = "          "

func (r *frameRecord) text(p *printer) {
	switch {
	case r.Type == "preface":
		p.line("%8d  client preface", r.Offset)
	case r.What == "answer":
		p.line("%s< %s", inner, r.line)
	default:
		p.line("%8d  %s", r.Offset, r.line)
	}
	indent := inner
	if r.What == "answer" {
		indent += "    "
	}
	if r.Table == nil {
		for _, f := range r.Fields {
			if f.Value != nil {
				p.line("%s  %s: %s", indent, f.Name, *f.Value)
			}
		}
	} else {
		fieldLines(p, indent, r.Fields)
		r.Table.text(p, indent)
	}
	if r.Malformed != "" {
		p.line("%s  malformed: %s", indent, r.Malformed)
	}
}
