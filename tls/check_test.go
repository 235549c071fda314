package tls

import (
	"crypto/tls"
	"errors"
	"testing"
)

// The six suites stand here a second time, by number, because the code names
// them through crypto/tls.
func TestRFC9113_9_2_2_Suites(t *testing.T) {
	allowed := map[uint16]bool{
		0xc02b: true, 0xc02f: true, // ECDHE_{ECDSA,RSA}_WITH_AES_128_GCM_SHA256
		0xc02c: true, 0xc030: true, // ECDHE_{ECDSA,RSA}_WITH_AES_256_GCM_SHA384
		0xcca9: true, 0xcca8: true, // ECDHE_{ECDSA,RSA}_WITH_CHACHA20_POLY1305
	}
	for suite := range 0x10000 {
		cs := tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: uint16(suite)}
		if err := CheckHTTP2(cs); (err == nil) != allowed[uint16(suite)] {
			t.Errorf("TLS 1.2 with suite %#04x: %v", suite, err)
		}
	}
	for _, suite := range []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256} {
		if err := CheckHTTP2(tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: suite}); err != nil {
			t.Errorf("TLS 1.3 with suite %#04x: %v", suite, err)
		}
	}
	for _, v := range []uint16{0, tls.VersionTLS10, tls.VersionTLS11} {
		cs := tls.ConnectionState{Version: v, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		if CheckHTTP2(cs) == nil {
			t.Errorf("version %#04x is accepted", v)
		}
	}
}

func TestRFC9113_9_2_2_Handshakes(t *testing.T) {
	server := serverConfig(t)
	for _, tt := range []struct {
		name   string
		max    uint16
		suites []uint16
		want   string // of the error, "" for none
	}{
		{"TLS 1.3", tls.VersionTLS13, nil, ""},
		{"TLS 1.2, default suites", tls.VersionTLS12, nil, ""},
		{"TLS 1.2, a prohibited suite", tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
			"TLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA is prohibited for HTTP/2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ss, cs, serr, cerr := handshake(t, server, &tls.Config{
				MaxVersion: tt.max, CipherSuites: tt.suites, NextProtos: []string{"h2"}, InsecureSkipVerify: true,
			})
			// The handshake itself succeeds: HTTP/1.1 clients may use the suite.
			if serr != nil || cerr != nil || ss.NegotiatedProtocol != "h2" {
				t.Fatalf("chose %q; server %v, client %v", ss.NegotiatedProtocol, serr, cerr)
			}
			for _, state := range []tls.ConnectionState{ss, cs} {
				err := CheckHTTP2(state)
				if got := errorText(err); got != tt.want {
					t.Errorf("CheckHTTP2 = %q, want %q", got, tt.want)
				}
				if e := (*InadequateError)(nil); err != nil && (!errors.As(err, &e) || e.Suite != tt.suites[0]) {
					t.Errorf("CheckHTTP2 = %#v, want an *InadequateError with the suite", err)
				}
			}
		})
	}
}

func TestInadequateErrorText(t *testing.T) {
	err := CheckHTTP2(tls.ConnectionState{Version: tls.VersionTLS11, CipherSuite: 0xc02f})
	if got, want := errorText(err), "TLS 1.1 is too old for HTTP/2, which needs TLS 1.2"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
