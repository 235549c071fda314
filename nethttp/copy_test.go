package nethttp_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nonet-h2/nonet/nethttp"
)

// TestReadFrom: what is copied arrives whole, whatever the source is.
func TestReadFrom(t *testing.T) {
	long := strings.Repeat("0123456789", 20<<10)
	fails := errors.New("fails")
	for name, tt := range map[string]struct {
		source func() io.Reader
		n      int64
		err    error
	}{
		"seekable":              {func() io.Reader { return strings.NewReader(long) }, int64(len(long)), nil},
		"a part of it":          {func() io.Reader { return io.LimitReader(strings.NewReader(long), 70000) }, 70000, nil},
		"not seekable":          {func() io.Reader { return bytes.NewBufferString(long) }, int64(len(long)), nil},
		"octet by octet":        {func() io.Reader { return io.LimitReader(octets{strings.NewReader(long)}, 1000) }, 1000, nil},
		"nothing":               {func() io.Reader { return strings.NewReader("") }, 0, nil},
		"fails":                 {func() io.Reader { return io.MultiReader(strings.NewReader("012"), broken{fails}) }, 3, fails},
		"seekable, fails later": {func() io.Reader { return seeking{io.MultiReader(strings.NewReader(long), broken{fails})} }, int64(len(long)), fails},
	} {
		t.Run(name, func(t *testing.T) {
			var got int64
			var err error
			h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				got, err = w.(io.ReaderFrom).ReadFrom(tt.source())
			})
			for _, method := range []string{"GET", "HEAD"} {
				resp := over(t, h, method)
				if got != tt.n || err != tt.err {
					t.Errorf("%s: ReadFrom: %d, %v; want %d, %v", method, got, err, tt.n, tt.err)
				}
				want := long[:min(len(long), int(tt.n))]
				if method == "HEAD" {
					want = ""
				}
				if resp.body != want {
					t.Errorf("%s: %d octets came, want %d", method, len(resp.body), len(want))
				}
				if typ := resp.Header.Get("Content-Type"); tt.n > 0 && typ != "text/plain; charset=utf-8" || tt.n == 0 && typ != "" {
					t.Errorf("%s: content-type %q", method, typ)
				}
			}
		})
	}
}

// TestFlushWhileCopying: a flush from elsewhere does not wait for the source.
func TestFlushWhileCopying(t *testing.T) {
	onEach(t, func(w http.ResponseWriter, _ *http.Request) {
		r, source := io.Pipe()
		go func() {
			io.WriteString(source, "first")
			settle()
			w.(http.Flusher).Flush()
			settle()
			io.WriteString(source, "second")
			source.Close()
		}()
		if n, err := io.Copy(w, r); n != 11 || err != nil {
			t.Errorf("Copy: %d, %v", n, err)
		}
	}, func(t *testing.T, p *peer) {
		p.get(1)
		p.want("HEADERS 1 :status=200 content-type=text/plain; charset=utf-8", `DATA 1 "first"`, `DATA 1 "second" END_STREAM`)
	})
}

// TestFlushWhileCopyingAFile: a pipe of the system is an *os.File, too.
func TestFlushWhileCopyingAFile(t *testing.T) {
	r, source, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer source.Close()
	s := &nethttp.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		io.WriteString(w, strings.Repeat("x", 1000)) // the content-type is known
		go func() {
			io.WriteString(source, "first")
			for range 100 { // one of them is after the copy has begun
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
			source.Close()
		}()
		io.Copy(w, r)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go s.Serve(l)
	defer s.Close()
	time.AfterFunc(10*time.Second, func() { source.Close() })
	begun := time.Now()
	resp, err := http2Client(t).Get("http://" + l.Addr().String())
	must(t, err)
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); len(b) != 1005 || err != nil || time.Since(begun) > 5*time.Second {
		t.Errorf("%d octets, %v after %v", len(b), err, time.Since(begun))
	}
}

// TestFileServer: a file that the kernel sends is the same as one that was read,
// and so are its parts.
func TestFileServer(t *testing.T) {
	dir := t.TempDir()
	content := make([]byte, 300_000)
	for i := range content {
		content[i] = byte(i % 251)
	}
	must(t, os.WriteFile(filepath.Join(dir, "file"), content, 0o600))
	s := &nethttp.Server{Handler: http.FileServer(http.Dir(dir))}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go s.Serve(l)
	defer s.Close()
	client := http2Client(t)
	for _, tt := range []struct {
		method, ranges string
		status         int
		want           []byte
	}{
		{"GET", "", 200, content},
		{"HEAD", "", 200, nil},
		{"GET", "bytes=1-", 206, content[1:]},
		{"GET", "bytes=1000-200000", 206, content[1000:200001]},
		{"GET", "bytes=-20", 206, content[299_980:]},
	} {
		req, err := http.NewRequest(tt.method, "http://"+l.Addr().String()+"/file", nil)
		must(t, err)
		if tt.ranges != "" {
			req.Header.Set("Range", tt.ranges)
		}
		resp, err := client.Do(req)
		must(t, err)
		got, err := io.ReadAll(resp.Body)
		if resp.StatusCode != tt.status || err != nil || !bytes.Equal(got, tt.want) {
			t.Errorf("%s %s: %s, %d octets, %v; want %d, %d octets", tt.method, tt.ranges, resp.Status, len(got), err, tt.status, len(tt.want))
		}
		resp.Body.Close()
	}
}

type octets struct{ r io.Reader }

func (o octets) Read(p []byte) (int, error) { return o.r.Read(p[:min(len(p), 1)]) }

type broken struct{ err error }

func (f broken) Read([]byte) (int, error) { return 0, f.err }

type seeking struct{ io.Reader }

func (seeking) Seek(int64, int) (int64, error) { return 0, nil }
