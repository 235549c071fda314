package hpack

import (
	"bytes"
	"math/rand/v2"
	"testing"

	xhpack "golang.org/x/net/http2/hpack"
)

func TestHuffmanEverySymbol(t *testing.T) {
	for c := range 256 {
		// Every symbol at each of the eight bit positions a code can begin
		// at: behind as many five-bit zeros ("0" is 00000).
		for shift := range 8 {
			s := bytes.Repeat([]byte("0"), shift)
			s = append(s, byte(c))
			coded := AppendHuffman([]byte("x"), s)
			if want := xhpack.AppendHuffmanString(nil, string(s)); !bytes.Equal(coded[1:], want) || coded[0] != 'x' {
				t.Fatalf("%q: coded %x, want %x", s, coded[1:], want)
			}
			if n := HuffmanLen(s); n != len(coded)-1 {
				t.Errorf("%q: HuffmanLen %d, want %d", s, n, len(coded)-1)
			}
			got, err := DecodeHuffman([]byte("y"), coded[1:])
			if err != nil || string(got) != "y"+string(s) {
				t.Errorf("%x: decoded %q, %v, want %q", coded[1:], got, err, s)
			}
		}
	}
}

// bitString packs a string of 0 and 1 into octets.
func bitString(s string) (b []byte) {
	for i := range len(s) {
		if i%8 == 0 {
			b = append(b, 0)
		}
		if s[i] == '1' {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	return b
}

func ones(n int) string { return string(bytes.Repeat([]byte("1"), n)) }

func TestRFC7541_5_2_Padding(t *testing.T) {
	const zero = "00000" // '0'
	long := func(n int) (s string) {
		for range n {
			s += zero
		}
		return s
	}
	for _, test := range []struct {
		name, bits string
		ok         bool
	}{
		{"empty", "", true},
		{"3 ones", zero + ones(3), true},
		{"7 ones", long(5) + ones(7), true}, // 25 bits
		{"11 ones", zero + ones(11), false},
		{"8 ones alone", ones(8), false},
		{"16 ones", ones(16), false},
		{"24 ones", ones(24), false},
		{"whole octet behind whole symbols", long(8) + ones(8), false},
		{"two octets behind whole symbols", long(8) + ones(16), false},
		{"zeros", zero + "000", false},
		{"mixed", zero + "110", false},
		{"one wrong bit", zero + "011", false},
		{"zero at the end of long string", long(16) + zero + "110", false},
		{"EOS", ones(30) + "11", false},
		{"EOS after a symbol", zero + ones(30) + ones(5), false},
		{"EOS before a symbol", ones(30) + zero + ones(5), false},
		{"EOS in a long string", long(40) + ones(30) + long(40) + "11", false},
		{"EOS prefix of 29 bits", ones(29) + "111", false},
		{"truncated long code", "111111111111111111111111" /* 24 ones */, false},
		{"truncated 28-bit code", "111111111111111111111110", false},
	} {
		if len(test.bits)%8 != 0 {
			t.Fatalf("%s: %d bits", test.name, len(test.bits))
		}
		b := bitString(test.bits)
		_, err := DecodeHuffman(nil, b)
		if (err == nil) != test.ok {
			t.Errorf("%s: %x: error %v, want ok %v", test.name, b, err, test.ok)
		}
		if _, xerr := xhpack.HuffmanDecodeToString(b); (xerr == nil) != test.ok {
			t.Errorf("%s: %x: the oracle says %v", test.name, b, xerr)
		}
	}

	// Every length of padding behind every length of string, right and with
	// each single bit wrong.
	for n := range 40 {
		s := bytes.Repeat([]byte("0"), n)
		coded := AppendHuffman(nil, s)
		pad := len(coded)*8 - 5*n
		for bit := range pad {
			bad := bytes.Clone(coded)
			bad[len(bad)-1] ^= 1 << bit
			compareHuffman(t, bad)
		}
		compareHuffman(t, coded)
		compareHuffman(t, append(coded, 0xff))
		compareHuffman(t, append(coded, 0xff, 0xff, 0xff, 0xff))
	}
}

// Every symbol at the end of a string, at each bit position, with all that may
// stand in the rest of the octet, and whole octets of padding behind it.
func TestRFC7541_5_2_EveryPadding(t *testing.T) {
	for c := range 256 {
		for shift := range 8 {
			s := append(bytes.Repeat([]byte("0"), shift), byte(c))
			coded := AppendHuffman(nil, s)
			bits := 5 * shift
			bits += int(xhpack.HuffmanEncodeLength(string(bytes.Repeat([]byte{byte(c)}, 8))))
			pad := 8*len(coded) - bits
			last := coded[len(coded)-1]
			for v := range 1 << pad {
				coded[len(coded)-1] = last>>pad<<pad | byte(v)
				got, err := DecodeHuffman(nil, coded)
				switch {
				case v == 1<<pad-1 && string(got) != string(s):
					t.Fatalf("%x: %q, %v, want %q", coded, got, err, s)
				case pad < 5 && v != 1<<pad-1 && err == nil: // too short for a symbol
					t.Fatalf("%x: padding of %0*b is accepted", coded, pad, v)
				}
				compareHuffman(t, coded)
			}
			for range 9 {
				coded = append(coded, 0xff)
				if _, err := DecodeHuffman(nil, coded); err == nil {
					t.Fatalf("%x: %d octets of padding are accepted", coded, pad/8+1)
				}
			}
		}
	}
	for n := range 40 { // nothing but padding, and EOS
		compareHuffman(t, bytes.Repeat([]byte{0xff}, n))
	}
}

// A string is decoded the same wherever in a block it stands.
func TestHuffmanInBlock(t *testing.T) {
	for n := range 30 {
		s := bytes.Repeat([]byte("a string ;-) "), 3)[:n]
		for before := range 12 {
			block := AppendHuffman(bytes.Repeat([]byte{0xa5}, before), s)
			got := make([]byte, decodedRoom(len(block)-before))
			if n := decodeHuffman(got, block, before); n != len(s) || string(got[:n]) != string(s) {
				t.Fatalf("%q behind %d octets: %d, %q", s, before, n, got)
			}
		}
	}
}

// Neither direction writes behind the room that it was given, whether what it
// reads is valid or not, and none of the octets around a string tell.
func TestHuffmanRoom(t *testing.T) {
	r := rand.New(rand.NewPCG(7541, 2))
	guard := bytes.Repeat([]byte{0xa5}, 16)
	for range 20000 {
		s := make([]byte, r.IntN(24))
		kind := r.IntN(3)
		for i := range s {
			switch s[i] = byte(r.IntN(256)); kind {
			case 0: // nothing but the shortest codes
				s[i] = "012aceiost"[s[i]%10]
			case 1:
				s[i] = 0x20 + s[i]%0x5f
			}
		}
		coded := AppendHuffman(nil, s)
		if r.IntN(2) == 0 && len(coded) > 0 {
			coded[len(coded)-1-r.IntN(min(2, len(coded)))] ^= 1 << r.IntN(8)
		}
		room := decodedRoom(len(coded))
		buf := append(make([]byte, room), guard...)
		block := append(bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(12)), coded...)
		n := decodeHuffman(buf[:room], block, len(block)-len(coded))
		want, err := xhpack.HuffmanDecodeToString(coded)
		if (n < 0) != (err != nil) || n >= 0 && string(buf[:n]) != want {
			t.Fatalf("%x behind %x: %d, %q, want %q, %v", coded, block[:len(block)-len(coded)], n, buf, want, err)
		}
		if !bytes.Equal(buf[room:], guard) {
			t.Fatalf("%x: wrote behind its room of %d: %x", coded, room, buf)
		}

		room = r.IntN(2*len(s) + huffmanSlack + 1)
		buf = append(make([]byte, room), guard...)
		if n, ok := putHuffman(buf[:room], s); ok && !bytes.Equal(buf[:n], xhpack.AppendHuffmanString(nil, string(s))) ||
			!ok && room >= HuffmanLen(s)+huffmanSlack {
			t.Fatalf("%q in %d octets: %d, %v, %x", s, room, n, ok, buf)
		}
		if !bytes.Equal(buf[room:], guard) {
			t.Fatalf("%q: wrote behind its room of %d: %x", s, room, buf)
		}
	}
}

// compareHuffman decodes b here and there.
func compareHuffman(t *testing.T, b []byte) {
	t.Helper()
	got, err := DecodeHuffman([]byte("prefix"), b)
	want, xerr := xhpack.HuffmanDecodeToString(b)
	switch {
	case (err == nil) != (xerr == nil):
		t.Fatalf("%x: error %v, the oracle's %v", b, err, xerr)
	case err == nil && string(got) != "prefix"+want:
		t.Fatalf("%x: %q, want %q", b, got, want)
	case err != nil && string(got) != "prefix":
		t.Fatalf("%x: %q came back with an error", b, got)
	}
}

// All strings of one and two octets, and some of three.
func TestHuffmanShortStrings(t *testing.T) {
	compareHuffman(t, nil)
	for i := range 1 << 8 {
		compareHuffman(t, []byte{byte(i)})
	}
	for i := range 1 << 16 {
		compareHuffman(t, []byte{byte(i >> 8), byte(i)})
	}
	for i := 0; i < 1<<24; i += 31 {
		b := []byte{byte(i >> 16), byte(i >> 8), byte(i)}
		compareHuffman(t, b)
	}
}

func TestHuffmanRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(7541, 1))
	for range 20000 {
		s := make([]byte, r.IntN(80))
		any := r.IntN(4) == 0
		for i := range s {
			if s[i] = byte(r.IntN(256)); !any {
				s[i] = 0x20 + s[i]%0x5f
			}
		}
		coded := AppendHuffman(nil, s)
		if want := xhpack.AppendHuffmanString(nil, string(s)); !bytes.Equal(coded, want) {
			t.Fatalf("%q: %x, want %x", s, coded, want)
		}
		compareHuffman(t, coded)
		for range 4 {
			bad := bytes.Clone(coded)
			switch {
			case len(bad) == 0:
			case r.IntN(2) == 0:
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			default:
				bad = bad[:r.IntN(len(bad))]
			}
			compareHuffman(t, bad)
		}
		// Junk full of ones walks the long codes.
		junk := make([]byte, r.IntN(40))
		for i := range junk {
			junk[i] = byte(r.IntN(256) | r.IntN(256) | r.IntN(256))
		}
		compareHuffman(t, junk)
	}
}

func FuzzHuffman(f *testing.F) {
	f.Add([]byte("www.example.com"))
	f.Add(unhex(f, "f1e3c2e5f23a6ba0ab90f4ff"))
	f.Add(bytes.Repeat([]byte{0xff}, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		compareHuffman(t, b)
		coded := AppendHuffman(nil, b)
		if want := xhpack.AppendHuffmanString(nil, string(b)); !bytes.Equal(coded, want) || HuffmanLen(b) != len(want) {
			t.Fatalf("%x: coded %x, want %x", b, coded, want)
		}
		if back, err := DecodeHuffman(nil, coded); err != nil || !bytes.Equal(back, b) {
			t.Fatalf("%x: back as %x, %v", b, back, err)
		}
	})
}
