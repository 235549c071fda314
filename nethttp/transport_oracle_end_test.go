package nethttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

func endedContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// tripEnds are about how requests end, other than well.
func tripEnds() (rows []trip) {
	codes := []http2.ErrCode{http2.ErrCodeNo, http2.ErrCodeProtocol, http2.ErrCodeInternal, http2.ErrCodeCancel, http2.ErrCodeEnhanceYourCalm, http2.ErrCodeHTTP11Required, 0x1234}
	for _, code := range codes {
		rows = append(rows,
			trip{name: "reset before the response: " + code.String(), serve: func(o *origin) {
				o.hello()
				if id := o.whole(); o.no == 1 {
					o.reset(id, code)
				} else {
					o.ok(id)
				}
				for {
					o.ok(o.whole()) // who tries again
				}
			}},
			trip{name: "reset in the content: " + code.String(), serve: func(o *origin) {
				o.hello()
				id := o.whole()
				o.headers(id, false, ":status", "200")
				o.data(id, "con", false)
				o.rest()
				o.reset(id, code)
			}},
			trip{name: "reset before the response to POST: " + code.String(), request: func(n *tripNotes) *http.Request {
				return newRequest("POST", "http://example.com/", watched{strings.NewReader("content"), n})
			}, serve: func(o *origin) {
				o.hello()
				if id := o.whole(); o.no == 1 {
					o.reset(id, code)
				} else {
					o.ok(id)
				}
				for {
					o.ok(o.whole()) // who tries again
				}
			}})
	}
	// Refused a number of times, then answered.
	refuse := func(name string, times int, request func(n *tripNotes) *http.Request) {
		rows = append(rows, trip{name: "refused: " + name, request: request, serve: func(o *origin) {
			o.hello()
			for i := 0; ; i++ {
				id := o.whole()
				if i < times {
					o.reset(id, http2.ErrCodeRefusedStream)
				} else {
					o.ok(id)
				}
			}
		}})
	}
	memory := func(n *tripNotes) *http.Request {
		return newRequest("POST", "http://example.com/", strings.NewReader("content"))
	}
	refuse("once, no body", 1, nil)
	refuse("twice, no body", 2, nil)
	refuse("once, in memory", 1, memory)
	refuse("once, GetBody", 1, func(n *tripNotes) *http.Request {
		r := newRequest("POST", "http://example.com/", watched{strings.NewReader("content"), n})
		r.GetBody = func() (io.ReadCloser, error) {
			n.event("GetBody", "called")
			return watched{strings.NewReader("content"), n}, nil
		}
		return r
	})
	refuse("once, GetBody fails", 1, func(n *tripNotes) *http.Request {
		r := newRequest("POST", "http://example.com/", watched{strings.NewReader("content"), n})
		r.GetBody = func() (io.ReadCloser, error) { return nil, errTest }
		return r
	})
	refuse("once, no GetBody", 1, func(n *tripNotes) *http.Request {
		return newRequest("POST", "http://example.com/", watched{strings.NewReader("content"), n})
	})

	goAway := func(name string, request func(n *tripNotes) *http.Request, first func(o *origin, id uint32)) {
		rows = append(rows, trip{name: "GOAWAY: " + name, request: request, serve: func(o *origin) {
			o.hello()
			id := o.whole()
			if o.no == 1 {
				first(o, id)
				return
			}
			o.ok(id)
		}})
	}
	goAway("not processed", nil, func(o *origin, id uint32) { o.goAway(0, http2.ErrCodeNo) })
	goAway("not processed, POST in memory", memory, func(o *origin, id uint32) { o.goAway(0, http2.ErrCodeNo) })
	goAway("processed", nil, func(o *origin, id uint32) {
		o.goAway(id, http2.ErrCodeNo)
		o.rest()
		o.ok(id)
	})
	goAway("with an error, then closed", nil, func(o *origin, id uint32) {
		o.goAway(id, http2.ErrCodeProtocol)
		o.close()
	})
	rows = append(rows,
		trip{name: "closed before the response", serve: func(o *origin) { o.hello(); o.whole(); o.close() }},
		trip{name: "closed before the response to POST", request: memory, serve: func(o *origin) { o.hello(); o.whole(); o.close() }},
		trip{name: "closed in the content", serve: func(o *origin) {
			o.hello()
			id := o.whole()
			o.headers(id, false, ":status", "200", "content-length", "7")
			o.data(id, "con", false)
			o.rest()
			o.close()
		}},
		trip{name: "a broken frame in the content", serve: func(o *origin) {
			o.hello()
			id := o.whole()
			o.headers(id, false, ":status", "200")
			o.data(id, "con", false)
			o.rest()
			o.write(func() error { return o.fr.WriteRawFrame(http2.FrameWindowUpdate, 0, 0, []byte{0, 0, 0}) })
		}},
		trip{name: "ResponseHeaderTimeout", base: func(tr *http.Transport) { tr.ResponseHeaderTimeout = time.Second }, serve: func(o *origin) {
			o.hello()
			o.whole()
		}},
		trip{name: "ResponseHeaderTimeout, in time", base: func(tr *http.Transport) { tr.ResponseHeaderTimeout = time.Second }, serve: func(o *origin) {
			o.hello()
			id := o.whole()
			o.headers(id, false, ":status", "200")
			time.Sleep(2 * time.Second)
			o.data(id, "ok", true)
		}},
	)

	// Cancelled by the client.
	cancel := func(name string, with func(parent context.Context) context.Context, serve func(o *origin), request func(n *tripNotes) *http.Request) {
		rows = append(rows, trip{name: "context: " + name, request: func(n *tripNotes) *http.Request {
			r := newGet("http://example.com/")
			if request != nil {
				r = request(n)
			}
			return r.WithContext(with(context.Background()))
		}, serve: serve})
	}
	later := func(cause error) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(cause) })
			return ctx
		}
	}
	deadline := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
	silent := func(o *origin) { o.hello(); o.whole() }
	begun := func(o *origin) {
		o.hello()
		id := o.whole()
		o.headers(id, false, ":status", "200")
		o.data(id, "con", false)
	}
	endless := func(n *tripNotes) *http.Request {
		return newRequest("POST", "http://example.com/", watched{strings.NewReader(long), n})
	}
	for name, f := range map[string]func(context.Context) context.Context{"canceled": later(nil), "canceled with a cause": later(errTest), "deadline": deadline} {
		cancel(name+", before the response", f, silent, nil)
		cancel(name+", in the content", f, begun, nil)
		cancel(name+", in the upload", f, func(o *origin) { o.hello(); o.next() }, endless)
		cancel(name+", no SETTINGS", f, func(o *origin) {}, nil)
	}
	rows = append(rows, trip{name: "Request.Cancel", request: func(n *tripNotes) *http.Request {
		c := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(c) })
		r := newGet("http://example.com/")
		//lint:ignore SA1019 it is what the row is about
		r.Cancel = c
		return r
	}, serve: silent})

	act := func(name string, request func(n *tripNotes) *http.Request, serve func(o *origin), f func(n *tripNotes, res *http.Response)) {
		rows = append(rows, trip{name: name, serve: serve, act: func(n *tripNotes, rt http.RoundTripper) {
			r := newGet("http://example.com/")
			if request != nil {
				r = request(n)
			}
			res, err := rt.RoundTrip(r)
			if n.response("", r, res, err) {
				f(n, res)
			}
		}})
	}
	act("Close before the end", nil, begun, func(n *tripNotes, res *http.Response) { n.add("close", kind(res.Body.Close())) })
	act("Close twice", nil, begun, func(n *tripNotes, res *http.Response) {
		n.add("close", kind(res.Body.Close()))
		n.add("close", kind(res.Body.Close()))
	})
	act("Read after Close", nil, begun, func(n *tripNotes, res *http.Response) {
		res.Body.Close()
		k, err := res.Body.Read(make([]byte, 10))
		n.add("read", fmt.Sprint(k, kind(err)))
	})
	act("Read after the end", nil, nil, func(n *tripNotes, res *http.Response) {
		n.body("", res)
		k, err := res.Body.Read(make([]byte, 10))
		n.add("read", fmt.Sprint(k, kind(err)))
	})
	act("Read twice after the end", nil, nil, func(n *tripNotes, res *http.Response) {
		io.Copy(io.Discard, res.Body)
		for range 2 {
			k, err := res.Body.Read(make([]byte, 10))
			n.add("read", fmt.Sprint(k, kind(err)))
		}
	})
	act("Close during Read", nil, begun, func(n *tripNotes, res *http.Response) {
		time.AfterFunc(time.Second, func() { res.Body.Close() })
		b, err := io.ReadAll(res.Body)
		n.add("read", fmt.Sprint(len(b), kind(err)))
	})
	act("Close during the upload", endless, func(o *origin) {
		o.hello()
		o.headers(o.next(), false, ":status", "200")
	}, func(n *tripNotes, res *http.Response) { n.add("close", kind(res.Body.Close())) })
	act("Close of a response without content", nil, func(o *origin) { o.hello(); o.headers(o.whole(), true, ":status", "204") },
		func(n *tripNotes, res *http.Response) { n.add("close", kind(res.Body.Close())) })

	// A response before the request is complete.
	for _, status := range []string{"200", "299", "302", "404", "500"} {
		rows = append(rows, trip{name: "a response during the upload: " + status, with: readThenClose, request: func(n *tripNotes) *http.Request {
			r := newRequest("POST", "http://example.com/", nil)
			pr, pw := io.Pipe()
			go func() {
				for range 3 {
					pw.Write([]byte("part "))
					time.Sleep(100 * time.Millisecond)
				}
				pw.Close()
			}()
			r.Body = pr
			return r
		}, serve: func(o *origin) {
			o.hello()
			id := o.next()
			o.has(id, 5)
			o.headers(id, false, ":status", status)
			o.data(id, "answer", true)
		}})
	}
	rows = append(rows, trip{name: "both directions at once", act: func(n *tripNotes, rt http.RoundTripper) {
		pr, pw := io.Pipe()
		r := newRequest("POST", "http://example.com/", pr)
		res, err := rt.RoundTrip(r)
		if !n.response("", r, res, err) {
			return
		}
		n.pings(3, pw, res)
	}, serve: func(o *origin) {
		o.hello()
		id := o.next()
		o.headers(id, false, ":status", "200")
		for i := range 3 {
			o.has(id, 6*(i+1))
			o.data(id, fmt.Sprint("pong ", i), false)
		}
		o.ended(id)
		o.data(id, "", true)
	}})
	return rows
}

