package bench

import (
	"archive/tar"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/nonet-h2/nonet/hpack"
)

// storyArchive holds the header lists of http2jp/hpack-test-case, packed as
// package hpack's stories_test.go says.
const storyArchive = "../hpack/testdata/hpack-test-case.tar.gz"

// connectionFields stand in some stories, which were recorded from HTTP/1.1, and
// make a list malformed in HTTP/2 (RFC 9113 8.2.2), as a few values with white
// space at their end do (8.2.1). Such fields are left out here.
var connectionFields = map[string]bool{
	"connection": true, "keep-alive": true, "proxy-connection": true, "transfer-encoding": true, "upgrade": true,
}

// stories returns the lists of all stories, each a connection.
func stories(tb testing.TB) *corpus {
	tb.Helper()
	c, err := readStories()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

var readStories = sync.OnceValues(func() (*corpus, error) {
	file, err := os.Open(storyArchive)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	var lists [][]string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return newCorpus("stories", lists), nil
		}
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(h.Name, "story") {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		s := story{b: b}
		lists = append(append(lists, s.lists()...), nil)
		if s.damaged {
			return nil, fmt.Errorf("%s: %s is damaged", storyArchive, h.Name)
		}
	}
})

// story reads a packed story.
type story struct {
	b       []byte
	damaged bool
}

func (s *story) lists() (lists [][]string) {
	encoders := s.number()
	for range encoders {
		s.text()
	}
	for range s.number() {
		var list []string
		for range s.number() {
			name, value := s.text(), s.text()
			if !connectionFields[name] && hpack.CheckValue(value) == nil {
				list = append(list, name, value)
			}
		}
		for range encoders {
			s.number()
			s.text()
		}
		lists = append(lists, pseudoFirst(list))
	}
	return lists
}

// pseudoFirst puts pseudo-header fields before all others, where one story has
// them elsewhere (RFC 9113 8.3).
func pseudoFirst(list []string) []string {
	var pseudo, regular []string
	for i := 0; i < len(list); i += 2 {
		if list[i][0] == ':' {
			pseudo = append(pseudo, list[i], list[i+1])
		} else {
			regular = append(regular, list[i], list[i+1])
		}
	}
	return append(pseudo, regular...)
}

func (s *story) number() int {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.damaged, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return int(v)
}

func (s *story) text() string {
	n := s.number()
	if n > len(s.b) {
		s.damaged, n = true, len(s.b)
	}
	t := string(s.b[:n])
	s.b = s.b[n:]
	return t
}
