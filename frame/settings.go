package frame

import (
	"encoding/binary"
	"iter"
	"strconv"
)

// SettingID names a setting (RFC 9113, 6.5.2).
type SettingID uint16

// Settings.
const (
	SettingHeaderTableSize       SettingID = 0x1
	SettingEnablePush            SettingID = 0x2
	SettingMaxConcurrentStreams  SettingID = 0x3
	SettingInitialWindowSize     SettingID = 0x4
	SettingMaxFrameSize          SettingID = 0x5
	SettingMaxHeaderListSize     SettingID = 0x6
	SettingEnableConnectProtocol SettingID = 0x8 // RFC 8441, 3
	SettingNoRFC7540Priorities   SettingID = 0x9 // RFC 9218, 2.1
)

var settingNames = [...]string{
	SettingHeaderTableSize:       "HEADER_TABLE_SIZE",
	SettingEnablePush:            "ENABLE_PUSH",
	SettingMaxConcurrentStreams:  "MAX_CONCURRENT_STREAMS",
	SettingInitialWindowSize:     "INITIAL_WINDOW_SIZE",
	SettingMaxFrameSize:          "MAX_FRAME_SIZE",
	SettingMaxHeaderListSize:     "MAX_HEADER_LIST_SIZE",
	SettingEnableConnectProtocol: "ENABLE_CONNECT_PROTOCOL",
	SettingNoRFC7540Priorities:   "NO_RFC7540_PRIORITIES",
}

// String returns the registered name, such as "MAX_FRAME_SIZE", or
// "UNKNOWN(0x0a0a)".
func (id SettingID) String() string {
	if s := name(settingNames[:], uint32(id)); s != "" {
		return s
	}
	return "UNKNOWN(" + hexNumber(uint32(id)) + ")"
}

// Setting is one parameter of a SETTINGS frame, six octets on the wire.
type Setting struct {
	ID    SettingID
	Value uint32
}

// String returns a text such as "MAX_FRAME_SIZE=16384".
func (s Setting) String() string {
	return s.ID.String() + "=" + strconv.FormatUint(uint64(s.Value), 10)
}

// Check applies the rules for a setting's value that hold for both roles (RFC
// 9113, 6.5.2; RFC 8441, 3; RFC 9218, 2.1). Settings without a rule, unknown
// ones included, pass.
//
// Errors, always of the connection: FLOW_CONTROL_ERROR for
// SETTINGS_INITIAL_WINDOW_SIZE, PROTOCOL_ERROR for the others.
func (s Setting) Check() *Error {
	switch s.ID {
	case SettingEnablePush, SettingEnableConnectProtocol, SettingNoRFC7540Priorities:
		// "Any value other than 0 or 1 MUST be treated as a connection error of
		// type PROTOCOL_ERROR."
		if s.Value > 1 {
			return &errSetting
		}
	case SettingInitialWindowSize:
		// "Values above the maximum flow-control window size of 2^31-1 MUST be
		// treated as a connection error of type FLOW_CONTROL_ERROR."
		if s.Value > MaxWindow {
			return &errSettingWindow
		}
	case SettingMaxFrameSize:
		// "Values outside this range MUST be treated as a connection error of
		// type PROTOCOL_ERROR."
		if s.Value < MinMaxFrameSize || s.Value > MaxMaxFrameSize {
			return &errSetting
		}
	}
	return nil
}

// Settings is the payload of a SETTINGS frame: a view, in the order received.
// Identifiers may repeat; "The values in the SETTINGS frame MUST be processed in
// the order they appear" (RFC 9113, 6.5.3).
type Settings []byte

const settingLen = 6

// ParseSettings returns the settings in p (RFC 9113, 6.5). Their values are not
// checked: see [Setting.Check].
func ParseSettings(p []byte) Settings { return p }

// Len returns the number of settings.
func (s Settings) Len() int { return len(s) / settingLen }

// At returns the i-th setting, from 0 to Len()-1.
func (s Settings) At(i int) Setting {
	b := s[i*settingLen:][:settingLen]
	return Setting{ID: SettingID(binary.BigEndian.Uint16(b)), Value: binary.BigEndian.Uint32(b[2:])}
}

// All yields the settings in order.
func (s Settings) All() iter.Seq[Setting] {
	return func(yield func(Setting) bool) {
		for i := range s.Len() {
			if !yield(s.At(i)) {
				return
			}
		}
	}
}
