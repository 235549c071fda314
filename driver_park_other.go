//go:build !linux

package nonet

func (d *driver) park() bool { return false }
func (d *driver) unpark()    {}
