// Package tls prepares crypto/tls for HTTP/2: the protocol names offered in
// the handshake (ALPN), the lowest version, the check of what a handshake
// chose, and a certificate for development.
//
// It makes no connections. A server calls [ServerConfig] once and listens with
// the result; after each handshake that chose "h2" it calls [CheckHTTP2].
// [Load] reads a certificate from files, [Development] makes one.
//
// The cipher suites of crypto/tls stay on offer, so that clients which only
// speak HTTP/1.1 are not locked out; a TLS 1.2 connection that chose "h2"
// together with a suite HTTP/2 prohibits is found by CheckHTTP2 afterwards.
//
// Importers that also use crypto/tls alias this package h2tls.
package tls
