package programs

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// router is a program of chi with the middlewares that look into requests and
// responses.
func router(logs io.Writer) http.Handler {
	r := chi.NewRouter()
	r.Use(
		middleware.RequestID,
		middleware.ClientIPFromHeader("X-Real-IP"),
		middleware.RequestLogger(formatter{log.New(logs, "", 0)}),
		middleware.Recoverer,
		middleware.CleanPath,
		middleware.StripSlashes,
		middleware.GetHead,
		middleware.Heartbeat("/ping"),
		middleware.Timeout(time.Minute),
		middleware.Throttle(200),
	)
	r.Get("/hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello "+chi.URLParam(r, "name"))
	})
	r.Get("/id", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, middleware.GetReqID(r.Context()))
	})
	r.Get("/ip", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, middleware.GetClientIP(r.Context())) })
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("in the handler") })
	r.With(middleware.Timeout(time.Millisecond)).Get("/late", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	r.With(middleware.Compress(5)).Get("/text", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for range 1000 {
			io.WriteString(w, "compress me ")
		}
		w.(http.Flusher).Flush()
		io.WriteString(w, "at last")
	})
	r.With(middleware.AllowContentType("application/json"), middleware.RequestSize(10)).Post("/json", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusCreated)
		w.Write(body)
	})
	r.Route("/users/{id}", func(r chi.Router) {
		r.Use(middleware.BasicAuth("users", map[string]string{"me": "secret"}), middleware.NoCache)
		r.Get("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, chi.URLParam(r, "id")) })
		r.Delete("/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	})
	r.Mount("/files", http.StripPrefix("/files", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path)
	})))
	r.Get("/head", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Method", r.Method)
		io.WriteString(w, "content")
	})
	return r
}

func TestChi(t *testing.T) {
	var logs lockedBuffer
	each(t, always(router(&logs)), func(t *testing.T, c *client) {
		c.want(c.get("/hello/w%C3%B6rld?q=1"), 200, "hello wörld", "Content-Type: text/plain; charset=utf-8", "Content-Length: 12")
		c.want(c.get("//hello//you/"), 200, "hello you")
		c.want(c.get("/id", "X-Request-Id: mine"), 200, "mine")
		c.want(c.get("/ip", "X-Real-Ip: 192.0.2.7"), 200, "192.0.2.7")
		c.want(c.get("/ping"), 200, ".")
		c.want(c.get("/nowhere"), 404, "404 page not found\n")
		c.want(c.do("PUT", "/hello/x", ""), 405, "", "Allow: GET")
		c.want(c.get("/panic"), 500, "")
		c.want(c.get("/late"), 504, "")
		c.want(c.do("POST", "/json", `{"a":1}`, "Content-Type: application/json"), 201, `{"a":1}`)
		c.want(c.do("POST", "/json", "{}", "Content-Type: text/plain"), 415, "")
		c.want(c.do("POST", "/json", strings.Repeat(" ", 100_000), "Content-Type: application/json"), 413, "http: request body too large\n")
		c.want(c.get("/users/7"), 401, "", `Www-Authenticate: Basic realm="users"`)
		c.want(c.get("/users/7", "Authorization: Basic bWU6c2VjcmV0"), 200, "7", "Cache-Control: no-cache, no-store, no-transform, must-revalidate, private, max-age=0")
		c.want(c.do("DELETE", "/users/7", "", "Authorization: Basic bWU6c2VjcmV0"), 204, "", "Content-Length:")
		c.want(c.get("/files/a/b"), 200, "/a/b")
		c.want(c.do("HEAD", "/head", ""), 200, "", "Method: HEAD")

		text := strings.Repeat("compress me ", 1000) + "at last"
		c.want(c.get("/text", "Accept-Encoding: identity"), 200, text, "Content-Encoding:")
		a := c.get("/text", "Accept-Encoding: gzip")
		rd, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(rd); err != nil || string(b) != text || a.Header.Get("Content-Encoding") != "gzip" || a.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("GET /text compressed: %s, %v, %v", short(string(b)), err, a.Header)
		}
		for _, line := range []string{"GET /ping " + c.proto + ": 200, 1 octets", "GET /panic " + c.proto + ": in the handler"} {
			if !strings.Contains(logs.String(), c.r.Addr+" "+line) {
				t.Errorf("the log has no line with %s", line)
			}
		}
	})
}

// formatter writes a line for each request of chi's middleware.
type formatter struct{ to *log.Logger }

func (f formatter) NewLogEntry(r *http.Request) middleware.LogEntry {
	return entry{f.to, r.Host + " " + r.Method + " " + r.URL.Path + " " + r.Proto}
}

type entry struct {
	to      *log.Logger
	request string
}

func (e entry) Write(status, octets int, _ http.Header, _ time.Duration, _ any) {
	e.to.Printf("%s: %d, %d octets", e.request, status, octets)
}

func (e entry) Panic(v any, _ []byte) { e.to.Printf("%s: %v", e.request, v) }

// TestChiThrottle: no more requests at once than the middleware lets through.
func TestChiThrottle(t *testing.T) {
	each(t, func(t *testing.T) http.Handler {
		r := chi.NewRouter()
		r.Use(middleware.ThrottleBacklog(2, 100, time.Minute))
		var mu sync.Mutex
		now := 0
		r.Get("/", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			now++
			if now > 2 {
				t.Errorf("%d requests at once", now)
			}
			mu.Unlock()
			ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
			defer cancel()
			<-ctx.Done()
			mu.Lock()
			now--
			mu.Unlock()
		})
		return r
	}, func(t *testing.T, c *client) {
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() { c.want(c.get("/"), 200, "") })
		}
		all.Wait()
	})
}

// lockedBuffer collects what handlers log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
