// Package programs holds tests of programs that were written for net/http and
// run on nonet with one line changed, the one that makes the server: a chi
// router with its middlewares, http.FileServer, httputil.ReverseProxy, a stream
// of server-sent events, and the middlewares of OpenTelemetry and Prometheus.
// Each is asked over HTTP/2 and HTTP/1.1 by net/http's client.
//
// NONET_HOST=net/http runs them on net/http's server. What the functions of
// package nethttp add has tests of its own here, which need nonet.
package programs
