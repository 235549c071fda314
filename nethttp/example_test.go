package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/nonet-h2/nonet"
	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/nethttp"
)

// A server as with net/http: HTTP/2 and HTTP/1.1 on one port.
func ExampleServer() {
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello over %s\n", r.Proto)
	})
	s := &nethttp.Server{Addr: ":8443", ReadTimeout: time.Minute}
	log.Fatal(s.ListenAndServeTLS("cert.pem", "key.pem"))
}

// A server of net/http that exists already.
func ExampleConfigureServer() {
	s := &http.Server{Addr: ":8443", Handler: http.FileServer(http.Dir("."))}
	if err := nethttp.ConfigureServer(s); err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.ListenAndServeTLS("cert.pem", "key.pem"))
}

func ExampleAppendTrailer() {
	http.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		trailers := nethttp.SupportsTrailers(w)
		if trailers {
			_ = nethttp.DeclareTrailer(w, "X-Octets") // optional on HTTP/2
		}
		n, err := io.Copy(w, r.Body)
		if err == nil && trailers {
			_ = nethttp.AppendTrailer(w, "X-Octets", fmt.Sprint(n))
		}
	})
}

func ExampleReset() {
	http.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			var reset *nonet.ResetError
			if errors.As(context.Cause(r.Context()), &reset) {
				log.Printf("%v reset it with %v", reset.Side, reset.Code)
			}
		case <-time.After(time.Second):
			_ = nethttp.Reset(w, frame.EnhanceYourCalm)
		}
	})
}
