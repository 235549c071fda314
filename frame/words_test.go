package frame

import (
	"errors"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	tests := []struct{ got, want string }{
		{TypeData.String(), "DATA"},
		{TypeRSTStream.String(), "RST_STREAM"},
		{TypeContinuation.String(), "CONTINUATION"},
		{TypePriorityUpdate.String(), "PRIORITY_UPDATE"},
		{Type(0x0a).String(), "UNKNOWN(0x0a)"},
		{Type(0x1f).String(), "UNKNOWN(0x1f)"},
		{NoError.String(), "NO_ERROR"},
		{HTTP11Required.String(), "HTTP_1_1_REQUIRED"},
		{ErrCode(0x0e).String(), "0x0e"},
		{ErrCode(1111).String(), "0x457"},
		{ErrCode(1<<32 - 1).String(), "0xffffffff"},
		{SettingHeaderTableSize.String(), "HEADER_TABLE_SIZE"},
		{SettingNoRFC7540Priorities.String(), "NO_RFC7540_PRIORITIES"},
		{SettingID(0).String(), "UNKNOWN(0x00)"},
		{SettingID(7).String(), "UNKNOWN(0x07)"},
		{SettingID(0xabcd).String(), "UNKNOWN(0xabcd)"},
		{Setting{SettingMaxFrameSize, 16384}.String(), "MAX_FRAME_SIZE=16384"},
		{ConnectionScope.String(), "connection"},
		{StreamScope.String(), "stream"},
		{ReasonFrameTooLarge.String(), "frame too large"},
		{Reason(250).String(), "reason 0xfa"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// Every reason has a text of its own, short enough for GOAWAY debug data.
func TestReasons(t *testing.T) {
	seen := map[string]Reason{}
	for r := range reasonCount {
		s := r.String()
		if strings.HasPrefix(s, "reason ") {
			t.Errorf("reason %d has no text", r)
		}
		if len(s) > 64 {
			t.Errorf("%q has more than 64 octets", s)
		}
		if other, dup := seen[s]; dup {
			t.Errorf("reasons %d and %d are both %q", other, r, s)
		}
		seen[s] = r
	}
}

// Errors are found with errors.As, as callers outside the engine do.
func TestErrorAs(t *testing.T) {
	var err error = Header{5, TypePing, 0, 0}.Check(MinMaxFrameSize)
	var fe *Error
	if !errors.As(err, &fe) || fe.Code != FrameSizeError || fe.Scope != ConnectionScope {
		t.Errorf("got %v", err)
	}
}

func TestFlagsHas(t *testing.T) {
	f := FlagEndStream | FlagEndHeaders
	if !f.Has(FlagEndStream) || !f.Has(f) || !f.Has(0) {
		t.Error("Has is false for flags that are set")
	}
	if f.Has(FlagPadded) || f.Has(FlagPadded|FlagEndStream) {
		t.Error("Has is true though a flag is missing")
	}
}

func TestParseErrCode(t *testing.T) {
	for c := range ErrCode(20) {
		for _, s := range []string{c.String(), strings.ToLower(c.String()), strings.ToUpper(c.String())} {
			if got, err := ParseErrCode(s); got != c || err != nil {
				t.Errorf("ParseErrCode(%q) = %v, %v; want %v", s, got, err, c)
			}
		}
	}
	for s, want := range map[string]ErrCode{
		"0": NoError, "8": Cancel, "0x8": Cancel, "0X0D": HTTP11Required,
		"1111": 1111, "4294967295": 1<<32 - 1, "0xffffffff": 1<<32 - 1,
		"Enhance_Your_Calm": EnhanceYourCalm, "010": 10,
	} {
		if got, err := ParseErrCode(s); got != want || err != nil {
			t.Errorf("ParseErrCode(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for s, want := range map[string]string{
		"":            `unknown error code ""`,
		"CANCELLED":   `unknown error code "CANCELLED"`,
		"-1":          `unknown error code "-1"`,
		"0x":          `unknown error code "0x"`,
		"1_0":         `unknown error code "1_0"`,
		"4294967296":  `error code "4294967296" has more than 32 bits`,
		"0x100000000": `error code "0x100000000" has more than 32 bits`,
	} {
		if c, err := ParseErrCode(s); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("ParseErrCode(%q) = %v, %v; want an error %s", s, c, err, want)
		}
	}
}