// readThenClose lets a while pass between the end of the response and Close:
// without it net/http resets now with this code, now with that.
func readThenClose(n *tripNotes, rt http.RoundTripper, r *http.Request) {
	res, err := rt.RoundTrip(r)
	if n.response("", r, res, err) {
		b, err := io.ReadAll(res.Body)
		n.add("body", shown(b))
		n.add("body.error", kind(err))
		time.Sleep(time.Second)
		n.add("close", kind(res.Body.Close()))
	}
}

// tripTraces are about httptrace, and about connections.
func tripTraces() (rows []trip) {
	traced := func(n *tripNotes, r *http.Request, informed error) *http.Request {
		on := func(what string) func() { return func() { n.event("trace", what) } }
		return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			GetConn: func(hostPort string) { n.event("trace", "GetConn "+hostPort) },
			GotConn: func(i httptrace.GotConnInfo) {
				n.event("trace", fmt.Sprint("GotConn ", i.Reused, i.Conn != nil && i.Conn.RemoteAddr() != nil))
			},
			GotFirstResponseByte: on("GotFirstResponseByte"), Got100Continue: on("Got100Continue"),
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				n.event("trace", fmt.Sprint("Got1xxResponse ", code, h))
				return informed
			},
			WroteHeaderField: func(k string, v []string) { n.add("wrote field "+k, fmt.Sprint(v)) },
			WroteHeaders:     on("WroteHeaders"), Wait100Continue: on("Wait100Continue"),
			WroteRequest: func(i httptrace.WroteRequestInfo) { n.event("trace", "WroteRequest "+kind(i.Err)) },
		}))
	}
	interims := func(o *origin) {
		o.hello()
		id := o.whole()
		o.headers(id, false, ":status", "100")
		o.headers(id, false, ":status", "103", "link", "</a>", "x-a", "1")
		o.rest()
		o.ok(id)
	}
	get := func(n *tripNotes) *http.Request { return newGet("http://example.com/") }
	rows = append(rows,
		trip{name: "trace: GET", request: func(n *tripNotes) *http.Request { return traced(n, get(n), nil) }},
		trip{name: "trace: POST", request: func(n *tripNotes) *http.Request {
			return traced(n, newRequest("POST", "http://example.com/", strings.NewReader("content")), nil)
		}},
		trip{name: "trace: POST of unknown length", request: func(n *tripNotes) *http.Request {
			return traced(n, newRequest("POST", "http://example.com/", watched{strings.NewReader("content"), n}), nil)
		}},
		trip{name: "trace: interim responses", request: func(n *tripNotes) *http.Request { return traced(n, get(n), nil) }, serve: interims},
		trip{name: "trace: interim responses refused", request: func(n *tripNotes) *http.Request { return traced(n, get(n), errTest) }, serve: interims},
		trip{name: "trace: Expect", base: func(tr *http.Transport) { tr.ExpectContinueTimeout = time.Minute }, request: func(n *tripNotes) *http.Request {
			r := newRequest("POST", "http://example.com/", strings.NewReader("content"))
			r.Header.Set("Expect", "100-continue")
			return traced(n, r, nil)
		}, serve: func(o *origin) {
			o.hello()
			id := o.next()
			o.rest()
			o.headers(id, false, ":status", "100")
			o.ended(id)
			o.ok(id)
		}},
		trip{name: "trace: a body that fails", request: func(n *tripNotes) *http.Request {
			return traced(n, newRequest("POST", "http://example.com/", watched{readerFunc(func([]byte) (int, error) { return 0, errTest }), n}), nil)
		}},
		trip{name: "trace: two requests on a connection", act: func(n *tripNotes, rt http.RoundTripper) {
			n.trip("", rt, traced(n, get(n), nil))
			time.Sleep(time.Second)
			n.event("trace", "second")
			n.trip("second.", rt, traced(n, get(n), nil))
		}},
		trip{name: "three requests at once", act: func(n *tripNotes, rt http.RoundTripper) {
			n.trip("", rt, get(n))
			done := make(chan struct{})
			for range 3 {
				go func() {
					res, err := rt.RoundTrip(get(n))
					if err == nil {
						b, _ := io.ReadAll(res.Body)
						res.Body.Close()
						n.event("answer", string(b))
					}
					done <- struct{}{}
				}()
			}
			for range 3 {
				<-done
			}
		}},
		trip{name: "two hosts", act: func(n *tripNotes, rt http.RoundTripper) {
			n.trip("", rt, get(n))
			n.trip("second.", rt, newGet("http://example.net/"))
		}},
		trip{name: "CloseIdleConnections", act: func(n *tripNotes, rt http.RoundTripper) {
			n.trip("", rt, get(n))
			time.Sleep(time.Second)
			rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
			time.Sleep(time.Second)
			n.trip("second.", rt, get(n))
		}},
		trip{name: "Request.Close", act: func(n *tripNotes, rt http.RoundTripper) {
			for _, at := range []string{"", "second."} {
				r := get(n)
				r.Close = true
				n.trip(at, rt, r)
				time.Sleep(time.Second)
			}
		}},
		trip{name: "DisableKeepAlives", base: func(tr *http.Transport) { tr.DisableKeepAlives = true }, act: func(n *tripNotes, rt http.RoundTripper) {
			n.trip("", rt, get(n))
			time.Sleep(time.Second)
			n.trip("second.", rt, get(n))
		}},
	)
	return rows
}
