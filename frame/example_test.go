package frame_test

import (
	"fmt"

	"github.com/nonet-h2/nonet/frame"
)

// Frames are written by appending them to a slice, and read by walking it:
// header, Check, then the Parse function of the type.
func Example() {
	var b []byte
	b = frame.AppendSettings(b, frame.Setting{ID: frame.SettingMaxConcurrentStreams, Value: 100})
	b = frame.AppendHeaders(b, 1, []byte("\x82\x86\x84"), true, frame.MinMaxFrameSize)
	b = frame.AppendRSTStream(b, 1, frame.Cancel)

	for len(b) > 0 {
		h := frame.ParseHeader(b)
		if err := h.Check(frame.MinMaxFrameSize); err != nil {
			fmt.Println(err)
			return
		}
		payload := b[frame.HeaderLen:][:h.Length]
		b = b[frame.HeaderLen+h.Length:]
		switch h.Type {
		case frame.TypeSettings:
			for s := range frame.ParseSettings(payload).All() {
				fmt.Println("setting:", s)
			}
		case frame.TypeHeaders:
			hd, err := frame.ParseHeaders(h, payload)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Printf("field block of stream %d: %x\n", h.StreamID, hd.Block)
		case frame.TypeRSTStream:
			fmt.Println("reset:", frame.ParseRSTStream(payload))
		}
	}
	// Output:
	// setting: MAX_CONCURRENT_STREAMS=100
	// field block of stream 1: 828684
	// reset: CANCEL
}

func ExampleAppendText() {
	b := frame.AppendGoAway(nil, 30, frame.EnhanceYourCalm, "too many resets")
	h := frame.ParseHeader(b)
	fmt.Println(string(frame.AppendText(nil, h, b[frame.HeaderLen:])))
	// Output:
	// GOAWAY stream=0 len=23 last=30 code=ENHANCE_YOUR_CALM debug="too many resets"
}

func ExampleHeader_Check() {
	h := frame.Header{Length: 6, Type: frame.TypePing}
	fmt.Println(h.Check(frame.MinMaxFrameSize))
	// Output:
	// connection error FRAME_SIZE_ERROR: wrong frame length
}

// FrameHeaders suits an encoder that appends: leave nine octets, let it append
// the block, then put the header before it.
func ExampleFrameHeaders() {
	out := frame.AppendSettingsAck(nil)
	at := len(out)
	out = append(out, make([]byte, frame.HeaderLen)...)
	out = append(out, 0x88) // :status 200
	out = frame.FrameHeaders(out, at, 1, true, frame.MinMaxFrameSize)
	fmt.Println(frame.ParseHeader(out[at:]))
	// Output:
	// HEADERS stream=1 len=1 flags=END_STREAM|END_HEADERS
}
