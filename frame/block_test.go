package frame

import (
	"bytes"
	"testing"
)

// pattern is n octets that differ from their neighbours at any frame size.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// checkBlock fails unless b is one field block as RFC 9113, 4.3 wants it: HEADERS,
// then CONTINUATION frames on the same stream, END_HEADERS on the last only, no
// frame above the size, none smaller than it need be.
func checkBlock(t *testing.T, b []byte, id uint32, block []byte, end bool, size int) {
	t.Helper()
	var got []byte
	for i := 0; ; i++ {
		h, p, rest := splitFrame(t, b)
		want := Header{Length: h.Length, Type: TypeContinuation, StreamID: id}
		if i == 0 {
			want.Type, want.Flags = TypeHeaders, endStream(end)
		}
		if len(rest) == 0 {
			want.Flags |= FlagEndHeaders
		} else if len(p) != size {
			t.Fatalf("frame %d has %d octets, want %d", i, len(p), size)
		}
		if h != want {
			t.Fatalf("frame %d is %v, want %v", i, h, want)
		}
		if len(p) > size || i > 0 && len(p) == 0 {
			t.Fatalf("frame %d has %d octets, at most %d fit", i, len(p), size)
		}
		got = append(got, p...)
		if b = rest; len(b) == 0 {
			break
		}
	}
	if !bytes.Equal(got, block) {
		t.Fatalf("block of %d octets became another of %d", len(block), len(got))
	}
}

func TestRFC9113_4_3_BlockSplitting(t *testing.T) {
	for _, size := range []int{1, 2, 8, 9, 10, 17, 100} {
		for n := range 6*size + 3 {
			testBlock(t, n, size)
		}
	}
	const m = MinMaxFrameSize
	for _, n := range []int{0, 1, m - 1, m, m + 1, 2*m - 1, 2 * m, 2*m + 1, 127 << 10, 10*m + 3} {
		testBlock(t, n, m)
	}
	testBlock(t, 5*m, 2*m+1)
}

func testBlock(t *testing.T, n, size int) {
	t.Helper()
	block := pattern(n)
	for _, end := range []bool{false, true} {
		appended := AppendHeaders([]byte("before"), 5, block, end, size)
		if string(appended[:6]) != "before" {
			t.Fatal("what was in dst is gone")
		}
		checkBlock(t, appended[6:], 5, block, end, size)

		for _, spare := range []int{0, 5, 9 * (n/size + 2)} { // without and with a new array
			dst := make([]byte, 0, 6+HeaderLen+n+spare)
			dst = append(dst, "before"...)
			at := len(dst)
			dst = append(dst, 1, 2, 3, 4, 5, 6, 7, 8, 9) // room, with leftovers in it
			dst = append(dst, block...)
			if got := FrameHeaders(dst, at, 5, end, size); !bytes.Equal(got, appended) {
				t.Fatalf("FrameHeaders, %d octets by %d, spare %d:\ngot  %x\nwant %x", n, size, spare, got, appended)
			}
		}
	}
}

// Zero means the initial SETTINGS_MAX_FRAME_SIZE; no frame ever passes 2^24-1.
func TestFrameSizeRange(t *testing.T) {
	for n, want := range map[int]int{0: MinMaxFrameSize, -1: MinMaxFrameSize, 1: 1, 20000: 20000,
		MaxMaxFrameSize: MaxMaxFrameSize, MaxMaxFrameSize + 1: MaxMaxFrameSize} {
		if got := frameSize(n); got != want {
			t.Errorf("frameSize(%d) = %d, want %d", n, got, want)
		}
	}
	checkBlock(t, AppendHeaders(nil, 1, pattern(40000), false, 0), 1, pattern(40000), false, MinMaxFrameSize)
}
