package rig

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/nethttp"
)

// Client is a kind of client.
type Client struct {
	Name string
	open func(url string, w *Work) asker
}

// asker is a client with one connection.
type asker struct {
	unit  func(buf []byte) error             // a request and its response
	echo  func() (io.ReadWriteCloser, error) // begins a stream on which messages go to and fro
	drop  func()                             // closes the connection, which is idle
	close func()
}

// Clients are those that are measured: the stream API, which has no inline kind,
// and a RoundTripper.
func Clients() []Client {
	return []Client{
		{"stream", openStreams},
		{"transport", func(url string, w *Work) asker {
			t := &nethttp.Transport{PriorKnowledge: true, Base: &http.Transport{TLSClientConfig: insecure(), DisableCompression: true}}
			t.Client.MaxConns = 1
			return openTransport(url, w, t, t.CloseIdleConnections)
		}},
	}
}

// NetHTTPClient is net/http's own.
func NetHTTPClient() Client {
	return Client{"net/http", func(url string, w *Work) asker {
		t := &http.Transport{TLSClientConfig: insecure(), DisableCompression: true, Protocols: new(http.Protocols)}
		t.Protocols.SetHTTP2(true)
		t.Protocols.SetUnencryptedHTTP2(true)
		return openTransport(url, w, t, t.CloseIdleConnections)
	}}
}

func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

func openStreams(url string, w *Work) asker {
	c := &nonet.Client{ClientConfig: nonet.ClientConfig{MaxConns: 1, TLSConfig: insecure()}}
	url += w.Fields[3][1]
	request := func() (nonet.ClientStream, error) {
		s, err := c.Request(context.Background(), w.Fields[0][1], url)
		if err != nil {
			return s, err
		}
		for _, f := range w.Fields[4:] {
			if err := s.AddField(f[0], f[1]); err != nil {
				return s, err
			}
		}
		return s, nil
	}
	return asker{
		unit: func(buf []byte) error {
			s, err := request()
			if err != nil {
				return err
			}
			defer s.Close()
			for left := w.content(); left > 0; {
				n, err := s.Write(w.piece(left, len(zeros)))
				if left -= n; err != nil {
					return err
				}
			}
			if w.content() > 0 { // else Response completes the request
				if err := s.CloseWrite(); err != nil {
					return err
				}
			}
			status, err := s.Response()
			if err != nil {
				return err
			}
			return w.check(status, s.Read, buf)
		},
		echo: func() (io.ReadWriteCloser, error) {
			s, err := request()
			if err != nil {
				return nil, err
			}
			if err := s.Flush(); err != nil {
				return nil, err
			}
			if _, err := s.Response(); err != nil {
				return nil, err
			}
			return flushing{s}, nil
		},
		drop:  c.CloseIdle,
		close: func() { c.Close() },
	}
}

// flushing sends each message at once.
type flushing struct{ nonet.ClientStream }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ClientStream.Write(p)
	if err != nil {
		return n, err
	}
	return n, f.Flush()
}

func openTransport(url string, w *Work, rt http.RoundTripper, drop func()) asker {
	url += w.Fields[3][1]
	do := func(body io.Reader) (*http.Response, error) {
		r, err := http.NewRequest(w.Fields[0][1], url, body)
		if err != nil {
			return nil, err
		}
		for _, f := range w.Fields[4:] {
			if f[0] != "content-length" {
				r.Header.Add(f[0], f[1])
			}
		}
		r.ContentLength = int64(w.content())
		if w.Echo {
			r.ContentLength = -1
		}
		res, err := rt.RoundTrip(r)
		if err == nil && res.ProtoMajor != 2 {
			err = fmt.Errorf("%s speaks %s", url, res.Proto)
		}
		return res, err
	}
	return asker{
		unit: func(buf []byte) error {
			var body io.Reader
			if w.content() > 0 {
				body = &source{w: w, left: w.content()}
			}
			res, err := do(body)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			return w.check(res.StatusCode, res.Body.Read, buf)
		},
		echo: func() (io.ReadWriteCloser, error) {
			pr, pw := io.Pipe()
			res, err := do(pr)
			if err != nil {
				return nil, err
			}
			return piped{res.Body, pw}, nil
		},
		drop:  drop,
		close: drop,
	}
}

// source is the content of a request.
type source struct {
	w    *Work
	left int
}

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.w.piece(s.left, len(p)))
	s.left -= n
	return n, nil
}

// piped is a request whose content is a pipe.
type piped struct {
	io.ReadCloser
	w *io.PipeWriter
}

func (p piped) Write(b []byte) (int, error) { return p.w.Write(b) }

func (p piped) Close() error {
	p.w.Close()
	return p.ReadCloser.Close()
}

// check reads a response to its end. read is a function and no io.Reader, as which
// a ClientStream would be allocated.
func (w *Work) check(status int, read func([]byte) (int, error), buf []byte) error {
	got := 0
	for {
		n, err := read(buf)
		got += n
		switch {
		case err == io.EOF && (status != http.StatusOK || got != w.Answer):
			return fmt.Errorf("%s: status %d with %d octets, want %d", w.Name, status, got, w.Answer)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
