package nonet

import (
	"context"
	"errors"

	"github.com/nonet-h2/nonet/conn"
	"github.com/nonet-h2/nonet/frame"
)

// ResetError says that a stream was reset: by which side, and with which error
// code (RFC 9113 6.4). Reads and writes of the stream return it, and it is the
// cause of the request's context.
type ResetError struct {
	Code frame.ErrCode
	Side conn.Side
}

func (e *ResetError) Error() string {
	by := "stream reset"
	if e.Side == conn.Remote {
		by = "stream reset by the peer"
	}
	return "nonet: " + by + ": " + e.Code.String()
}

// canceled is the cause of a context whose stream has ended by error. It is
// context.Canceled too: clients return the cause in place of that, and programs
// ask whether a request failed because it was given up.
type canceled struct{ error }

func (e canceled) Unwrap() error        { return e.error }
func (e canceled) Is(target error) bool { return target == context.Canceled }

// Errors of a Stream's methods. On a stream that was reset they return a
// *[ResetError], and on a connection that is gone what ended it.
var (
	// ErrWouldBlock: an inline handler asked for something that is not there
	// yet. [Stream.Go] continues where waiting is allowed.
	ErrWouldBlock = errors.New("nonet: would block in an inline handler")
	// ErrResponseStarted: the header section was sent and can't be changed.
	ErrResponseStarted = errors.New("nonet: response has already started")
	// ErrResponseComplete: nothing can follow; [Stream.Close] was called.
	ErrResponseComplete = errors.New("nonet: response is complete")
	// ErrStale: the request that this Stream stood for has ended.
	ErrStale = errors.New("nonet: stream of an ended request")
	// ErrRequestStarted: the header section was sent and can't be changed.
	ErrRequestStarted = errors.New("nonet: request has already started")
	// ErrRequestComplete: nothing can follow; [ClientStream.CloseWrite] was
	// called, or [ClientStream.Response] of a request without content.
	ErrRequestComplete = errors.New("nonet: request is complete")
	// ErrNotHTTP2: the server speaks something else, or refuses "h2" in the TLS
	// handshake. The error that says what is an ErrNotHTTP2 for [errors.Is].
	ErrNotHTTP2 = errors.New("nonet: the server does not speak HTTP/2")
	// ErrClientClosed: the client was shut down or closed.
	ErrClientClosed = errors.New("nonet: client closed")
	// ErrServerClosed: the server was shut down or closed.
	ErrServerClosed = errors.New("nonet: server closed")
	// ErrProhibitedTrailer: RFC 9110 6.5.1 or RFC 9113 8.2.2 keeps the field
	// out of a trailer section.
	ErrProhibitedTrailer = errors.New("nonet: field is not allowed in trailers")
	// ErrTrailersNotSupported: this response has no trailer section, see
	// [Stream.SupportsTrailers].
	ErrTrailersNotSupported = errors.New("nonet: trailers are not supported for this response")
	// ErrContentLength: more octets than the response's content-length says.
	ErrContentLength = errors.New("nonet: wrote more than the declared content-length")
	// ErrBodyNotAllowed: a response with status 204 or 304 has no content
	// (RFC 9110 15.3.5, 15.4.5).
	ErrBodyNotAllowed = errors.New("nonet: response with this status has no content")
	// ErrConnectionField: connection-specific fields are no part of an HTTP/2
	// message (RFC 9113 8.2.2). "connection" itself is accepted, and acted on.
	ErrConnectionField = errors.New("nonet: connection-specific field")
	// ErrStatus: not a status code that may be sent here.
	ErrStatus = errors.New("nonet: invalid status code")
)

var (
	errNoHandler     = errors.New("nonet: the server has no handler")
	errNoCertificate = errors.New("nonet: TLS needs a certificate: give files or TLSConfig.Certificates")

	errURL          = errors.New("nonet: not a URL of http or https")
	errUserinfo     = errors.New("nonet: the URL has user information; use the field authorization")
	errAuthority    = errors.New("nonet: invalid authority")
	errMethod       = errors.New("nonet: invalid method")
	errConnectPath  = errors.New("nonet: CONNECT has no path; extended CONNECT has, after SetProtocol")
	errProtocol     = errors.New("nonet: no protocol for extended CONNECT, or not a CONNECT request")
	errTE           = errors.New("nonet: te may only be trailers")
	errHost         = errors.New("nonet: the URL says the host")
	errTwoWriters   = errors.New("nonet: two goroutines begin the request at once")
	errNotBegun     = errors.New("nonet: the request has not begun")
	errShortRequest = errors.New("nonet: wrote less than the declared content-length")
	errGoingAway    = errors.New("nonet: the connection takes no more requests")
	errServerHTTP1  = notHTTP2("nonet: the server speaks HTTP/1.1, not HTTP/2")
	errNoGreeting   = notHTTP2("nonet: the server ended the connection before it said anything; perhaps it expects TLS")
	errNoSettings   = notHTTP2("nonet: the server does not speak HTTP/2: it does not begin with SETTINGS")
	errServerTLS    = notHTTP2("nonet: the server speaks TLS; use https")

	errPseudo     = errors.New("nonet: invalid field name")
	errLength     = errors.New("nonet: invalid content-length")
	errClosed     = errors.New("nonet: connection closed")
	errWriteStall = errors.New("nonet: connection closed: the peer takes no octets")
)

// notHTTP2 is an ErrNotHTTP2 that says more.
type notHTTP2 string

func (e notHTTP2) Error() string        { return string(e) }
func (e notHTTP2) Is(target error) bool { return target == ErrNotHTTP2 }
