package nonet

// Receive windows begin small and grow with use. By how much those of all the
// connections of a server have grown together is bounded by Config.WindowMemory.

// shareLocked tells the server how far this connection's windows have grown.
// Where that is too much for all, the windows that go on receiving return to
// their beginnings, until half of the memory is free again.
func (d *driver) shareLocked() {
	if d.srv == nil || d.closed {
		return
	}
	grown := d.core.RecvGrown()
	if grown == d.grown && !d.tight {
		return
	}
	used := d.srv.windows.Add(grown - d.grown)
	d.grown = grown
	switch limit := d.srv.windowMemory(); {
	case !d.tight && used > limit:
		d.tight = true
		d.core.SetRecvBudget(0)
	case d.tight && used <= limit/2:
		d.tight = false
		d.core.SetRecvBudget(d.srv.limits.of(&d.srv.Config).RecvBudget)
	}
}

// unshareLocked is the end of the connection.
func (d *driver) unshareLocked() {
	if d.srv != nil {
		d.srv.windows.Add(-d.grown)
		d.grown = 0
	}
}
