package tls

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Load reads a certificate chain and its private key from two PEM files, the
// server's own certificate first. Its errors are one line that names the file
// and says what is wrong with it.
func Load(certFile, keyFile string) (tls.Certificate, error) {
	switch {
	case certFile == "" && keyFile == "":
		return tls.Certificate{}, errors.New("no certificate file and no key file given")
	case keyFile == "":
		return tls.Certificate{}, fmt.Errorf("certificate %s: the file of its private key is not given", certFile)
	case certFile == "":
		return tls.Certificate{}, fmt.Errorf("private key %s: the file of its certificate is not given", keyFile)
	}
	certPEM, err := readPEM("certificate", certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := readPEM("private key", keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	if !hasBlock(certPEM, isCertificate) {
		if hasBlock(certPEM, isKey) {
			return tls.Certificate{}, fmt.Errorf("certificate %s: the file holds a private key; are the two files swapped?", certFile)
		}
		return tls.Certificate{}, fmt.Errorf("certificate %s: no CERTIFICATE block in the file", certFile)
	}
	if !hasBlock(keyPEM, isKey) {
		if hasBlock(keyPEM, isCertificate) {
			return tls.Certificate{}, fmt.Errorf("private key %s: the file holds only a certificate", keyFile)
		}
		return tls.Certificate{}, fmt.Errorf("private key %s: no PRIVATE KEY block in the file", keyFile)
	}
	if encrypted(keyPEM) {
		return tls.Certificate{}, fmt.Errorf("private key %s: the key is encrypted; decrypt it first (openssl pkey -in %s)", keyFile, keyFile)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate %s with private key %s: %s", certFile, keyFile, oneLine(err))
	}
	return cert, nil
}

// readPEM reads a file that must hold at least one PEM block. what names it in
// errors.
func readPEM(what, name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s %s: %w", what, name, fs.ErrNotExist)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s %s: may not be read by this user: %w", what, name, fs.ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("%s %s: %s", what, name, oneLine(err))
	case len(bytes.TrimSpace(b)) == 0:
		return nil, fmt.Errorf("%s %s: the file is empty", what, name)
	}
	if block, _ := pem.Decode(b); block == nil {
		return nil, fmt.Errorf("%s %s: not a PEM file (it should have a -----BEGIN line)", what, name)
	}
	return b, nil
}

func hasBlock(b []byte, want func(*pem.Block) bool) bool {
	for {
		var block *pem.Block
		block, b = pem.Decode(b)
		if block == nil {
			return false
		}
		if want(block) {
			return true
		}
	}
}

func isCertificate(b *pem.Block) bool { return b.Type == "CERTIFICATE" }

func isKey(b *pem.Block) bool { return strings.HasSuffix(b.Type, "PRIVATE KEY") }

// encrypted reports whether a key is protected by a passphrase, in either of
// the two forms: PKCS #8's own block type, or a header of the older format.
func encrypted(b []byte) bool {
	return hasBlock(b, func(k *pem.Block) bool {
		return k.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(k.Headers["Proc-Type"], "ENCRYPTED")
	})
}

// oneLine is the error's text without the "tls: " in front and without line
// breaks.
func oneLine(err error) string {
	s := strings.TrimPrefix(err.Error(), "tls: ")
	return strings.Join(strings.Fields(s), " ")
}
