package conn

// class is a set of what an octet may stand in.
type class uint8

const (
	ofToken     class = 1 << iota // RFC 9110 5.6.2, such as a method
	ofScheme                      // RFC 3986 3.1, after the first octet
	alpha                         // RFC 5234, the first octet of a scheme
	ofAuthority                   // :authority and Host, read loosely
	ofPath                        // :path: nothing that ends a request target elsewhere
)

// octets has the classes of every octet: requests are checked octet by octet.
var octets = func() (t [256]class) {
	for c := '!'; c < 0x100; c++ {
		t[c] = ofPath
		if c < 0x7f {
			t[c] |= ofToken | ofAuthority
		}
	}
	for _, c := range "0123456789+-." {
		t[c] |= ofScheme
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= ofScheme | alpha
		t[c-'a'+'A'] |= ofScheme | alpha
	}
	except(&t, ofToken, `"(),/:;<=>?@[\]{}`)
	except(&t, ofAuthority, "@/\\,\"<>#?^{}|`")
	except(&t, ofPath, "#\x7f")
	return t
}()

func except(t *[256]class, c class, octets string) {
	for i := range len(octets) {
		t[octets[i]] &^= c
	}
}

// all reports whether every octet of s is of class c.
func all(s []byte, c class) bool {
	// As good ones are the rule, none is asked for alone.
	for len(s) >= 4 {
		c &= octets[s[0]] & octets[s[1]] & octets[s[2]] & octets[s[3]]
		s = s[4:]
	}
	for _, b := range s {
		c &= octets[b]
	}
	return c != 0
}
