//go:build !unix

package nonet

import "errors"

// socket is for what package net can't do; here nothing.
type socket struct {
	cipher *cipherConn // between our own TLS and it; else nil
}

func (s *socket) init(netSocket) {}
func (s *socket) rested()        {}
func (s *socket) ok() bool       { return false }
func (s *socket) use(*watch)     {}

func (s *socket) read(bool) ([]byte, int, error)  { return nil, 0, errors.ErrUnsupported }
func (s *socket) tryWrite([]byte) (int, error)    { return 0, errors.ErrUnsupported }
func (s *socket) tryWritev([][]byte) (int, error) { return 0, errors.ErrUnsupported }
