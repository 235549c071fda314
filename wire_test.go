package nonet

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/nonet-h2/nonet/frame"
)

// TestFrameInPieces: a frame may arrive cut anywhere, and a piece that looks
// like a frame header is passed on like any other, though nothing follows it.
func TestFrameInPieces(t *testing.T) {
	const content = "0123456789abcdefghijklmnopqrstuvwxyz"
	for cut := range len(content) + 1 {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := dial(t, &Server{Handler: func(s Stream) {
					b := make([]byte, len(content))
					n, err := io.ReadFull(s, b)
					fmt.Fprintf(s, "%s %v", b[:n], err)
				}})
				p.post(1, "/")
				whole := frame.AppendHeader(nil, frame.Header{Length: uint32(len(content)), Type: frame.TypeData, StreamID: 1})
				whole = append(whole, strings.ToUpper(content)...)
				at := frame.HeaderLen + cut
				for _, piece := range [][]byte{whole[:at], whole[at:]} {
					if _, err := p.nc.Write(piece); err != nil {
						t.Fatal(err)
					}
					settle()
				}
				text := strings.ToUpper(content) + " <nil>"
				p.want(fmt.Sprintf("HEADERS 1 :status=200 content-length=%d", len(text)), fmt.Sprintf("DATA 1 %q END_STREAM", text),
					"RST_STREAM 1 NO_ERROR")
			})
		})
	}
}
