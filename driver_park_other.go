//go:build !linux

package nonet

type parking struct{}

func (d *driver) park() bool { return false }
func (d *driver) unpark()    {}

type leader struct{}

func (d *driver) leadsLocked() bool { return false }
func (d *driver) lead() bool        { return true }
func (d *driver) leave()            {}
