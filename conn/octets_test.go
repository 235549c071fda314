package conn

import (
	"strings"
	"testing"
)

// TestOctets holds the table against the rules as their sections have them.
func TestOctets(t *testing.T) {
	const (
		letters   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		digits    = "0123456789"
		tchar     = "!#$%&'*+-.^_`|~" + digits + letters // RFC 9110 5.6.2
		authority = "-._~%!$&'()*+;=:[]" + digits + letters
	)
	for c := range 256 {
		b := byte(c)
		for _, tt := range []struct {
			name string
			got  bool
			want bool
		}{
			{"token", isToken([]byte{'x', b}), strings.IndexByte(tchar, b) >= 0},
			{"scheme", goodScheme([]byte{'x', b}), strings.IndexByte(letters+digits+"+-.", b) >= 0},
			{"first of a scheme", goodScheme([]byte{b, 'x'}), strings.IndexByte(letters, b) >= 0},
			{"authority", goodAuthority([]byte{'x', b}), strings.IndexByte(authority, b) >= 0},
			{"path", goodPath([]byte{'/', b}, []byte("GET")), c > ' ' && c != '#' && c != 0x7f},
		} {
			if tt.got != tt.want {
				t.Errorf("octet %#02x in a %s: %v, want %v", c, tt.name, tt.got, tt.want)
			}
		}
	}
}
