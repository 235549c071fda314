package fuzz

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// field is one field of a request as the fuzzer made it.
type field struct{ name, value string }

// judgement is what RFC 9113 says of a request.
type judgement uint8

const (
	free   judgement = iota // the RFC leaves it to us, or it is no matter of form
	accept                  // plainly well formed
	reject                  // malformed: a MUST is broken
)

func (j judgement) String() string { return [...]string{"free", "accept", "reject"}[j] }

// request is a request's header section.
type request struct {
	fields  []field
	end     bool // END_STREAM: no content follows
	connect bool // SETTINGS_ENABLE_CONNECT_PROTOCOL was announced (RFC 8441)
}

var (
	plainName   = regexp.MustCompile("^[-a-z0-9!#$%&'*+.^_`|~]+$")
	plainValue  = regexp.MustCompile(`^(|[!-~\x{80}-\x{ff}]([\t -~\x{80}-\x{ff}]*[!-~\x{80}-\x{ff}])?)$`)
	plainMethod = regexp.MustCompile(`^[A-Z]{1,20}$`)
	plainPath   = regexp.MustCompile(`^/[A-Za-z0-9/._~%=&?-]*$`)
	plainHost   = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?$`)
	digits      = regexp.MustCompile(`^[0-9]+$`)
	badName     = regexp.MustCompile(`[\x00-\x20A-Z\x{7f}-\x{ff}]|.:`)
	badValue    = regexp.MustCompile(`[\x00\r\n]|^[ \t]|[ \t]$`)
)

// judge says what RFC 9113 8.2 and 8.3 require, and why.
func (r request) judge() (judgement, string) {
	if why := r.malformed(); why != "" {
		return reject, why
	}
	if r.plain() {
		return accept, "plainly well formed"
	}
	return free, ""
}

// malformed returns the rule that the request breaks, or "".
func (r request) malformed() string {
	pseudo := map[string]string{}
	hosts, regular := 0, false
	for _, f := range r.fields {
		switch {
		case f.name == "" || badName.MatchString(latin1(f.name)):
			return "8.2.1: name"
		case badValue.MatchString(latin1(f.value)):
			return "8.2.1: value"
		}
		if f.name[0] == ':' {
			switch f.name {
			case ":method", ":scheme", ":authority", ":path":
			case ":protocol":
				if !r.connect {
					return "8.3: :protocol was not allowed"
				}
			default:
				return "8.3: undefined pseudo-header field"
			}
			if _, twice := pseudo[f.name]; twice {
				return "8.3: repeated pseudo-header field"
			}
			if regular {
				return "8.3: pseudo-header field after a regular one"
			}
			pseudo[f.name] = f.value
			continue
		}
		regular = true
		switch f.name {
		case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
			return "8.2.2: connection-specific field"
		case "te":
			if !strings.EqualFold(f.value, "trailers") {
				return "8.2.2: te"
			}
		case "host":
			hosts++
		case "content-length":
			if strings.Trim(f.value, "0123456789, ") != "" {
				return "RFC 9110 8.6: content-length"
			}
			if r.end && digits.MatchString(f.value) && strings.Trim(f.value, "0") != "" {
				return "8.1.1: content-length of no content"
			}
		}
	}
	method, hasMethod := pseudo[":method"]
	path, hasPath := pseudo[":path"]
	scheme, hasScheme := pseudo[":scheme"]
	authority, hasAuthority := pseudo[":authority"]
	_, hasProtocol := pseudo[":protocol"]
	web := scheme == "http" || scheme == "https"
	switch {
	case !hasMethod:
		return "8.3.1: no :method"
	case hasProtocol && method != "CONNECT":
		return "RFC 8441 4: :protocol without CONNECT"
	case method == "CONNECT" && !hasProtocol:
		if hasScheme || hasPath || !hasAuthority {
			return "8.5: CONNECT"
		}
	case !hasPath || !hasScheme:
		return "8.3.1: no :path or no :scheme"
	case web && path == "":
		return "8.3.1: empty :path"
	case web && path[0] != '/' && (path != "*" || method != "OPTIONS"):
		return "8.3.1: :path"
	case web && strings.Contains(authority, "@"):
		return "8.3.1: userinfo"
	case web && !hasAuthority && hosts == 0:
		return "8.3.1: neither :authority nor host"
	}
	return ""
}

// plain reports whether the request is one that nobody could refuse for its
// form. Nothing here is about requests that are malformed.
func (r request) plain() bool {
	if len(r.fields) > 60 {
		return false
	}
	get := func(name string) (v string, n int) {
		for _, f := range r.fields {
			if f.name == name {
				v = f.value
				n++
			}
		}
		return v, n
	}
	for _, f := range r.fields {
		if !plainValue.MatchString(latin1(f.value)) {
			return false
		}
		if f.name[0] == ':' {
			if f.name == ":protocol" && !plainName.MatchString(f.value) {
				return false
			}
			continue
		}
		if !plainName.MatchString(f.name) || f.name == "http2-settings" || f.name == "te" && f.value != "trailers" {
			return false
		}
	}
	method, _ := get(":method")
	scheme, schemes := get(":scheme")
	path, _ := get(":path")
	authority, authorities := get(":authority")
	host, hosts := get("host")
	length, lengths := get("content-length")
	_, protocols := get(":protocol")
	if lengths > 1 || lengths == 1 && (!digits.MatchString(length) || len(length) > 15) {
		return false
	}
	if authorities == 1 && !plainHost.MatchString(authority) || hosts > 1 || hosts == 1 && (!plainHost.MatchString(host) || authorities == 1 && host != authority) {
		return false
	}
	switch {
	case protocols > 0 && authorities == 0:
		return false
	case method == "CONNECT" && protocols == 0:
		return strings.Contains(authority, ":") && schemes == 0
	}
	return plainMethod.MatchString(method) && (scheme == "http" || scheme == "https") && (plainPath.MatchString(path) || path == "*")
}

// latin1 makes a string of octets one of characters, for package regexp.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

// TestOracle holds the judge against cases that a reader can decide.
func TestOracle(t *testing.T) {
	get := ":method=GET :scheme=https :path=/ :authority=example.com"
	for _, c := range []struct {
		text string
		end  bool
		want judgement
	}{
		{get, true, accept},
		{get + " accept=*/* te=trailers", true, accept},
		{get + " content-length=5", false, accept},
		{get + " content-length=5", true, reject},
		{get + " content-length=0", true, accept},
		{get + " content-length=x", false, reject},
		{get + " X-Upper=1", true, reject},
		{get + " connection=close", true, reject},
		{get + " te=gzip", true, reject},
		{get + " :late=1", true, reject},
		{get + " :path=/", true, reject},
		{get + " a:b=1", true, reject},
		{get + " a=\x00", true, reject},
		{get + " a=\tx", true, reject},
		{get + " =x", true, reject},
		{"a=b " + get, true, reject},
		{get + " host=example.com", true, accept},
		{get + " host=example.org", true, free},
		{":method=GET :scheme=https :path=/ host=example.com", true, accept},
		{":method=GET :scheme=https :path=/", true, reject},
		{":method=GET :scheme=https :path= :authority=a", true, reject},
		{":method=GET :scheme=https :path=x :authority=a", true, reject},
		{":method=GET :scheme=https :path=/ :authority=u@a", true, reject},
		{":method=OPTIONS :scheme=https :path=* :authority=a", true, accept},
		{":method=GET :scheme=https :path=* :authority=a", true, reject},
		{":scheme=https :path=/ :authority=a", true, reject},
		{":method=CONNECT :authority=a:1", false, accept},
		{":method=CONNECT :authority=a:1 :path=/ :scheme=https", false, reject},
		{":method=CONNECT :authority=a:1 :path=/ :scheme=https :protocol=websocket", false, reject},
		{":method=GET :scheme=ftp :path= :authority=a", true, free},
		{":status=200", true, reject},
	} {
		r := request{end: c.end}
		for f := range strings.SplitSeq(c.text, " ") {
			i := 1 + strings.IndexByte(f[1:], '=')
			if f[0] == '=' {
				i = 0
			}
			r.fields = append(r.fields, field{f[:i], f[i+1:]})
		}
		if got, why := r.judge(); got != c.want {
			t.Errorf("%s (end=%v): %v (%s), want %v", c.text, c.end, got, why, c.want)
		}
	}
	ws := request{connect: true, fields: []field{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":path", "/chat"}, {":authority", "a"}}}
	if got, why := ws.judge(); got != accept {
		t.Errorf("extended CONNECT: %v (%s)", got, why)
	}
}

// String prints the request for a failing test.
func (r request) String() string {
	var b strings.Builder
	for _, f := range r.fields {
		fmt.Fprintf(&b, "  %q: %q\n", f.name, f.value)
	}
	fmt.Fprintf(&b, "  END_STREAM %v, extended CONNECT %v", r.end, r.connect)
	return b.String()
}
