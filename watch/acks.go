package watch

import (
	"context"
	"sync"
)

// acks tracks the broker's acknowledgements of what a stage writes. A step settles when it has ended, all its writes are acknowledged, and the
// steps before it have settled. The zero value has no steps.
type acks struct {
	mu    sync.Mutex
	steps []*step       // not settled, oldest first
	empty chan struct{} // closed when no step is left; nil while nobody waits
}

// step is one round of a stage: it polls records, handles them, and writes what follows.
type step struct {
	left  int    // writes that are not acknowledged
	ended bool   // it writes no more
	then  func() // called when it settles
}

// begin starts a step.
func (a *acks) begin() *step {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &step{}
	a.steps = append(a.steps, s)
	return s
}

// write counts one more record that the step writes.
func (a *acks) write(s *step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.left++
}

// acknowledge counts one record of the step as written. A failed write is never acknowledged, so neither its step nor any later one settles.
func (a *acks) acknowledge(s *step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.left--
	a.settle()
}

// end ends a step. It calls then when the step settles: in the order of the steps, and with the lock held, so then may set what do reads.
func (a *acks) end(s *step, then func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.ended, s.then = true, then
	a.settle()
}

// settle removes the steps that have settled. The lock is held.
func (a *acks) settle() {
	for len(a.steps) > 0 && a.steps[0].ended && a.steps[0].left == 0 {
		a.steps[0].then()
		a.steps = a.steps[1:]
	}
	if len(a.steps) == 0 && a.empty != nil {
		close(a.empty)
		a.empty = nil
	}
}

// do calls f with the lock held.
func (a *acks) do(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// wait waits until all steps have settled. When the context ends first, it returns the cause.
func (a *acks) wait(ctx context.Context) error {
	a.mu.Lock()
	if len(a.steps) == 0 {
		a.mu.Unlock()
		return nil
	}
	if a.empty == nil {
		a.empty = make(chan struct{})
	}
	empty := a.empty
	a.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
