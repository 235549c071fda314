package nonet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// aFile returns a file of n octets, which are what counted returns.
func aFile(t *testing.T, n int) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, counted(n), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestReadFromFile: whatever way the octets of a file take, they are the same,
// and the file is read as far as by any other reader.
func TestReadFromFile(t *testing.T) {
	const size = 500_001
	content := counted(size)
	for _, tt := range []struct {
		name string
		copy func(s Stream, f *os.File) (int64, error)
		want []byte
		at   int64 // where the file is read on
		sent bool  // where it can be, it was sent without being read
	}{
		{"ReadFrom", func(s Stream, f *os.File) (int64, error) { return s.ReadFrom(f) }, content, size, true},
		{"io.Copy", func(s Stream, f *os.File) (int64, error) { return io.Copy(s, f) }, content, size, true},
		{"from an offset", func(s Stream, f *os.File) (int64, error) {
			f.Seek(1234, io.SeekStart)
			return s.ReadFrom(f)
		}, content[1234:], size, true},
		{"io.CopyN", func(s Stream, f *os.File) (int64, error) { return io.CopyN(s, f, 400_000) }, content[:400_000], 400_000, true},
		{"a little of it", func(s Stream, f *os.File) (int64, error) { return io.CopyN(s, f, leastFile-1) }, content[:leastFile-1], leastFile - 1, false},
		{"after and before something", func(s Stream, f *os.File) (int64, error) {
			io.WriteString(s, "before")
			n, err := s.ReadFrom(f)
			k, _ := s.Write(content[:100])
			return n + 6 + int64(k), err
		}, append(append([]byte("before"), content...), content[:100]...), size, true},
		{"twice", func(s Stream, f *os.File) (int64, error) {
			n, err := io.CopyN(s, f, 100_000)
			k, err2 := s.ReadFrom(f)
			return n + k, errors.Join(err, err2)
		}, content, size, true},
	} {
		for _, kind := range []string{"h2c", "tls", "trace", "http/1.1"} {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				f := aFile(t, size)
				s := &Server{Handler: func(s Stream) {
					n, err := tt.copy(s, f)
					if n != int64(len(tt.want)) || err != nil {
						t.Errorf("%d, %v; want %d", n, err, len(tt.want))
					}
					if at, _ := f.Seek(0, io.SeekCurrent); at != tt.at {
						t.Errorf("the file is at %d, want %d", at, tt.at)
					}
					f.Seek(0, io.SeekStart)
					n, err = s.sendFile(io.LimitReader(f, 100_000))
					if want := int64(100_000); err != nil || n != 0 && n != want || (n == want) != (kind == "h2c" && runtime.GOOS == "linux") {
						t.Errorf("sendFile: %d, %v", n, err)
					}
					if n == 0 {
						s.Write(content[:100_000])
					}
				}}
				if kind == "trace" {
					s.Trace = io.Discard
				}
				base := "http://" + start(t, s, kind == "tls")
				tr := &http.Transport{TLSClientConfig: clientTLS(), Protocols: new(http.Protocols)}
				tr.Protocols.SetUnencryptedHTTP2(kind != "http/1.1")
				tr.Protocols.SetHTTP1(kind == "http/1.1")
				if kind == "tls" {
					base = "https" + base[4:]
					tr.Protocols.SetHTTP2(true)
				}
				defer tr.CloseIdleConnections()
				res, err := (&http.Client{Transport: tr}).Get(base)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				if want := append(bytes.Clone(tt.want), content[:100_000]...); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d octets, %v; want %d, or others", len(got), err, len(want))
				}
			})
		}
	}
}

// TestReadFromFileHead: what HEAD leaves out is counted.
func TestReadFromFileHead(t *testing.T) {
	f := aFile(t, 200_000)
	base := start(t, &Server{Handler: func(s Stream) {
		if n, err := s.ReadFrom(f); n != 200_000 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}}, false)
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Head("http://" + base)
	if err != nil || res.StatusCode != 200 {
		t.Errorf("%v, %v", res, err)
	}
}

