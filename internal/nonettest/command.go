package nonettest

import (
	"strconv"
	"strings"
)

// command is a line of Engine.Do taken apart.
type command struct {
	*words
	n    int
	rest string
}

func parseCommand(line string) (command, error) {
	w, err := parseWords("HEADERS" + strings.TrimPrefix(line, firstWord(line)))
	c := command{words: w}
	if err != nil {
		return c, err
	}
	w.kind = firstWord(line)
	switch w.kind {
	case "ping", "advance", "emit", "budget": // of no stream
		c.rest = strings.TrimSpace(strings.TrimPrefix(line, w.kind))
		c.n, _ = strconv.Atoi(c.rest)
		return c, nil
	}
	c.rest = strings.Join(w.bare, " ")
	if len(w.bare) > 0 {
		c.n, _ = strconv.Atoi(w.bare[0])
	}
	return c, nil
}

func firstWord(line string) string {
	s, _, _ := strings.Cut(line, " ")
	return s
}
