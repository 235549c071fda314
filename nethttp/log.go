package nethttp

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"strings"
)

// logger is where a server's lines go: an ErrorLog if there is one, else a
// slog.Logger, else the standard logger.
type logger struct {
	errorLog *log.Logger
	slog     *slog.Logger
}

func (l logger) printf(format string, args ...any) {
	switch {
	case l.errorLog != nil:
		l.errorLog.Printf(format, args...)
	case l.slog != nil:
		l.slog.Error(fmt.Sprintf(format, args...))
	default:
		log.Printf(format, args...)
	}
}

// std returns the ErrorLog for net/http's server.
func (l logger) std() *log.Logger {
	if l.errorLog == nil && l.slog != nil {
		return slog.NewLogLogger(l.slog.Handler(), slog.LevelError)
	}
	return l.errorLog
}

// engine returns the logger for the engine.
func (l logger) engine() *slog.Logger {
	if l.slog == nil && l.errorLog != nil {
		return slog.New(&lineHandler{l: l.errorLog})
	}
	return l.slog
}

// lineHandler writes the engine's lines to an ErrorLog.
type lineHandler struct {
	l     *log.Logger
	attrs []slog.Attr
}

func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%q", a.Key, a.Value.String())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.l.Print(b.String())
	return nil
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lineHandler{l: h.l, attrs: append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

func (h *lineHandler) WithGroup(string) slog.Handler { return h }