// TestReadFromFileTooLong: the content-length bounds a file, too.
func TestReadFromFileTooLong(t *testing.T) {
	f := aFile(t, 200_000)
	base := start(t, &Server{Handler: func(s Stream) {
		s.SetField("content-length", "100000")
		if n, err := s.ReadFrom(f); n > 100_000 || err != ErrContentLength {
			t.Errorf("%d, %v", n, err)
		}
	}}, false)
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get("http://" + base)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(res.Body); len(got) > 100_000 || err == nil {
		t.Errorf("%d octets, %v; want a reset", len(got), err)
	}
}

// fileDownload asks for a file of a mebibyte and reads until no window is left.
func fileDownload(t *testing.T, f *os.File) (nc net.Conn, fr *http2.Framer, result chan string) {
	t.Helper()
	result = make(chan string, 1)
	addr := start(t, &Server{Handler: func(s Stream) {
		n, err := s.ReadFrom(f)
		result <- fmt.Sprint(n, " ", err)
	}}, false)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.Write(frame.AppendHeaders(frame.AppendSettings([]byte(frame.Preface)), 1, []byte("\x82\x84\x86\x41\x01a"), true, frame.MinMaxFrameSize))
	fr = http2.NewFramer(nc, nc)
	if got := readContent(t, fr, frame.DefaultWindow); !bytes.Equal(got, counted(frame.DefaultWindow)) {
		t.Fatal("not the file's content")
	}
	return nc, fr, result
}

// readContent reads n octets of DATA, or until the stream is reset.
func readContent(t *testing.T, fr *http2.Framer, n int) (got []byte) {
	t.Helper()
	for len(got) < n {
		f, err := fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *http2.DataFrame:
			got = append(got, f.Data()...)
		case *http2.RSTStreamFrame:
			return fmt.Append(got, f.ErrCode)
		case *http2.GoAwayFrame:
			t.Fatal(f)
		}
	}
	return got
}

// TestFileBecomesShorter: octets that were announced and are gone are zeros, and
// the stream is reset.
func TestFileBecomesShorter(t *testing.T) {
	f := aFile(t, 1<<20)
	_, fr, result := fileDownload(t, f)
	const left = 100_000
	if err := f.Truncate(left); err != nil {
		t.Fatal(err)
	}
	fr.WriteWindowUpdate(0, 1<<20)
	fr.WriteWindowUpdate(1, 1<<20)
	got := readContent(t, fr, 1<<20)
	rest := counted(left)[frame.DefaultWindow:]
	zeros, reset := bytes.CutSuffix(got[min(len(got), len(rest)):], []byte("INTERNAL_ERROR"))
	if runtime.GOOS != "linux" {
		return // the response ends there
	}
	if !bytes.HasPrefix(got, rest) || !reset || len(bytes.Trim(zeros, "\x00")) > 0 {
		t.Errorf("%d octets, reset %v", len(got), reset)
	}
	if r := <-result; r[len(r)-len("unexpected EOF"):] != "unexpected EOF" {
		t.Errorf("ReadFrom: %s", r)
	}
}

// TestFileReset: a reset ends ReadFrom.
func TestFileReset(t *testing.T) {
	f := aFile(t, 1<<20)
	_, fr, result := fileDownload(t, f)
	fr.WriteRSTStream(1, http2.ErrCodeCancel)
	if r, want := <-result, fmt.Sprint(frame.DefaultWindow, " ", &ResetError{Code: frame.Cancel, Side: conn.Remote}); runtime.GOOS == "linux" && r != want {
		t.Errorf("ReadFrom: %s, want %s", r, want)
	}
	fr.WritePing(false, [8]byte{1}) // the connection lives
	for {
		if f, err := fr.ReadFrame(); err != nil {
			t.Fatal(err)
		} else if p, ok := f.(*http2.PingFrame); ok && p.IsAck() {
			return
		}
	}
}

// TestFileConnectionEnds: so does the end of the connection.
func TestFileConnectionEnds(t *testing.T) {
	f := aFile(t, 1<<20)
	nc, _, result := fileDownload(t, f)
	nc.Close()
	if r := <-result; r == "" {
		t.Error("no error")
	}
}
