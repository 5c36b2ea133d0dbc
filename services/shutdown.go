package services

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tracelab/internal/poll"
	"tracelab/internal/vocabulary"
)

// Shutdown stops taking orders, lets the ones that are on their way end, finishes and commits the messages in work, and
// flushes the spans. The context bounds all of it: what is cut off is in the error. Each stage may take half of the time
// that is left, so that one call that hangs does not cost the others their commits and their spans.
func (s *System) Shutdown(ctx context.Context) error {
	s.stopRestarts()
	for _, name := range s.config.instances() {
		defer s.lock(name)()
	}
	nodes := s.running()
	for _, n := range nodes {
		n.life.Resume()
	}
	return errors.Join(shutdown(ctx, nodes), stage(ctx, s.awaitGraves), s.serving.Wait())
}

// shutdown ends services that run.
func shutdown(ctx context.Context, nodes []*node) error {
	for _, n := range nodes {
		n.draining.Store(true)
	}
	intake := func(n *node) bool { return n.name == Gateway || n.keeper != nil }
	var errs []error
	// In the order of the flow, so that nobody loses the peer that an order in work still needs.
	for _, n := range nodes {
		if intake(n) {
			errs = append(errs, stage(ctx, n.stopServing))
		}
	}
	for _, n := range nodes {
		if n.keeper != nil {
			_ = stage(ctx, n.keeper.settle) // what is pending then is in the accounts
			errs = append(errs, stage(ctx, n.keeper.stopMailbox))
			if n.keeper.outbox != nil {
				errs = append(errs, stage(ctx, n.keeper.outbox.drain))
			}
		}
	}
	errs = append(errs,
		stage(ctx, func(ctx context.Context) error {
			return each(nodes, func(n *node) error {
				if intake(n) {
					return nil
				}
				return n.stopServing(ctx)
			})
		}),
		stage(ctx, func(ctx context.Context) error { return each(nodes, func(n *node) error { return n.drain(ctx) }) }),
		each(nodes, func(n *node) error { return n.close(ctx) }))
	return errors.Join(errs...)
}

// stage does a part of a shutdown within half of the time that is left.
func stage(ctx context.Context, part func(context.Context) error) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	return part(ctx)
}

// each does something with services side by side and returns all errors.
func each(nodes []*node, do func(*node) error) error {
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { errs[i] = do(n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// settle waits until no order is pending.
func (k *keeper) settle(ctx context.Context) error {
	return poll.Until(ctx, 10*time.Millisecond, func(ctx context.Context) error {
		n, err := k.ledger.pending(ctx)
		if err == nil && n > 0 {
			return fmt.Errorf("%d %s are pending", n, vocabulary.Plural(k.flow.Unit))
		}
		return err
	})
}

// stopMailbox gives up what is still in the mailbox.
func (k *keeper) stopMailbox(ctx context.Context) error { return wrap(k.name, k.mailbox.stop(ctx)) }

// abortPatience is how long a start that failed waits at the most for a broker that does not answer.
const abortPatience = time.Second

// abort gives back what a Start that failed has taken.
func (s *System) abort(bound map[string]listeners) error {
	ctx, cancel := context.WithTimeout(context.Background(), abortPatience)
	defer cancel()
	errs := []error{each(s.running(), func(n *node) error { return n.close(ctx) })}
	for _, l := range bound {
		errs = append(errs, l.http.Close(), l.grpc.Close())
	}
	return errors.Join(errs...)
}
