package tls

import (
	"crypto/tls"
	"fmt"
)

// InadequateError says why a finished handshake is not good enough for
// HTTP/2. The connection is answered with GOAWAY(INADEQUATE_SECURITY).
type InadequateError struct {
	Version uint16 // as in crypto/tls: tls.VersionTLS12
	Suite   uint16 // as in crypto/tls: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
}

func (e *InadequateError) Error() string {
	if e.Version < tls.VersionTLS12 {
		return fmt.Sprintf("%s is too old for HTTP/2, which needs TLS 1.2", tls.VersionName(e.Version))
	}
	return fmt.Sprintf("%s with %s is prohibited for HTTP/2",
		tls.VersionName(e.Version), tls.CipherSuiteName(e.Suite))
}

// CheckHTTP2 checks what a handshake chose before HTTP/2 is spoken on the
// connection: TLS 1.3 with any suite, or TLS 1.2 with one of the six suites of
// crypto/tls that RFC 9113 appendix A does not prohibit. Anything else is an
// [*InadequateError].
//
// "An endpoint MAY immediately terminate an HTTP/2 connection that does not
// meet these TLS requirements with a connection error (Section 5.4.1) of type
// INADEQUATE_SECURITY" (RFC 9113 section 9.2).
func CheckHTTP2(cs tls.ConnectionState) error {
	switch {
	case cs.Version >= tls.VersionTLS13:
		return nil
	case cs.Version == tls.VersionTLS12 && ephemeralAEAD(cs.CipherSuite):
		return nil
	}
	return &InadequateError{Version: cs.Version, Suite: cs.CipherSuite}
}

// ephemeralAEAD reports whether a TLS 1.2 suite has an ephemeral key exchange
// and an AEAD cipher. Appendix A prohibits every suite that lacks either.
func ephemeralAEAD(suite uint16) bool {
	switch suite {
	case tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:
		return true
	}
	return false
}
