package tls

import "crypto/tls"

// Protocol names of the ALPN extension (RFC 7301).
const (
	ProtoHTTP2  = "h2"       // RFC 9113 section 3.1
	ProtoHTTP11 = "http/1.1" // RFC 9112
)

// ServerConfig returns the configuration of a listener that speaks HTTP/2 and
// HTTP/1.1 over TLS: a clone of base, which is not changed and may be nil.
//
//   - "h2" and then "http/1.1" are offered before any other protocol of base.
//     "h2c" is dropped: RFC 9113 section 3.1 leaves that name unused over TLS.
//   - TLS 1.2 is the lowest version. "Implementations of HTTP/2 MUST use TLS
//     version 1.2 or higher for HTTP/2 over TLS" (RFC 9113 section 9.2).
//   - "A deployment of HTTP/2 over TLS 1.2 MUST disable renegotiation" (RFC
//     9113 section 9.2.1).
//   - Records have their full size from the first one on, because a batch of
//     frames is written at once.
//
// A configuration that base.GetConfigForClient returns is prepared the same
// way.
func ServerConfig(base *tls.Config) *tls.Config {
	c := prepare(base)
	if choose := c.GetConfigForClient; choose != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen == nil || err != nil {
				return chosen, err
			}
			return prepare(chosen), nil
		}
	}
	return c
}

// ClientConfig returns the configuration of a client that prefers HTTP/2 and
// accepts HTTP/1.1: a clone of base, which is not changed and may be nil, with
// the protocols and the lowest version of [ServerConfig]. serverName is used
// for SNI and for verification when base names no server.
//
// "HTTP/2 over TLS MUST use the Server Name Indication extension" (RFC 9113
// section 9.2).
func ClientConfig(base *tls.Config, serverName string) *tls.Config {
	c := prepare(base)
	if c.ServerName == "" {
		c.ServerName = serverName
	}
	return c
}

func prepare(base *tls.Config) *tls.Config {
	c := base.Clone()
	if c == nil {
		c = new(tls.Config)
	}
	protos := []string{ProtoHTTP2, ProtoHTTP11}
	for _, p := range c.NextProtos {
		if p != ProtoHTTP2 && p != ProtoHTTP11 && p != "h2c" {
			protos = append(protos, p)
		}
	}
	c.NextProtos = protos
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.DynamicRecordSizingDisabled = true
	c.Renegotiation = tls.RenegotiateNever
	return c
}
