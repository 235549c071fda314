package nethttp

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
)

// errBodyClosed is what reads of a body get that was closed, or whose handler
// has returned. The text is what gRPC looks for.
var errBodyClosed error = bodyClosed{}

type bodyClosed struct{}

func (bodyClosed) Error() string        { return "body closed by handler" }
func (bodyClosed) Is(target error) bool { return target == http.ErrBodyReadAfterClose }

var (
	// errDone: the handler has returned.
	errDone = errors.New("nethttp: write after the handler returned")

	errReadDeadline  = fmt.Errorf("nethttp: reading the request's body: %w", os.ErrDeadlineExceeded)
	errWriteDeadline = fmt.Errorf("nethttp: writing the response: %w", os.ErrDeadlineExceeded)
)

// streamError is a [nonet.ResetError] as net/http shows it: programs read its
// text, or ask errors.As for golang.org/x/net/http2.StreamError.
type streamError struct {
	StreamID uint32
	reset    *nonet.ResetError
}

func (e *streamError) Error() string {
	text := fmt.Sprintf("stream error: stream ID %d; %v", e.StreamID, e.reset.Code)
	if e.reset.Side == conn.Remote {
		text += "; received from peer"
	}
	return text
}

func (e *streamError) Unwrap() error { return e.reset }

var errFromPeer = errors.New("received from peer")

// As fills a struct with the fields StreamID, Code and Cause, whatever its
// type: that of golang.org/x/net/http2 without the import.
func (e *streamError) As(target any) bool {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return false
	}
	v = v.Elem()
	id, code, cause := v.FieldByName("StreamID"), v.FieldByName("Code"), v.FieldByName("Cause")
	if v.NumField() != 3 || !id.IsValid() || id.Kind() != reflect.Uint32 || !code.IsValid() || code.Kind() != reflect.Uint32 ||
		!cause.IsValid() || cause.Type() != reflect.TypeFor[error]() || !v.CanSet() {
		return false
	}
	id.SetUint(uint64(e.StreamID))
	code.SetUint(uint64(e.reset.Code))
	if e.reset.Side == conn.Remote {
		cause.Set(reflect.ValueOf(errFromPeer))
	} else {
		cause.SetZero()
	}
	return true
}

// streamErr makes an error of a Stream what users of net/http know.
func streamErr(s nonet.Stream, err error) error {
	if err == nil {
		return nil
	}
	if r, ok := err.(*nonet.ResetError); ok {
		return &streamError{StreamID: s.ID(), reset: r}
	}
	switch err {
	case nonet.ErrContentLength:
		return http.ErrContentLength
	case nonet.ErrBodyNotAllowed:
		return http.ErrBodyNotAllowed
	case nonet.ErrStale:
		return errDone
	}
	return err
}
