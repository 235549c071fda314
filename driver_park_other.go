//go:build !linux

package nonet

type parking struct{}

func (d *driver) park() bool { return false }
func (d *driver) unpark()    {}
