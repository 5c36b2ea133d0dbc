package watch

import (
	"context"
	"sync"
)

// acks tells when all that a step has written, and all that the steps before it have, is acknowledged. A step is one round of a stage: records
// are read, and what comes out of them is written. The zero value has no steps.
type acks struct {
	mu    sync.Mutex
	steps []*step // that are not acknowledged, oldest first
	empty chan struct{}
}

// step is one round.
type step struct {
	left  int // writes that are not acknowledged
	ended bool
	then  func()
}

// begin begins a step.
func (a *acks) begin() *step {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &step{}
	a.steps = append(a.steps, s)
	return s
}

// write says that the step writes one record more.
func (a *acks) write(s *step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.left++
}

// acknowledge says that one record of the step was written. A record that cannot be written is never acknowledged: no step behind it settles.
func (a *acks) acknowledge(s *step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.left--
	a.settle()
}

// end ends a step. Then is called when all is acknowledged, in the order of the steps and with the lock held: it may set what do reads.
func (a *acks) end(s *step, then func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.ended, s.then = true, then
	a.settle()
}

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

// wait waits until no step is left. It ends early with the context, and says why.
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
