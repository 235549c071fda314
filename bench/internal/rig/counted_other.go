//go:build !unix

package rig

// Read reads from the socket.
func (c *countedConn) Read(p []byte) (n int, err error) { return c.Conn.Read(p) }
