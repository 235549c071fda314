package tls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

// developmentDays is how long a development certificate is valid: long enough
// for a branch, short enough that nobody deploys it.
const developmentDays = 90

// Development makes a self-signed certificate with a new ECDSA P-256 key,
// valid for 90 days. hosts are DNS names and IP addresses; without any it is
// made for localhost, 127.0.0.1 and ::1. No client trusts it unless it is told
// to: print its [Fingerprint] so that people can compare.
//
// The certificate is its own authority, so a client may be given it as the
// only root (curl --cacert), and it stays in memory.
func Development(hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("development certificate: %w", err)
	}
	// RFC 5280 section 4.1.2.2: a positive serial number of at most 20 octets.
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("development certificate: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: "nonet development"},
		// An hour back, for clients whose clock is behind.
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(0, 0, developmentDays),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	for _, h := range hosts {
		switch ip := net.ParseIP(h); {
		case h == "":
			return tls.Certificate{}, fmt.Errorf("development certificate: a host name is empty")
		case ip != nil:
			template.IPAddresses = append(template.IPAddresses, ip)
		default:
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("development certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("development certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// Fingerprint returns the SHA-256 of the certificate (the first of the chain)
// as upper-case octets with colons between them, the way openssl and browsers
// show it; "" for a value without a certificate.
func Fingerprint(cert tls.Certificate) string {
	if len(cert.Certificate) == 0 {
		return ""
	}
	sum := sha256.Sum256(cert.Certificate[0])
	var s strings.Builder
	for i, b := range sum {
		if i > 0 {
			s.WriteByte(':')
		}
		fmt.Fprintf(&s, "%02X", b)
	}
	return s.String()
}
