package tls

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// handshake joins two configurations over the loopback interface and returns
// both ends' views of the result. A pipe would not do: an end that has finished
// does not read the tickets and alerts the other one still writes.
func handshake(t *testing.T, server, client *tls.Config) (ss, cs tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	done := make(chan error, 1)
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			done <- err
			return
		}
		defer nc.Close()
		s := tls.Server(nc, server)
		err = s.Handshake()
		ss = s.ConnectionState()
		done <- err
	}()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(nc, client)
	clientErr = c.Handshake()
	cs = c.ConnectionState()
	nc.Close()
	serverErr = <-done
	return ss, cs, serverErr, clientErr
}

func development(t *testing.T) tls.Certificate {
	t.Helper()
	cert, err := Development()
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func serverConfig(t *testing.T) *tls.Config {
	t.Helper()
	return ServerConfig(&tls.Config{Certificates: []tls.Certificate{development(t)}})
}

func TestRFC9113_3_2_ALPN(t *testing.T) {
	server := serverConfig(t)
	for _, tt := range []struct {
		name   string
		offers []string
		want   string
	}{
		{"h2 and http/1.1", []string{"h2", "http/1.1"}, "h2"},
		{"http/1.1 first", []string{"http/1.1", "h2"}, "h2"},
		{"h2 only", []string{"h2"}, "h2"},
		{"http/1.1 only", []string{"http/1.1"}, "http/1.1"},
		{"no ALPN", nil, ""},
		{"h2c is not a TLS protocol", []string{"h2c", "http/1.1"}, "http/1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ss, cs, serr, cerr := handshake(t, server, &tls.Config{
				NextProtos: tt.offers, InsecureSkipVerify: true,
			})
			if serr != nil || cerr != nil {
				t.Fatalf("handshake: server %v, client %v", serr, cerr)
			}
			if ss.NegotiatedProtocol != tt.want || cs.NegotiatedProtocol != tt.want {
				t.Errorf("chose %q (server) and %q (client), want %q",
					ss.NegotiatedProtocol, cs.NegotiatedProtocol, tt.want)
			}
		})
	}
}

func TestServerConfigKeepsBase(t *testing.T) {
	base := &tls.Config{
		NextProtos: []string{"h2c", "acme-tls/1", "http/1.1"},
		MinVersion: tls.VersionTLS13,
		ServerName: "kept.example",
	}
	got := ServerConfig(base)
	if diff := cmp.Diff([]string{"h2", "http/1.1", "acme-tls/1"}, got.NextProtos); diff != "" {
		t.Errorf("NextProtos (-want +got):\n%s", diff)
	}
	if got.MinVersion != tls.VersionTLS13 || got.ServerName != "kept.example" || !got.DynamicRecordSizingDisabled {
		t.Errorf("MinVersion %#x, ServerName %q, DynamicRecordSizingDisabled %t",
			got.MinVersion, got.ServerName, got.DynamicRecordSizingDisabled)
	}
	if !slices.Equal(base.NextProtos, []string{"h2c", "acme-tls/1", "http/1.1"}) || base.DynamicRecordSizingDisabled {
		t.Error("the base configuration was changed")
	}
	if got := ServerConfig(&tls.Config{MinVersion: tls.VersionTLS10}).MinVersion; got != tls.VersionTLS12 {
		t.Errorf("MinVersion = %#x, want TLS 1.2", got)
	}
	if got := ServerConfig(nil).MinVersion; got != tls.VersionTLS12 {
		t.Errorf("MinVersion of ServerConfig(nil) = %#x, want TLS 1.2", got)
	}
}

func TestServerConfigForClient(t *testing.T) {
	cert := development(t)
	wrong := errors.New("no such name")
	server := ServerConfig(&tls.Config{
		Certificates: []tls.Certificate{cert},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			switch hello.ServerName {
			case "other.example":
				return &tls.Config{Certificates: []tls.Certificate{cert}}, nil
			case "wrong.example":
				return nil, wrong
			}
			return nil, nil
		},
	})
	for _, name := range []string{"other.example", "plain.example"} {
		client := ClientConfig(&tls.Config{InsecureSkipVerify: true}, name)
		ss, _, serr, _ := handshake(t, server, client)
		if serr != nil || ss.NegotiatedProtocol != "h2" {
			t.Errorf("%s: chose %q, error %v; want h2", name, ss.NegotiatedProtocol, serr)
		}
	}
	client := ClientConfig(&tls.Config{InsecureSkipVerify: true}, "wrong.example")
	if _, _, serr, _ := handshake(t, server, client); !errors.Is(serr, wrong) {
		t.Errorf("error %v, want the callback's", serr)
	}
}

func TestClientConfig(t *testing.T) {
	got := ClientConfig(nil, "a.example")
	if got.ServerName != "a.example" || got.MinVersion != tls.VersionTLS12 ||
		!slices.Equal(got.NextProtos, []string{"h2", "http/1.1"}) {
		t.Errorf("ServerName %q, MinVersion %#x, NextProtos %q", got.ServerName, got.MinVersion, got.NextProtos)
	}
	if got := ClientConfig(&tls.Config{ServerName: "base.example"}, "a.example"); got.ServerName != "base.example" {
		t.Errorf("ServerName = %q, want the base's", got.ServerName)
	}
}

func TestRFC9113_9_2_LowerVersionsAreRefused(t *testing.T) {
	for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		_, _, serr, cerr := handshake(t, serverConfig(t), &tls.Config{
			MinVersion: v, MaxVersion: v, NextProtos: []string{"h2"}, InsecureSkipVerify: true,
		})
		if serr == nil || cerr == nil {
			t.Errorf("%s: server error %v, client error %v; want both", tls.VersionName(v), serr, cerr)
		}
	}
}
