//go:build !linux

package nonet

import "errors"

// Files are read here; writeFiles is never called.

func (s *socket) sendsFiles() bool        { return false }
func (s *socket) writeFiles(*batch) error { return errors.ErrUnsupported }
