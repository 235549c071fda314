package nonet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// TestWriteLent: the octets of a large Write, and of small ones around it, come in
// their order, and its memory is the caller's again.
func TestWriteLent(t *testing.T) {
	const size = 400_001
	for _, kind := range []string{"h2c", "tls", "trace", "http/1.1"} {
		t.Run(kind, func(t *testing.T) {
			s := &Server{Handler: func(s Stream) {
				s.WriteString("before")
				p := counted(size)
				for range 2 {
					if n, err := s.Write(p); n != size || err != nil {
						t.Errorf("%d, %v; want %d", n, err, size)
					}
					s.WriteString("between")
					for i := range p {
						p[i]++
					}
				}
				clear(p)
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
			want := append([]byte("before"), counted(size)...)
			want = append(want, "between"...)
			for _, c := range counted(size) {
				want = append(want, c+1)
			}
			want = append(want, "between"...)
			if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d octets, %v; want %d, or others", len(got), err, len(want))
			}
		})
	}
}

// lentDownload asks for a mebibyte of one Write and reads until no window is left.
// When Write has returned, its memory is written to.
func lentDownload(t *testing.T) (nc net.Conn, fr *http2.Framer, result chan string) {
	t.Helper()
	result = make(chan string, 1)
	s := &Server{Handler: func(s Stream) {
		p := counted(1 << 20)
		n, err := s.Write(p)
		clear(p)
		result <- fmt.Sprint(n, " ", err)
	}}
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		nc.(*net.TCPConn).SetWriteBuffer(1) // the least there is
		return ctx
	}
	addr := start(t, s, false)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.Write(frame.AppendHeaders(frame.AppendSettings([]byte(frame.Preface)), 1, []byte("\x82\x84\x86\x41\x01a"), true, frame.MinMaxFrameSize))
	fr = http2.NewFramer(nc, nc)
	if got := readContent(t, fr, frame.DefaultWindow); !bytes.Equal(got, counted(frame.DefaultWindow)) {
		t.Fatal("not the content")
	}
	return nc, fr, result
}

// TestWriteLentWaits: a large Write goes on as the windows let it, and returns when
// 64 KiB are unsent.
func TestWriteLentWaits(t *testing.T) {
	_, fr, result := lentDownload(t)
	const most = 1<<20 - maxUnsent - frame.DefaultWindow
	got := counted(frame.DefaultWindow)
	for _, n := range []int{1, 100_000, most - 100_001} {
		select {
		case r := <-result:
			t.Fatalf("Write: %s", r)
		default:
		}
		fr.WriteWindowUpdate(0, uint32(n))
		fr.WriteWindowUpdate(1, uint32(n))
		got = append(got, readContent(t, fr, n)...)
	}
	if r, want := <-result, fmt.Sprint(1<<20, " <nil>"); r != want {
		t.Errorf("Write: %s, want %s", r, want)
	}
	fr.WriteWindowUpdate(0, maxUnsent)
	fr.WriteWindowUpdate(1, maxUnsent)
	if got = append(got, readContent(t, fr, maxUnsent)...); !bytes.Equal(got, counted(1<<20)) {
		t.Error("not the content")
	}
}

// TestWriteLentInUse: Write returns when nobody needs its memory: not while the
// last of it is on its way to a socket that has no room.
func TestWriteLentInUse(t *testing.T) {
	_, fr, result := lentDownload(t)
	fr.WriteWindowUpdate(0, 1<<20)
	fr.WriteWindowUpdate(1, 1<<20)
	if got := readContent(t, fr, 1<<20-frame.DefaultWindow); !bytes.Equal(got, counted(1 << 20)[frame.DefaultWindow:]) {
		t.Error("not the content")
	}
	if r, want := <-result, fmt.Sprint(1<<20, " <nil>"); r != want {
		t.Errorf("Write: %s, want %s", r, want)
	}
}

// TestWriteLentReset: a reset ends a large Write.
func TestWriteLentReset(t *testing.T) {
	_, fr, result := lentDownload(t)
	fr.WriteRSTStream(1, http2.ErrCodeCancel)
	if r, want := <-result, fmt.Sprint(frame.DefaultWindow, " ", &ResetError{Code: frame.Cancel, Side: conn.Remote}); r != want {
		t.Errorf("Write: %s, want %s", r, want)
	}
}

// TestWriteLentConnectionEnds: so does the end of the connection, while a write of
// its memory waits for the socket or none does.
func TestWriteLentConnectionEnds(t *testing.T) {
	for _, grant := range []uint32{0, 1 << 20} {
		nc, fr, result := lentDownload(t)
		if grant > 0 {
			fr.WriteWindowUpdate(0, grant)
			fr.WriteWindowUpdate(1, grant)
		}
		nc.Close()
		<-result
	}
}

// TestWriteLentBounds: what HEAD leaves out is counted, and content-length bounds a
// large Write, too.
func TestWriteLentBounds(t *testing.T) {
	onEach(t, func(t *testing.T, dial func(*Server) *peer) {
		p := dial(&Server{Handler: func(s Stream) {
			if string(s.Path()) == "/short" {
				s.SetField("content-length", "199999")
				if n, err := s.Write(make([]byte, 200_000)); n != 0 || err != ErrContentLength {
					t.Errorf("%d, %v", n, err)
				}
				s.Reset(frame.Cancel)
				return
			}
			if n, err := s.Write(make([]byte, 200_000)); n != 200_000 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}})
		p.request(1, "HEAD", "/", true)
		p.want("HEADERS 1 :status=200", `DATA 1 "" END_STREAM`)
		p.get(3, "/short")
		p.want("RST_STREAM 3 CANCEL")
	})
}
