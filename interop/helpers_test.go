package interop

import (
	"context"
	"errors"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/conn"
)

// peerReset is the error of a stream that the peer reset with code 1111.
var peerReset = &nonet.ResetError{Code: 1111, Side: conn.Remote}

// same reports whether an error is the expected one, or says the same reset.
func same(got, want error) bool {
	var g, w *nonet.ResetError
	if errors.As(want, &w) {
		return errors.As(got, &g) && g.Code == w.Code && g.Side == w.Side
	}
	return errors.Is(got, want)
}

// cause is why a stream's context was cancelled, nil if it was not.
func cause(s nonet.Stream) error {
	return context.Cause(s.Context())
}
