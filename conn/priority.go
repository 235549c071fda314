package conn

import "github.com/nonet-h2/nonet/frame"

// Priority is the priority of a response (RFC 9218 4): urgency 0 (first) to
// 7, and whether it is of use in parts.
type Priority struct {
	Urgency     uint8
	Incremental bool
}

// defaultPriority is that of a request which says nothing. RFC 9218 4.2 takes
// it for non-incremental; without a word from the client all share in turn,
// so that no response waits for another.
var defaultPriority = Priority{Urgency: 3, Incremental: true}

// priorityFieldSize is how much of a Priority Field Value is looked at; a
// longer one is ignored.
const priorityFieldSize = 64

// parsePriority reads the members u and i of a Priority field. What it does
// not understand is ignored (RFC 9218 4), as is the whole value when it is
// long: a bad priority is no malformed request.
func parsePriority(v []byte) Priority {
	p := Priority{Urgency: defaultPriority.Urgency}
	if len(v) > priorityFieldSize {
		return defaultPriority
	}
	for len(v) > 0 {
		m := v
		for i, b := range v {
			if b == ',' {
				m = v[:i]
				break
			}
		}
		v = v[min(len(m)+1, len(v)):]
		for len(m) > 0 && (m[0] == ' ' || m[0] == '\t') {
			m = m[1:]
		}
		for len(m) > 0 && (m[len(m)-1] == ' ' || m[len(m)-1] == '\t') {
			m = m[:len(m)-1]
		}
		switch {
		case len(m) == 3 && m[0] == 'u' && m[1] == '=' && '0' <= m[2] && m[2] <= '7':
			p.Urgency = m[2] - '0'
		case string(m) == "i", string(m) == "i=?1":
			p.Incremental = true
		case string(m) == "i=?0":
			p.Incremental = false
		}
	}
	return p
}

// Prioritize changes how the stream shares the connection. A client tells the
// server by PRIORITY_UPDATE (RFC 9218 7.1); for what it sends itself the same
// holds. The urgency is at most 7.
func (c *Conn) Prioritize(r Ref, p Priority) {
	s := c.get(r)
	if s == nil {
		return
	}
	p.Urgency = min(p.Urgency, 7)
	c.queue.Reprioritize(s, p.Urgency, p.Incremental)
	if c.role == Client && !c.over(s) {
		c.out = frame.AppendPriorityUpdate(c.out, s.ID, p.String())
	}
}

// String returns the Priority Field Value (RFC 9218 4).
func (p Priority) String() string {
	v := [...]string{"u=0", "u=1", "u=2", "u=3", "u=4", "u=5", "u=6", "u=7"}[min(p.Urgency, 7)]
	if p.Incremental {
		v += ", i"
	}
	return v
}

// recvPriorityUpdate applies PRIORITY_UPDATE (RFC 9218 7.1). For a stream that
// is still idle only the latest one is kept.
func (c *Conn) recvPriorityUpdate(h frame.Header, p []byte) *frame.Error {
	if c.role == Client {
		return errRole // RFC 9218 7.1: servers MUST NOT send it
	}
	u, e := frame.ParsePriorityUpdate(h, p)
	if e != nil {
		return e
	}
	if u.StreamID%2 == 0 {
		return errIdle // it would be a push
	}
	if f := c.abuse.idle(c.now, costPriority); f != nil || int(h.Length) > 4+priorityFieldSize {
		return f
	}
	if s := c.streams.Get(u.StreamID); s != nil {
		pr := parsePriority(u.Value)
		c.queue.Reprioritize(s, pr.Urgency, pr.Incremental)
	} else if c.idle(u.StreamID) {
		c.settings.early = earlyPriority{u.StreamID, parsePriority(u.Value)}
	}
	return nil
}
