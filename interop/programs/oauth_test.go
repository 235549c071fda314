package programs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/nonet-h2/nonet/interop/host"
)

// TestOAuth: x/oauth2's client, which fetches tokens with a client that it is
// given and puts them into the requests of another on the same round tripper.
func TestOAuth(t *testing.T) {
	host.Each(t, func(t *testing.T, k host.Kind, overTLS bool) {
		var tokens atomic.Int32
		mux := http.NewServeMux()
		mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
			id, secret, _ := r.BasicAuth()
			if id != "id" || secret != "secret" || r.FormValue("grant_type") != "client_credentials" {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, tokens.Add(1))
		})
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Proto, " ", r.Header.Get("Authorization"), " ", len(b))
		})
		r := host.Start(t, k, overTLS, mux)
		for _, proto := range host.Protocols {
			tokens.Store(0)
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, r.NonetClient(t, proto))
			config := clientcredentials.Config{ClientID: "id", ClientSecret: "secret", TokenURL: r.URL + "/token"}
			c := config.Client(ctx)
			for i, n := range []int{0, 7, 100_000} {
				res, err := c.Post(r.URL+"/", "text/plain", io.LimitReader(endless{}, int64(n)))
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(res.Body)
				res.Body.Close()
				if want := fmt.Sprint(proto, " Bearer token-1 ", n); string(b) != want || err != nil {
					t.Errorf("%d: %q, %v, want %q", i, b, err, want)
				}
			}
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
