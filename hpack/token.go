package hpack

// Token is a well-known field name as a number. Tokens 1 to 61 are the lowest
// index of the name in the static table, so a token is also how the name is
// written on the wire; the numbers above are names which the engine or its
// indexing policy treats in a special way.
type Token uint8

// TokenUnknown is the token of every name without one.
const TokenUnknown Token = 0

// Name returns the lower-case name, or "" for TokenUnknown.
func (t Token) Name() string {
	if t >= tokenCount {
		return ""
	}
	s := tokenSpan[t]
	return staticText[s.off : s.off+s.n]
}

// String returns the name, for printing.
func (t Token) String() string { return t.Name() }

// IsPseudo reports whether the name is a pseudo-header field of RFC 9113 8.3
// or RFC 8441.
func (t Token) IsPseudo() bool { return t-1 < TokenStatus || t == TokenProtocol }

// flags returns those of every field with this name.
func (t Token) flags() flags {
	if t.IsPseudo() {
		return flagPseudo
	}
	return 0
}

// start says where in staticBuf the name begins.
func (t Token) start() uint32 { return uint32(tokenSpan[t&127].off) }

// name returns the name as octets, shared and never written.
func (t Token) name() []byte {
	s := tokenSpan[t&127]
	end := s.off + s.n
	return staticBuf[s.off:end:end]
}

// staticBuf is staticText as octets, with slack behind them; nothing writes to
// it.
var staticBuf = append([]byte(staticText), make([]byte, slack)...)

// staticLen is the number of entries in the static table.
const staticLen = 61

// staticEntry returns the entry with index i+1, for i below staticLen.
func staticEntry(i uint32) *desc { return &(*[staticLen]desc)(staticTable[1:][:staticLen])[i] }

// staticIndex returns the index of an entry of the static table with this name
// and value, or 0.
func staticIndex(t Token, value []byte) uint32 {
	switch t {
	case TokenAuthority:
		if len(value) == 0 {
			return 1
		}
		return 0
	case TokenMethod:
		return match(value, "GET", 2) + match(value, "POST", 3)
	case TokenPath:
		return match(value, "/", 4) + match(value, "/index.html", 5)
	case TokenScheme:
		return match(value, "https", 7) + match(value, "http", 6)
	case TokenStatus:
		switch string(value) {
		case "200":
			return 8
		case "204":
			return 9
		case "206":
			return 10
		case "304":
			return 11
		case "400":
			return 12
		case "404":
			return 13
		case "500":
			return 14
		}
		return 0
	case TokenAcceptEncoding:
		return match(value, "gzip, deflate", 16)
	}
	if len(value) == 0 && t <= staticLen {
		return uint32(t)
	}
	return 0
}

func match(value []byte, s string, i uint32) uint32 {
	if string(value) == s {
		return i
	}
	return 0
}
