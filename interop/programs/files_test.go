package programs

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFileServer: a directory of files, with ranges and conditions.
func TestFileServer(t *testing.T) {
	large := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{1}).Read(large)
	changed := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const stamp = "Sun, 01 Nov 2026 12:00:00 GMT"
	each(t, func(t *testing.T) http.Handler {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"digits.txt": "0123456789", "page/index.html": "<p>the page", "large.bin": string(large), "empty": "", "sp ace.css": "p{}",
		} {
			name = filepath.Join(dir, name)
			os.MkdirAll(filepath.Dir(name), 0o755)
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, changed, changed); err != nil {
				t.Fatal(err)
			}
		}
		return http.FileServer(http.Dir(dir))
	}, func(t *testing.T, c *client) {
		c.want(c.get("/digits.txt"), 200, "0123456789", "Content-Type: text/plain; charset=utf-8", "Content-Length: 10", "Accept-Ranges: bytes", "Last-Modified: "+stamp)
		c.want(c.do("HEAD", "/digits.txt", ""), 200, "", "Content-Length: 10")
		c.want(c.get("/sp%20ace.css"), 200, "p{}", "Content-Type: text/css; charset=utf-8")
		c.want(c.get("/empty"), 200, "", "Content-Length: 0")
		c.want(c.get("/page/"), 200, "<p>the page", "Content-Type: text/html; charset=utf-8")
		c.want(c.get("/page"), 301, "", "Location: page/")
		c.want(c.get("/page/index.html"), 301, "", "Location: ./")
		c.want(c.get("/none"), 404, "404 page not found\n")
		c.want(c.get("/../../etc/passwd"), 404, "404 page not found\n")
		if a := c.get("/"); a.StatusCode != 200 || !strings.Contains(a.body, `<a href="digits.txt">`) {
			t.Errorf("the directory: %d %s", a.StatusCode, short(a.body))
		}

		c.want(c.get("/digits.txt", "Range: bytes=2-4"), 206, "234", "Content-Range: bytes 2-4/10", "Content-Length: 3")
		c.want(c.get("/digits.txt", "Range: bytes=-3"), 206, "789", "Content-Range: bytes 7-9/10")
		c.want(c.get("/digits.txt", "Range: bytes=7-"), 206, "789", "Content-Range: bytes 7-9/10")
		c.want(c.get("/digits.txt", "Range: bytes=20-"), 416, "invalid range: failed to overlap\n", "Content-Range: bytes */10")
		c.want(c.get("/digits.txt", "Range: bytes=2-4", "If-Range: "+stamp), 206, "234")
		c.want(c.get("/digits.txt", "Range: bytes=2-4", "If-Range: Mon, 02 Nov 2026 12:00:00 GMT"), 200, "0123456789")
		c.want(c.get("/digits.txt", "If-Modified-Since: "+stamp), 304, "", "Content-Length:", "Content-Type:")
		c.want(c.get("/digits.txt", "If-Unmodified-Since: Sat, 31 Oct 2026 12:00:00 GMT"), 412, "")
		ranges(c, "bytes=0-1,8-9", "01", "89")

		if a := c.get("/large.bin"); sha256.Sum256([]byte(a.body)) != sha256.Sum256(large) {
			t.Errorf("large.bin came with %d octets and other content", len(a.body))
		}
		if a := c.get("/large.bin", "Range: bytes=1000000-4999999"); a.StatusCode != 206 || !bytes.Equal([]byte(a.body), large[1000000:5000000]) {
			t.Errorf("a range of large.bin came with status %d, %d octets", a.StatusCode, len(a.body))
		}
		// A client that has seen enough.
		resp := c.open("GET", "/large.bin", "")
		if _, err := io.ReadFull(resp.Body, make([]byte, 100)); err != nil {
			t.Error(err)
		}
		resp.Body.Close()
		c.want(c.get("/digits.txt"), 200, "0123456789")
	})
}

// ranges asks for several ranges at once, which come as parts.
func ranges(c *client, field string, want ...string) {
	c.t.Helper()
	a := c.get("/digits.txt", "Range: "+field)
	kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" || a.StatusCode != 206 {
		c.t.Errorf("%s: %d %s, %v", field, a.StatusCode, kind, err)
		return
	}
	parts := multipart.NewReader(strings.NewReader(a.body), params["boundary"])
	for _, w := range want {
		p, err := parts.NextPart()
		if err != nil {
			c.t.Errorf("%s: %v", field, err)
			return
		}
		if got, err := io.ReadAll(p); err != nil || string(got) != w {
			c.t.Errorf("%s: part %q, %v, want %q", field, got, err, w)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		c.t.Errorf("%s: after the last part %v, want io.EOF", field, err)
	}
}
