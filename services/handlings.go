package services

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
)

// handlingIDs number the handlings of one process: 32 bits that no other process has, and a counter. They tell a repeat
// from a handling that is reported twice.
type handlingIDs struct{ last atomic.Uint64 }

func newHandlingIDs() *handlingIDs {
	var seed [4]byte
	// Reading random bytes never fails: crypto/rand ends the process first.
	_, _ = rand.Read(seed[:])
	ids := &handlingIDs{}
	ids.last.Store(uint64(binary.BigEndian.Uint32(seed[:])|1) << 32)
	return ids
}

// next is an id that is not 0.
func (ids *handlingIDs) next() uint64 { return ids.last.Add(1) }
