package frame

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vector is a file of testdata/http2-frame-test-case; see the README there.
type vector struct {
	Description string
	Wire        string
	Error       []ErrCode
	Frame       *struct {
		Length   uint32
		Type     Type
		Flags    Flags
		StreamID uint32         `json:"stream_identifier"`
		Payload  map[string]any `json:"frame_payload"`
	}
}

// TestVectors runs all vectors of http2jp/http2-frame-test-case.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/http2-frame-test-case/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	normal, bad := 0, 0
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/http2-frame-test-case/"), ".json")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		wire, err := hex.DecodeString(v.Wire)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if v.Frame != nil {
			normal++
			t.Run(name, func(t *testing.T) { testNormalVector(t, v, wire) })
		} else {
			bad++
			t.Run(name, func(t *testing.T) { testErrorVector(t, v, wire) })
		}
	}
	if normal != 12 || bad != 22 {
		t.Errorf("%d normal and %d error vectors, want 12 and 22", normal, bad)
	}
}

func testNormalVector(t *testing.T, v vector, wire []byte) {
	h, p, rest := splitFrame(t, wire)
	if len(rest) != 0 {
		t.Fatalf("%d octets after the frame", len(rest))
	}
	if want := (Header{v.Frame.Length, v.Frame.Type, v.Frame.Flags, v.Frame.StreamID}); h != want {
		t.Errorf("header %v, want %v", h, want)
	}
	val, err := parse(h, p, MinMaxFrameSize)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.Frame.Payload, vectorPayload(h, p, val)); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	// Three vectors have text as padding. Ours "MUST be set to zero when
	// sending" (6.1), so this much of the wire differs.
	want := slices.Clone(wire)
	if pad := padOf(h, p); pad > 0 {
		clear(want[len(want)-pad:])
	}
	if got := encode(nil, h, val, padOf(h, p)); !bytes.Equal(got, want) {
		t.Errorf("encoded %x\nwant    %x", got, want)
	}
}

func testErrorVector(t *testing.T, v vector, wire []byte) {
	h := ParseHeader(wire)
	p := wire[HeaderLen:]
	if err := h.Check(MinMaxFrameSize); err == nil && uint64(len(p)) != uint64(h.Length) {
		t.Fatalf("%v passes Check with %d octets of payload", h, len(p))
	}
	_, err := parse(h, p, MinMaxFrameSize)
	if err == nil {
		t.Fatalf("%v: no error, want one of %v", h, v.Error)
	}
	if !slices.Contains(v.Error, err.Code) {
		t.Errorf("%v: %v, want a code of %v", h, err, v.Error)
	}
}

// vectorPayload is a parsed payload as the vectors describe it.
func vectorPayload(h Header, p []byte, val any) map[string]any {
	m := map[string]any{}
	padding := func() {
		m["padding_length"], m["padding"] = nil, nil
		if n := padOf(h, p); n >= 0 {
			m["padding_length"], m["padding"] = float64(n), string(p[len(p)-n:])
		}
	}
	priority := func(has bool, pr Priority) {
		m["stream_dependency"], m["weight"], m["exclusive"] = nil, nil, nil
		if has {
			m["stream_dependency"], m["weight"], m["exclusive"] = float64(pr.Dependency), float64(pr.Weight)+1, pr.Exclusive
		}
	}
	switch val := val.(type) {
	case Headers:
		m["header_block_fragment"] = string(val.Block)
		priority(val.HasPriority, val.Priority)
		padding()
	case Priority:
		priority(true, val)
		padding()
	case ErrCode:
		m["error_code"] = float64(val)
	case Settings:
		var list []any
		for s := range val.All() {
			list = append(list, []any{float64(s.ID), float64(s.Value)})
		}
		m["settings"] = list
	case PushPromise:
		m["promised_stream_id"], m["header_block_fragment"] = float64(val.PromisedID), string(val.Block)
		padding()
	case [8]byte:
		m["opaque_data"] = string(val[:])
	case GoAway:
		m["last_stream_id"], m["error_code"], m["additional_debug_data"] = float64(val.LastStreamID), float64(val.Code), string(val.Debug)
	case uint32:
		m["window_size_increment"] = float64(val)
	case []byte:
		if h.Type == TypeContinuation {
			m["header_block_fragment"] = string(val)
			break
		}
		m["data"] = string(val)
		padding()
	}
	return m
}
