package nethttp

import (
	"context"
	"net/http/httptrace"
	"sync"
)

// quiet takes from the trace what is called elsewhere: our dial tells of its
// handshake, and net/http, which finds it done, would tell of it again. If the
// dial has been already, so has GetConn.
func (h *hop) quiet(ctx context.Context) context.Context {
	trace := *h.trace
	trace.TLSHandshakeStart, trace.TLSHandshakeDone = nil, nil
	if h.dialed {
		trace.GetConn = nil
	}
	return httptrace.WithClientTrace(untraced{ctx}, &trace)
}

// untraced is a context without its trace: httptrace would call one that it
// finds as well as the new one.
type untraced struct{ context.Context }

func (c untraced) Value(key any) any {
	if key == traceKey() {
		return nil
	}
	return c.Context.Value(key)
}

// traceKey is the key with which httptrace asks a context.
var traceKey = sync.OnceValue(func() any {
	var asked keyOf
	httptrace.ContextClientTrace(&asked)
	return asked.key
})

type keyOf struct {
	context.Context
	key any
}

func (k *keyOf) Value(key any) any { k.key = key; return nil }
