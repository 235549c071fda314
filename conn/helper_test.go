package conn_test

import (
	"testing"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/hpack"
	"github.com/nonet-h2/nonet/internal/nonettest"
)

// newPeer returns the peer of a new Conn, whose invariants are asserted after
// every step. Nothing was exchanged.
func newPeer(t testing.TB, cfg conn.Config) *nonettest.Peer {
	t.Helper()
	p := nonettest.NewPeer(t, cfg)
	p.Check = conn.Invariants
	return p
}

// newServer returns the client of a new server, after the greeting.
func newServer(t testing.TB, settings ...string) *nonettest.Peer {
	t.Helper()
	return greeted(t, conn.Config{}, settings...)
}

// newClient returns the server of a new client, after the greeting.
func newClient(t testing.TB, settings ...string) *nonettest.Peer {
	t.Helper()
	return greeted(t, conn.Config{Role: conn.Client}, settings...)
}

func greeted(t testing.TB, cfg conn.Config, settings ...string) *nonettest.Peer {
	t.Helper()
	p := newPeer(t, cfg)
	p.Greet(settings...)
	return p
}

var preparedServer hpack.Prepared

// prepared is a server's Config with a set of prepared fields.
func prepared() conn.Config {
	set := new(hpack.Set)
	preparedServer = set.Prepare("server", "nonet")
	return conn.Config{Prepared: set}
}
