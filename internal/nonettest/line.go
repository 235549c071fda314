package nonettest

import (
	"fmt"
	"strings"

	"github.com/nonet-h2/nonet/frame"
	"golang.org/x/net/http2"
)

// line notes a frame that was sent, as text in the notation of script.go.
func (k *Checker) line(f http2.Frame) {
	if k.Quiet {
		return
	}
	h := f.Header()
	s := h.Type.String()
	if h.StreamID != 0 || h.Type == http2.FrameWindowUpdate {
		s += fmt.Sprint(" ", h.StreamID)
	}
	switch f := f.(type) {
	case *http2.DataFrame:
		if f.StreamEnded() {
			s += " ES"
		}
		s += fmt.Sprint(" len=", h.Length)
	case *http2.RSTStreamFrame:
		s += " " + frame.ErrCode(f.ErrCode).String()
	case *http2.SettingsFrame:
		if f.IsAck() {
			s += " ACK"
		}
		f.ForeachSetting(func(v http2.Setting) error {
			s += fmt.Sprintf(" %s=%d", strings.TrimPrefix(frame.SettingID(v.ID).String(), "SETTINGS_"), v.Val)
			return nil
		})
	case *http2.PingFrame:
		if f.IsAck() {
			s += " ACK"
		}
		s += " text=" + escape(string(f.Data[:]))
	case *http2.GoAwayFrame:
		s += fmt.Sprintf(" last=%d %s", f.LastStreamID, frame.ErrCode(f.ErrCode))
		if d := f.DebugData(); len(d) > 0 {
			s += " debug=" + escape(string(d))
		}
	case *http2.PriorityUpdateFrame:
		s += fmt.Sprintf(" for=%d text=%s", f.PrioritizedStreamID, escape(f.Priority))
	case *http2.WindowUpdateFrame:
		s += fmt.Sprint(" inc=", f.Increment)
	}
	k.Lines = append(k.Lines, s)
}

// headersLine notes a complete field section; +n stands for n CONTINUATION
// frames.
func (k *Checker) headersLine() {
	if k.Quiet {
		return
	}
	var b strings.Builder
	fmt.Fprint(&b, "HEADERS ", k.blockID)
	if k.blockES {
		b.WriteString(" ES")
	}
	if k.conts > 0 {
		fmt.Fprint(&b, " +", k.conts)
	}
	for _, f := range k.fields {
		b.WriteString(" " + escape(f.Name) + "=" + escape(f.Value))
	}
	k.Lines = append(k.Lines, b.String())
}

// escape writes octets that the notation has other uses for as %XX.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '%' || c == '|' {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
