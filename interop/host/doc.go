// Package host serves an http.Handler in each way that the tests of package
// interop compare: with nonet, as a server of its own or inside net/http's, and
// with net/http alone, whose behaviour is what the others are held to.
package host
