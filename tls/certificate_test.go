package tls

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDevelopmentIsTrustedWhenItIsTheRoot(t *testing.T) {
	cert := development(t)
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		_, _, serr, cerr := handshake(t,
			ServerConfig(&tls.Config{Certificates: []tls.Certificate{cert}}),
			ClientConfig(&tls.Config{RootCAs: roots}, name))
		if serr != nil || cerr != nil {
			t.Errorf("%s: server %v, client %v", name, serr, cerr)
		}
	}
	_, _, _, cerr := handshake(t,
		ServerConfig(&tls.Config{Certificates: []tls.Certificate{cert}}),
		ClientConfig(&tls.Config{RootCAs: roots}, "other.example"))
	if cerr == nil {
		t.Error("the certificate is accepted for a name it does not have")
	}
}

func TestDevelopmentContents(t *testing.T) {
	cert, err := Development("a.example", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	leaf := cert.Leaf
	if err := leaf.VerifyHostname("a.example"); err != nil {
		t.Error(err)
	}
	if err := leaf.VerifyHostname("192.0.2.1"); err != nil {
		t.Error(err)
	}
	if leaf.VerifyHostname("localhost") == nil {
		t.Error("localhost is in a certificate made for other hosts")
	}
	if leaf.PublicKeyAlgorithm != x509.ECDSA {
		t.Errorf("key is %s, want ECDSA", leaf.PublicKeyAlgorithm)
	}
	left := time.Until(leaf.NotAfter)
	if left < 89*24*time.Hour || left > 91*24*time.Hour {
		t.Errorf("valid for %s, want 90 days", left)
	}
	if time.Until(leaf.NotBefore) > 0 {
		t.Errorf("valid only from %s on", leaf.NotBefore)
	}
	other := development(t)
	if other.Leaf.SerialNumber.Cmp(leaf.SerialNumber) == 0 || Fingerprint(other) == Fingerprint(cert) {
		t.Error("two certificates are equal")
	}
	if _, err := Development(""); err == nil {
		t.Error("an empty host name is accepted")
	}
}

func TestFingerprint(t *testing.T) {
	cert := development(t)
	got := Fingerprint(cert)
	sum, err := hex.DecodeString(strings.ReplaceAll(got, ":", ""))
	if want := sha256.Sum256(cert.Certificate[0]); err != nil || !bytes.Equal(sum, want[:]) {
		t.Errorf("Fingerprint = %s (%v), want the octets of %x", got, err, want)
	}
	if len(got) != 95 || got != strings.ToUpper(got) || strings.Count(got, ":") != 31 {
		t.Errorf("Fingerprint = %s, want 32 upper-case octets with colons", got)
	}
	if got := Fingerprint(tls.Certificate{}); got != "" {
		t.Errorf("Fingerprint of nothing = %q", got)
	}
}

// pair writes a development certificate as two PEM files.
func pair(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	cert := development(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	return certFile, keyFile
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	certFile, keyFile := pair(t, t.TempDir(), "a")
	cert, err := Load(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if cert.Leaf == nil || Fingerprint(cert) == "" {
		t.Errorf("loaded %+v, want a parsed leaf", cert.Leaf)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := pair(t, dir, "a")
	_, otherKey := pair(t, dir, "b")
	file := func(name, content string) string {
		write(t, filepath.Join(dir, name), []byte(content))
		return filepath.Join(dir, name)
	}
	empty := file("empty", " \n")
	text := file("text", "not PEM at all\n")
	locked := file("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	locked1 := file("locked1", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n")
	params := file("params", "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n")
	broken := file("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	missing := filepath.Join(dir, "missing")

	for _, tt := range []struct {
		name, cert, key string
		file            string // the file the error must name
		want            string
	}{
		{"nothing given", "", "", "", "no certificate file and no key file given"},
		{"no key given", certFile, "", certFile, "private key is not given"},
		{"no certificate given", "", keyFile, keyFile, "certificate is not given"},
		{"no certificate file", missing, keyFile, missing, "file does not exist"},
		{"no key file", certFile, missing, missing, "file does not exist"},
		{"a directory", dir, keyFile, dir, "is a directory"},
		{"empty certificate", empty, keyFile, empty, "the file is empty"},
		{"not PEM", text, keyFile, text, "not a PEM file"},
		{"swapped", keyFile, certFile, keyFile, "are the two files swapped?"},
		{"certificate twice", certFile, certFile, certFile, "holds only a certificate"},
		{"no certificate in it", params, keyFile, params, "no CERTIFICATE block"},
		{"no key in it", certFile, params, params, "no PRIVATE KEY block"},
		{"encrypted key", certFile, locked, locked, "the key is encrypted"},
		{"encrypted key, older format", certFile, locked1, locked1, "the key is encrypted"},
		{"key of another certificate", certFile, otherKey, otherKey, "does not match"},
		{"broken certificate", broken, keyFile, broken, "x509"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.cert, tt.key)
			if err == nil {
				t.Fatal("no error")
			}
			got := err.Error()
			if !strings.Contains(got, tt.want) || !strings.Contains(got, tt.file) || strings.Contains(got, "\n") {
				t.Errorf("error %q, want one line with %q and %q", got, tt.want, tt.file)
			}
		})
	}
}
