package main

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// serving starts "nonet serve" on a port of its own and reads its greeting.
func serving(t *testing.T, args ...string) (p *program, addr string, greeting []string) {
	t.Helper()
	p = start(t, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)
	for !slices.Contains(greeting, "try:") {
		greeting = append(greeting, p.line())
	}
	for range 3 {
		greeting = append(greeting, p.line())
	}
	_, addr, ok := strings.Cut(greeting[0], "://")
	if !ok {
		t.Fatalf("the greeting is %q", greeting)
	}
	return p, addr, greeting
}

// clientTLS accepts the development certificate, and offers HTTP/2.
func clientTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
}

// TestGreeting: the address, the fingerprint of a certificate that was made,
// and three commands whose resources are there.
func TestGreeting(t *testing.T) {
	certFile, keyFile, der := files(t)
	for _, tt := range []struct {
		name, args, scheme, flags string
		made                      bool
	}{
		{"development certificate", "", "https", "-k --http2", true},
		{"inline", "-handler inline", "https", "-k --http2", true},
		{"nethttp", "-handler nethttp", "https", "-k --http2", true},
		{"certificate of files", "-cert " + certFile + " -key " + keyFile, "https", "-k --http2", false},
		{"cleartext", "-h2c", "http", "--http2-prior-knowledge", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, addr, greeting := serving(t, strings.Fields(tt.args)...)
			url := tt.scheme + "://" + addr
			want := []string{"serving " + url}
			if tt.scheme == "https" {
				served := certificateOf(t, addr)
				if tt.made {
					want = append(want, "development certificate, SHA-256 "+fingerprint(served))
				} else if !slices.Equal(served, der) {
					t.Error("the certificate is not the one of the file")
				}
			}
			want = append(want, "try:",
				"  curl -i "+tt.flags+" "+url+"/hello",
				"  curl -v "+tt.flags+" "+url+"/trailers",
				"  curl -v "+tt.flags+" "+url+"/reset/CANCEL")
			if !slices.Equal(greeting, want) {
				t.Errorf("the greeting is\n%s\nwant\n%s", strings.Join(greeting, "\n"), strings.Join(want, "\n"))
			}
			get(t, url)
		})
	}
}

// certificateOf returns the certificate that a server shows.
func certificateOf(t *testing.T, addr string) []byte {
	t.Helper()
	nc, err := tls.Dial("tcp", addr, clientTLS())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	return nc.ConnectionState().PeerCertificates[0].Raw
}

func fingerprint(der []byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", sha256.Sum256(der)), " ", ":")
}

// get asks for what the greeting's commands ask for.
func get(t *testing.T, url string) {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: clientTLS(), Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP2(true)
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: patience}
	for _, path := range []string{"/hello", "/trailers"} {
		resp, err := c.Get(url + path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
			t.Errorf("%s: status %d over %s, want 200 over HTTP/2", path, resp.StatusCode, resp.Proto)
		}
	}
	if _, err := c.Get(url + "/reset/CANCEL"); err == nil || !strings.Contains(err.Error(), "CANCEL") {
		t.Errorf("/reset/CANCEL: %v, want a reset with CANCEL", err)
	}
}
