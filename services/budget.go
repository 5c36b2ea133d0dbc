package services

import (
	"tracelab/internal/memory"
	"tracelab/services/flows"
	"tracelab/services/internal/store"
)

// memoryLimit is how many bytes this process may use: what limits it, or all that the machine has; 0 when neither is known.
func memoryLimit() int64 {
	if limit := memory.Limit(); limit > 0 {
		return limit
	}
	return memory.OfMachine()
}

// share is how many things of a size fit into a part of the memory, at most and without a limit most.
func share(limit int64, part int64, size int64, most int) int {
	if limit <= 0 {
		return most
	}
	return max(1, min(most, int(limit/part/size)))
}

// mostEffects is how many effects one generation of a store holds without a memory limit.
const mostEffects = 500_000

// effectsLimit gives the effects, of which there are two generations, an eighth of the memory.
func effectsLimit() int { return share(memoryLimit(), 8, 2*store.NoteBytes, mostEffects) }

// mostKept is how many orders a store on disk keeps.
const mostKept = 1_000_000

// Budget of the orders that the ledger remembers.
const (
	mostOrders  = 200_000 // without a memory limit
	orderBytes  = 2048    // of one order with the longest key, but for its body
	largeOrders = 1 << 30 // bytes of all orders together, whatever there is
)

// ordersLimit gives the ledger a third of the memory.
func ordersLimit(f *flows.Flow) int {
	size := orderBytes + f.MaxBodyBytes()
	return share(memoryLimit(), 3, size, int(min(mostOrders, largeOrders/size)))
}

// Budget of the connections of a server.
const (
	mostConnections = 8192     // without a memory limit
	connectionBytes = 16 << 10 // of one with a request: its goroutine and its buffers
)

// connectionsLimit gives each server's connections a quarter of the memory.
func connectionsLimit() int {
	return max(64, share(memoryLimit(), 4, connectionBytes, mostConnections))
}
